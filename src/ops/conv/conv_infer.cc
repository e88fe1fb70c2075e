#include "ops/conv/conv.h"
#include "ops/elementwise/activation.h"
#include "ops/facts.h"

namespace sardonyx::ops {
ConvSpec conv_spec_from_node(const model::Node& node, int64_t /*opset*/) {
  ConvSpec spec{
      .window = window_spec_from_node(node), .groups = model::get_int(node, "group", 1), .activation = activation_from_node(node)};
  if (spec.groups < 1) throw model_error("attribute group is {}; it must be at least 1", spec.groups);
  return spec;
}

ConvGeometry conv_geometry(const ConvSpec& spec, std::span<const int64_t> x, std::span<const int64_t> w) {
  if (x.size() < 3) throw argument_error("X has shape {}; it must be (batch, channels, spatial...)", to_string(x));
  if (w.size() != x.size()) throw argument_error("W has shape {}, X has rank {}; the ranks must be equal", to_string(w), x.size());
  if (!spec.window.kernel.empty() && !std::ranges::equal(spec.window.kernel, w.subspan(2))) {
    throw argument_error("attribute kernel_shape is {}, W has shape {}", to_string(spec.window.kernel), to_string(w));
  }
  if (x[1] % spec.groups != 0 || x[1] / spec.groups != w[1]) {
    throw argument_error("X has {} channels; W of shape {} with group {} needs {} for each group", x[1], to_string(w), spec.groups, w[1]);
  }
  if (w[1] == 0) throw argument_error("X of shape {} has no channels to convolve", to_string(x));
  if (w[0] % spec.groups != 0) throw argument_error("W gives {} channels, which group {} does not divide", w[0], spec.groups);
  PlacedWindow placed = place_window(spec.window, w.subspan(2), x.subspan(2));
  ConvGeometry geometry;
  geometry.kernel = {.batch = to_size(x[0]),
                     .groups = to_size(spec.groups),
                     .in_channels = to_size(x[1]),
                     .out_channels = to_size(w[0]),
                     .window = placed.window};
  geometry.out = {x[0], w[0]};
  geometry.out.insert(geometry.out.end(), placed.out.begin(), placed.out.end());
  return geometry;
}

}  // namespace sardonyx::ops
