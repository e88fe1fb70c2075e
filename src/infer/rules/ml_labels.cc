// ai.onnx.ml: operators that map between labels.
#include <fmt/format.h>

#include <initializer_list>

#include "infer/rules.h"
#include "infer/rules/ml.h"

namespace sardonyx::infer {

namespace {
// String labels become integers and the other way round.
void swap_labels(NodeContext& context) {
  if (context.dtype(0) == DType::kString) context.set_dtype(0, DType::kInt64);
  if (context.dtype(0) == DType::kInt64) context.set_dtype(0, DType::kString);
  context.copy_shape(0, 0);
}

// Keys or values of a label encoder: their element type and number. A list without entries is as none.
struct Labels {
  DType dtype = DType::kUndefined;
  int64_t count = 0;
};

Labels labels_of(const NodeContext& context, const model::Attribute& attribute) {
  if (!attribute.ints.empty()) return {DType::kInt64, static_cast<int64_t>(attribute.ints.size())};
  if (!attribute.floats.empty()) return {DType::kFloat32, static_cast<int64_t>(attribute.floats.size())};
  if (!attribute.strings.empty()) return {DType::kString, static_cast<int64_t>(attribute.strings.size())};
  if (attribute.t == nullptr) return {};
  if (attribute.t->dims.size() != 1) {
    context.fail(fmt::format("'{}' must be a tensor of rank 1, it has rank {}", attribute.name, attribute.t->dims.size()));
  }
  return {attribute.t->dtype(), attribute.t->dims[0]};
}

Labels find_labels(const NodeContext& context, std::string_view what, std::initializer_list<std::string_view> names) {
  Labels labels;
  for (const std::string_view name : names) {
    const model::Attribute* attribute = context.attribute(name);
    if (attribute == nullptr) continue;
    if (labels.dtype != DType::kUndefined) context.fail(fmt::format("the {} are given by more than one attribute", what));
    labels = labels_of(context, *attribute);
  }
  if (labels.dtype == DType::kUndefined) context.fail(fmt::format("no attribute gives the {}", what));
  return labels;
}

void expect_default_tensor(const NodeContext& context, DType dtype) {
  const model::Attribute* attribute = context.attribute("default_tensor");
  if (attribute == nullptr || attribute->t == nullptr || attribute->t->dtype() == DType::kUndefined) return;
  const model::TensorData& tensor = *attribute->t;
  if (tensor.dtype() != dtype || tensor.dims.size() != 1 || tensor.dims[0] != 1) {
    context.fail(fmt::format("'default_tensor' must be one {} in a tensor of rank 1", to_string(dtype)));
  }
}
}  // namespace

void infer_category_mapper(NodeContext& context) {
  const size_t numbers = list_length(context, "cats_int64s"), strings = list_length(context, "cats_strings");
  if (context.attribute("cats_int64s") == nullptr || context.attribute("cats_strings") == nullptr) {
    context.fail("both 'cats_int64s' and 'cats_strings' must be given");
  }
  if (numbers != strings) {
    context.fail(fmt::format("'cats_int64s' has {} entries and 'cats_strings' {}, they must have as many", numbers, strings));
  }
  swap_labels(context);
}

// LabelEncoder: version 1 maps between strings and integers; later ones between any two of their lists, since version 4 tensors too.
void infer_label_encoder(NodeContext& context) {
  if (context.version() == 1) return swap_labels(context);
  const Labels keys = find_labels(context, "keys", {"keys_tensor", "keys_strings", "keys_int64s", "keys_floats"});
  const Labels values = find_labels(context, "values", {"values_tensor", "values_strings", "values_int64s", "values_floats"});
  const DType dtype = context.dtype(0);
  if (dtype != DType::kUndefined && dtype != keys.dtype) {
    context.fail(fmt::format("the input is {}, the keys are {}", to_string(dtype), to_string(keys.dtype)));
  }
  if (context.version() >= 4) {
    if (keys.count != values.count)
      context.fail(fmt::format("there are {} keys and {} values, as many are needed", keys.count, values.count));
    expect_default_tensor(context, values.dtype);
  }
  context.set_dtype(0, values.dtype);
  context.copy_shape(0, 0);
}

// ZipMap: a map from class labels to scores for each row.
void infer_zip_map(NodeContext& context) {
  const Dims* dims = context.shape(0);
  if (dims != nullptr && dims->size() != 1 && dims->size() != 2) {
    context.fail(fmt::format("the input must have rank 1 or 2, its shape is {}", context.symbols().show(*dims)));
  }
  DType key = DType::kUndefined;
  if (list_length(context, "classlabels_strings") > 0) key = DType::kString;
  if (list_length(context, "classlabels_int64s") > 0) key = DType::kInt64;
  context.set_type(0, ValueType::sequence(ValueType::map(key, ValueType::tensor(DType::kFloat32, {}))));
}

}  // namespace sardonyx::infer
