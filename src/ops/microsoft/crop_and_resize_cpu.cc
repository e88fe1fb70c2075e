// CropAndResize of com.microsoft: crops of images by boxes [y1, x1, y2, x2], given in parts of the image, resized to one size.
#include "kernels/cpu/roi/crop.h"
#include "ops/attributes/attributes.h"
#include "ops/elements/real.h"
#include "ops/stages.h"
#include "ops/via_float/via_float.h"

namespace sardonyx::ops {
namespace {

struct CropStep {
  bool nearest = false;
  float outside = 0;
  kernels::RoiMaps maps;
  DType dtype = DType::kUndefined;

  template <class T>
  void run(const RunContext& r) const {
    const T* rois = input_data<T>(r, 1);
    const auto* images = input_data<int32_t>(r, 2);
    std::vector<kernels::CropBox<T>> boxes(to_size(r.inputs[2].numel()));
    for (size_t i = 0; i < boxes.size(); ++i, rois += 4) {
      if (images[i] < 0 || images[i] >= r.inputs[0].shape()[0]) {
        throw argument_error("box {} is of image {}; X has {} images", i, images[i], r.inputs[0].shape()[0]);
      }
      boxes[i] = {static_cast<size_t>(images[i]), rois[0], rois[1], rois[2], rois[3]};
    }
    kernels::crop_and_resize<T>(maps, nearest, static_cast<T>(outside), boxes.size(), boxes.data(), input_data<T>(r, 0),
                                output_data<T>(r, 0), r.pool);
  }
};

std::unique_ptr<Bound> bind_crop(CropStep step, const BindContext& b) {
  const ValueFacts &x = required(b, 0, "X"), &rois = required(b, 1, "rois"), &images = required(b, 2, "batch_indices");
  require_dtype(x, kReals, "X");
  require_same_dtype(x, rois, "X", "rois");
  require_dtype(images, {DType::kInt32}, "batch_indices");
  require_rank(x, 4, "X");
  require_rank(images, 1, "batch_indices");
  if (rois.shape != Shape{images.shape[0], 4}) {
    throw argument_error("rois has shape {}; it must be [{}, 4]", to_string(rois.shape), images.shape[0]);
  }
  if (x.shape[2] < 1 || x.shape[3] < 1) throw argument_error("X has shape {}; the images are empty", to_string(x.shape));
  const std::vector<int64_t> size = integer_values(required(b, 3, "crop_size"), "crop_size");
  if (size.size() != 2 || size[0] < 1 || size[1] < 1)
    throw argument_error("crop_size is {}; it must be two positive sizes", to_string(size));
  step.maps = {to_size(x.shape[1]), to_size(x.shape[2]), to_size(x.shape[3]), to_size(size[0]), to_size(size[1])};
  step.dtype = x.dtype;
  return make_bound(output(x.dtype, {images.shape[0], x.shape[1], size[0], size[1]}), [step](const RunContext& r) {
    if (r.outputs[0].numel() != 0) with_real(step.dtype, [&]<class T>() { step.run<T>(r); });
  });
}

std::unique_ptr<Prepared> prepare_wide_crop(const PrepareContext& context) {
  const CropStep step{.nearest = get_choice<bool>(context.node, "mode", "bilinear", {{"bilinear", false}, {"nearest", true}}),
                      .outside = model::get_float(context.node, "extrapolation_value", 0),
                      .maps = {}};
  return make_prepared([step](const BindContext& b) { return bind_crop(step, b); });
}

}  // namespace

std::unique_ptr<Prepared> prepare_crop_and_resize(const PrepareContext& context) {
  return make_value_driven(via_float(context, prepare_wide_crop), {.value_inputs = 0b1000, .output_types = {}});
}

}  // namespace sardonyx::ops
