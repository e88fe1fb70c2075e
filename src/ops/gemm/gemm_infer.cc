#include "ops/facts.h"
#include "ops/gemm/gemm.h"

namespace sardonyx::ops {

GemmSpec gemm_spec_from_node(const model::Node& node, int64_t /*opset*/) {
  return {.alpha = model::get_float(node, "alpha", 1.0f),
          .beta = model::get_float(node, "beta", 1.0f),
          .transpose_a = model::get_int(node, "transA", 0) != 0,
          .transpose_b = model::get_int(node, "transB", 0) != 0};
}

kernels::GemmShape gemm_shape(const GemmSpec& spec, const Shape& a, const Shape& b) {
  if (a.size() != 2 || b.size() != 2) throw argument_error("A has shape {}, B has {}; both must be matrices", to_string(a), to_string(b));
  const int64_t inner = a[spec.transpose_a ? 0 : 1];
  if (inner != b[spec.transpose_b ? 1 : 0]) {
    throw argument_error("A of shape {}{} and B of shape {}{} do not fit", to_string(a), spec.transpose_a ? " transposed" : "",
                         to_string(b), spec.transpose_b ? " transposed" : "");
  }
  return {.m = to_size(a[spec.transpose_a ? 1 : 0]), .n = to_size(b[spec.transpose_b ? 0 : 1]), .k = to_size(inner)};
}

MatMulGeometry matmul_geometry(const Shape& a, const Shape& b) {
  if (a.empty() || b.empty()) throw argument_error("A has shape {}, B has {}; neither may be a scalar", to_string(a), to_string(b));
  const bool a_is_vector = a.size() == 1, b_is_vector = b.size() == 1;
  const int64_t inner = a.back();
  if (inner != (b_is_vector ? b[0] : b[b.size() - 2]))
    throw argument_error("A of shape {} and B of shape {} do not fit", to_string(a), to_string(b));
  MatMulGeometry geometry;
  geometry.product = {.m = a_is_vector ? 1 : to_size(a[a.size() - 2]), .n = b_is_vector ? 1 : to_size(b.back()), .k = to_size(inner)};
  if (!a_is_vector) geometry.a_batch.assign(a.begin(), a.end() - 2);
  if (!b_is_vector) geometry.b_batch.assign(b.begin(), b.end() - 2);
  geometry.batch = broadcast(geometry.a_batch, geometry.b_batch);
  geometry.out = geometry.batch;
  if (!a_is_vector) geometry.out.push_back(to_int(geometry.product.m));
  if (!b_is_vector) geometry.out.push_back(to_int(geometry.product.n));
  return geometry;
}

}  // namespace sardonyx::ops
