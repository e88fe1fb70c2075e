// The names of element types in torch and in safetensors.
#pragma once

#include <optional>
#include <string_view>

#include "sardonyx/dtype.h"

namespace sardonyx::checkpoint {

struct ElementType {
  DType dtype;
  std::string_view torch;        // torch.<name>
  std::string_view storage;      // torch.<name>; empty: torch has no such class, the storage is saved untyped
  std::string_view safetensors;  // empty: the format has no such type
};

const ElementType* element_type(DType dtype) noexcept;  // null for types that no checkpoint holds
std::optional<DType> dtype_of_torch(std::string_view name) noexcept;
std::optional<DType> dtype_of_storage(std::string_view name) noexcept;
std::optional<DType> dtype_of_safetensors(std::string_view name) noexcept;

// Bytes of one element; whole bytes for every type of a checkpoint.
inline size_t item_size(DType dtype) noexcept { return static_cast<size_t>(bit_width(dtype)) / 8; }

}  // namespace sardonyx::checkpoint
