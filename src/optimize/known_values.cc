#include "optimize/known_values.h"

#include "infer/inference.h"

namespace sardonyx::optimize {
namespace {

model::Dimension to_dimension(const infer::Dim& dim, const infer::Symbols& symbols) {
  if (dim.is_known()) return dim.value();
  return dim.is_symbol() ? model::Dimension(symbols.name(dim)) : model::Dimension();
}

KnownValue to_known(const infer::Value& value, const infer::Symbols& symbols) {
  KnownValue known;
  known.type.elem_type = static_cast<int32_t>(value.type.dtype);
  known.type.has_shape = value.type.has_rank;
  known.type.shape.dims.reserve(value.type.dims.size());
  for (const infer::Dim& dim : value.type.dims) known.type.shape.dims.push_back(to_dimension(dim, symbols));
  if (!value.elements) return known;
  known.elements.reserve(value.elements->size());
  for (const infer::Dim& element : *value.elements) known.elements.push_back(to_dimension(element, symbols));
  return known;
}

}  // namespace

KnownValues known_values(const model::Model& model) {
  infer::Inference inference(model, {}, infer::Trust::kFeeds);
  try {
    inference.run();
  } catch (const Error&) {
    return {};  // the program tells what is wrong with the model
  }
  KnownValues result;
  result.reserve(inference.values().size());
  for (const auto& [name, value] : inference.values()) {
    if (value.type.is_tensor()) result.emplace(name, to_known(value, inference.symbols()));
  }
  return result;
}

}  // namespace sardonyx::optimize
