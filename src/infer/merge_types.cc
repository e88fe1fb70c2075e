#include <fmt/format.h>

#include "infer/inference.h"

namespace sardonyx::infer {

namespace {
[[noreturn]] void contradiction(const ValueType& declared, const ValueType& inferred, const Symbols& symbols) {
  const auto shown = [&](const ValueType& type) {
    const std::string name = type_text(type);
    return fmt::format("{}{}", name.empty() ? "a value" : name, type.has_rank ? " " + symbols.show(type.dims) : "");
  };
  throw Contradiction(shown(declared), shown(inferred), type_text(declared) == type_text(inferred));
}

Dim merge_dims(Dim declared, Dim inferred) {
  if (declared.is_known()) return declared;
  return inferred.is_known() || declared.is_unknown() ? inferred : declared;
}
}  // namespace

ValueType merge_types(const ValueType& declared, const ValueType& inferred, const Symbols& symbols) {
  if (!declared.is_known()) return inferred;
  if (!inferred.is_known()) return declared;
  if (declared.kind != inferred.kind) contradiction(declared, inferred, symbols);
  ValueType merged = declared;
  if (merged.dtype == DType::kUndefined) merged.dtype = inferred.dtype;
  if (inferred.dtype != DType::kUndefined && merged.dtype != inferred.dtype) contradiction(declared, inferred, symbols);
  if (declared.element == nullptr) {
    merged.element = inferred.element;
  } else if (inferred.element != nullptr) {
    merged.element = std::make_shared<const ValueType>(merge_types(*declared.element, *inferred.element, symbols));
  }
  if (!inferred.has_rank) return merged;
  if (!declared.has_rank) {
    merged.has_rank = true;
    merged.dims = inferred.dims;
    return merged;
  }
  if (declared.dims.size() != inferred.dims.size()) contradiction(declared, inferred, symbols);
  for (size_t i = 0; i < merged.dims.size(); ++i) {
    const Dim a = declared.dims[i], b = inferred.dims[i];
    if (a.is_known() && b.is_known() && a != b) contradiction(declared, inferred, symbols);
    merged.dims[i] = merge_dims(a, b);
  }
  return merged;
}

}  // namespace sardonyx::infer
