// ai.onnx.ml: SVMClassifier and SVMRegressor, in the manner of libsvm. Without support vectors both are linear models.
#include <cmath>

#include "ops/attributes/attributes.h"
#include "ops/elements/real.h"
#include "ops/ml/class_labels.h"
#include "ops/ml/linear_scores.h"
#include "ops/ml/pairwise.h"
#include "ops/ml/row_scores.h"
#include "ops/ml/svm_kernel.h"
#include "ops/stages.h"

namespace sardonyx::ops {
namespace {

// Support vectors of each class: where they begin, with the end of the last.
std::vector<size_t> class_starts(const model::Node& node, size_t most) {
  std::vector<size_t> starts = {0};
  for (const int64_t count : model::get_ints(node, "vectors_per_class")) {
    if (count < 0 || to_size(count) > most)
      throw model_error("attribute vectors_per_class holds {}; attribute support_vectors has {} entries", count, most);
    starts.push_back(starts.back() + to_size(count));
  }
  return starts;
}

void require_count(size_t found, size_t expected, std::string_view name) {
  if (found != expected) throw model_error("attribute {} has {} entries; it must have {}", name, found, expected);
}

// Every two classes are told apart by a function of their own; the class that wins most often is the label.
struct PairSpec {
  SvmKernel kernel;
  std::vector<size_t> starts;
  std::vector<float> coefficients, rho, prob_a, prob_b;
  size_t classes() const noexcept { return starts.size() - 1; }
  size_t pairs() const noexcept { return classes() * (classes() - 1) / 2; }
};

struct SvmClassifierSpec {
  ClassLabels labels;
  PostTransform transform;
  std::vector<bool> wanted;
  std::unique_ptr<PairSpec> pairs;       // one of
  std::unique_ptr<LinearScores> linear;  // the two
  size_t columns() const noexcept {
    if (linear || !pairs->prob_a.empty()) return labels.size();
    return std::max<size_t>(pairs->pairs(), 2);
  }
};

std::unique_ptr<PairSpec> pair_spec_from_node(const model::Node& node, std::vector<size_t> starts, size_t classes) {
  require_count(starts.size() - 1, classes, "vectors_per_class");
  if (classes < 2) throw model_error("there is one class label; support vectors need at least 2 classes to tell apart");
  const size_t vectors = starts.back();
  auto spec = std::make_unique<PairSpec>(PairSpec{SvmKernel(node, vectors, "vectors_per_class"), std::move(starts),
                                                  model::get_floats(node, "coefficients"), model::get_floats(node, "rho"),
                                                  model::get_floats(node, "prob_a"), model::get_floats(node, "prob_b")});
  require_count(spec->coefficients.size(), (classes - 1) * vectors, "coefficients");
  require_count(spec->rho.size(), spec->pairs(), "rho");
  if (!spec->prob_a.empty()) require_count(spec->prob_a.size(), spec->pairs(), "prob_a");
  require_count(spec->prob_b.size(), spec->prob_a.size(), "prob_b");
  return spec;
}

LinearScores linear_scores_from_node(const model::Node& node, size_t targets) {
  const std::vector<float> rho = model::get_floats(node, "rho");
  if (rho.empty()) throw model_error("attribute rho is missing or empty");
  return {model::get_floats(node, "coefficients"), std::vector<float>(targets, rho[0]), targets};
}

std::shared_ptr<const SvmClassifierSpec> svm_classifier_spec_from_node(const model::Node& node) {
  auto spec = std::make_shared<SvmClassifierSpec>(
      SvmClassifierSpec{ClassLabels::from_node(node, "classlabels_ints"), post_transform_from_word(node), wanted_outputs(node), {}, {}});
  std::vector<size_t> starts = class_starts(node, model::get_floats(node, "support_vectors").size());
  if (starts.back() > 0) {
    spec->pairs = pair_spec_from_node(node, std::move(starts), spec->labels.size());
  } else {
    if (!model::get_floats(node, "prob_a").empty())
      throw unsupported_error("attribute prob_a: probabilities follow from pairs of classes, which need support vectors");
    spec->linear = std::make_unique<LinearScores>(linear_scores_from_node(node, spec->labels.size()));
  }
  return spec;
}

// Working memory of one task.
struct PairWork {
  explicit PairWork(const PairSpec& spec)
      : sums((spec.classes() - 1) * spec.classes()),
        decisions(spec.pairs()),
        probabilities(spec.classes()),
        votes(spec.classes()),
        coupling(spec.classes()) {}
  std::vector<double> sums, decisions, probabilities;
  std::vector<size_t> votes;
  PairCoupling coupling;
};

// The values of the functions of all pairs (0, 1), (0, 2), ... (1, 2), ... and the classes' votes.
void decide(const PairSpec& spec, const float* values, PairWork& work) noexcept {
  const size_t classes = spec.classes(), vectors = spec.kernel.vectors();
  for (size_t line = 0; line + 1 < classes; ++line) {
    const float* factors = spec.coefficients.data() + line * vectors;
    for (size_t of = 0; of < classes; ++of) {
      double sum = 0;
      for (size_t v = spec.starts[of]; v < spec.starts[of + 1]; ++v)
        sum += static_cast<double>(factors[v]) * static_cast<double>(values[v]);
      work.sums[line * classes + of] = sum;
    }
  }
  std::ranges::fill(work.votes, size_t{0});
  for (size_t i = 0, pair = 0; i < classes; ++i) {
    for (size_t j = i + 1; j < classes; ++j, ++pair) {
      work.decisions[pair] = static_cast<double>(spec.rho[pair]) + work.sums[(j - 1) * classes + i] + work.sums[i * classes + j];
      ++work.votes[work.decisions[pair] > 0 ? i : j];
    }
  }
}

void finish_row(const SvmClassifierSpec& spec, size_t row, PairWork& work, RowScores& z, Tensor* labels) {
  const PairSpec& pairs = *spec.pairs;
  if (labels) spec.labels.write(top_class(work.votes.data(), work.votes.size()), row, *labels);
  if (!pairs.prob_a.empty()) {
    for (size_t pair = 0; pair < pairs.pairs(); ++pair) {
      const double a = static_cast<double>(pairs.prob_a[pair]), b = static_cast<double>(pairs.prob_b[pair]);
      work.decisions[pair] = platt_probability(work.decisions[pair], a, b);
    }
    work.coupling.solve(work.decisions, work.probabilities);
    z.write(row, spec.transform, work.probabilities.data());
  } else if (pairs.pairs() == 1) {
    z.write_pair(row, transform_pair(spec.transform, FirstScore::kNegative, work.decisions[0]));
  } else {
    z.write(row, spec.transform, work.decisions.data());
  }
}

void run_pairs(const SvmClassifierSpec& spec, const Rows& rows, const RunContext& r) {
  Tensor *labels = wanted_output(r, 0), *scores = wanted_output(r, 1);
  each_svm_block(spec.pairs->kernel, rows, r, [&](size_t first, size_t count, const float* values) {
    PairWork work(*spec.pairs);
    RowScores z(scores, spec.columns());
    for (size_t i = 0; i < count; ++i) {
      decide(*spec.pairs, values + i * spec.pairs->kernel.vectors(), work);
      finish_row(spec, first + i, work, z, labels);
    }
  });
}

void run_linear_classes(const SvmClassifierSpec& spec, const Rows& rows, const RunContext& r) {
  Tensor *labels = wanted_output(r, 0), *z = wanted_output(r, 1);
  const size_t classes = spec.labels.size();
  spec.linear->compute(r.inputs[0], rows, r.scratch, r.pool, [&](const auto* scores) {
    r.pool.for_ranges(rows.count, rows_per_task(classes * 16), [&](size_t begin, size_t end) {
      RowScores out(z, classes);
      for (size_t row = begin; row < end; ++row) {
        if (labels) spec.labels.write(top_class(scores + row * classes, classes), row, *labels);
        out.write(row, spec.transform, scores + row * classes);
      }
    });
  });
}

std::unique_ptr<Bound> bind_svm_classifier(const std::shared_ptr<const SvmClassifierSpec>& spec, const BindContext& b) {
  const ValueFacts& x = required(b, 0, "X");
  const Rows rows = feature_rows(x);
  require_features(rows, spec->linear ? spec->linear->features() : spec->pairs->kernel.features(),
                   spec->linear ? "coefficients" : "support_vectors");
  const int64_t count = to_int(rows.count);
  std::vector<ValueFacts> outputs = {output(spec->labels.dtype(), {count}), output(DType::kFloat32, {count, to_int(spec->columns())})};
  auto bound = make_bound(keep_wanted(std::move(outputs), spec->wanted), [spec, rows](const RunContext& r) {
    spec->linear ? run_linear_classes(*spec, rows, r) : run_pairs(*spec, rows, r);
  });
  bound->scratch_bytes =
      spec->linear ? spec->linear->scratch_bytes(x, rows, b.threads) : svm_scratch_bytes(spec->pairs->kernel, x, b.threads);
  return bound;
}

struct SvmRegressorSpec {
  std::unique_ptr<SvmKernel> kernel;     // one of
  std::unique_ptr<LinearScores> linear;  // the two
  std::vector<float> coefficients;
  double rho = 0;
  bool one_class = false;
  PostTransform transform = PostTransform::kNone;
};

std::shared_ptr<const SvmRegressorSpec> svm_regressor_spec_from_node(const model::Node& node) {
  auto spec = std::make_shared<SvmRegressorSpec>();
  spec->one_class = model::get_int(node, "one_class", 0) != 0;
  spec->transform = post_transform_from_word(node);
  const int64_t vectors = get_count(node, "n_supports", 0, 0);
  if (vectors == 0) {
    spec->linear = std::make_unique<LinearScores>(linear_scores_from_node(node, 1));
    return spec;
  }
  spec->kernel = std::make_unique<SvmKernel>(node, to_size(vectors), "n_supports");
  spec->coefficients = model::get_floats(node, "coefficients");
  require_count(spec->coefficients.size(), to_size(vectors), "coefficients");
  const std::vector<float> rho = model::get_floats(node, "rho");
  if (rho.empty()) throw model_error("attribute rho is missing or empty");
  spec->rho = static_cast<double>(rho[0]);
  return spec;
}

// The output of a row: the side of a one-class model's border that it lies on, or the transformed score.
void write_value(const SvmRegressorSpec& spec, size_t row, double score, RowScores& y) noexcept {
  const double side = score > 0 ? 1 : -1;
  y.write(row, spec.one_class ? PostTransform::kNone : spec.transform, spec.one_class ? &side : &score);
}

void run_svm_regressor(const SvmRegressorSpec& spec, const Rows& rows, const RunContext& r) {
  Tensor* y = &r.outputs[0];
  if (spec.linear) {
    return spec.linear->compute(r.inputs[0], rows, r.scratch, r.pool, [&](const auto* scores) {
      RowScores out(y, 1);
      for (size_t row = 0; row < rows.count; ++row) write_value(spec, row, static_cast<double>(scores[row]), out);
    });
  }
  each_svm_block(*spec.kernel, rows, r, [&](size_t first, size_t count, const float* values) {
    RowScores out(y, 1);
    for (size_t i = 0; i < count; ++i) {
      double score = spec.rho;
      for (size_t v = 0; v < spec.coefficients.size(); ++v) {
        score += static_cast<double>(spec.coefficients[v]) * static_cast<double>(values[i * spec.coefficients.size() + v]);
      }
      write_value(spec, first + i, score, out);
    }
  });
}

}  // namespace

std::unique_ptr<Prepared> prepare_svm_classifier(const PrepareContext& context) {
  return make_prepared([spec = svm_classifier_spec_from_node(context.node)](const BindContext& b) { return bind_svm_classifier(spec, b); });
}

std::unique_ptr<Prepared> prepare_svm_regressor(const PrepareContext& context) {
  return make_prepared([spec = svm_regressor_spec_from_node(context.node)](const BindContext& b) {
    const ValueFacts& x = required(b, 0, "X");
    const Rows rows = feature_rows(x);
    require_features(rows, spec->linear ? spec->linear->features() : spec->kernel->features(),
                     spec->linear ? "coefficients" : "support_vectors");
    auto bound = make_bound(output(DType::kFloat32, {to_int(rows.count), 1}),
                            [spec, rows](const RunContext& r) { run_svm_regressor(*spec, rows, r); });
    bound->scratch_bytes = spec->linear ? spec->linear->scratch_bytes(x, rows, b.threads) : svm_scratch_bytes(*spec->kernel, x, b.threads);
    return bound;
  });
}

}  // namespace sardonyx::ops
