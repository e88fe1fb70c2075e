// RoiAlign and MaxRoiPool.
#include <cmath>

#include "kernels/cpu/roi/roi.h"
#include "ops/attributes/attributes.h"
#include "ops/elements/real.h"
#include "ops/stages.h"
#include "ops/via_float/via_float.h"

namespace sardonyx::ops {
namespace {

constexpr double kMaxSamples = 1 << 16;  // of one bin

struct RoiSpec {
  double scale = 1, offset = 0;
  int64_t height = 1, width = 1, samples = 0;
  bool maximum = false, least_one = false;  // least_one: regions are at least one position wide and high
};

RoiSpec roi_align_spec(const model::Node& node, int64_t opset) {
  const bool half = opset >= 16 && get_choice<bool>(node, "coordinate_transformation_mode", "half_pixel",
                                                    {{"half_pixel", true}, {"output_half_pixel", false}});
  return {.scale = static_cast<double>(model::get_float(node, "spatial_scale", 1)),
          .offset = half ? 0.5 : 0,
          .height = get_count(node, "output_height", 1, 1),
          .width = get_count(node, "output_width", 1, 1),
          .samples = get_count(node, "sampling_ratio", 0, 0),
          .maximum = get_choice<bool>(node, "mode", "avg", {{"avg", false}, {"max", true}}),
          .least_one = !half};
}

RoiSpec max_roi_spec(const model::Node& node) {
  const std::vector<int64_t> size = model::get_ints(node, "pooled_shape");
  if (size.size() != 2 || size[0] < 1 || size[1] < 1) throw model_error("attribute pooled_shape must be two positive sizes");
  return {.scale = static_cast<double>(model::get_float(node, "spatial_scale", 1)), .height = size[0], .width = size[1]};
}

kernels::RoiMaps maps_of(const RoiSpec& spec, const ValueFacts& x) {
  require_rank(x, 4, "X");
  if (x.shape[2] < 1 || x.shape[3] < 1) throw argument_error("X has shape {}; the maps are empty", to_string(x.shape));
  return {to_size(x.shape[1]), to_size(x.shape[2]), to_size(x.shape[3]), to_size(spec.height), to_size(spec.width)};
}

size_t checked_image(double image, int64_t images) {
  if (!(image >= 0 && image < static_cast<double>(images))) throw argument_error("a region is of image {}; X has {} images", image, images);
  return static_cast<size_t>(image);
}

template <class T>
std::vector<kernels::RoiBox> align_boxes(const RoiSpec& spec, const RunContext& r) {
  const T* rois = input_data<T>(r, 1);
  const IndexView images(r.inputs[2]);
  std::vector<kernels::RoiBox> boxes(to_size(r.inputs[2].numel()));
  for (size_t i = 0; i < boxes.size(); ++i) {
    double edges[4];
    for (size_t j = 0; j < 4; ++j) {
      edges[j] = static_cast<double>(rois[4 * i + j]) * spec.scale - spec.offset;
      if (!std::isfinite(edges[j])) throw argument_error("region {} has an edge that is not finite", i);
    }
    const double least = spec.least_one ? 1 : -std::numeric_limits<double>::infinity();
    boxes[i] = {checked_image(static_cast<double>(images[i]), r.inputs[0].shape()[0]), edges[1], edges[0],
                std::max(edges[3] - edges[1], least), std::max(edges[2] - edges[0], least)};
  }
  return boxes;
}

kernels::RoiAlignGrid sample_grid(const RoiSpec& spec, const kernels::RoiBox& box) {
  const auto samples = [&](double extent, int64_t bins) {
    return spec.samples > 0 ? static_cast<double>(spec.samples) : std::max(std::ceil(extent / static_cast<double>(bins)), 0.0);
  };
  const double y = samples(box.height, spec.height), x = samples(box.width, spec.width);
  if (y * x > kMaxSamples || y > kMaxSamples || x > kMaxSamples) {
    throw argument_error("a region of {} x {} positions takes {} samples for each output; check rois and spatial_scale", box.height,
                         box.width, y * x);
  }
  return {static_cast<size_t>(y), static_cast<size_t>(x)};
}

template <class T>
void run_roi_align(const RoiSpec& spec, const kernels::RoiMaps& maps, const RunContext& r) {
  const std::vector<kernels::RoiBox> boxes = align_boxes<T>(spec, r);
  std::vector<kernels::RoiAlignGrid> grids;
  for (const kernels::RoiBox& box : boxes) grids.push_back(sample_grid(spec, box));
  kernels::roi_align<T>(maps, spec.maximum, boxes.size(), boxes.data(), grids.data(), input_data<T>(r, 0), output_data<T>(r, 0), r.pool);
}

std::unique_ptr<Bound> bind_roi_align(const RoiSpec& spec, const BindContext& b) {
  const ValueFacts &x = required(b, 0, "X"), &rois = required(b, 1, "rois"), &images = required(b, 2, "batch_indices");
  require_dtype(x, kReals, "X");
  require_same_dtype(x, rois, "X", "rois");
  require_dtype(images, {DType::kInt64}, "batch_indices");
  const kernels::RoiMaps maps = maps_of(spec, x);
  require_rank(images, 1, "batch_indices");
  if (rois.shape != Shape{images.shape[0], 4})
    throw argument_error("rois has shape {}; it must be [{}, 4]", to_string(rois.shape), images.shape[0]);
  return make_bound(output(x.dtype, {images.shape[0], x.shape[1], spec.height, spec.width}),
                    [spec, maps, dtype = x.dtype](const RunContext& r) {
                      if (r.outputs[0].numel() != 0) with_real(dtype, [&]<class T>() { run_roi_align<T>(spec, maps, r); });
                    });
}

template <class T>
void run_max_roi(const RoiSpec& spec, const kernels::RoiMaps& maps, const RunContext& r) {
  const T* rois = input_data<T>(r, 1);
  std::vector<kernels::RoiBox> boxes(to_size(r.inputs[1].shape()[0]));
  for (size_t i = 0; i < boxes.size(); ++i) {
    double edges[4];
    for (size_t j = 0; j < 4; ++j) {
      edges[j] = std::round(static_cast<double>(rois[5 * i + 1 + j]) * spec.scale);
      if (!std::isfinite(edges[j])) throw argument_error("region {} has an edge that is not finite", i);
    }
    boxes[i] = {checked_image(static_cast<double>(rois[5 * i]), r.inputs[0].shape()[0]), edges[1], edges[0],
                std::max(edges[3] - edges[1] + 1, 1.0), std::max(edges[2] - edges[0] + 1, 1.0)};
  }
  kernels::roi_max<T>(maps, boxes.size(), boxes.data(), input_data<T>(r, 0), output_data<T>(r, 0), r.pool);
}

std::unique_ptr<Bound> bind_max_roi(const RoiSpec& spec, const BindContext& b) {
  const ValueFacts &x = required(b, 0, "X"), &rois = required(b, 1, "rois");
  require_dtype(x, kReals, "X");
  require_same_dtype(x, rois, "X", "rois");
  const kernels::RoiMaps maps = maps_of(spec, x);
  if (rois.shape.size() != 2 || rois.shape[1] != 5)
    throw argument_error("rois has shape {}; it must be [regions, 5]", to_string(rois.shape));
  return make_bound(output(x.dtype, {rois.shape[0], x.shape[1], spec.height, spec.width}),
                    [spec, maps, dtype = x.dtype](const RunContext& r) {
                      if (r.outputs[0].numel() != 0) with_real(dtype, [&]<class T>() { run_max_roi<T>(spec, maps, r); });
                    });
}

std::unique_ptr<Prepared> prepare_wide_roi_align(const PrepareContext& context) {
  return make_prepared([spec = roi_align_spec(context.node, context.opset)](const BindContext& b) { return bind_roi_align(spec, b); });
}
std::unique_ptr<Prepared> prepare_wide_max_roi(const PrepareContext& context) {
  return make_prepared([spec = max_roi_spec(context.node)](const BindContext& b) { return bind_max_roi(spec, b); });
}

}  // namespace

std::unique_ptr<Prepared> prepare_roi_align(const PrepareContext& context) { return via_float(context, prepare_wide_roi_align); }
std::unique_ptr<Prepared> prepare_max_roi_pool(const PrepareContext& context) { return via_float(context, prepare_wide_max_roi); }

}  // namespace sardonyx::ops
