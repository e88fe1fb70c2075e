#include "ops/facts.h"
#include "ops/pool/pool.h"

namespace sardonyx::ops {
namespace {

void check_rank(const Shape& x) {
  if (x.size() < 3) throw argument_error("X has shape {}; it must be (batch, channels, spatial...)", to_string(x));
}

PoolGeometry from_window(const Shape& x, const PlacedWindow& placed) {
  PoolGeometry geometry;
  geometry.kernel = {.planes = span_count(x, 0, 2), .window = placed.window, .pad_end = placed.pad_end};
  geometry.out = {x[0], x[1]};
  geometry.out.insert(geometry.out.end(), placed.out.begin(), placed.out.end());
  return geometry;
}

}  // namespace

PoolSpec pool_spec_from_node(const model::Node& node, int64_t /*opset*/) {
  PoolSpec spec{.window = window_spec_from_node(node),
                .count_include_pad = model::get_int(node, "count_include_pad", 0) != 0,
                .column_major = model::get_int(node, "storage_order", 0) != 0};
  if (spec.window.kernel.empty()) throw model_error("attribute kernel_shape is missing");
  return spec;
}

PoolGeometry pool_geometry(const PoolSpec& spec, const Shape& x) {
  check_rank(x);
  return from_window(x, place_window(spec.window, spec.window.kernel, std::span(x).subspan(2)));
}

PoolGeometry global_pool_geometry(const Shape& x) {
  check_rank(x);
  const size_t size = span_count(x, 2, x.size());
  if (size == 0) throw argument_error("X has shape {}; there is nothing to pool", to_string(x));
  PoolGeometry geometry;
  geometry.kernel.planes = span_count(x, 0, 2);
  geometry.kernel.window.rank = 1;
  geometry.kernel.window.in[0] = size;
  geometry.out.assign(x.size(), 1);
  geometry.out[0] = x[0];
  geometry.out[1] = x[1];
  return geometry;
}

PoolGeometry adaptive_pool_geometry(std::span<const int64_t> output_size, const Shape& x) {
  check_rank(x);
  const std::span<const int64_t> spatial = std::span(x).subspan(2);
  if (spatial.size() != output_size.size()) {
    throw argument_error("attribute output_size has {} values; X of shape {} needs {}", output_size.size(), to_string(x), spatial.size());
  }
  if (spatial.size() > kernels::kMaxSpatial)
    throw unsupported_error("{} spatial dimensions; the kernels take 1 to {}", spatial.size(), kernels::kMaxSpatial);
  PlacedWindow placed;
  placed.window.rank = static_cast<int>(spatial.size());
  for (size_t i = 0; i < spatial.size(); ++i) {
    if (spatial[i] < 1 || output_size[i] < 1)
      throw argument_error("X of shape {} cannot be pooled to {}", to_string(x), to_string(output_size));
    placed.window.in[i] = to_size(spatial[i]);
    placed.window.out[i] = to_size(output_size[i]);
  }
  placed.out.assign(output_size.begin(), output_size.end());
  return from_window(x, placed);
}

}  // namespace sardonyx::ops
