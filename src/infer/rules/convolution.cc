#include <fmt/format.h>

#include "infer/rules.h"
#include "infer/rules/unify.h"
#include "infer/rules/window.h"

namespace sardonyx::infer {

namespace {
// X [n, c, d1, ...] with weights [m, c / group, k1, ...] gives [n, m, e1, ...].
void convolve(NodeContext& context, size_t weights_input) {
  const Dims* x = context.shape(0);
  if (x == nullptr) return;
  context.expect_min_rank(0, 3, "X");
  context.expect_min_rank(weights_input, 1, "W");
  const Dims* weights = context.shape(weights_input);
  const size_t rank = x->size() - 2;
  const Window window = read_window(context, rank, weights, false);
  Dims y = {x->front(), weights == nullptr ? Dim() : weights->front()};
  for (size_t i = 0; i < rank; ++i) y.push_back(window.slide(i, (*x)[2 + i]));
  context.set_shape(0, std::move(y));
}
}  // namespace

// Conv, all versions.
void infer_conv(NodeContext& context) { convolve(context, 1); }

void infer_conv_integer(NodeContext& context) {
  context.set_dtype(0, DType::kInt32);
  convolve(context, 1);
}

void infer_qlinear_conv(NodeContext& context) { convolve(context, 3); }

// ConvTranspose, all versions: X [n, c, d1, ...] with weights [c, m / group, k1, ...].
void infer_conv_transpose(NodeContext& context) {
  const Dims* x = context.shape(0);
  if (x == nullptr) return;
  context.expect_min_rank(0, 3, "X");
  context.expect_min_rank(1, 3, "W");
  const Dims* weights = context.shape(1);
  const size_t rank = x->size() - 2;
  const Window window = read_window(context, rank, weights, false);
  const std::string auto_pad = model::get_string(context.node(), "auto_pad", "NOTSET");
  if (context.version() >= 11 && context.attribute("pads") != nullptr && auto_pad != "NOTSET") {
    context.fail(fmt::format("the attributes pads and auto_pad ({}) exclude each other: leave one out", auto_pad));
  }
  const std::vector<int64_t> output_shape = axis_attribute(context, "output_shape", rank, 0, 0);
  const std::vector<int64_t> output_padding = axis_attribute(context, "output_padding", rank, 0, 0);
  const int64_t group = model::get_int(context.node(), "group", 1);
  if (group < 1) context.fail(fmt::format("attribute group is {}, it must be positive", group));
  const bool has_output_shape = context.attribute("output_shape") != nullptr;
  Dims y = {x->front(), weights == nullptr ? Dim() : multiply((*weights)[1], group)};
  for (size_t i = 0; i < rank; ++i) {
    y.push_back(has_output_shape ? Dim(output_shape[i]) : window.unfold(i, (*x)[2 + i], output_padding[i]));
  }
  context.set_shape(0, std::move(y));
}

// CausalConvWithState: input [b, c, l], weights [c, 1, k], and of each channel the last k - 1 elements as state.
void infer_causal_conv_with_state(NodeContext& context) {
  const std::string activation = model::get_string(context.node(), "activation", "none");
  if (activation != "none" && activation != "silu" && activation != "swish") {
    context.fail(fmt::format("attribute activation is '{}', it must be none, silu or swish", activation));
  }
  Dim batch, channels, length, one = 1, kernel, state;
  unify(context, 0, "input", {&batch, &channels, &length});
  unify(context, 1, "weight", {&channels, &one, &kernel});
  unify(context, 2, "bias", {&channels});
  unify(context, 3, "past_state", {&batch, &channels, &state});
  if (kernel.is_known() && kernel.value() < 1) context.fail(fmt::format("the kernel has the size {}, it must be positive", kernel.value()));
  state = merge(context, state, subtract(kernel, 1), "the length of the state and the kernel's size less 1");
  if (context.shape(0) != nullptr) context.set_shape(0, {batch, channels, length});
  context.set_shape(1, {batch, channels, state});
}

}  // namespace sardonyx::infer
