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
    {"fold_known_shapes", kBasic, stateless<fold_known_shapes>, "makes constants of shape arithmetic whose result inference knows"},
    {"use_transposed_weights", kBasic, stateless<use_transposed_weights>, "lets MatMul and Gemm read large weights before a Transpose"},
    {"fold_constants", kBasic, stateless<fold_constants>, "computes nodes whose inputs are all constant, unless the result is much larger"},
    {"merge_equal_nodes", kBasic, merge_equal_nodes, "computes equal nodes with equal inputs once"},
    {"fuse_pixel_shuffle", kBasic, stateless<fuse_pixel_shuffle>,
     "makes DepthToSpace of a Reshape, a Transpose and a Reshape that mean it"},
    {"split_sequence", kBasic, stateless<split_sequence>, "makes Split of SplitToSequence and SequenceAt"},
    {"merge_casts", kBasic, stateless<merge_casts>, "looks through a Cast that loses nothing to the Cast after it"},
    {"merge_transposes", kBasic, stateless<merge_transposes>, "makes one Transpose of two"},
    {"cancel_transposes", kBasic, stateless<cancel_transposes>,
     "runs elementwise operators before the Transpose before them, if one follows"},
    {"simplify_reshapes", kBasic, stateless<simplify_reshapes>,
     "makes Reshape to a constant shape of chains, and of computed shapes that are known"},
    {"remove_no_ops", kBasic, stateless<remove_no_ops>, "removes Cast, Transpose, Reshape, Expand, Slice and so on that change nothing"},
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
    {"fuse_attention", kExtended, stateless<fuse_attention>, "makes Attention of products, Softmax, masks and the split of heads"},
    {"fuse_layer_norm", kExtended, stateless<fuse_layer_norm>, "makes LayerNormalization or RMSNormalization of means and roots"},
    {"fuse_skip_layer_norm", kExtended, stateless<fuse_skip_layer_norm>, "lets LayerNormalization add its two summands"},
    {"fuse_gelu", kExtended, stateless<fuse_gelu>, "makes Gelu of its spellings by Erf and Tanh"},
    {"fuse_hard_swish", kExtended, stateless<fuse_hard_swish>, "makes HardSwish or HardSigmoid of Clip(x + 3, 0, 6) / 6"},
    {"fuse_mish", kExtended, stateless<fuse_mish>, "makes Mish of x * Tanh(Softplus(x))"},
    {"fuse_matmul_transpose", kExtended, stateless<fuse_matmul_transpose>, "lets MatMul read its operands before a Transpose"},
    {"fuse_matmul_scale", kExtended, stateless<fuse_matmul_scale>, "lets MatMul multiply by a constant before or after it"},
    {"fuse_scale", kExtended, stateless<fuse_scale>, "folds factors for each channel into the weights before them"},
    {"fuse_bias", kExtended, stateless<fuse_bias>, "lets Conv, ConvTranspose, Gemm and MatMul add the bias after them"},
    {"fuse_residual", kExtended, stateless<fuse_residual>, "lets Conv add the tensor that is added to its result"},
    {"fuse_activation", kExtended, stateless<fuse_activation>, "lets Conv, ConvTranspose, Gemm and MatMul apply the function after them"},
    {"fuse_swish", kExtended, stateless<fuse_swish>, "makes Swish (SiLU, quick Gelu) of x * Sigmoid(alpha * x)"},
    {"block_channels", kAll, block_channels,
     "runs regions of convolutions on images whose channels lie in blocks, where that gains more than the conversions cost", true},
    {"winograd", kAll, nullptr, "in each plan, computes 3 x 3 convolutions by Winograd's minimal filtering where that takes less time"},
    {"tile_chains", kAll, nullptr, "in each plan, runs chains of nodes by rows where the values between them exceed the cache"},
};
}  // namespace

std::span<const Pass> passes() noexcept { return kPasses; }

}  // namespace sardonyx::optimize
