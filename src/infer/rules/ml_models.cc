// ai.onnx.ml: classifiers and regressors, linear, by support vectors and by trees. An input row makes an output row.
#include <fmt/format.h>

#include <initializer_list>

#include "infer/rules.h"
#include "infer/rules/ml.h"

namespace sardonyx::infer {

namespace {
DType label_dtype(const NodeContext& context) { return list_length(context, "classlabels_strings") > 0 ? DType::kString : DType::kInt64; }

void set_classes(NodeContext& context, Dim rows, Dim classes) {
  context.set_type(0, ValueType::tensor(label_dtype(context), {rows}));
  context.set_type(1, ValueType::tensor(DType::kFloat32, {rows, classes}));
}

// [rows, targets]; a number of targets that cannot be is not known.
void set_targets(NodeContext& context, int64_t targets) { context.set_shape(0, {ml_rows(context, 0), targets > 0 ? Dim(targets) : Dim()}); }

// Attributes that may be given as a list or as a tensor, not as both.
void expect_one_form(const NodeContext& context, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    const std::string tensor = fmt::format("{}_as_tensor", name);
    if (context.attribute(name) != nullptr && context.attribute(tensor) != nullptr) {
      context.fail(fmt::format("only one of '{}' and '{}' may be given", name, tensor));
    }
  }
}
}  // namespace

// LinearClassifier: one score per class; a single intercept with two labels is a binary classifier with two scores.
void infer_linear_classifier(NodeContext& context) {
  const Dims* dims = context.shape(0);
  if (dims != nullptr && dims->size() != 1 && dims->size() != 2) {
    context.fail(fmt::format("the input must have rank 1 or 2, its shape is {}", context.symbols().show(*dims)));
  }
  const size_t strings = list_length(context, "classlabels_strings");
  const size_t labels = strings > 0 ? strings : list_length(context, "classlabels_ints");
  const size_t intercepts = list_length(context, "intercepts");
  const size_t classes = intercepts == 1 && labels == 2 ? 2 : intercepts;
  set_classes(context, ml_rows(context, 0), classes > 0 ? Dim(static_cast<int64_t>(classes)) : Dim());
}

void infer_linear_regressor(NodeContext& context) { set_targets(context, model::get_int(context.node(), "targets", 1)); }

// SVMClassifier: scores or probabilities; how many depends on what is given.
void infer_svm_classifier(NodeContext& context) { set_classes(context, ml_rows(context, 0), Dim()); }

void infer_svm_regressor(NodeContext& context) { set_targets(context, 1); }

// TreeEnsembleClassifier, versions 1 and 3 (5 is deprecated).
void infer_tree_ensemble_classifier(NodeContext& context) {
  const size_t strings = list_length(context, "classlabels_strings");
  const size_t labels = strings > 0 ? strings : list_length(context, "classlabels_int64s");
  if (context.version() >= 3) {
    expect_one_form(context, {"nodes_values", "nodes_hitrates", "class_weights", "base_values"});
    context.expect_rank(0, 2, "X");
    if (labels == 0) context.fail("one of 'classlabels_int64s' and 'classlabels_strings' must be given");
  }
  set_classes(context, ml_rows(context, 0), labels > 0 ? Dim(static_cast<int64_t>(labels)) : Dim());
}

// TreeEnsembleRegressor, versions 1 and 3 (5 is deprecated).
void infer_tree_ensemble_regressor(NodeContext& context) {
  if (context.version() >= 3) {
    expect_one_form(context, {"nodes_values", "nodes_hitrates", "target_weights", "base_values"});
    context.expect_rank(0, 2, "X");
  }
  set_targets(context, model::get_int(context.node(), "n_targets", 0));
}

namespace {
const model::TensorData& tensor_attribute(const NodeContext& context, std::string_view name) {
  const model::Attribute* attribute = context.attribute(name);
  if (attribute == nullptr || attribute->t == nullptr || attribute->t->dims.size() != 1) {
    context.fail(fmt::format("attribute '{}' must be a tensor of rank 1", name));
  }
  return *attribute->t;
}

void expect_dtype(const NodeContext& context, std::string_view name, DType found, DType expected) {
  if (expected != DType::kUndefined && found != expected) {
    context.fail(fmt::format("attribute '{}' is {}, it must be {}", name, to_string(found), to_string(expected)));
  }
}

void expect_length(const NodeContext& context, std::string_view name, int64_t found, int64_t expected) {
  if (found != expected) context.fail(fmt::format("attribute '{}' has {} entries, it must have {}", name, found, expected));
}

void expect_node_tensor(const NodeContext& context, std::string_view name, int64_t length, DType dtype) {
  const model::TensorData& tensor = tensor_attribute(context, name);
  expect_dtype(context, name, tensor.dtype(), dtype);
  expect_length(context, name, tensor.dims[0], length);
}
}  // namespace

// TreeEnsemble, version 5: lists with an entry per node or leaf, and numbers of the input's type.
void infer_tree_ensemble(NodeContext& context) {
  context.expect_rank(0, 2, "X");
  const DType dtype = context.dtype(0);
  const model::TensorData& splits = tensor_attribute(context, "nodes_splits");
  expect_dtype(context, "nodes_splits", splits.dtype(), dtype);
  const int64_t nodes = splits.dims[0];
  for (const std::string_view name :
       {"nodes_featureids", "nodes_truenodeids", "nodes_falsenodeids", "nodes_trueleafs", "nodes_falseleafs"}) {
    expect_length(context, name, static_cast<int64_t>(list_length(context, name)), nodes);
  }
  expect_node_tensor(context, "nodes_modes", nodes, DType::kUInt8);
  if (context.attribute("nodes_missing_value_tracks_true") != nullptr) {
    expect_length(context, "nodes_missing_value_tracks_true", static_cast<int64_t>(list_length(context, "nodes_missing_value_tracks_true")),
                  nodes);
  }
  if (context.attribute("nodes_hitrates") != nullptr) expect_node_tensor(context, "nodes_hitrates", nodes, DType::kFloat32);
  if (context.attribute("membership_values") != nullptr) {
    expect_dtype(context, "membership_values", tensor_attribute(context, "membership_values").dtype(), dtype);
  }
  const model::TensorData& weights = tensor_attribute(context, "leaf_weights");
  expect_dtype(context, "leaf_weights", weights.dtype(), dtype);
  expect_length(context, "leaf_targetids", static_cast<int64_t>(list_length(context, "leaf_targetids")), weights.dims[0]);
  set_targets(context, model::get_int(context.node(), "n_targets", 0));
  if (dtype != DType::kUndefined) context.set_dtype(0, dtype);
}

}  // namespace sardonyx::infer
