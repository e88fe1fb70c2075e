#include "infer/rules/window.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "sardonyx/error.h"

namespace sardonyx::infer {

namespace {
// kernel, dilated: the extent of a window from its first to its last element.
Dim extent(Dim kernel, int64_t dilation) { return dilation == 1 ? kernel : add(multiply(subtract(kernel, 1), dilation), 1); }

Dims kernel_of(const NodeContext& context, size_t rank, const Dims* weights, bool needs_kernel) {
  Dims kernel(rank);
  if (context.attribute("kernel_shape") != nullptr) {
    const std::vector<int64_t> sizes = axis_attribute(context, "kernel_shape", rank, 1, kAnyInteger);
    kernel.assign(sizes.begin(), sizes.end());
  } else if (needs_kernel) {
    context.fail("the attribute kernel_shape is missing");
  } else if (weights != nullptr) {
    if (weights->size() != rank + 2) {
      context.fail(fmt::format("the weights {} must have {} spatial dimensions as the input has", context.symbols().show(*weights), rank));
    }
    kernel.assign(weights->begin() + 2, weights->end());
  }
  for (const Dim size : kernel) {
    if (size.is_known() && size.value() <= 0) {
      context.fail(fmt::format("the kernel has the shape {}, its sizes must be positive", context.symbols().show(kernel)));
    }
  }
  return kernel;
}
}  // namespace

std::vector<int64_t> axis_attribute(const NodeContext& context, std::string_view name, size_t count, int64_t fallback, int64_t least) {
  const auto given = context.ints_attribute(name);
  if (!given) return std::vector<int64_t>(count, fallback);
  if (given->size() != count) context.fail(fmt::format("attribute {} has {} values, it must have {}", name, given->size(), count));
  if (std::any_of(given->begin(), given->end(), [&](int64_t value) { return value < least; })) {
    context.fail(fmt::format("attribute {} is [{}], its values must be at least {}", name, fmt::join(*given, ", "), least));
  }
  return *given;
}

Window read_window(const NodeContext& context, size_t rank, const Dims* weights, bool needs_kernel) {
  Window window;
  const std::vector<int64_t> dilations = axis_attribute(context, "dilations", rank, 1, 1);
  window.strides = axis_attribute(context, "strides", rank, 1, 1);
  window.kernel = kernel_of(context, rank, weights, needs_kernel);
  for (size_t i = 0; i < rank; ++i) window.kernel[i] = extent(window.kernel[i], dilations[i]);
  const std::vector<int64_t> pads = axis_attribute(context, "pads", 2 * rank, 0, 0);
  const auto middle = pads.begin() + static_cast<std::ptrdiff_t>(rank);
  window.pads_begin.assign(pads.begin(), middle);
  window.pads_end.assign(middle, pads.end());
  window.has_pads = context.attribute("pads") != nullptr;
  const std::string auto_pad = model::get_string(context.node(), "auto_pad", "NOTSET");
  if (auto_pad == "VALID") window.auto_pad = Window::AutoPad::kValid;
  if (auto_pad == "SAME_UPPER" || auto_pad == "SAME_LOWER") window.auto_pad = Window::AutoPad::kSame;
  window.rounds_up = model::get_int(context.node(), "ceil_mode", 0) != 0;
  return window;
}

Dim Window::slide(size_t i, Dim input) const {
  const Dim padded = slide_padded(i, input, pads_begin[i], pads_end[i]);
  if (auto_pad == AutoPad::kNone) {
    const Dim room = subtract(add(input, add(pads_begin[i], pads_end[i])), kernel[i]);
    if (!padded.is_known() && room.is_known() && room.value() < 0) {
      throw Error(ErrorCode::kInvalidModel, fmt::format("a window of {} does not fit into axis {}, which has {} with its padding",
                                                        kernel[i].value(), i + 2, room.value() + kernel[i].value()));
    }
    return padded;
  }
  const Dim automatic = auto_pad == AutoPad::kSame ? slide_same(i, input) : slide_padded(i, input, 0, 0);
  return has_pads && automatic != padded ? Dim() : automatic;
}

Dim Window::slide_same(size_t i, Dim input) const {
  const int64_t stride = strides[i];
  if (stride == 1) return input;
  const bool is_covered = kernel[i].is_known() && kernel[i].value() >= stride;
  if (!input.is_known() || (rounds_up && !drops_padding_windows && !is_covered)) return {};
  return input.value() / stride + (input.value() % stride != 0);
}

Dim Window::slide_padded(size_t i, Dim input, int64_t begin, int64_t end) const {
  const int64_t stride = strides[i];
  const Dim padding = add(begin, end);
  if (stride == 1 && same(add(padding, 1), kernel[i])) return input;
  const Dim room = subtract(add(input, padding), kernel[i]);
  if (!room.is_known()) return {};
  // A window that does not fit leaves nothing.
  if (room.value() < 0) return room.value() >= -stride && !rounds_up ? Dim(0) : Dim();
  const int64_t positions = room.value() / stride + (rounds_up && room.value() % stride != 0);
  const Dim last_start = multiply(positions, stride), input_end = add(input, begin);
  const bool is_beyond = !last_start.is_known() || (input_end.is_known() && last_start.value() >= input_end.value());
  if (!rounds_up || !is_beyond) return add(positions, 1);
  return drops_padding_windows ? Dim(positions) : Dim();
}

Dim Window::unfold(size_t i, Dim input, int64_t output_padding) const {
  const int64_t stride = strides[i];
  Dim padding = add(pads_begin[i], pads_end[i]);
  if (auto_pad == AutoPad::kSame && !has_pads) {
    // Padding cannot shrink the output of a window that is smaller than its stride to stride * input.
    if (!kernel[i].is_known() || kernel[i].value() < stride) return {};
    padding = subtract(kernel[i], stride);
  }
  const Dim more = subtract(add(kernel[i], output_padding), padding);
  if (stride == 1 && more.is(1)) return input;
  const Dim size = add(multiply(subtract(input, 1), stride), more);
  return size.is_known() && size.value() < 0 ? Dim() : size;
}

}  // namespace sardonyx::infer
