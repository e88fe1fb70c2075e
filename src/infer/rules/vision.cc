// Operators on images and regions of them.
#include <fmt/format.h>

#include <algorithm>

#include "infer/rules.h"
#include "infer/rules/unify.h"
#include "infer/rules/window.h"

namespace sardonyx::infer {

// GridSample, all versions: X [n, c, d1, ...] and a grid [n, e1, ..., number of spatial dimensions] give [n, c, e1, ...].
void infer_grid_sample(NodeContext& context) {
  const Dims* x = context.shape(0);
  const Dims* grid = context.shape(1);
  if (x == nullptr || grid == nullptr) return;
  context.expect_min_rank(0, 3, "X");
  context.expect_rank(1, x->size(), "grid");
  merge(context, grid->back(), static_cast<int64_t>(x->size() - 2), "the last dimension of the grid and the number of spatial dimensions");
  Dims y = {merge(context, x->front(), grid->front(), "the batch of X and grid"), (*x)[1]};
  y.insert(y.end(), grid->begin() + 1, grid->end() - 1);
  context.set_shape(0, std::move(y));
}

// CropAndResize: X [n, c, h, w], boxes [r, 4], their images [r] and crop_size [height, width] give [r, c, height, width].
void infer_crop_and_resize(NodeContext& context) {
  constexpr size_t kCropSize = 3;
  Dim batch, channels, height, width, boxes, four = 4, two = 2;
  unify(context, 0, "X", {&batch, &channels, &height, &width});
  unify(context, 1, "rois", {&boxes, &four});
  unify(context, 2, "batch_indices", {&boxes});
  unify(context, kCropSize, "crop_size", {&two});
  const Dims* given = context.elements(kCropSize);
  const Dims size = given != nullptr && given->size() == 2 ? *given : Dims(2);
  context.set_shape(0, {boxes, channels, size[0], size[1]});
}

// AffineGrid: size [n, c, h, w] gives [n, h, w, 2], [n, c, d, h, w] gives [n, d, h, w, 3].
void infer_affine_grid(NodeContext& context) {
  context.expect_rank(1, 1, "size");
  const Dims* shape = context.shape(1);
  const Dims* elements = context.elements(1);
  Dims size;
  if (elements != nullptr) {
    size = *elements;
  } else if (shape != nullptr && shape->front().is_known() && shape->front().value() <= 5) {
    size.resize(static_cast<size_t>(std::max<int64_t>(shape->front().value(), 0)));
  } else {
    return;
  }
  if (size.size() != 4 && size.size() != 5) {
    context.fail(fmt::format("input 1 ('size') has {} elements, it must have 4 for images or 5 for volumes", size.size()));
  }
  for (Dim& dim : size) dim = dim.is_known() && dim.value() < 0 ? Dim() : dim;
  Dims grid = {size[0]};
  grid.insert(grid.end(), size.begin() + 2, size.end());
  grid.push_back(static_cast<int64_t>(size.size() - 2));
  context.set_shape(0, std::move(grid));
}

namespace {
// The number of an image's spatial dimensions, which attributes and inputs of Col2Im agree on.
Dim spatial_dimensions(const NodeContext& context) {
  Dim rank;
  unify(context, 1, "image_shape", {&rank});
  unify(context, 2, "block_shape", {&rank});
  const auto meet = [&](size_t count, std::string_view name) {
    rank = merge(context, rank, static_cast<int64_t>(count), fmt::format("the number of spatial dimensions and the length of {}", name));
  };
  if (const auto pads = context.ints_attribute("pads")) {
    if (pads->size() % 2 != 0) context.fail(fmt::format("attribute pads has {} values, their number must be even", pads->size()));
    meet(pads->size() / 2, "half of pads");
  }
  if (const auto dilations = context.ints_attribute("dilations")) meet(dilations->size(), "dilations");
  if (const auto strides = context.ints_attribute("strides")) meet(strides->size(), "strides");
  return rank;
}
}  // namespace

// Col2Im: blocks [n, c * size of a block, number of blocks] give an image [n, c, d1, ...].
void infer_col2im(NodeContext& context) {
  const Dim rank = spatial_dimensions(context);
  context.expect_rank(0, 3, "input");
  constexpr auto kMost = static_cast<int64_t>(kMaxRank);
  if (!rank.is_known() || rank.value() < 0 || rank.value() > kMost) return;
  Dims image(2 + static_cast<size_t>(rank.value()));
  if (const Dims* input = context.shape(0)) {
    image[0] = input->front();
    const Dims* block = context.elements(2);
    const Dim block_size = block == nullptr || block->empty() ? Dim() : product(*block);
    if (block_size.is_known() && block_size.value() > 0) image[1] = divide_floor((*input)[1], block_size);
  }
  const Dims* sizes = context.elements(1);
  for (size_t i = 2; sizes != nullptr && sizes->size() + 2 == image.size() && i < image.size(); ++i) {
    const Dim size = (*sizes)[i - 2];
    image[i] = size.is_known() && size.value() < 0 ? Dim() : size;
  }
  context.set_shape(0, std::move(image));
}

// MaxRoiPool, all versions: X [n, c, h, w] and rois [r, 5] give [r, c, pooled h, pooled w].
void infer_max_roi_pool(NodeContext& context) {
  const Dims* x = context.shape(0);
  const Dims* rois = context.shape(1);
  if (x == nullptr || rois == nullptr) return;
  context.expect_min_rank(0, 4, "X");
  context.expect_rank(1, 2, "rois");
  if (context.attribute("pooled_shape") == nullptr) context.fail("the attribute pooled_shape is missing");
  const std::vector<int64_t> pooled = axis_attribute(context, "pooled_shape", x->size() - 2, 1, 1);
  if (x->size() == 4) context.set_shape(0, {rois->front(), (*x)[1], pooled[0], pooled[1]});
}

// RoiAlign, all versions.
void infer_roi_align(NodeContext& context) {
  Dim batch, channels, height, width, rois, four;
  unify(context, 0, "X", {&batch, &channels, &height, &width});
  unify(context, 1, "rois", {&rois, &four});
  unify(context, 2, "batch_indices", {&rois});
  const auto output_size = [&](std::string_view name) {
    const int64_t size = model::get_int(context.node(), name, 1);
    if (size < 0) context.fail(fmt::format("attribute {} is {}, it must be positive", name, size));
    return Dim(size);
  };
  context.set_shape(0, {rois, channels, output_size("output_height"), output_size("output_width")});
}

// NonMaxSuppression, all versions: a row [batch, class, box] for each box that is kept.
void infer_non_max_suppression(NodeContext& context) { context.set_type(0, ValueType::tensor(DType::kInt64, {Dim(), 3})); }

// ImageDecoder: [height, width, channels].
void infer_image_decoder(NodeContext& context) {
  context.expect_rank(0, 1, "encoded_stream");
  const std::string format = model::get_string(context.node(), "pixel_format", "RGB");
  const Dim channels = format == "RGB" || format == "BGR" ? Dim(3) : format == "Grayscale" ? Dim(1) : Dim();
  context.set_type(0, ValueType::tensor(DType::kUInt8, {Dim(), Dim(), channels}));
}

}  // namespace sardonyx::infer
