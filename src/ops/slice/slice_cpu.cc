#include "ops/facts.h"
#include "ops/slice/slice.h"
#include "ops/stages.h"
#include "sardonyx/model.h"

namespace sardonyx::ops {
namespace {

SliceRanges ranges_of(const BindContext& context, const SliceRanges& attributes) {
  if (context.inputs.size() == 1) return attributes;
  const auto list = [&](size_t index, const char* name, bool needed) {
    const ValueFacts* facts = needed ? &required(context, index, name) : optional(context, index);
    return facts ? integer_values(*facts, name) : std::vector<int64_t>();
  };
  return {list(1, "starts", true), list(2, "ends", true), list(3, "axes", false), list(4, "steps", false)};
}

}  // namespace

std::unique_ptr<Prepared> prepare_slice(const PrepareContext& context) {
  const SliceRanges attributes = {.starts = model::get_ints(context.node, "starts"),
                                  .ends = model::get_ints(context.node, "ends"),
                                  .axes = model::get_ints(context.node, "axes"),
                                  .steps = {}};
  return make_value_driven(make_prepared([attributes](const BindContext& b) {
                             const ValueFacts& x = required(b, 0, "data");
                             return bind_view(sliced_view(ranges_of(b, attributes), x.shape), x.dtype);
                           }),
                           {.value_inputs = 0b11110, .output_types = {}});
}

}  // namespace sardonyx::ops
