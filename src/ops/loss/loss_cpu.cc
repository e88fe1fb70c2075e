// NegativeLogLikelihoodLoss and SoftmaxCrossEntropyLoss: scores as (batch, classes, places), one label for each place.
#include <cmath>
#include <optional>

#include "core/arena.h"
#include "ops/facts.h"
#include "ops/stages.h"
#include "ops/via_float/via_float.h"
#include "sardonyx/model.h"

namespace sardonyx::ops {
namespace {

enum class LossReduction { kNone, kSum, kMean };

struct LossSpec {
  LossReduction reduction = LossReduction::kMean;
  std::optional<int64_t> ignored;  // places with this label count nothing
  bool softmax = false;            // the scores are no log-probabilities yet
};

LossSpec loss_spec_from_node(const model::Node& node) {
  LossSpec spec;
  spec.softmax = node.op_type == "SoftmaxCrossEntropyLoss";
  if (node.find_attribute("ignore_index")) spec.ignored = model::get_int(node, "ignore_index", 0);
  const std::string reduction = model::get_string(node, "reduction", "mean");
  if (reduction == "none") {
    spec.reduction = LossReduction::kNone;
  } else if (reduction == "sum") {
    spec.reduction = LossReduction::kSum;
  } else if (reduction != "mean") {
    throw model_error("attribute reduction is '{}'; it must be none, sum or mean", reduction);
  }
  return spec;
}

struct LossGeometry {
  size_t batch = 1, classes = 1, inner = 1;
  Shape labels;
  size_t places() const noexcept { return batch * inner; }
  // The number of the score of class 0 at a place.
  size_t start(size_t place) const noexcept { return place / inner * classes * inner + place % inner; }
};

LossGeometry loss_geometry(const BindContext& b) {
  const ValueFacts& scores = required(b, 0, "scores");
  const ValueFacts& labels = required(b, 1, "labels");
  require_dtype(scores, {DType::kFloat32, DType::kFloat64}, "scores");
  require_dtype(labels, {DType::kInt32, DType::kInt64}, "labels");
  const Shape& x = scores.shape;
  if (x.size() < 2) throw argument_error("scores have shape {}; they must be (batch, classes, ...)", to_string(x));
  LossGeometry g = {to_size(x[0]), to_size(x[1]), span_count(x, 2, x.size()), {x[0]}};
  g.labels.insert(g.labels.end(), x.begin() + 2, x.end());
  if (labels.shape != g.labels) {
    throw argument_error("labels have shape {}; scores {} need {}", to_string(labels.shape), to_string(x), to_string(g.labels));
  }
  if (const ValueFacts* weights = optional(b, 2)) {
    require_same_dtype(scores, *weights, "scores", "weights");
    if (weights->shape != Shape{x[1]}) throw argument_error("weights have shape {}; they must be [{}]", to_string(weights->shape), x[1]);
  }
  return g;
}

void check_labels(const LossSpec& spec, const LossGeometry& g, const Tensor& labels) {
  const IndexView values(labels);
  for (size_t i = 0; i < g.places(); ++i) {
    if (values[i] == spec.ignored || (values[i] >= 0 && values[i] < to_int(g.classes))) continue;
    throw argument_error("label {} of place {} is outside [0, {}); if it marks places to leave out, name it in ignore_index", values[i], i,
                         g.classes);
  }
}

template <class T>
void log_softmax_classes(const LossGeometry& g, const T* x, T* y, core::ThreadPool& pool) noexcept {
  pool.for_ranges(g.places(), std::max<size_t>(1, 4096 / g.classes), [&](size_t begin, size_t end) {
    for (size_t place = begin; place < end; ++place) {
      const T* from = x + g.start(place);
      T* to = y + g.start(place);
      T greatest = from[0];
      for (size_t c = 1; c < g.classes; ++c) greatest = std::max(greatest, from[c * g.inner]);
      double sum = 0;
      for (size_t c = 0; c < g.classes; ++c) sum += std::exp(static_cast<double>(from[c * g.inner] - greatest));
      const double shift = static_cast<double>(greatest) + std::log(sum);
      for (size_t c = 0; c < g.classes; ++c) to[c * g.inner] = static_cast<T>(static_cast<double>(from[c * g.inner]) - shift);
    }
  });
}

// The mean is that of the places that count, by their weights.
template <class T>
void sum_losses(const LossSpec& spec, const LossGeometry& g, const T* log_probabilities, const RunContext& r) {
  const IndexView labels(r.inputs[1]);
  const Tensor* weights = optional(r, 2);
  T* losses = static_cast<T*>(r.outputs[0].mutable_raw());
  double total = 0, weight_total = 0;
  for (size_t place = 0; place < g.places(); ++place) {
    const bool counts = labels[place] != spec.ignored;
    const size_t label = counts ? to_size(labels[place]) : 0;
    const double weight = !counts ? 0 : weights ? static_cast<double>(static_cast<const T*>(weights->raw())[label]) : 1;
    const double loss = counts ? -static_cast<double>(log_probabilities[g.start(place) + label * g.inner]) * weight : 0;
    if (spec.reduction == LossReduction::kNone) losses[place] = static_cast<T>(loss);
    total += loss;
    weight_total += weight;
  }
  if (spec.reduction == LossReduction::kSum) losses[0] = static_cast<T>(total);
  if (spec.reduction == LossReduction::kMean) losses[0] = static_cast<T>(total / weight_total);
}

template <class T>
void run_loss(const LossSpec& spec, const LossGeometry& g, const RunContext& r) {
  check_labels(spec, g, r.inputs[1]);
  const T* scores = static_cast<const T*>(r.inputs[0].raw());
  if (spec.softmax && r.inputs[0].numel() != 0) {
    const bool wanted = r.outputs.size() > 1 && r.outputs[1].defined();
    T* log_probabilities = wanted ? static_cast<T*>(r.outputs[1].mutable_raw()) : reinterpret_cast<T*>(r.scratch);
    log_softmax_classes(g, scores, log_probabilities, r.pool);
    scores = log_probabilities;
  }
  sum_losses(spec, g, scores, r);
}

std::unique_ptr<Prepared> prepare_wide_loss(const PrepareContext& context) {
  const std::vector<std::string>& names = context.node.output;
  const bool gives_log = names.size() > 1 && !names[1].empty();
  return make_prepared([spec = loss_spec_from_node(context.node), gives_log, outputs = names.size()](const BindContext& b) {
    const LossGeometry geometry = loss_geometry(b);
    const ValueFacts& scores = b.inputs[0];
    std::vector<ValueFacts> facts(outputs);
    facts[0] = output(scores.dtype, spec.reduction == LossReduction::kNone ? geometry.labels : Shape{});
    if (gives_log) facts[1] = output(scores.dtype, scores.shape);
    auto bound = make_bound(std::move(facts), [spec, geometry, dtype = scores.dtype](const RunContext& r) {
      dtype == DType::kFloat32 ? run_loss<float>(spec, geometry, r) : run_loss<double>(spec, geometry, r);
    });
    if (spec.softmax && !gives_log) bound->scratch_bytes = to_size(element_count(scores.shape)) * element_bytes(scores.dtype);
    return bound;
  });
}

}  // namespace

std::unique_ptr<Prepared> prepare_loss(const PrepareContext& context) { return via_float(context, prepare_wide_loss); }

}  // namespace sardonyx::ops
