#include "ops/elements/real.h"
#include "ops/rnn/rnn.h"
#include "ops/stages.h"
#include "ops/via_float/via_float.h"

namespace sardonyx::ops {
namespace {

enum Input { kX, kWeight, kRecurrence, kBias, kLengths, kInitialH, kInitialC, kPeepholes };

struct RnnStep {
  RnnSpec spec;
  RnnGeometry g;
  DType dtype;

  void run(const RunContext& r) const {
    check_rnn_lengths(r, g);
    if (element_count(g.state) == 0) return;
    with_real(dtype, [&]<class T>() {
      for (size_t d = 0; d < to_size(spec.directions()); ++d) kernels::rnn<T>(rnn_job<T>(spec, g, r, d), r.scratch, r.pool);
    });
  }
};

std::unique_ptr<Bound> bind_rnn(const RnnSpec& spec, const std::vector<bool>& wanted, const BindContext& b) {
  const ValueFacts& x = required(b, 0, "X");
  require_dtype(x, kReals, "X");
  const RnnStep step = {spec, rnn_geometry(spec, b), x.dtype};
  const ValueFacts y = output(x.dtype, step.g.y), state = output(x.dtype, step.g.state);
  auto bound = make_bound(keep_wanted({y, state, state}, wanted), [step](const RunContext& r) { step.run(r); });
  const kernels::RnnShape shape = rnn_shape(spec, step.g, 0);
  // The gates of all inputs live in scratch: they must fit the machine as a tensor would.
  output(x.dtype, {step.g.steps, step.g.batch, static_cast<int64_t>(shape.gates())});
  if (element_count(step.g.state) != 0) {
    bound->scratch_bytes = with_real(x.dtype, [&]<class T>() { return kernels::rnn_scratch_bytes<T>(shape, b.threads); });
  }
  bound->flops = 2.0 * static_cast<double>(spec.directions() * step.g.steps) * static_cast<double>(step.g.batch) *
                 static_cast<double>(shape.gates()) * static_cast<double>(step.g.inputs + step.g.hidden);
  return bound;
}

std::unique_ptr<Prepared> prepare_wide_rnn(const PrepareContext& context) {
  return make_prepared([spec = rnn_spec_from_node(context.node, context.opset),
                        wanted = wanted_outputs(context.node)](const BindContext& b) { return bind_rnn(spec, wanted, b); });
}

}  // namespace

kernels::RnnShape rnn_shape(const RnnSpec& spec, const RnnGeometry& g, size_t direction) {
  kernels::RnnShape s{.cell = spec.cell,
                      .steps = to_size(g.steps),
                      .batch = to_size(g.batch),
                      .inputs = to_size(g.inputs),
                      .hidden = to_size(g.hidden),
                      .reverse = spec.direction == Direction::kReverse || direction == 1,
                      .batch_first = spec.batch_first,
                      .linear_before_reset = spec.linear_before_reset,
                      .couples_forget = spec.couples_forget,
                      .clip = spec.clip};
  std::ranges::copy(spec.activations[direction], s.activations);
  return s;
}

void check_rnn_lengths(const RunContext& r, const RnnGeometry& g) {
  const Tensor* lengths = optional(r, kLengths);
  if (!lengths) return;
  for (const int32_t length : lengths->values<int32_t>()) {
    if (length < 0 || length > g.steps) throw argument_error("sequence_lens holds {}; X has {} steps", length, g.steps);
  }
}

template <class T>
kernels::RnnJob<T> rnn_job(const RnnSpec& spec, const RnnGeometry& g, const RunContext& r, size_t direction) {
  const kernels::RnnShape s = rnn_shape(spec, g, direction);
  const size_t directions = to_size(spec.directions()), gates = s.gates();
  const size_t state_at = direction * s.hidden * (spec.batch_first ? 1 : s.batch), y_at = state_at;
  const auto in = [&](size_t index, size_t offset) {
    const T* data = input_data<T>(r, index);
    return data ? data + offset : nullptr;
  };
  const auto out = [&](size_t index, size_t offset) {
    T* data = output_data<T>(r, index);
    return data ? data + offset : nullptr;
  };
  return {.shape = s,
          .x = in(kX, 0),
          .w = in(kWeight, direction * gates * s.inputs),
          .r = in(kRecurrence, direction * gates * s.hidden),
          .bias = in(kBias, direction * 2 * gates),
          .peepholes = in(kPeepholes, direction * 3 * s.hidden),
          .lengths = input_data<int32_t>(r, kLengths),
          .first_h = in(kInitialH, state_at),
          .first_c = in(kInitialC, state_at),
          .y = out(0, y_at),
          .last_h = out(1, state_at),
          .last_c = out(2, state_at),
          .state_stride = spec.batch_first ? directions * s.hidden : s.hidden,
          .y_step_stride = spec.batch_first ? directions * s.hidden : directions * s.batch * s.hidden,
          .y_batch_stride = spec.batch_first ? s.steps * directions * s.hidden : s.hidden};
}

template kernels::RnnJob<float> rnn_job(const RnnSpec&, const RnnGeometry&, const RunContext&, size_t);
template kernels::RnnJob<double> rnn_job(const RnnSpec&, const RnnGeometry&, const RunContext&, size_t);

std::unique_ptr<Prepared> prepare_rnn(const PrepareContext& context) { return via_float(context, prepare_wide_rnn); }

}  // namespace sardonyx::ops
