#include "kernels/cpu/copy/depth_to_space.h"

#include <utility>

namespace sardonyx::kernels {

// Dimensions in the order of the wide tensor: batch, channel, y, block_y, x, block_x.
StridedCopy depth_to_space(const DepthShape& shape, DepthOrder order) noexcept {
  const auto stride = [](size_t s) { return static_cast<ptrdiff_t>(s); };
  const size_t block = shape.block;
  const size_t plane = shape.deep_plane != 0 ? shape.deep_plane : shape.height * shape.width;
  const size_t wide_plane = shape.wide_plane != 0 ? shape.wide_plane : block * block * shape.height * shape.width;
  const size_t image = shape.channels * block * block * plane;
  const size_t wide_row = shape.width * block;
  const bool is_crd = order == DepthOrder::kCrd;
  const size_t deep_channel = is_crd ? block * block * plane : plane;
  const size_t deep_block_x = is_crd ? plane : shape.channels * plane;

  StridedCopy copy;
  copy.rank = 6;
  copy.extent = {shape.batch, shape.channels, shape.height, block, shape.width, block};
  copy.src_stride = {stride(image), stride(deep_channel), stride(shape.width), stride(block * deep_block_x), 1, stride(deep_block_x)};
  copy.dst_stride = {stride(shape.channels * wide_plane), stride(wide_plane), stride(block * wide_row), stride(wide_row), stride(block), 1};
  return copy;
}

StridedCopy space_to_depth(const DepthShape& shape, DepthOrder order) noexcept {
  StridedCopy copy = depth_to_space(shape, order);
  std::swap(copy.src_stride, copy.dst_stride);
  return copy;
}

}  // namespace sardonyx::kernels
