#include "ops/cast/cast.h"
#include "ops/facts.h"
#include "ops/stages.h"

namespace sardonyx::ops {

std::unique_ptr<Prepared> prepare_cast(const PrepareContext& context) {
  return make_prepared([spec = cast_spec_from_node(context.node, context.opset)](const BindContext& b) {
    const ValueFacts& x = required(b, 0, "input");
    const DType to = spec.to == DType::kUndefined ? required(b, 1, "target_type").dtype : spec.to;
    constexpr DTypeSet kComplex = {DType::kComplex64, DType::kComplex128};
    if (x.dtype == to) return make_alias(output(to, x.shape));
    if (kComplex.has(x.dtype) || kComplex.has(to)) {
      throw unsupported_error("there is no conversion from {} to {}", type_string(x.dtype), type_string(to));
    }
    return make_bound(output(to, x.shape), [spec](const RunContext& r) { cast_elements(spec, r.inputs[0], r.outputs[0], r.pool); });
  });
}

}  // namespace sardonyx::ops
