// ai.onnx.ml: LinearClassifier and LinearRegressor.
#include "ops/attributes/attributes.h"
#include "ops/elements/real.h"
#include "ops/ml/class_labels.h"
#include "ops/ml/linear_scores.h"
#include "ops/ml/post_transform.h"
#include "ops/ml/row_scores.h"
#include "ops/stages.h"

namespace sardonyx::ops {
namespace {

struct ClassifierSpec {
  LinearScores scores;
  ClassLabels labels;
  PostTransform transform;
  std::vector<bool> wanted;
  size_t columns() const noexcept { return labels.size(); }
};

std::shared_ptr<const ClassifierSpec> classifier_spec_from_node(const model::Node& node) {
  ClassLabels labels = ClassLabels::from_node(node, "classlabels_ints");
  std::vector<float> intercepts = model::get_floats(node, "intercepts");
  const size_t targets = intercepts.empty() ? labels.size() : intercepts.size();
  if (targets != labels.size() && !(targets == 1 && labels.size() == 2))
    throw model_error("attribute intercepts has {} entries for {} class labels; it must have as many, or one for two labels", targets,
                      labels.size());
  return std::make_shared<const ClassifierSpec>(
      ClassifierSpec{LinearScores(model::get_floats(node, "coefficients"), std::move(intercepts), targets), std::move(labels),
                     post_transform_from_word(node), wanted_outputs(node)});
}

// The label follows from the scores before they are transformed.
template <class T>
void classify_row(const ClassifierSpec& spec, size_t row, const T* scores, RowScores& z, Tensor* labels) {
  const size_t targets = spec.scores.targets();
  const bool is_single = targets < spec.columns();
  if (labels) spec.labels.write(is_single ? size_t{scores[0] > 0} : top_class(scores, targets), row, *labels);
  if (is_single) {
    z.write_pair(row, transform_pair(spec.transform, FirstScore::kComplement, static_cast<double>(scores[0])));
  } else {
    z.write(row, spec.transform, scores);
  }
}

void run_classifier(const ClassifierSpec& spec, const Rows& rows, const RunContext& r) {
  Tensor *labels = wanted_output(r, 0), *z = wanted_output(r, 1);
  spec.scores.compute(r.inputs[0], rows, r.scratch, r.pool, [&](const auto* scores) {
    r.pool.for_ranges(rows.count, rows_per_task(spec.columns() * 16), [&](size_t begin, size_t end) {
      RowScores out(z, spec.columns());
      for (size_t row = begin; row < end; ++row) classify_row(spec, row, scores + row * spec.scores.targets(), out, labels);
    });
  });
}

std::unique_ptr<Bound> bind_classifier(const std::shared_ptr<const ClassifierSpec>& spec, const BindContext& b) {
  const ValueFacts& x = required(b, 0, "X");
  const Rows rows = feature_rows(x);
  require_features(rows, spec->scores.features(), "coefficients");
  const int64_t count = to_int(rows.count);
  std::vector<ValueFacts> outputs = {output(spec->labels.dtype(), {count}), output(DType::kFloat32, {count, to_int(spec->columns())})};
  auto bound =
      make_bound(keep_wanted(std::move(outputs), spec->wanted), [spec, rows](const RunContext& r) { run_classifier(*spec, rows, r); });
  bound->scratch_bytes = spec->scores.scratch_bytes(x, rows, b.threads);
  return bound;
}

struct RegressorSpec {
  LinearScores scores;
  PostTransform transform;
};

void run_regressor(const RegressorSpec& spec, const Rows& rows, const RunContext& r) {
  const size_t targets = spec.scores.targets();
  spec.scores.compute(r.inputs[0], rows, r.scratch, r.pool, [&](const auto* scores) {
    r.pool.for_ranges(rows.count, rows_per_task(targets * 16), [&](size_t begin, size_t end) {
      RowScores out(&r.outputs[0], targets);
      for (size_t row = begin; row < end; ++row) out.write(row, spec.transform, scores + row * targets);
    });
  });
}

}  // namespace

std::unique_ptr<Prepared> prepare_linear_classifier(const PrepareContext& context) {
  return make_prepared([spec = classifier_spec_from_node(context.node)](const BindContext& b) { return bind_classifier(spec, b); });
}

std::unique_ptr<Prepared> prepare_linear_regressor(const PrepareContext& context) {
  const model::Node& node = context.node;
  LinearScores scores(model::get_floats(node, "coefficients"), model::get_floats(node, "intercepts"),
                      to_size(get_count(node, "targets", 1, 1)));
  const auto spec = std::make_shared<const RegressorSpec>(RegressorSpec{std::move(scores), post_transform_from_word(node)});
  return make_prepared([spec](const BindContext& b) {
    const ValueFacts& x = required(b, 0, "X");
    const Rows rows = feature_rows(x);
    require_features(rows, spec->scores.features(), "coefficients");
    auto bound = make_bound(output(DType::kFloat32, {to_int(rows.count), to_int(spec->scores.targets())}),
                            [spec, rows](const RunContext& r) { run_regressor(*spec, rows, r); });
    bound->scratch_bytes = spec->scores.scratch_bytes(x, rows, b.threads);
    return bound;
  });
}

}  // namespace sardonyx::ops
