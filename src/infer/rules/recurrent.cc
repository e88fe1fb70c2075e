#include "infer/rules.h"
#include "infer/rules/unify.h"

namespace sardonyx::infer {

// RNN, GRU and LSTM, all versions: X [length, batch, inputs] gives Y [length, directions, batch, hidden] and the last states, each
// [directions, batch, hidden]; since version 14 attribute layout may put the batch first. DynamicQuantizeLSTM of com.microsoft has its
// weights transposed.
void infer_recurrent(NodeContext& context) {
  const bool batch_first = context.version() >= 14 && model::get_int(context.node(), "layout", 0) != 0;
  const std::string direction = model::get_string(context.node(), "direction", "forward");
  const Dim directions = direction == "bidirectional" ? Dim(2) : direction == "forward" || direction == "reverse" ? Dim(1) : Dim();
  const int64_t hidden_size = model::get_int(context.node(), "hidden_size", -1);
  Dim length, batch, inputs, hidden = hidden_size > 0 ? Dim(hidden_size) : Dim();
  if (batch_first) {
    unify(context, 0, "X", {&batch, &length, &inputs});
  } else {
    unify(context, 0, "X", {&length, &batch, &inputs});
  }
  const bool transposed = context.node().op_type == "DynamicQuantizeLSTM";
  const Dims* weights = context.shape(2);  // R [directions, gates * hidden, hidden]
  if (weights != nullptr && weights->size() == 3) hidden = better_known(hidden, (*weights)[transposed ? 1 : 2]);
  // Before version 7 Y needs the attribute output_sequence, and the specification does not say which outputs stay without it.
  if (context.version() < 7 && model::get_int(context.node(), "output_sequence", 0) == 0) return;
  context.set_shape(0, batch_first ? Dims{batch, length, directions, hidden} : Dims{length, directions, batch, hidden});
  for (size_t i = 1; i < context.outputs(); ++i) {
    context.set_shape(i, batch_first ? Dims{batch, directions, hidden} : Dims{directions, batch, hidden});
  }
}

}  // namespace sardonyx::infer
