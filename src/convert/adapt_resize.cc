// Upsample and Resize.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "convert/adapters.h"

namespace sardonyx::convert {

namespace {
using model::Attribute;

std::vector<float> floats_of(const Tensor& value) {
  const Tensor floats = value.to(DType::kFloat32);
  return {floats.values<float>().begin(), floats.values<float>().end()};
}

std::string floats(Rewriter& rewriter, const std::vector<float>& values) {
  return rewriter.constant_value(Tensor::of<float>({static_cast<int64_t>(values.size())}, std::span<const float>(values)));
}

std::string no_floats(Rewriter& rewriter) { return rewriter.constant_value(Tensor::of<float>({0}, std::span<const float>())); }

bool is_whole(const std::vector<float>& scales) {
  return std::all_of(scales.begin(), scales.end(), [](float scale) { return scale >= 1 && scale == std::floor(scale); });
}

// Scales that version 10 can be given: from the input, or from constant sizes and a known shape.
std::optional<std::vector<float>> known_scales(Rewriter& rewriter) {
  if (const auto scales = rewriter.constant(rewriter.input(2)); scales && scales->numel() > 0) return floats_of(*scales);
  const auto sizes = rewriter.constant(rewriter.input(3));
  const auto shape = rewriter.shape(rewriter.input(0));
  if (!sizes || !shape || sizes->numel() != static_cast<int64_t>(shape->size())) return std::nullopt;
  const std::vector<int64_t> wanted = rewriter.need_ints(3);
  std::vector<float> scales;
  for (size_t i = 0; i < wanted.size(); ++i) {
    const float scale = static_cast<float>(wanted[i]) / static_cast<float>((*shape)[i]);
    if (!(scale > 0) || std::floor(scale * static_cast<float>((*shape)[i])) != static_cast<float>(wanted[i])) return std::nullopt;
    scales.push_back(scale);
  }
  return scales;
}

struct Sampling {
  std::string mode, coordinates, nearest;
  bool plain;  // none of the other attributes changes anything
};

Sampling take_sampling(Rewriter& rewriter) {
  Sampling result{rewriter.take_string("mode", "nearest"), rewriter.take_string("coordinate_transformation_mode", "half_pixel"),
                  rewriter.take_string("nearest_mode", "round_prefer_floor"), true};
  result.plain = rewriter.take_int("exclude_outside", 0) == 0 || result.mode != "cubic";
  for (const std::string_view unused : {"cubic_coeff_a", "extrapolation_value"}) rewriter.erase_attribute(unused);
  return result;
}

// Whether version 10, which samples at i / scale and takes the element before, samples the same.
bool is_like_10(const Sampling& sampling, const std::vector<float>& scales) {
  if (!sampling.plain || (sampling.mode != "nearest" && sampling.mode != "linear")) return false;
  if (std::all_of(scales.begin(), scales.end(), [](float scale) { return scale == 1; })) return true;
  if (sampling.mode == "linear") return sampling.coordinates == "asymmetric";
  const bool grows = std::all_of(scales.begin(), scales.end(), [](float scale) { return scale >= 1; });
  if (sampling.coordinates == "asymmetric" && sampling.nearest == "floor") return grows;
  const bool centred = sampling.coordinates == "half_pixel" || sampling.coordinates == "pytorch_half_pixel";
  return is_whole(scales) && centred && sampling.nearest.starts_with("round_prefer");
}

// `values` of some axes put into `all`, which has a value for each axis.
std::string scattered(Rewriter& rewriter, const std::string& all, const std::vector<int64_t>& axes, const std::string& values) {
  return rewriter.emit("ScatterElements", {all, rewriter.ints(axes), values});
}
}  // namespace

void upsample_7_up(Rewriter& rewriter) {
  const float height = rewriter.take_float("height_scale", 1), width = rewriter.take_float("width_scale", 1);
  rewriter.set(Attribute::of("scales", std::vector<float>{1, 1, height, width}));
  if (rewriter.take_string("mode", "nearest") != "nearest") rewriter.set(Attribute::of("mode", "linear"));
  rewriter.finish();
}

void upsample_7_down(Rewriter& rewriter) {
  rewriter.attribute("scales");
  const std::vector<float> scales = model::get_floats(rewriter.node, "scales");
  if (scales.size() != 4 || scales[0] != 1 || scales[1] != 1) rewriter.refuse("it scales other axes than height and width");
  rewriter.erase_attribute("scales");
  rewriter.set(Attribute::of("height_scale", scales[2]));
  rewriter.set(Attribute::of("width_scale", scales[3]));
  if (rewriter.take_string("mode", "nearest") != "nearest") rewriter.set(Attribute::of("mode", "bilinear"));
  rewriter.finish();
}

void upsample_9_up(Rewriter& rewriter) {
  rewriter.attribute("scales");
  rewriter.set_input(1, floats(rewriter, model::get_floats(rewriter.node, "scales")));
  rewriter.erase_attribute("scales");
  rewriter.finish();
}

void upsample_9_down(Rewriter& rewriter) {
  rewriter.set(Attribute::of("scales", floats_of(rewriter.need_constant(1))));
  rewriter.cut_inputs(1);
  rewriter.finish();
}

// Upsample only makes larger.
void resize_10_down(Rewriter& rewriter) {
  const std::vector<float> scales = floats_of(rewriter.need_constant(1));
  if (std::any_of(scales.begin(), scales.end(), [](float scale) { return scale < 1; })) rewriter.refuse("it makes its input smaller");
  rewriter.node.op_type = "Upsample";
  rewriter.finish();
}

void resize_11_up(Rewriter& rewriter) {
  const auto scales = rewriter.constant(rewriter.input(1));
  const std::vector<float> known = scales ? floats_of(*scales) : std::vector<float>();
  const bool shrinks = std::any_of(known.begin(), known.end(), [](float scale) { return scale < 1; }) &&
                       std::all_of(known.begin(), known.end(), [](float scale) { return scale <= 1; });
  rewriter.set(Attribute::of("coordinate_transformation_mode", "asymmetric"));
  if (model::get_string(rewriter.node, "mode", "nearest") == "nearest") {
    rewriter.set(Attribute::of("nearest_mode", shrinks ? "ceil" : "floor"));
  }
  rewriter.node.input = {rewriter.input(0), no_floats(rewriter), rewriter.input(1)};
  rewriter.finish();
}

void resize_11_down(Rewriter& rewriter) {
  const Sampling sampling = take_sampling(rewriter);
  const auto scales = known_scales(rewriter);
  if (!scales) rewriter.refuse("its scales are not known here");
  if (!is_like_10(sampling, *scales)) {
    rewriter.refuse(fmt::format("mode '{}' with coordinate_transformation_mode '{}' and nearest_mode '{}' is not known there",
                                sampling.mode, sampling.coordinates, sampling.nearest));
  }
  const bool given = rewriter.has_input(2) && !rewriter.has_input(3);
  const std::string name = given ? rewriter.input(2) : floats(rewriter, *scales);
  rewriter.set(Attribute::of("mode", sampling.mode));
  rewriter.node.input = {rewriter.input(0), name};
  rewriter.finish();
}

void resize_13_down(Rewriter& rewriter) {
  for (const size_t i : {size_t{1}, size_t{2}}) {
    if (!rewriter.has_input(i)) rewriter.set_input(i, no_floats(rewriter));
  }
  rewriter.finish();
}

void resize_18_down(Rewriter& rewriter) {
  if (rewriter.take_int("antialias", 0) != 0) rewriter.refuse("its antialias is set");
  const std::string policy = rewriter.take_string("keep_aspect_ratio_policy", "stretch");
  if (policy != "stretch" && rewriter.has_input(3)) rewriter.refuse(fmt::format("its keep_aspect_ratio_policy is '{}'", policy));
  const auto given = rewriter.take_ints("axes");
  if (!given) return rewriter.finish();
  const int64_t rank = rewriter.need_rank(rewriter.input(0));
  std::vector<int64_t> axes;
  for (const int64_t axis : *given) axes.push_back(rewriter.front_axis(axis, rank));
  const auto has_values = [&](size_t i) {
    const auto value = rewriter.constant(rewriter.input(i));
    return rewriter.has_input(i) && !(value && value->numel() == 0);
  };
  const auto count = static_cast<size_t>(rank);
  if (has_values(1)) {
    std::vector<float> whole(2 * count);
    std::fill(whole.begin() + rank, whole.end(), 1.0F);
    std::vector<int64_t> places = axes;
    for (const int64_t axis : axes) places.push_back(axis + rank);
    const DType dtype = rewriter.need_dtype(rewriter.input(1));
    const Tensor all = Tensor::of<float>({2 * rank}, std::span<const float>(whole)).to(dtype);
    rewriter.set_input(1, scattered(rewriter, rewriter.constant_value(all), places, rewriter.input(1)));
  }
  if (has_values(2)) {
    const std::string ones = floats(rewriter, std::vector<float>(count, 1.0F));
    if (const auto scales = rewriter.constant(rewriter.input(2)); scales && scales->numel() == static_cast<int64_t>(axes.size())) {
      std::vector<float> all(count, 1.0F);
      for (size_t i = 0; i < axes.size(); ++i) all[static_cast<size_t>(axes[i])] = floats_of(*scales)[i];
      rewriter.set_input(2, floats(rewriter, all));
    } else {
      rewriter.set_input(2, scattered(rewriter, ones, axes, rewriter.input(2)));
    }
  }
  if (has_values(3)) rewriter.set_input(3, scattered(rewriter, rewriter.emit("Shape", {rewriter.input(0)}), axes, rewriter.input(3)));
  rewriter.finish();
}

void resize_19_down(Rewriter& rewriter) {
  const Attribute* mode = rewriter.attribute("coordinate_transformation_mode");
  if (mode != nullptr && mode->s.text() == "half_pixel_symmetric")
    rewriter.refuse("its coordinate_transformation_mode is 'half_pixel_symmetric'");
  rewriter.finish();
}

}  // namespace sardonyx::convert
