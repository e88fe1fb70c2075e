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
    {"remove_clipped_activation", kExtended, stateless<remove_clipped_activation>,
     "removes Relu and Clip where quantisation clips as much"},
    {"move_dequantize", kExtended, stateless<move_dequantize>, "lets Reshape, Transpose, MaxPool and the like move quantised elements"},
    {"fuse_quantized", kExtended, stateless<fuse_quantized>, "computes between DequantizeLinear and QuantizeLinear with integers"},
    {"remove_requantize", kExtended, stateless<remove_requantize>, "removes DequantizeLinear and QuantizeLinear that undo each other"},
    {"fold_dequantized", kBasic, stateless<fold_dequantized>, "computes DequantizeLinear of constants that stay"},
    {"fuse_group_norm", kExtended, stateless<fuse_group_norm>,
     "makes one GroupNormalization of Reshape, InstanceNormalization and Reshape"},
    {"fuse_pad", kExtended, stateless<fuse_pad>, "lets Conv, MaxPool and AveragePool pad for themselves"},
    {"fuse_batch_norm", kExtended, stateless<fuse_batch_norm>,
     "folds BatchNormalization into the Conv, ConvTranspose, Gemm or MatMul before it"},
    {"fuse_scale", kExtended, stateless<fuse_scale>, "folds factors for each channel into the weights before them"},
    {"fuse_bias", kExtended, stateless<fuse_bias>, "lets Conv, ConvTranspose, Gemm and MatMul add the bias after them"},
    {"fuse_residual", kExtended, stateless<fuse_residual>, "lets Conv add the tensor that is added to its result"},
    {"fuse_activation", kExtended, stateless<fuse_activation>, "lets Conv, ConvTranspose, Gemm and MatMul apply the function after them"},
    {"tile_chains", kAll, nullptr, "in each plan, runs chains of nodes by rows where the values between them exceed the cache"},
};
}  // namespace

std::span<const Pass> passes() noexcept { return kPasses; }

}  // namespace sardonyx::optimize
