// Where: elements of X or Y as a condition tells, with broadcasting of all three, of any element type of whole bytes.
#include "ops/movement/element.h"
#include "ops/stages.h"
#include "ops/where/where.h"

namespace sardonyx::ops {

std::unique_ptr<Prepared> prepare_where(const PrepareContext& /*context*/) {
  return make_prepared([](const BindContext& b) {
    const ValueFacts& condition = required(b, 0, "condition");
    const ValueFacts& x = required(b, 1, "X");
    const ValueFacts& y = required(b, 2, "Y");
    require_dtype(condition, {DType::kBool}, "condition");
    require_same_dtype(x, y, "X", "Y");
    element_bytes(x.dtype);
    const WhereStep step(condition.shape, x.shape, y.shape);
    return make_bound(output(x.dtype, step.out()), [step, dtype = x.dtype](const RunContext& r) {
      with_element(dtype, [&]<class T>() {
        const auto as_it_is = [](const T& value) -> const T& { return value; };
        step.run(r, static_cast<const T*>(r.inputs[1].raw()), as_it_is, static_cast<const T*>(r.inputs[2].raw()), as_it_is);
      });
    });
  });
}

}  // namespace sardonyx::ops
