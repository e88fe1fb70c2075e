// The list of passes, in the order they run. A new one: a line here, a declaration in rules.h, its rule and test in files of its name.
#include "optimize/pass.h"
#include "optimize/rules.h"

namespace sardonyx::optimize {

namespace {
template <auto rule>
Rule stateless() {
  return rule;
}
constexpr auto kBasic = GraphOptimizationLevel::kBasic;
constexpr auto kExtended = GraphOptimizationLevel::kExtended;
constexpr auto kAll = GraphOptimizationLevel::kAll;

constexpr Pass kPasses[] = {
    {"remove_identity", kBasic, stateless<remove_identity>, "removes Identity, and Dropout outside training"},
    {"fold_constants", kBasic, stateless<fold_constants>, "computes nodes whose inputs are all constant, unless the result is much larger"},
    {"merge_equal_nodes", kBasic, merge_equal_nodes, "computes equal nodes with equal inputs once"},
    {"fuse_pixel_shuffle", kBasic, stateless<fuse_pixel_shuffle>,
     "makes DepthToSpace of a Reshape, a Transpose and a Reshape that mean it"},
    {"remove_dead", kBasic, stateless<remove_dead>, "removes nodes whose outputs nobody reads"},
    {"fuse_conv_batch_norm", kExtended, stateless<fuse_conv_batch_norm>, "folds BatchNormalization into the Conv before it"},
    {"fuse_bias", kExtended, stateless<fuse_bias>, "makes Gemm of MatMul or Gemm and the Add of a bias after it"},
    {"fuse_conv_activation", kExtended, stateless<fuse_conv_activation>, "lets Conv apply the Relu or Clip after it"},
    {"tile_chains", kAll, nullptr, "in each plan, runs chains of nodes by rows where the values between them exceed the cache"},
};
}  // namespace

std::span<const Pass> passes() noexcept { return kPasses; }

}  // namespace sardonyx::optimize
