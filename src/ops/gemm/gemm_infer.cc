#include "ops/elementwise/activation.h"
#include "ops/facts.h"
#include "ops/gemm/gemm.h"
#include "ops/movement/strided.h"

namespace sardonyx::ops {
namespace {

// A stack of matrices as the product reads them.
struct Operand {
  int64_t rows, columns;
  MatMulGeometry::Steps steps;
  Shape batch;
};

Operand operand_of(const Shape& shape, const MatMulSpec::Layout& layout) {
  const auto inner = shape.end() - 1;
  const bool inside = layout.batch_inside;
  Operand result = {
      inside ? shape.front() : *(inner - 1), *inner, {}, inside ? Shape(shape.begin() + 1, inner) : Shape(shape.begin(), inner - 1)};
  result.steps = {.row = *inner, .column = 1, .matrix = stride_product(result.rows, *inner)};
  if (inside) {
    result.steps.matrix = *inner;
    for (const int64_t size : result.batch) result.steps.row = stride_product(result.steps.row, size);
  }
  if (layout.transpose) {
    std::swap(result.rows, result.columns);
    std::swap(result.steps.row, result.steps.column);
  }
  return result;
}

}  // namespace

GemmSpec gemm_spec_from_node(const model::Node& node, int64_t /*opset*/) {
  return {.alpha = model::get_float(node, "alpha", 1.0f),
          .beta = model::get_float(node, "beta", 1.0f),
          .transpose_a = model::get_int(node, "transA", 0) != 0,
          .transpose_b = model::get_int(node, "transB", 0) != 0,
          .activation = activation_from_node(node)};
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

MatMulSpec matmul_spec_from_node(const model::Node& node, int64_t /*opset*/) {
  if (node.op_type != "FusedMatMul") return {};
  const auto is_set = [&](std::string_view name) { return model::get_int(node, name, 0) != 0; };
  return {.alpha = model::get_float(node, "alpha", 1.0f),
          .a = {is_set("transA"), is_set("transBatchA")},
          .b = {is_set("transB"), is_set("transBatchB")},
          .activation = activation_from_node(node)};
}

MatMulGeometry matmul_geometry(const Shape& a, const Shape& b, const MatMulSpec& spec) {
  if (a.empty() || b.empty()) throw argument_error("A has shape {}, B has {}; neither may be a scalar", to_string(a), to_string(b));
  if ((spec.a.batch_inside || spec.b.batch_inside) && (a.size() != b.size() || a.size() < 3)) {
    throw argument_error("A has shape {}, B has {}; with transBatchA or transBatchB both must have the same rank, at least 3", to_string(a),
                         to_string(b));
  }
  const bool a_is_vector = a.size() == 1, b_is_vector = b.size() == 1;
  const Operand left = a_is_vector ? Operand{1, a[0], {.row = static_cast<ptrdiff_t>(a[0])}, {}} : operand_of(a, spec.a);
  const Operand right = b_is_vector ? Operand{b[0], 1, {.row = 1}, {}} : operand_of(b, spec.b);
  if (left.columns != right.rows) throw argument_error("A of shape {} and B of shape {} do not fit", to_string(a), to_string(b));
  MatMulGeometry geometry;
  geometry.product = {.m = to_size(left.rows), .n = to_size(right.columns), .k = to_size(left.columns)};
  geometry.a = left.steps;
  geometry.b = right.steps;
  geometry.a_batch = left.batch;
  geometry.b_batch = right.batch;
  geometry.batch = broadcast(geometry.a_batch, geometry.b_batch);
  geometry.out = geometry.batch;
  if (!a_is_vector) geometry.out.push_back(left.rows);
  if (!b_is_vector) geometry.out.push_back(right.columns);
  return geometry;
}

}  // namespace sardonyx::ops
