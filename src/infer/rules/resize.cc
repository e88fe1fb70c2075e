#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "infer/arithmetic.h"
#include "infer/rules.h"

namespace sardonyx::infer {

namespace {
// A size from a floating-point calculation; unknown where it is none.
Dim size_of(double value) { return value >= 0 && value < 0x1p62 ? Dim(static_cast<int64_t>(value)) : Dim(); }

Dim scaled(Dim size, double scale) {
  if (scale == 1) return size;
  return size.is_known() ? size_of(std::floor(static_cast<double>(size.value()) * scale)) : Dim();
}

// How the dimensions named by `axes` change; the others stay.
class Resizing {
 public:
  Resizing(const NodeContext& context, const Dims& input) : context_(context), output_(input) {
    const std::vector<int64_t> given = model::get_ints(context.node(), "axes");
    std::vector<bool> seen(input.size());
    for (const int64_t number : given) {
      axes_.push_back(context.axis(number, input.size()));
      if (seen[axes_.back()]) context.fail(fmt::format("attribute axes names axis {} twice", axes_.back()));
      seen[axes_.back()] = true;
    }
    if (!given.empty()) return;
    for (size_t i = 0; i < input.size(); ++i) axes_.push_back(i);
  }

  void set_unknown() {
    for (const size_t axis : axes_) output_[axis] = Dim();
  }
  void scale(const std::vector<double>& scales) {
    expect_count(scales.size(), "scales");
    for (size_t i = 0; i < axes_.size(); ++i) output_[axes_[i]] = scaled(output_[axes_[i]], scales[i]);
  }
  void set_sizes(const Dims& sizes, std::string_view policy) {
    expect_count(sizes.size(), "sizes");
    if (policy != "stretch") return keep_aspect_ratio(sizes, policy == "not_larger");
    for (size_t i = 0; i < axes_.size(); ++i) output_[axes_[i]] = sizes[i].is_known() && sizes[i].value() <= 0 ? Dim() : sizes[i];
  }
  void expect_count(size_t count, std::string_view name) const {
    if (count != axes_.size()) context_.fail(fmt::format("input '{}' has {} elements for {} axes", name, count, axes_.size()));
  }
  Dims take() { return std::move(output_); }

 private:
  // One scale for all axes: the least (or greatest) of those that the sizes ask for.
  void keep_aspect_ratio(const Dims& sizes, bool not_larger) {
    double scale = 0;
    for (size_t i = 0; i < axes_.size(); ++i) {
      const Dim old = output_[axes_[i]];
      if (!sizes[i].is_known() || sizes[i].value() <= 0 || !old.is_known() || old.value() <= 0) return set_unknown();
      const double wanted = static_cast<double>(sizes[i].value()) / static_cast<double>(old.value());
      scale = i == 0 ? wanted : not_larger ? std::min(scale, wanted) : std::max(scale, wanted);
    }
    for (const size_t axis : axes_) output_[axis] = size_of(std::round(scale * static_cast<double>(output_[axis].value())));
  }

  const NodeContext& context_;
  Dims output_;
  std::vector<size_t> axes_;
};

// Where an input stands for nothing: it is left out, or has no elements.
bool is_absent(const NodeContext& context, size_t input) {
  if (!context.has_input(input)) return true;
  const Dims* shape = context.shape(input);
  return shape != nullptr && shape->size() == 1 && shape->front().is(0);
}

std::string policy_of(const NodeContext& context) {
  std::string policy = model::get_string(context.node(), "keep_aspect_ratio_policy", "stretch");
  if (policy != "stretch" && policy != "not_larger" && policy != "not_smaller") {
    context.fail(fmt::format("attribute keep_aspect_ratio_policy is '{}', it must be stretch, not_larger or not_smaller", policy));
  }
  return policy;
}

void resize_by_scales(NodeContext& context, size_t scales_input) {
  Resizing resizing(context, *context.shape(0));
  if (const auto scales = context.numbers(scales_input)) {
    resizing.scale(*scales);
  } else {
    resizing.set_unknown();
  }
  context.set_shape(0, resizing.take());
}

void resize_to_sizes(NodeContext& context, std::string_view policy) {
  Resizing resizing(context, *context.shape(0));
  context.expect_rank(3, 1, "sizes");
  const Dims* shape = context.shape(3);
  if (const Dims* sizes = context.elements(3)) {
    resizing.set_sizes(*sizes, policy);
  } else {
    if (shape != nullptr && shape->front().is_known()) resizing.expect_count(static_cast<size_t>(shape->front().value()), "sizes");
    resizing.set_unknown();
  }
  context.set_shape(0, resizing.take());
}
}  // namespace

// Resize: version 10 takes X and scales, later ones X, roi, and either scales or sizes; an empty one counts as left out.
void infer_resize(NodeContext& context) {
  if (context.shape(0) == nullptr) return;
  if (context.version() == 10) return resize_by_scales(context, 1);
  const bool has_scales = !is_absent(context, 2), has_sizes = !is_absent(context, 3);
  if (context.version() >= 13 && has_scales == has_sizes) {
    context.fail(fmt::format("there must be either scales or sizes, there {}", has_scales ? "are both" : "is neither"));
  }
  const std::string policy = policy_of(context);
  if (has_scales && policy != "stretch") context.fail(fmt::format("keep_aspect_ratio_policy '{}' needs sizes, not scales", policy));
  if (has_sizes) return resize_to_sizes(context, policy);
  resize_by_scales(context, 2);
}

// Upsample: version 1 has attributes for height and width, version 7 the attribute scales, version 9 an input.
void infer_upsample(NodeContext& context) {
  const Dims* x = context.shape(0);
  if (x == nullptr) return;
  if (context.version() >= 9) return resize_by_scales(context, 1);
  std::vector<double> scales;
  if (context.version() == 1) {
    if (x->size() != 4) return;
    scales = {1, 1, model::get_float(context.node(), "height_scale", 1), model::get_float(context.node(), "width_scale", 1)};
  } else {
    const std::vector<float> given = model::get_floats(context.node(), "scales");
    scales.assign(given.begin(), given.end());
  }
  Resizing resizing(context, *x);
  resizing.scale(scales);
  context.set_shape(0, resizing.take());
}

}  // namespace sardonyx::infer
