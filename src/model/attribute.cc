// Making and reading attributes.
#include <string>
#include <utility>
#include <vector>

#include "sardonyx/error.h"
#include "sardonyx/model.h"

namespace sardonyx::model {
namespace {

Attribute named(std::string name, Attribute::Type type) {
  Attribute attribute;
  attribute.name = std::move(name);
  attribute.type = type;
  return attribute;
}

// The attribute if the node has it with a value of `type`; null if the node has none of that name.
const Attribute* typed_attribute(const Node& node, std::string_view name, Attribute::Type type) {
  const Attribute* attribute = node.find_attribute(name);
  if (attribute == nullptr) return nullptr;
  if (attribute->ref_attr_name.empty() && attribute->type == type) return attribute;
  const std::string where = describe(node) + ": attribute '" + std::string(name) + "' ";
  if (!attribute->ref_attr_name.empty()) {
    throw Error(ErrorCode::kInvalidModel, where + "refers to the function's attribute '" + attribute->ref_attr_name +
                                              "' and has no value here: inline the function first");
  }
  throw Error(ErrorCode::kInvalidModel,
              where + "is of type " + std::string(to_string(attribute->type)) + ", where " + std::string(to_string(type)) + " is expected");
}

}  // namespace

Attribute Attribute::of(std::string name, float value) {
  Attribute attribute = named(std::move(name), Type::kFloat);
  attribute.f = value;
  return attribute;
}

Attribute Attribute::of(std::string name, int64_t value) {
  Attribute attribute = named(std::move(name), Type::kInt);
  attribute.i = value;
  return attribute;
}

Attribute Attribute::of(std::string name, std::string_view value) {
  Attribute attribute = named(std::move(name), Type::kString);
  attribute.s = Bytes::copy_of(value);
  return attribute;
}

Attribute Attribute::of(std::string name, std::vector<int64_t> values) {
  Attribute attribute = named(std::move(name), Type::kInts);
  attribute.ints = std::move(values);
  return attribute;
}

Attribute Attribute::of(std::string name, std::vector<float> values) {
  Attribute attribute = named(std::move(name), Type::kFloats);
  attribute.floats = std::move(values);
  return attribute;
}

Attribute Attribute::of(std::string name, const std::vector<std::string>& values) {
  Attribute attribute = named(std::move(name), Type::kStrings);
  for (const std::string& value : values) attribute.strings.push_back(Bytes::copy_of(value));
  return attribute;
}

Attribute Attribute::of(std::string name, TensorData value) {
  Attribute attribute = named(std::move(name), Type::kTensor);
  attribute.t = std::make_shared<TensorData>(std::move(value));
  return attribute;
}

Attribute Attribute::of(std::string name, Graph value) {
  Attribute attribute = named(std::move(name), Type::kGraph);
  attribute.g = std::make_shared<Graph>(std::move(value));
  return attribute;
}

float get_float(const Node& node, std::string_view name, float fallback) {
  const Attribute* attribute = typed_attribute(node, name, Attribute::Type::kFloat);
  return attribute ? attribute->f : fallback;
}

int64_t get_int(const Node& node, std::string_view name, int64_t fallback) {
  const Attribute* attribute = typed_attribute(node, name, Attribute::Type::kInt);
  return attribute ? attribute->i : fallback;
}

std::string get_string(const Node& node, std::string_view name, std::string_view fallback) {
  const Attribute* attribute = typed_attribute(node, name, Attribute::Type::kString);
  return std::string(attribute ? attribute->s.text() : fallback);
}

std::vector<int64_t> get_ints(const Node& node, std::string_view name, std::vector<int64_t> fallback) {
  const Attribute* attribute = typed_attribute(node, name, Attribute::Type::kInts);
  return attribute ? attribute->ints : std::move(fallback);
}

std::vector<float> get_floats(const Node& node, std::string_view name, std::vector<float> fallback) {
  const Attribute* attribute = typed_attribute(node, name, Attribute::Type::kFloats);
  return attribute ? attribute->floats : std::move(fallback);
}

}  // namespace sardonyx::model
