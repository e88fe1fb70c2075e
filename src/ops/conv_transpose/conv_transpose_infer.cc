#include <algorithm>
#include <limits>

#include "ops/attributes/attributes.h"
#include "ops/conv_transpose/conv_transpose.h"
#include "ops/elementwise/activation.h"

namespace sardonyx::ops {
namespace {

constexpr int64_t kMaxSize = int64_t{1} << 40;
constexpr int64_t kMaxKernel = std::numeric_limits<int32_t>::max();  // so that products of two sizes stay inside int64

std::vector<int64_t> read_list(const model::Node& node, std::string_view name, int64_t most) {
  std::vector<int64_t> values = model::get_ints(node, name);
  for (const int64_t value : values) {
    if (value < 0 || value > most) throw model_error("attribute {} holds {}; its values must lie in [0, {}]", name, value, most);
  }
  return values;
}

void check_count(const std::vector<int64_t>& values, size_t expected, std::string_view name) {
  if (values.empty() || values.size() == expected) return;
  throw argument_error("attribute {} has {} values; X needs {}", name, values.size(), expected);
}

int64_t entry(const std::vector<int64_t>& values, size_t index, int64_t fallback) { return values.empty() ? fallback : values[index]; }

struct Line {
  int64_t out, pad_begin;
};

// One spatial dimension of `in` positions under a kernel of `kernel` taps.
Line place_line(const ConvTransposeSpec& spec, size_t i, size_t rank, int64_t in, int64_t kernel) {
  const WindowSpec& w = spec.window;
  const int64_t stride = entry(w.strides, i, 1);
  if (in > kMaxSize / stride) throw argument_error("X has {} positions in a spatial dimension of stride {}", in, stride);
  const int64_t full = stride * (in - 1) + entry(spec.output_padding, i, 0) + (kernel - 1) * entry(w.dilations, i, 1) + 1;
  const bool same = w.auto_pad == AutoPad::kSameUpper || w.auto_pad == AutoPad::kSameLower;
  if (spec.output_shape.empty() && !same) {
    const bool padded = w.auto_pad == AutoPad::kNotSet && !w.pads.empty();
    const int64_t begin = padded ? w.pads[i] : 0, end = padded ? w.pads[rank + i] : 0;
    return {full - begin - end, begin};
  }
  const int64_t out = spec.output_shape.empty() ? in * stride : spec.output_shape[i];
  const int64_t total = std::max<int64_t>(full - out, 0);  // where the result is larger than all windows, its end stays empty
  return {out, w.auto_pad == AutoPad::kSameUpper ? total / 2 : total - total / 2};
}

}  // namespace

ConvTransposeSpec conv_transpose_spec_from_node(const model::Node& node, int64_t /*opset*/) {
  return {.window = window_spec_from_node(node),
          .output_padding = read_list(node, "output_padding", kMaxKernel),
          .output_shape = read_list(node, "output_shape", kMaxSize),
          .groups = get_count(node, "group", 1, 1),
          .activation = activation_from_node(node)};
}

ConvTransposeGeometry conv_transpose_geometry(const ConvTransposeSpec& spec, const Shape& x, const Shape& w) {
  if (x.size() < 3 || w.size() != x.size()) {
    throw argument_error("X has shape {}, W {}; both must be (a, b, spatial...)", to_string(x), to_string(w));
  }
  const size_t rank = x.size() - 2;
  if (rank > kernels::kMaxSpatial) throw unsupported_error("{} spatial dimensions; the kernels take 1 to {}", rank, kernels::kMaxSpatial);
  if (x[1] != w[0] || x[1] % spec.groups != 0) {
    throw argument_error("X has {} channels, W of shape {} with group {} takes {}", x[1], to_string(w), spec.groups, w[0]);
  }
  const WindowSpec& window = spec.window;
  check_count(window.kernel, rank, "kernel_shape");
  check_count(window.strides, rank, "strides");
  check_count(window.dilations, rank, "dilations");
  check_count(window.pads, 2 * rank, "pads");
  check_count(spec.output_padding, rank, "output_padding");
  check_count(spec.output_shape, rank, "output_shape");
  if (w[1] > kMaxKernel) throw argument_error("W has shape {}", to_string(w));
  ConvTransposeGeometry g;
  g.kernel = {.batch = to_size(x[0]),
              .groups = to_size(spec.groups),
              .in_channels = to_size(x[1]),
              .out_channels = to_size(w[1] * spec.groups),
              .window = {}};
  g.kernel.window.rank = static_cast<int>(rank);
  g.out = {x[0], w[1] * spec.groups};
  for (size_t i = 0; i < rank; ++i) {
    if (x[2 + i] < 1 || w[2 + i] < 1 || w[2 + i] > kMaxKernel) {
      throw argument_error("X of shape {} and W of shape {} cannot be convolved", to_string(x), to_string(w));
    }
    const Line line = place_line(spec, i, rank, x[2 + i], w[2 + i]);
    if (line.out < 0) throw argument_error("the padding of spatial dimension {} leaves {} positions", i, line.out);
    g.out.push_back(line.out);
    g.kernel.window.in[i] = to_size(line.out);
    g.kernel.window.out[i] = to_size(x[2 + i]);
    g.kernel.window.kernel[i] = to_size(w[2 + i]);
    g.kernel.window.stride[i] = to_size(entry(window.strides, i, 1));
    g.kernel.window.dilation[i] = to_size(entry(window.dilations, i, 1));
    g.kernel.window.pad_begin[i] = to_size(line.pad_begin);
  }
  if (!window.kernel.empty() && !std::ranges::equal(window.kernel, std::span(w).subspan(2))) {
    throw argument_error("attribute kernel_shape is {}, W has shape {}", to_string(window.kernel), to_string(w));
  }
  return g;
}

}  // namespace sardonyx::ops
