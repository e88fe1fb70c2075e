#include "ops/depth_to_space/depth_to_space.h"
#include "ops/facts.h"
#include "ops/movement/strings.h"
#include "ops/stages.h"

namespace sardonyx::ops {
namespace {

kernels::DepthShape kernel_shape(const DepthToSpaceSpec& spec, const Shape& deep) {
  return {.batch = to_size(deep[0]),
          .channels = to_size(deep[1] / (spec.block * spec.block)),
          .height = to_size(deep[2]),
          .width = to_size(deep[3]),
          .block = to_size(spec.block)};
}

using MakeCopy = kernels::StridedCopy (*)(const kernels::DepthShape& shape, kernels::DepthOrder order);

std::unique_ptr<Bound> bind_copy(const ValueFacts& x, Shape out, MakeCopy make_copy, const DepthToSpaceSpec& spec, const Shape& deep) {
  const size_t bytes = element_bytes(x.dtype);
  // An empty tensor may have sizes that no stride can hold.
  const auto copy = element_count(out) == 0 ? kernels::StridedCopy() : make_copy(kernel_shape(spec, deep), spec.order);
  return make_bound(output(x.dtype, std::move(out)), [copy, bytes, is_string = x.dtype == DType::kString](const RunContext& r) {
    if (r.outputs[0].numel() == 0) return;
    if (is_string) return copy_strings(copy, r.inputs[0].strings().data(), r.outputs[0].mutable_values<std::string>().data());
    kernels::strided_copy(copy, bytes, r.inputs[0].raw(), r.outputs[0].mutable_raw(), r.pool);
  });
}

}  // namespace

std::unique_ptr<Prepared> prepare_depth_to_space(const PrepareContext& context) {
  return make_prepared([spec = depth_to_space_spec_from_node(context.node, context.opset)](const BindContext& b) {
    const ValueFacts& x = required(b, 0, "input");
    Shape out = depth_to_space_shape(spec, x.shape);
    return bind_copy(x, std::move(out), kernels::depth_to_space, spec, x.shape);
  });
}

std::unique_ptr<Prepared> prepare_space_to_depth(const PrepareContext& context) {
  return make_prepared([spec = depth_to_space_spec_from_node(context.node, context.opset)](const BindContext& b) {
    const ValueFacts& x = required(b, 0, "input");
    Shape out = space_to_depth_shape(spec, x.shape);
    return bind_copy(x, out, kernels::space_to_depth, spec, out);
  });
}

}  // namespace sardonyx::ops
