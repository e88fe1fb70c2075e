// How the elements of two tensors differ.
#pragma once

#include <optional>
#include <string>

#include "sardonyx/model.h"

namespace sardonyx::edit {

struct TensorDifference {
  std::string what;  // "type", "dims", "elements: 3 of 100 differ, by at most 0.5"
  std::string a, b;
};
// Nothing where the tensors have the same type, dims and elements; names, docs and the field that holds the elements do not count. Floats
// are compared by their bits. Tensors that cannot be decoded (external data that was not loaded, broken ones) are compared field by field.
std::optional<TensorDifference> compare_tensors(const model::TensorData& a, const model::TensorData& b);

}  // namespace sardonyx::edit
