#include "ops/facts.h"
#include "ops/movement/packed.h"
#include "ops/stages.h"
#include "ops/transpose/transpose.h"

namespace sardonyx::ops {

std::unique_ptr<Prepared> prepare_transpose(const PrepareContext& context) {
  return via_bytes(make_prepared([spec = transpose_spec_from_node(context.node, context.opset)](const BindContext& b) {
    const ValueFacts& x = required(b, 0, "data");
    return bind_view(transposed_view(spec, x.shape), x.dtype);
  }));
}

}  // namespace sardonyx::ops
