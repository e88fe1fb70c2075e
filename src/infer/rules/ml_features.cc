// ai.onnx.ml: operators that make and change features.
#include <fmt/format.h>

#include <algorithm>

#include "infer/arithmetic.h"
#include "infer/rules.h"
#include "infer/rules/ml.h"

namespace sardonyx::infer {

Dim ml_rows(const NodeContext& context, size_t input) {
  const Dims* dims = context.shape(input);
  if (dims == nullptr || dims->empty() || dims->size() > 2) return {};
  return dims->size() == 1 ? Dim(1) : dims->front();
}

size_t list_length(const NodeContext& context, std::string_view name) {
  const model::Attribute* attribute = context.attribute(name);
  return attribute == nullptr ? 0 : std::max({attribute->ints.size(), attribute->floats.size(), attribute->strings.size()});
}

// Binarizer, Imputer, Normalizer, Scaler; the schema tells the element type.
void infer_ml_same_shape(NodeContext& context) { context.copy_shape(0, 0); }

// ArrayFeatureExtractor: elements of the last axis.
void infer_array_feature_extractor(NodeContext& context) {
  const Dims* dims = context.shape(0);
  if (dims == nullptr || dims->size() == 1) return;  // whether a vector gives a vector or a row is not specified
  Dims result(dims->begin(), dims->empty() ? dims->end() : dims->end() - 1);
  const Dims* indices = context.shape(1);
  const Dim count = indices == nullptr ? Dim() : product(*indices);
  if (indices != nullptr && count.is_unknown() && std::all_of(indices->begin(), indices->end(), [](Dim dim) { return dim.is_known(); })) {
    context.fail(fmt::format("shape {} of the indices has too many elements", context.symbols().show(*indices)));
  }
  result.push_back(count);
  context.set_shape(0, std::move(result));
}

void infer_cast_map(NodeContext& context) {
  const std::string target = model::get_string(context.node(), "cast_to", "TO_FLOAT");
  if (target == "TO_FLOAT") context.set_dtype(0, DType::kFloat32);
  if (target == "TO_INT64") context.set_dtype(0, DType::kInt64);
  if (target == "TO_STRING") context.set_dtype(0, DType::kString);
}

void infer_dict_vectorizer(NodeContext& context) {
  const ValueType& map = context.type(0);
  if (map.kind == ValueType::Kind::kMap && map.element != nullptr && map.element->is_tensor()) context.set_dtype(0, map.element->dtype);
}

// FeatureVectorizer: rows side by side; a vector is one row.
void infer_feature_vectorizer(NodeContext& context) {
  context.set_dtype(0, DType::kFloat32);
  if (context.inputs() == 0) return;
  Dim rows = ml_rows(context, 0), columns = 0;
  bool is_told = true;
  for (size_t i = 0; i < context.inputs(); ++i) {
    const Dims* dims = context.shape(i);
    if (!same(rows, ml_rows(context, i))) rows = Dim();
    is_told = is_told && dims != nullptr && !dims->empty() && dims->back().is_known();
    if (is_told) columns = add(columns, dims->back());
  }
  if (!is_told) {
    columns = Dim();
    const std::vector<int64_t> widths = model::get_ints(context.node(), "inputdimensions");
    const bool is_positive = std::all_of(widths.begin(), widths.end(), [](int64_t width) { return width > 0; });
    if (widths.size() == context.inputs() && is_positive) {
      columns = 0;
      for (const int64_t width : widths) columns = add(columns, width);
    }
  }
  context.set_shape(0, {rows, columns});
}

void infer_one_hot_encoder(NodeContext& context) {
  context.set_dtype(0, DType::kFloat32);
  const size_t numbers = list_length(context, "cats_int64s"), strings = list_length(context, "cats_strings");
  if ((context.attribute("cats_int64s") == nullptr) == (context.attribute("cats_strings") == nullptr)) {
    context.fail("exactly one of 'cats_int64s' and 'cats_strings' must be given");
  }
  const Dims* dims = context.shape(0);
  if (dims == nullptr) return;
  Dims result = *dims;
  result.push_back(static_cast<int64_t>(std::max(numbers, strings)));
  context.set_shape(0, std::move(result));
}

}  // namespace sardonyx::infer
