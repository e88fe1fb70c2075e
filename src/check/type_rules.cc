#include "check/type_rules.h"

#include <fmt/format.h>

#include <string>
#include <unordered_set>

#include "check/names.h"
#include "core/utf8.h"

namespace sardonyx::check {

namespace {
using model::TensorType;
using model::Type;

constexpr int kFieldOfElementType = 1;

// What an element type number lacks; "" if it is sound.
std::string element_problem(const TensorType& tensor) {
  if (tensor.dtype() != DType::kUndefined) return "";
  if (tensor.elem_type == 0) return "no element type";
  return fmt::format("the unknown element type {}", tensor.elem_type);
}

// An element type that is given, but is none.
bool is_unknown(const TensorType& tensor) {
  return tensor.dtype() == DType::kUndefined && (tensor.elem_type != 0 || tensor.presence.has(kFieldOfElementType));
}

void check_tensor_type(Reporter& reporter, const TensorType& tensor, const std::string& subject, bool needs_shape, Severity unknown) {
  if (const std::string problem = element_problem(tensor); !problem.empty()) {
    reporter.add({.code = Code::kTypeMissing,
                  .message = fmt::format("{} is a tensor with {}", subject, problem),
                  .cure = "set the element type",
                  .severity = is_unknown(tensor) ? unknown : Severity::kError});
  }
  if (needs_shape && !tensor.has_shape) {
    reporter.add(Code::kShapeMissing, fmt::format("{} is a tensor without shape", subject),
                 "give it one; dimensions may be symbols or unknown");
  }
  for (size_t i = 0; i < tensor.shape.dims.size(); ++i) {
    const model::Dimension& dim = tensor.shape.dims[i];
    if (dim.is_known() && dim.size() < 0) {
      reporter.add(Code::kDimNegative, fmt::format("dimension {} of {} is {}", i, subject, dim.size()), "leave it unknown, or name it");
    } else if (dim.is_symbol() && !core::is_utf8(dim.symbol())) {
      reporter.add(Code::kInvalidUtf8, fmt::format("the symbol of dimension {} of {} is not UTF-8", i, subject));
    }
  }
}

// Types nest in one chain: walked by a loop, since it may be long.
void check_type(Reporter& reporter, const Type& type, const std::string& subject, Severity unknown) {
  bool outermost = true;
  for (const Type* at = &type; at != nullptr; outermost = false) {
    const Type* inner = nullptr;
    bool is_container = true;
    if (at->absent()) {
      reporter.add(Code::kTypeMissing, fmt::format("{} has no {}type", subject, outermost ? "" : "element "), "declare it");
      return;
    }
    if (const auto* sequence = std::get_if<model::SequenceType>(&at->value)) {
      inner = sequence->elem_type.get();
    } else if (const auto* optional = std::get_if<model::OptionalType>(&at->value)) {
      inner = optional->elem_type.get();
    } else if (const auto* map = std::get_if<model::MapType>(&at->value)) {
      inner = map->value_type.get();
      if (map->key_type == 0) reporter.add(Code::kTypeMissing, fmt::format("{} is a map without a key type", subject), "set it");
    } else {
      is_container = false;
      const auto* sparse = std::get_if<model::SparseTensorType>(&at->value);
      const TensorType* tensor = sparse != nullptr ? sparse : at->tensor();
      if (tensor != nullptr) check_tensor_type(reporter, *tensor, subject, outermost, unknown);
    }
    if (is_container && inner == nullptr) {
      reporter.add(Code::kTypeMissing, fmt::format("{} is a container without an element type", subject), "set it");
    }
    at = inner;
  }
}
}  // namespace

bool has_unknown_element(const Type& type) {
  const TensorType* tensor = type.tensor();
  return tensor != nullptr && is_unknown(*tensor);
}

void check_value_info(Reporter& reporter, const model::ValueInfo& value, std::string_view what, bool is_subgraph, Severity unknown) {
  if (value.name.empty()) {
    reporter.add(Code::kValueName, fmt::format("a graph {} has no name", what), "name it");
    return;
  }
  const std::string subject = fmt::format("graph {} {}", what, quote(value.name));
  if (!core::is_utf8(value.name)) reporter.add(Code::kInvalidUtf8, subject + ": the name is not UTF-8");
  if (!is_subgraph) {
    check_type(reporter, value.type, subject, unknown);
  } else if (const TensorType* tensor = value.type.tensor(); tensor != nullptr && tensor->elem_type != 0) {
    check_tensor_type(reporter, *tensor, subject, false, unknown);
  }
}

void check_declared(Reporter& reporter, const std::vector<model::ValueInfo>& declared, const NameScope& names) {
  std::unordered_set<std::string_view> seen;
  for (const model::ValueInfo& value : declared) {
    if (!seen.insert(value.name).second) {
      reporter.add(Code::kValueInfo, fmt::format("value_info tells of {} twice", quote(value.name)), "keep one");
    } else if (!names.has(value.name)) {
      reporter.add(Code::kValueInfo, fmt::format("value_info tells of {}, which nothing makes", quote(value.name)), "remove it");
    }
  }
}

}  // namespace sardonyx::check
