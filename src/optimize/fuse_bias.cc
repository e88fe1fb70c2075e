#include "optimize/match.h"
#include "optimize/rules.h"

namespace sardonyx::optimize {
namespace {

constexpr int64_t kOptionalBias = 11;  // from this opset on, Gemm's third input may be left out

// Whether the value is known to have rank 2. Looks through operators that keep the rank; a chain of `depth` is enough.
bool is_matrix(const GraphView& graph, const std::string& value, int depth = 8) {
  if (const model::TensorType* type = graph.type(value); type && type->has_shape) return type->shape.dims.size() == 2;
  const std::optional<size_t> producer = graph.producer(value);
  if (!producer || depth == 0) return false;
  const model::Node& node = *graph.node(*producer);
  if (!is_onnx_domain(node.domain) || node.input.empty()) return false;
  if (node.op_type == "Gemm" || node.op_type == "Flatten") return true;
  for (const std::string_view same_rank : {"Relu", "LeakyRelu", "Sigmoid", "Tanh", "Elu", "Gelu", "Softmax", "Erf", "Cast"}) {
    if (node.op_type == same_rank) return is_matrix(graph, node.input[0], depth - 1);
  }
  return node.op_type == "MatMul" && node.input.size() == 2 && is_matrix(graph, node.input[0], depth - 1) &&
         is_matrix(graph, node.input[1], depth - 1);
}

bool is_float(DType dtype) { return dtype == DType::kFloat32 || dtype == DType::kFloat64; }

// A product that can add a bias, without it, or nullopt where the node is no such product: Gemm of matrices, else FusedMatMul of ours.
std::optional<model::Node> without_bias(const GraphView& graph, const model::Node& node) {
  const bool has_bias = node.input.size() > 2 && !node.input[2].empty();
  if (node.input.size() < 2 || has_bias) return std::nullopt;
  model::Node product = node;
  if (is_onnx_domain(node.domain) && graph.opset(node.domain) >= kOptionalBias) {
    if (node.op_type == "Gemm") return product;
    if (node.op_type == "MatMul" && is_matrix(graph, node.input[0])) {
      product.op_type = "Gemm";
      return product;
    }
  }
  const bool multiplies = (node.op_type == "MatMul" && is_onnx_domain(node.domain)) ||
                          (node.op_type == "FusedMatMul" && (node.domain == "com.microsoft" || node.domain == kFusedDomain));
  if (!multiplies) return std::nullopt;
  product.domain = kFusedDomain;
  product.op_type = "FusedMatMul";
  return product;
}

// Columns of the product; nullopt unless the right factor is a constant matrix.
std::optional<int64_t> product_columns(const GraphView& graph, const model::Node& product) {
  const std::string& right = product.input[1];
  const bool is_constant = !graph.producer(right) && (!graph.is_graph_input(right) || graph.constant(right));
  const auto* dims = graph.dims(right);
  if (!is_constant || !dims || dims->size() != 2 || !is_float(graph.dtype(right))) return std::nullopt;
  const model::Dimension& columns = (*dims)[model::get_int(product, "transB", 0) != 0 ? 0 : 1];
  return columns.is_known() ? std::optional(columns.size()) : std::nullopt;
}

void set_beta_to_one(model::Node& gemm) {
  for (model::Attribute& attribute : gemm.attribute) {
    if (attribute.name == "beta") attribute.f = 1;
  }
}

}  // namespace

std::optional<Patch> fuse_bias(const GraphView& graph, size_t index) {
  const model::Node& product = *graph.node(index);
  std::optional<model::Node> gemm = without_bias(graph, product);
  if (!gemm) return std::nullopt;
  const std::optional<size_t> next = graph.sole_consumer(first_output(product));
  const std::optional<int64_t> columns = product_columns(graph, *gemm);
  if (!next || !columns) return std::nullopt;
  const model::Node& add = *graph.node(*next);
  if (!is_onnx_node(add, "Add") || add.input.size() != 2) return std::nullopt;
  const std::string& bias_name = add.input[add.input[0] == first_output(product) ? 1 : 0];
  const Tensor* bias = rank(graph, bias_name) == 1 ? graph.constant(bias_name) : nullptr;
  // A vector of that length is added to each row, whatever the number of rows.
  if (!bias || bias->shape() != Shape{*columns} || bias->dtype() != graph.dtype(gemm->input[1])) return std::nullopt;
  gemm->input.resize(2);
  gemm->input.push_back(bias_name);
  gemm->output = {first_output(add)};
  set_beta_to_one(*gemm);
  Patch patch{.remove = {index, *next}};
  patch.add.push_back(std::move(*gemm));
  return patch;
}

}  // namespace sardonyx::optimize
