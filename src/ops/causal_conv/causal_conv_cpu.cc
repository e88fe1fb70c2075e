// CausalConvWithState: each channel convolved with its own kernel over the past and the present, the last positions handed on as state.
#include <cmath>

#include "ops/attributes/attributes.h"
#include "ops/elements/real.h"
#include "ops/stages.h"
#include "ops/via_float/via_float.h"

namespace sardonyx::ops {
namespace {

enum Input { kX, kWeight, kBias, kPast };

struct CausalConv {
  size_t channels = 0, length = 0, taps = 0;
  bool silu = false;

  // Position `t` of the past and the present behind each other; `past` may be null (zeros).
  float at(const float* past, const float* x, size_t t) const noexcept {
    if (t >= taps - 1) return x[t - (taps - 1)];
    return past ? past[t] : 0.0f;
  }

  void run_channel(const float* x, const float* weight, float bias, const float* past, float* y, float* state) const noexcept {
    for (size_t t = 0; y && t < length; ++t) {
      float sum = bias;
      for (size_t k = 0; k < taps; ++k) sum += weight[k] * at(past, x, t + k);
      y[t] = silu ? sum / (1 + std::exp(-sum)) : sum;
    }
    for (size_t k = 0; state && k + 1 < taps; ++k) state[k] = at(past, x, length + k);
  }

  void run(const RunContext& r) const {
    const auto *x = input_data<float>(r, kX), *weight = input_data<float>(r, kWeight), *bias = input_data<float>(r, kBias);
    const auto* past = input_data<float>(r, kPast);
    auto *y = output_data<float>(r, 0), *state = output_data<float>(r, 1);
    r.pool.for_each(to_size(r.inputs[kX].shape()[0]) * channels, [&](size_t i) {
      const size_t c = i % channels, kept = i * (taps - 1);
      run_channel(x + i * length, weight + c * taps, bias ? bias[c] : 0.0f, past ? past + kept : nullptr, y ? y + i * length : nullptr,
                  state ? state + kept : nullptr);
    });
  }
};

void check_shape(const ValueFacts* facts, const Shape& expected, std::string_view name) {
  if (!facts) return;
  require_dtype(*facts, {DType::kFloat32}, name);
  if (facts->shape != expected) throw argument_error("{} has shape {}; it must be {}", name, to_string(facts->shape), to_string(expected));
}

std::unique_ptr<Bound> bind_causal_conv(bool silu, const std::vector<bool>& wanted, const BindContext& b) {
  const ValueFacts& x = required(b, kX, "input");
  const ValueFacts& weight = required(b, kWeight, "weight");
  require_dtype(x, {DType::kFloat32}, "input");
  require_rank(x, 3, "input");
  require_rank(weight, 3, "weight");
  const int64_t taps = weight.shape[2];
  if (taps < 1) throw argument_error("weight has shape {}; the kernel needs at least one element", to_string(weight.shape));
  check_shape(&weight, {x.shape[1], 1, taps}, "weight");
  check_shape(optional(b, kBias), {x.shape[1]}, "bias");
  const Shape state = {x.shape[0], x.shape[1], taps - 1};
  check_shape(optional(b, kPast), state, "past_state");
  const CausalConv step = {to_size(x.shape[1]), to_size(x.shape[2]), to_size(taps), silu};
  auto bound = make_bound(keep_wanted({output(x.dtype, x.shape), output(x.dtype, state)}, wanted), [step](const RunContext& r) {
    if (step.channels != 0) step.run(r);
  });
  bound->flops = 2.0 * static_cast<double>(element_count(x.shape)) * static_cast<double>(taps);
  return bound;
}

std::unique_ptr<Prepared> prepare_float_causal_conv(const PrepareContext& context) {
  const bool silu = get_choice<bool>(context.node, "activation", "none", {{"none", false}, {"silu", true}, {"swish", true}});
  return make_prepared([silu, wanted = wanted_outputs(context.node)](const BindContext& b) { return bind_causal_conv(silu, wanted, b); });
}

}  // namespace

std::unique_ptr<Prepared> prepare_causal_conv(const PrepareContext& context) { return via_float(context, prepare_float_causal_conv); }

}  // namespace sardonyx::ops
