#include "ops/expand/expand.h"
#include "ops/facts.h"
#include "ops/stages.h"

namespace sardonyx::ops {
namespace {

std::unique_ptr<Bound> bind_move(DType dtype, Shape out, const StridedMove& move) {
  return make_bound(output(dtype, std::move(out)),
                    [move](const RunContext& r) { move.run(r.inputs[0].raw(), r.outputs[0].mutable_raw(), r.pool); });
}

// Until opset 5 Tile takes a number of tiles and an axis, one value each.
std::vector<int64_t> repeats_of(const BindContext& context, size_t rank) {
  std::vector<int64_t> values = integer_values(required(context, 1, "repeats"), "repeats");
  if (context.inputs.size() < 3) return values;
  const std::vector<int64_t> axis = integer_values(required(context, 2, "axis"), "axis");
  if (values.size() != 1 || axis.size() != 1) throw argument_error("tiles and axis must hold one value each");
  std::vector<int64_t> repeats(rank, 1);
  repeats[checked_axis(axis[0], rank)] = values[0];
  return repeats;
}

}  // namespace

std::unique_ptr<Prepared> prepare_expand(const PrepareContext& /*context*/) {
  return make_value_driven(make_prepared([](const BindContext& b) {
                             const ValueFacts& x = required(b, 0, "input");
                             const Shape out = broadcast(x.shape, integer_values(required(b, 1, "shape"), "shape"));
                             element_count(out);
                             return bind_move(x.dtype, out, move_between(broadcast_view(x.shape, out), out, x.dtype));
                           }),
                           {.value_inputs = 1U << 1, .output_types = {}});
}

std::unique_ptr<Prepared> prepare_tile(const PrepareContext& /*context*/) {
  return make_value_driven(make_prepared([](const BindContext& b) {
                             const ValueFacts& x = required(b, 0, "input");
                             const TiledView tiled = tiled_view(x.shape, repeats_of(b, x.shape.size()));
                             element_count(tiled.out);
                             return bind_move(x.dtype, tiled.out, move_between(tiled.view, tiled.view.shape, x.dtype));
                           }),
                           {.value_inputs = 0b110, .output_types = {}});
}

}  // namespace sardonyx::ops
