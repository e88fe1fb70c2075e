#include "model/text/syntax.h"

#include <algorithm>

namespace sardonyx::model::text {

int typed_field_of(DType dtype) noexcept {
  switch (dtype) {
    case DType::kUndefined:
      return 0;
    case DType::kFloat32:
    case DType::kComplex64:
      return 4;
    case DType::kString:
      return 6;
    case DType::kInt64:
      return 7;
    case DType::kFloat64:
    case DType::kComplex128:
      return 10;
    case DType::kUInt32:
    case DType::kUInt64:
      return 11;
    default:
      return 5;
  }
}

bool is_identifier(std::string_view text) noexcept {
  return !text.empty() && begins_identifier(text[0]) && std::all_of(text.begin(), text.end(), continues_identifier);
}

bool is_qualified_identifier(std::string_view text) noexcept {
  for (;;) {
    const size_t dot = text.find('.');
    if (!is_identifier(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

bool names_type(std::string_view word) noexcept {
  return dtype_from_string(word).has_value() || word == "seq" || word == "map" || word == "optional" || word == "sparse_tensor" ||
         word == "opaque";
}

bool names_float(std::string_view word) noexcept {
  const auto same = [&](std::string_view name) {
    return std::equal(word.begin(), word.end(), name.begin(), name.end(), [](char a, char b) { return (a | 0x20) == b; });
  };
  return same("inf") || same("infinity") || same("nan");
}

}  // namespace sardonyx::model::text
