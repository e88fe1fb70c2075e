#include <fmt/format.h>

#include <algorithm>

#include "infer/rules.h"
#include "infer/rules/unify.h"

namespace sardonyx::infer {

namespace {
// The shape of an operand as it is multiplied: FusedMatMul may let the rows lie before the batch, and the last two dimensions swapped.
Dims as_multiplied(Dims dims, bool batch_inside, bool transpose) {
  if (dims.size() < 2) return dims;
  if (batch_inside) std::rotate(dims.begin(), dims.begin() + 1, dims.end() - 1);
  if (transpose) std::swap(dims.back(), dims[dims.size() - 2]);
  return dims;
}

// NumPy's matmul. A [..., M, K] and B [..., K, N] give [..., M, N]; vectors lose the dimension that is added for them.
void multiply_matrices(NodeContext& context, size_t a_input, size_t b_input) {
  const auto is_set = [&](const char* name) {
    return context.node().op_type == "FusedMatMul" && model::get_int(context.node(), name, 0) != 0;
  };
  const Dims* left = context.shape(a_input);
  const Dims* right = context.shape(b_input);
  if (left == nullptr || right == nullptr) return;
  context.expect_min_rank(a_input, 1, "A");
  context.expect_min_rank(b_input, 1, "B");
  Dims a = as_multiplied(*left, is_set("transBatchA"), is_set("transA"));
  Dims b = as_multiplied(*right, is_set("transBatchB"), is_set("transB"));
  if (left->size() == 1) a.insert(a.begin(), Dim(1));
  if (right->size() == 1) b.push_back(1);
  merge(context, a.back(), b[b.size() - 2], "the inner dimension of A and B");
  Dims result = broadcast(context, Dims(a.begin(), a.end() - 2), Dims(b.begin(), b.end() - 2));
  if (left->size() > 1) result.push_back(a[a.size() - 2]);
  if (right->size() > 1) result.push_back(b.back());
  context.set_shape(0, std::move(result));
}
}  // namespace

// MatMul, all versions.
void infer_matmul(NodeContext& context) { multiply_matrices(context, 0, 1); }
void infer_fused_matmul(NodeContext& context) { multiply_matrices(context, 0, 1); }

void infer_matmul_integer(NodeContext& context) {
  context.set_dtype(0, DType::kInt32);
  multiply_matrices(context, 0, 1);
}

void infer_qlinear_matmul(NodeContext& context) { multiply_matrices(context, 0, 3); }

// Gemm, all versions: A [M, K] and B [K, N], each transposed on demand, give [M, N]. Only since version 13 must both K be the same already
// here. Before version 7 C has the shape of the output unless the attribute broadcast is set.
void infer_gemm(NodeContext& context) {
  const auto is_set = [&](std::string_view name) { return model::get_int(context.node(), name, 0) != 0; };
  Dim m, n, k, other_k;
  Dim& k_of_b = context.version() >= 13 ? k : other_k;
  if (is_set("transA")) {
    unify(context, 0, "A", {&k, &m});
  } else {
    unify(context, 0, "A", {&m, &k});
  }
  if (is_set("transB")) {
    unify(context, 1, "B", {&n, &k_of_b});
  } else {
    unify(context, 1, "B", {&k_of_b, &n});
  }
  const Dims* c = context.shape(2);
  if (context.version() < 7 && !is_set("broadcast") && c != nullptr && c->size() == 2) {
    m = better_known(m, c->front());
    n = better_known(n, c->back());
  }
  context.set_shape(0, {m, n});
}

// Det, all versions.
void infer_det(NodeContext& context) {
  const Dims* x = context.shape(0);
  if (x == nullptr) return;
  context.expect_min_rank(0, 2, "X");
  merge(context, x->back(), (*x)[x->size() - 2], "the sides of the square matrices in X");
  context.set_shape(0, Dims(x->begin(), x->end() - 2));
}

}  // namespace sardonyx::infer
