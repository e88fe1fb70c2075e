#include "ops/depth_to_space/depth_to_space.h"
#include "ops/facts.h"

namespace sardonyx::ops {
namespace {

constexpr int64_t kMaxBlock = 1 << 15;  // its square stays small

void check_rank(const Shape& x) {
  if (x.size() != 4) throw argument_error("the input has shape {}; it must be (batch, channels, height, width)", to_string(x));
}

}  // namespace

DepthToSpaceSpec depth_to_space_spec_from_node(const model::Node& node, int64_t /*opset*/) {
  DepthToSpaceSpec spec{.block = model::get_int(node, "blocksize", 0), .order = kernels::DepthOrder::kDcr};
  if (spec.block < 1 || spec.block > kMaxBlock)
    throw model_error("attribute blocksize is {}; it must lie in [1, {}]", spec.block, kMaxBlock);
  const std::string mode = model::get_string(node, "mode", "DCR");
  if (mode != "DCR" && mode != "CRD") throw model_error("attribute mode is '{}'; it must be DCR or CRD", mode);
  if (mode == "CRD") spec.order = kernels::DepthOrder::kCrd;
  return spec;
}

Shape depth_to_space_shape(const DepthToSpaceSpec& spec, const Shape& x) {
  check_rank(x);
  const int64_t square = spec.block * spec.block;
  if (x[1] % square != 0) throw argument_error("{} channels are no multiple of blocksize squared, {}", x[1], square);
  element_count(x);
  Shape out = {x[0], x[1] / square, 0, 0};
  for (const size_t axis : {2, 3}) {
    if (x[axis] > (int64_t{1} << 62) / spec.block) throw argument_error("the input has shape {}", to_string(x));
    out[axis] = x[axis] * spec.block;
  }
  return out;
}

Shape space_to_depth_shape(const DepthToSpaceSpec& spec, const Shape& x) {
  check_rank(x);
  if (x[2] % spec.block != 0 || x[3] % spec.block != 0) {
    throw argument_error("height and width of {} are no multiples of blocksize {}", to_string(x), spec.block);
  }
  const int64_t square = spec.block * spec.block;
  if (x[1] > (int64_t{1} << 62) / square) throw argument_error("the input has shape {}", to_string(x));
  return {x[0], x[1] * square, x[2] / spec.block, x[3] / spec.block};
}

}  // namespace sardonyx::ops
