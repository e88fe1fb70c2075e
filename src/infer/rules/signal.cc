#include <fmt/format.h>

#include "infer/rules.h"
#include "infer/rules/unify.h"

namespace sardonyx::infer {

namespace {
bool is_set(const NodeContext& context, std::string_view name, int64_t fallback) {
  return model::get_int(context.node(), name, fallback) != 0;
}

// How many of the frequencies of a real signal differ.
Dim half_spectrum(Dim length) { return length.is_known() ? add(divide_floor(length, 2), 1) : Dim(); }

Dim non_negative(Dim dim) { return dim.is_known() && dim.value() < 0 ? Dim() : dim; }

struct Dft {
  bool onesided, inverse;

  explicit Dft(const NodeContext& context) : onesided(is_set(context, "onesided", 0)), inverse(is_set(context, "inverse", 0)) {}

  // A number has one or two components, which the last dimension counts.
  void check_components(const NodeContext& context, Dim last) const {
    const int64_t wanted = inverse ? 2 : 1;
    if (!onesided || !last.is_known() || last.is(wanted)) return;
    context.fail(fmt::format("a one-sided {} needs {} as the last dimension of its input, which is {}", inverse ? "inverse DFT" : "DFT",
                             wanted, last.value()));
  }
  Dim components() const { return onesided && inverse ? 1 : 2; }
  // The size of the axis that is transformed.
  Dim size(const NodeContext& context, Dim input) const {
    if (context.has_input(1)) {
      const Dim length = non_negative(scalar_input(context, 1, "dft_length"));
      return onesided && !inverse ? half_spectrum(length) : length;
    }
    if (!onesided) return input;
    return inverse ? non_negative(multiply(subtract(input, 1), 2)) : half_spectrum(input);
  }
};

// Nothing if it is an input that is not known.
std::optional<int64_t> dft_axis(const NodeContext& context) {
  if (context.version() < 20) return model::get_int(context.node(), "axis", 1);
  if (!context.has_input(2)) return -2;
  const Dim axis = scalar_input(context, 2, "axis");
  return axis.is_known() ? std::optional(axis.value()) : std::nullopt;
}
}  // namespace

// DFT, all versions: [batch, d1, ..., 1 or 2 components]; version 17 has the axis as an attribute, version 20 as an input.
void infer_dft(NodeContext& context) {
  const Dims* input = context.shape(0);
  if (input == nullptr) return;
  context.expect_min_rank(0, 2, "input");
  const Dft dft(context);
  dft.check_components(context, input->back());
  Dims output = *input;
  output.back() = dft.components();
  if (const std::optional<int64_t> given = dft_axis(context)) {
    const size_t axis = context.axis(*given, input->size());
    if (axis + 1 == input->size()) context.fail(fmt::format("axis {} is that of the components, which cannot be transformed", *given));
    output[axis] = dft.size(context, output[axis]);
  } else if (dft.onesided || context.has_input(1)) {
    for (size_t i = 0; i + 1 < output.size(); ++i) output[i] = Dim();
  }
  context.set_shape(0, std::move(output));
}

namespace {
// The length of a frame: that of the window, or input frame_length.
Dim frame_length(const NodeContext& context) {
  Dim window;
  unify(context, 2, "window", {&window});
  if (!context.has_input(3)) return window;
  return merge(context, scalar_input(context, 3, "frame_length"), window, "frame_length and the length of the window");
}

Dim frames(Dim signal, Dim frame, Dim step) {
  const Dim room = subtract(signal, frame);
  if (!room.is_known() || room.value() < 0 || !step.is_known() || step.value() < 1) return {};
  return room.value() / step.value() + 1;
}
}  // namespace

// STFT: signal [batch, length, ...] gives [batch, frames, frequencies, 2].
void infer_stft(NodeContext& context) {
  context.expect_min_rank(0, 2, "signal");
  const Dims* signal = context.shape(0);
  const Dim batch = signal == nullptr ? Dim() : signal->front(), length = signal == nullptr ? Dim() : (*signal)[1];
  const Dim frame = non_negative(frame_length(context));
  const Dim step = scalar_input(context, 1, "frame_step");
  context.set_shape(0, {batch, frames(length, frame, step), is_set(context, "onesided", 1) ? half_spectrum(frame) : frame, 2});
}

}  // namespace sardonyx::infer
