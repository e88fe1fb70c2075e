#include "ops/facts.h"
#include "ops/movement/packed.h"
#include "ops/stages.h"
#include "ops/transpose/transpose.h"

namespace sardonyx::ops {

std::unique_ptr<Prepared> prepare_transpose(const PrepareContext& context) {
  return via_bytes(make_prepared([spec = transpose_spec_from_node(context.node, context.opset)](const BindContext& b) {
    const ValueFacts& x = required(b, 0, "data");
    const StridedView view = transposed_view(spec, x.shape);
    const StridedMove move = move_between(view, view.shape, x.dtype);
    return make_bound(output(x.dtype, view.shape),
                      [move](const RunContext& r) { move.run(r.inputs[0].raw(), r.outputs[0].mutable_raw(), r.pool); });
  }));
}

}  // namespace sardonyx::ops
