#include "ops/attributes/attributes.h"

#include <limits>

namespace sardonyx::ops {

std::vector<std::string> get_strings(const model::Node& node, std::string_view name) {
  const model::Attribute* attribute = node.find_attribute(name);
  if (!attribute) return {};
  if (attribute->type != model::Attribute::Type::kStrings || !attribute->ref_attr_name.empty()) {
    throw model_error("attribute {} is of type {}; it must be a list of strings", name, model::to_string(attribute->type));
  }
  std::vector<std::string> values;
  for (const model::Bytes& bytes : attribute->strings) values.emplace_back(bytes.text());
  return values;
}

int64_t get_count(const model::Node& node, std::string_view name, int64_t fallback, int64_t least) {
  const int64_t value = model::get_int(node, name, fallback);
  if (value < least || value > std::numeric_limits<int32_t>::max()) {
    throw model_error("attribute {} is {}; it must lie in [{}, {}]", name, value, least, std::numeric_limits<int32_t>::max());
  }
  return value;
}

DType get_dtype(const model::Node& node, std::string_view name, DTypeSet allowed) {
  const int64_t number = model::get_int(node, name, 0);
  if (number == 0) return DType::kUndefined;
  const bool is_known = number > 0 && number < kDTypeCount && is_valid(static_cast<DType>(number));
  if (!is_known || !allowed.has(static_cast<DType>(number)))
    throw model_error("attribute {} is {}, which names no type for it", name, number);
  return static_cast<DType>(number);
}

}  // namespace sardonyx::ops
