#include <algorithm>

#include "infer/arithmetic.h"
#include "infer/rules.h"

namespace sardonyx::infer {

// MatMul, all versions: NumPy's matmul. A [..., M, K] and B [..., K, N] give [..., M, N]; vectors lose the dimension that is added for
// them.
void infer_matmul(NodeContext& context) {
  const Dims* left = context.shape(0);
  const Dims* right = context.shape(1);
  if (left == nullptr || right == nullptr) return;
  context.expect_min_rank(0, 1, "A");
  context.expect_min_rank(1, 1, "B");
  Dims a = *left, b = *right;
  if (left->size() == 1) a.insert(a.begin(), Dim(1));
  if (right->size() == 1) b.push_back(1);
  merge(context, a.back(), b[b.size() - 2], "the inner dimension of A and B");
  Dims result = broadcast(context, Dims(a.begin(), a.end() - 2), Dims(b.begin(), b.end() - 2));
  if (left->size() > 1) result.push_back(a[a.size() - 2]);
  if (right->size() > 1) result.push_back(b.back());
  context.set_shape(0, std::move(result));
}

}  // namespace sardonyx::infer
