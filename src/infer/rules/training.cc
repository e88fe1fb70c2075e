// ai.onnx.preview.training: gradients, and steps of optimisers.
#include <fmt/format.h>

#include "infer/rules.h"

namespace sardonyx::infer {

// Gradient: the k-th output has the shape of the k-th value that is differentiated by.
void infer_gradient(NodeContext& context) {
  const model::Attribute* names = context.attribute("xs");
  const size_t count = names == nullptr ? 0 : names->strings.size();
  for (size_t i = 0; i < std::min(count, context.outputs()); ++i) context.copy_type(i, i);
}

namespace {
// Inputs: R, T, then groups of n tensors: values, gradients, states. Outputs: the same groups without the gradients.
void infer_optimiser(NodeContext& context, size_t states) {
  const size_t groups = 2 + states;
  if (context.inputs() < 2 || (context.inputs() - 2) % groups != 0) {
    context.fail(fmt::format("after R and T come {} groups of as many inputs each, the node has {} inputs", groups, context.inputs()));
  }
  const size_t count = (context.inputs() - 2) / groups;
  for (size_t i = 0; i < count; ++i) {
    context.copy_type(2 + i, i);
    for (size_t state = 1; state <= states; ++state) context.copy_type(2 + (1 + state) * count + i, state * count + i);
  }
}
}  // namespace

void infer_adagrad(NodeContext& context) { infer_optimiser(context, 1); }
void infer_adam(NodeContext& context) { infer_optimiser(context, 2); }
void infer_momentum(NodeContext& context) { infer_optimiser(context, 1); }

}  // namespace sardonyx::infer
