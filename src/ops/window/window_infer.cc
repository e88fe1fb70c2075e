#include <algorithm>
#include <limits>

#include "ops/facts.h"
#include "ops/window/window.h"

namespace sardonyx::ops {
namespace {

// Keeps products of two attributes inside int64.
constexpr int64_t kMaxAttribute = std::numeric_limits<int32_t>::max();

AutoPad parse_auto_pad(const std::string& name) {
  if (name.empty() || name == "NOTSET") return AutoPad::kNotSet;
  if (name == "SAME_UPPER") return AutoPad::kSameUpper;
  if (name == "SAME_LOWER") return AutoPad::kSameLower;
  if (name == "VALID") return AutoPad::kValid;
  throw model_error("attribute auto_pad is '{}'; it must be NOTSET, SAME_UPPER, SAME_LOWER or VALID", name);
}

std::vector<int64_t> read_sizes(const model::Node& node, std::string_view name, int64_t least) {
  std::vector<int64_t> values = model::get_ints(node, name);
  for (const int64_t value : values) {
    if (value < least || value > kMaxAttribute) {
      throw model_error("attribute {} holds {}; its values must lie in [{}, {}]", name, value, least, kMaxAttribute);
    }
  }
  return values;
}

int64_t entry(const std::vector<int64_t>& values, size_t index, int64_t fallback) { return values.empty() ? fallback : values[index]; }

void check_rank(const std::vector<int64_t>& values, size_t expected, std::string_view name) {
  if (values.empty() || values.size() == expected) return;
  throw argument_error("attribute {} has {} values; the input needs {}", name, values.size(), expected);
}

constexpr int64_t ceil_div(int64_t a, int64_t b) { return a / b + (a % b != 0 ? 1 : 0); }

struct Line {  // one dimension
  int64_t in, stride, extent, pad_begin, pad_end;
};

// Padding that makes the output ceil(in / stride), the odd element at the end (or, with `lower`, at the beginning).
void pad_to_same(Line& line, bool lower) {
  const int64_t total = std::max<int64_t>((ceil_div(line.in, line.stride) - 1) * line.stride + line.extent - line.in, 0);
  line.pad_begin = lower ? total - total / 2 : total / 2;
  line.pad_end = total - line.pad_begin;
}

int64_t output_size(const Line& line, bool ceil_mode) {
  const int64_t slack = line.in + line.pad_begin + line.pad_end - line.extent;
  if (slack < 0) {
    throw argument_error("the window covers {} elements, the input with its padding has {}", line.extent, slack + line.extent);
  }
  if (!ceil_mode) return slack / line.stride + 1;
  const int64_t size = ceil_div(slack, line.stride) + 1;
  const bool starts_in_end_padding = (size - 1) * line.stride >= line.in + line.pad_begin;
  return starts_in_end_padding && size > 1 ? size - 1 : size;
}

}  // namespace

WindowSpec window_spec_from_node(const model::Node& node) {
  return {.kernel = read_sizes(node, "kernel_shape", 1),
          .strides = read_sizes(node, "strides", 1),
          .dilations = read_sizes(node, "dilations", 1),
          .pads = read_sizes(node, "pads", 0),
          .auto_pad = parse_auto_pad(model::get_string(node, "auto_pad", "NOTSET")),
          .ceil_mode = model::get_int(node, "ceil_mode", 0) != 0};
}

PlacedWindow place_window(const WindowSpec& spec, std::span<const int64_t> kernel, std::span<const int64_t> spatial) {
  const size_t rank = spatial.size();
  if (rank < 1) throw argument_error("the input needs at least one spatial dimension besides batch and channels");
  if (rank > kernels::kMaxSpatial) throw unsupported_error("{} spatial dimensions; the kernels take 1 to {}", rank, kernels::kMaxSpatial);
  if (kernel.size() != rank) throw argument_error("the kernel has {} spatial dimensions, the input has {}", kernel.size(), rank);
  check_rank(spec.strides, rank, "strides");
  check_rank(spec.dilations, rank, "dilations");
  check_rank(spec.pads, 2 * rank, "pads");

  PlacedWindow placed;
  placed.window.rank = static_cast<int>(rank);
  for (size_t i = 0; i < rank; ++i) {
    const int64_t dilation = entry(spec.dilations, i, 1);
    if (kernel[i] < 1 || kernel[i] > kMaxAttribute) throw argument_error("the kernel has size {} in spatial dimension {}", kernel[i], i);
    if (spatial[i] > int64_t{1} << 60) throw argument_error("spatial dimension {} has {} elements", i, spatial[i]);
    Line line = {spatial[i], entry(spec.strides, i, 1), (kernel[i] - 1) * dilation + 1, 0, 0};
    if (spec.auto_pad == AutoPad::kNotSet && !spec.pads.empty()) {
      line.pad_begin = spec.pads[i];
      line.pad_end = spec.pads[rank + i];
    } else if (spec.auto_pad == AutoPad::kSameUpper || spec.auto_pad == AutoPad::kSameLower) {
      pad_to_same(line, spec.auto_pad == AutoPad::kSameLower);
    }
    placed.out.push_back(output_size(line, spec.ceil_mode));
    kernels::Window& window = placed.window;
    window.in[i] = to_size(line.in);
    window.out[i] = to_size(placed.out.back());
    window.kernel[i] = to_size(kernel[i]);
    window.stride[i] = to_size(line.stride);
    window.dilation[i] = to_size(dilation);
    window.pad_begin[i] = to_size(line.pad_begin);
    placed.pad_end[i] = to_size(line.pad_end);
  }
  return placed;
}

}  // namespace sardonyx::ops
