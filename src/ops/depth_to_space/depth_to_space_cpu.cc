#include "ops/depth_to_space/depth_to_space.h"
#include "ops/facts.h"
#include "ops/movement/strings.h"
#include "ops/rows.h"
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

// Rows of either operator.
class BlockRows final : public RowKernel {
 public:
  BlockRows(const kernels::DepthShape& shape, kernels::DepthOrder order, bool to_space, size_t element_bytes)
      : shape_(shape), order_(order), to_space_(to_space), bytes_(element_bytes) {}

  bool by_rows(size_t /*input*/) const noexcept override { return true; }
  size_t unit() const noexcept override { return to_space_ ? shape_.block : 1; }
  RowRange reads(size_t /*input*/, RowRange rows) const noexcept override {
    if (to_space_) return {rows.begin / shape_.block, rows.end / shape_.block};
    return {rows.begin * shape_.block, rows.end * shape_.block};
  }
  void run(const RowRun& r) const noexcept override {
    const RowRange read = reads(0, r.rows);
    kernels::DepthShape band = shape_;
    band.height = to_space_ ? read.size() : r.rows.size();
    const size_t x_plane = r.inputs[0].plane_bytes / bytes_, y_plane = r.output.plane_bytes / bytes_;
    band.deep_plane = to_space_ ? x_plane : y_plane;
    band.wide_plane = to_space_ ? y_plane : x_plane;
    const kernels::StridedCopy copy = to_space_ ? kernels::depth_to_space(band, order_) : kernels::space_to_depth(band, order_);
    kernels::strided_copy(copy, bytes_, r.inputs[0].at(read.begin), r.output.at(r.rows.begin), r.pool);
  }

 private:
  kernels::DepthShape shape_;
  kernels::DepthOrder order_;
  bool to_space_;
  size_t bytes_;
};

std::unique_ptr<Bound> bind_copy(const ValueFacts& x, Shape out, MakeCopy make_copy, const DepthToSpaceSpec& spec, const Shape& deep) {
  const size_t bytes = element_bytes(x.dtype);
  // An empty tensor may have sizes that no stride can hold.
  const auto copy = element_count(out) == 0 ? kernels::StridedCopy() : make_copy(kernel_shape(spec, deep), spec.order);
  const bool by_rows = element_count(out) != 0 && x.dtype != DType::kString;
  auto bound = make_bound(output(x.dtype, std::move(out)), [copy, bytes, is_string = x.dtype == DType::kString](const RunContext& r) {
    if (r.outputs[0].numel() == 0) return;
    if (is_string) return copy_strings(copy, r.inputs[0].strings().data(), r.outputs[0].mutable_values<std::string>().data());
    kernels::strided_copy(copy, bytes, r.inputs[0].raw(), r.outputs[0].mutable_raw(), r.pool);
  });
  if (!by_rows) return bound;
  const bool to_space = make_copy == kernels::depth_to_space;
  return with_rows(std::move(bound), std::make_shared<BlockRows>(kernel_shape(spec, deep), spec.order, to_space, bytes));
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
