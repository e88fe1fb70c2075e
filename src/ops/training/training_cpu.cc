// One step of training: Adagrad, Adam and Momentum of domain ai.onnx.preview.training.
//
// Inputs: the learning rate R, the step count T, and then as many of each as are trained: values X, gradients G and one or two states.
// Outputs: the new values and then the new states, in the same order.
#include <array>
#include <cmath>

#include "ops/attributes/attributes.h"
#include "ops/elements/real.h"
#include "ops/stages.h"

namespace sardonyx::ops {
namespace {

enum class Rule { kAdagrad, kAdam, kMomentum };

struct TrainingSpec {
  Rule rule = Rule::kMomentum;
  bool nesterov = false;
  double alpha = 0, beta = 0, epsilon = 0, decay = 0, norm = 0, norm_post = 0;
  size_t states() const noexcept { return rule == Rule::kAdam ? 2 : 1; }
};

TrainingSpec training_spec_from_node(const model::Node& node) {
  const auto number = [&](const char* name, float fallback) { return static_cast<double>(model::get_float(node, name, fallback)); };
  TrainingSpec spec;
  spec.norm = number("norm_coefficient", 0);
  if (node.op_type == "Adagrad") {
    spec.rule = Rule::kAdagrad;
    spec.decay = number("decay_factor", 0);
    spec.epsilon = number("epsilon", 1e-6f);
  } else if (node.op_type == "Adam") {
    spec.rule = Rule::kAdam;
    spec.alpha = number("alpha", 0.9f);
    spec.beta = number("beta", 0.999f);
    spec.epsilon = number("epsilon", 1e-6f);
    spec.norm_post = number("norm_coefficient_post", 0);
  } else {
    spec.nesterov = get_choice<bool>(node, "mode", "", {{"standard", false}, {"nesterov", true}});
    spec.alpha = number("alpha", 0);
    spec.beta = number("beta", 0);
  }
  return spec;
}

// The factors of one run, which follow from R and T.
struct Pace {
  double rate, beta;
};
Pace pace_of(const TrainingSpec& spec, double rate, double step) noexcept {
  switch (spec.rule) {
    case Rule::kAdagrad:
      return {rate / (1 + step * spec.decay), 0};
    case Rule::kAdam:
      return {step > 0 ? rate * std::sqrt(1 - std::pow(spec.beta, step)) / (1 - std::pow(spec.alpha, step)) : rate, spec.beta};
    case Rule::kMomentum:
      break;
  }
  return {rate, step > 0 ? spec.beta : 1};
}

// The new value; the states are updated in place.
double advance(const TrainingSpec& spec, const Pace& pace, double x, double gradient, std::array<double, 2>& state) noexcept {
  const double g = spec.norm * x + gradient;
  switch (spec.rule) {
    case Rule::kAdagrad:
      state[0] += g * g;
      return x - pace.rate * g / (std::sqrt(state[0]) + spec.epsilon);
    case Rule::kAdam:
      state[0] = spec.alpha * state[0] + (1 - spec.alpha) * g;
      state[1] = spec.beta * state[1] + (1 - spec.beta) * g * g;
      return (1 - spec.norm_post) * (x - pace.rate * state[0] / (std::sqrt(state[1]) + spec.epsilon));
    case Rule::kMomentum:
      break;
  }
  state[0] = spec.alpha * state[0] + pace.beta * g;
  return x - pace.rate * (spec.nesterov ? g + spec.alpha * state[0] : state[0]);
}

struct TrainingStep {
  TrainingSpec spec;
  size_t count;  // of trained tensors
  DType dtype;

  void run(const RunContext& r) const {
    with_real(r.inputs[0].dtype(), [&]<class R>() {
      const Pace pace = pace_of(spec, static_cast<double>(*input_data<R>(r, 0)), static_cast<double>(*input_data<int64_t>(r, 1)));
      for (size_t i = 0; i < count; ++i) with_real(dtype, [&]<class T>() { update<T>(r, pace, i); });
    });
  }

 private:
  template <class T>
  void update(const RunContext& r, const Pace& pace, size_t i) const {
    const T *x = input_data<T>(r, 2 + i), *g = input_data<T>(r, 2 + count + i);
    std::array<const T*, 2> states = {};
    std::array<T*, 2> next = {};
    for (size_t k = 0; k < spec.states(); ++k) {
      states[k] = input_data<T>(r, 2 + (2 + k) * count + i);
      next[k] = output_data<T>(r, (1 + k) * count + i);
    }
    T* y = output_data<T>(r, i);
    constexpr size_t kGrain = 1 << 14;
    r.pool.for_ranges(to_size(r.inputs[2 + i].numel()), kGrain, [&](size_t begin, size_t end) {
      for (size_t j = begin; j < end; ++j) {
        std::array<double, 2> state = {};
        for (size_t k = 0; k < spec.states(); ++k) state[k] = static_cast<double>(states[k][j]);
        const double value = advance(spec, pace, static_cast<double>(x[j]), static_cast<double>(g[j]), state);
        if (y) y[j] = static_cast<T>(value);
        for (size_t k = 0; k < spec.states(); ++k) {
          if (next[k]) next[k][j] = static_cast<T>(state[k]);
        }
      }
    });
  }
};

std::unique_ptr<Bound> bind_training(const TrainingSpec& spec, const std::vector<bool>& wanted, const BindContext& b) {
  const ValueFacts &rate = required(b, 0, "R"), &steps = required(b, 1, "T");
  require_dtype(rate, kReals, "R");
  require_dtype(steps, {DType::kInt64}, "T");
  if (element_count(rate.shape) != 1 || element_count(steps.shape) != 1) {
    throw argument_error("R has shape {}, T {}; both must be scalars", to_string(rate.shape), to_string(steps.shape));
  }
  const size_t kinds = 2 + spec.states(), given = b.inputs.size() - 2;
  if (given == 0 || given % kinds != 0) throw argument_error("{} inputs follow R and T; they must come in {} equal groups", given, kinds);
  const size_t count = given / kinds;
  if (wanted.size() > count * (1 + spec.states())) throw argument_error("{} outputs of {} trained tensors", wanted.size(), count);
  const DType dtype = required(b, 2, "X").dtype;
  require_dtype(b.inputs[2], kReals, "X");
  std::vector<ValueFacts> facts;
  for (size_t i = 0; i < given; ++i) {
    const ValueFacts& input = required(b, 2 + i, std::to_string(2 + i));
    require_same_dtype(b.inputs[2], input, "the first value", "another one");
    const Shape& shape = b.inputs[2 + i % count].shape;
    if (input.shape != shape)
      throw argument_error("input {} has shape {}; it must be {} as its value", 2 + i, to_string(input.shape), to_string(shape));
    if (i / count != 1) facts.push_back(output(dtype, shape));
  }
  return make_bound(keep_wanted(std::move(facts), wanted), [step = TrainingStep{spec, count, dtype}](const RunContext& r) { step.run(r); });
}

}  // namespace

std::unique_ptr<Prepared> prepare_training_step(const PrepareContext& context) {
  return make_prepared([spec = training_spec_from_node(context.node), wanted = wanted_outputs(context.node)](const BindContext& b) {
    return bind_training(spec, wanted, b);
  });
}

}  // namespace sardonyx::ops
