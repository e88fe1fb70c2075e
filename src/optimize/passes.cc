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

constexpr Pass kPasses[] = {
    {"remove_identity", kBasic, stateless<remove_identity>, "removes Identity, and Dropout outside training"},
    {"fold_known_shapes", kBasic, stateless<fold_known_shapes>, "makes constants of shape arithmetic whose result inference knows"},
    {"use_transposed_weights", kBasic, stateless<use_transposed_weights>, "lets MatMul and Gemm read large weights before a Transpose"},
    {"fold_constants", kBasic, stateless<fold_constants>, "computes nodes whose inputs are all constant, unless the result is much larger"},
    {"merge_equal_nodes", kBasic, merge_equal_nodes, "computes equal nodes with equal inputs once"},
    {"split_sequence", kBasic, stateless<split_sequence>, "makes Split of SplitToSequence and SequenceAt"},
    {"merge_casts", kBasic, stateless<merge_casts>, "looks through a Cast that loses nothing to the Cast after it"},
    {"merge_transposes", kBasic, stateless<merge_transposes>, "makes one Transpose of two"},
    {"cancel_transposes", kBasic, stateless<cancel_transposes>,
     "runs elementwise operators before the Transpose before them, if one follows"},
    {"simplify_reshapes", kBasic, stateless<simplify_reshapes>,
     "makes Reshape to a constant shape of chains, and of computed shapes that are known"},
    {"remove_no_ops", kBasic, stateless<remove_no_ops>, "removes Cast, Transpose, Reshape, Expand, Slice and so on that change nothing"},
    {"remove_dead", kBasic, stateless<remove_dead>, "removes nodes whose outputs nobody reads"},
    {"fuse_conv_batch_norm", kExtended, stateless<fuse_conv_batch_norm>, "folds BatchNormalization into the Conv before it"},
    {"fuse_attention", kExtended, stateless<fuse_attention>, "makes Attention of products, Softmax, masks and the split of heads"},
    {"fuse_layer_norm", kExtended, stateless<fuse_layer_norm>, "makes LayerNormalization or RMSNormalization of means and roots"},
    {"fuse_skip_layer_norm", kExtended, stateless<fuse_skip_layer_norm>, "lets LayerNormalization add its two summands"},
    {"fuse_gelu", kExtended, stateless<fuse_gelu>, "makes Gelu of its spellings by Erf and Tanh"},
    {"fuse_swish", kExtended, stateless<fuse_swish>, "makes Swish (SiLU, quick Gelu) of x * Sigmoid(alpha * x)"},
    {"fuse_hard_swish", kExtended, stateless<fuse_hard_swish>, "makes HardSwish or HardSigmoid of Clip(x + 3, 0, 6) / 6"},
    {"fuse_mish", kExtended, stateless<fuse_mish>, "makes Mish of x * Tanh(Softplus(x))"},
    {"fuse_matmul_transpose", kExtended, stateless<fuse_matmul_transpose>, "lets MatMul read its operands before a Transpose"},
    {"fuse_matmul_scale", kExtended, stateless<fuse_matmul_scale>, "lets MatMul multiply by a constant before or after it"},
    {"fuse_bias", kExtended, stateless<fuse_bias>, "lets Gemm and MatMul add the bias that an Add after them adds"},
    {"fuse_conv_activation", kExtended, stateless<fuse_conv_activation>, "lets Conv apply the Relu or Clip after it"},
};
}  // namespace

std::span<const Pass> passes() noexcept { return kPasses; }

}  // namespace sardonyx::optimize
