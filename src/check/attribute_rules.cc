#include "check/attribute_rules.h"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <string_view>
#include <unordered_set>

#include "check/tensor_rules.h"
#include "core/closest.h"
#include "core/utf8.h"

namespace sardonyx::check {

namespace {
using model::Attribute;
using model::Node;
using Type = Attribute::Type;

constexpr int64_t kFirstIrWithTypes = 2;
constexpr int kFieldOfF = 2, kFieldOfI = 3, kFieldOfS = 4, kFieldOfType = 20;

// The types whose fields are filled.
std::vector<Type> filled_types(const Attribute& a) {
  std::vector<Type> types;
  const auto add = [&](bool filled, Type type) {
    if (filled) types.push_back(type);
  };
  add(a.f != 0 || a.presence.has(kFieldOfF), Type::kFloat);
  add(a.i != 0 || a.presence.has(kFieldOfI), Type::kInt);
  add(!a.s.empty() || a.presence.has(kFieldOfS), Type::kString);
  add(a.t != nullptr, Type::kTensor);
  add(a.g != nullptr, Type::kGraph);
  add(a.sparse_tensor != nullptr, Type::kSparseTensor);
  add(a.tp != nullptr, Type::kTypeProto);
  add(!a.floats.empty(), Type::kFloats);
  add(!a.ints.empty(), Type::kInts);
  add(!a.strings.empty(), Type::kStrings);
  add(!a.tensors.empty(), Type::kTensors);
  add(!a.graphs.empty(), Type::kGraphs);
  add(!a.sparse_tensors.empty(), Type::kSparseTensors);
  add(!a.type_protos.empty(), Type::kTypeProtos);
  return types;
}

bool needs_a_message(Type type) {
  return type == Type::kTensor || type == Type::kGraph || type == Type::kSparseTensor || type == Type::kTypeProto;
}

// The file gives the attribute no type.
bool lacks_type(const Attribute& attribute) {
  return attribute.presence.has(Attribute::kTypeLeftOut) || (attribute.type == Type::kUndefined && !attribute.presence.has(kFieldOfType));
}

std::string type_text(const Attribute& attribute) { return lacks_type(attribute) ? "none" : std::string(to_string(attribute.type)); }

void check_reference(Reporter& reporter, const Attribute& attribute, const NodeContext& context) {
  const std::string name = quote(attribute.name), target = quote(attribute.ref_attr_name);
  if (context.function == nullptr) {
    reporter.add({.code = Code::kAttributeReference,
                  .message = fmt::format("attribute {} refers to {}, but the node is not in a function", name, target),
                  .cure = "give the attribute a value",
                  .severity = Severity::kUnrunnable});
  } else if (!filled_types(attribute).empty()) {
    reporter.add(Code::kAttributeReference, fmt::format("attribute {} refers to {} and has a value too", name, target),
                 "keep the reference or the value");
  } else if (!context.function_attributes.contains(attribute.ref_attr_name)) {
    reporter.add(Code::kAttributeUnbound, fmt::format("attribute {} refers to {}, which the function does not declare", name, target),
                 "declare it among the function's attributes");
  }
}

void check_value(Reporter& reporter, const Attribute& attribute) {
  const std::vector<Type> filled = filled_types(attribute);
  const bool fits = filled.empty() ? attribute.type != Type::kUndefined && !needs_a_message(attribute.type)
                                   : filled.size() == 1 && filled[0] == attribute.type;
  if (fits) return;
  std::string found;
  for (const Type type : filled) found += (found.empty() ? "" : ", ") + std::string(to_string(type));
  if (found.empty()) found = "nothing";
  reporter.add({.code = Code::kAttributeValue,
                .message = fmt::format("attribute {} is declared {} but holds {}", quote(attribute.name), to_string(attribute.type), found),
                .cure = "fill exactly the field of its type",
                .expected = std::string(to_string(attribute.type)),
                .found = found});
}

void check_one(Reporter& reporter, const Attribute& attribute, const NodeContext& context) {
  if (!core::is_utf8(attribute.name)) reporter.add(Code::kInvalidUtf8, "the name of attribute " + quote(attribute.name) + " is not UTF-8");
  if (lacks_type(attribute) && context.model.model.ir_version >= kFirstIrWithTypes) {
    reporter.add(Code::kAttributeType, fmt::format("attribute {} has no type", quote(attribute.name)), "set the type of its value");
  } else if (attribute.ref_attr_name.empty()) {
    check_value(reporter, attribute);
  }
  if (!attribute.ref_attr_name.empty()) check_reference(reporter, attribute, context);
  ExternalFolder* external = context.model.external;
  if (attribute.t != nullptr) check_tensor(reporter, *attribute.t, external);
  for (const model::TensorData& tensor : attribute.tensors) check_tensor(reporter, tensor, external);
  if (attribute.sparse_tensor != nullptr) check_sparse_tensor(reporter, *attribute.sparse_tensor, external);
  for (const model::SparseTensorData& tensor : attribute.sparse_tensors) check_sparse_tensor(reporter, tensor, external);
}

void check_against_schema(Reporter& reporter, const Attribute& attribute, const schema::Schema& schema) {
  const std::optional<schema::AttributeSchema> expected = schema.find_attribute(attribute.name);
  if (!expected) {
    std::vector<std::string_view> names;
    for (size_t i = 0; i < schema.attribute_count(); ++i) names.push_back(schema.attribute(i).name);
    const std::string_view hinted = attribute.name.size() < 100 ? std::string_view(attribute.name) : std::string_view();
    reporter.add(Code::kAttributeUnknown, fmt::format("{} version {} has no attribute {}{}", schema.name(), schema.since_version(),
                                                      quote(attribute.name), core::closest_hint(hinted, names)));
  } else if (expected->type != attribute.type || lacks_type(attribute)) {
    reporter.add({.code = Code::kAttributeType,
                  .message = fmt::format("attribute {} must be {}, it is {}", quote(attribute.name), to_string(expected->type),
                                         type_text(attribute)),
                  .cure = fmt::format("write it as {}", to_string(expected->type)),
                  .expected = std::string(to_string(expected->type)),
                  .found = type_text(attribute)});
  }
}

// LayerNormalization is the one operator that the specification lets have attributes of any name.
bool takes_any_attribute(const schema::Schema& schema) { return schema.name() == "LayerNormalization" && schema.domain().empty(); }
}  // namespace

void check_attributes_alone(Reporter& reporter, const Node& node, const NodeContext& context) {
  std::unordered_set<std::string_view> seen;
  for (const Attribute& attribute : node.attribute) {
    if (attribute.name.empty()) {
      reporter.add(Code::kAttributeName, "an attribute has no name");
    } else if (!seen.insert(attribute.name).second) {
      reporter.add(Code::kAttributeDuplicate, fmt::format("attribute {} stands twice", quote(attribute.name)), "keep one");
    }
    check_one(reporter, attribute, context);
  }
}

void check_attributes(Reporter& reporter, const Node& node, const schema::Schema& schema) {
  for (const Attribute& attribute : node.attribute) {
    // Names that begin with two underscores are reserved for annotations.
    const bool is_known = schema.find_attribute(attribute.name).has_value();
    if (is_known || (!attribute.name.starts_with("__") && !takes_any_attribute(schema))) check_against_schema(reporter, attribute, schema);
  }
  for (size_t i = 0; i < schema.attribute_count(); ++i) {
    const schema::AttributeSchema expected = schema.attribute(i);
    if (expected.required && node.find_attribute(expected.name) == nullptr) {
      reporter.add({.code = Code::kAttributeMissing,
                    .message = fmt::format("{} needs attribute '{}' ({})", schema.name(), expected.name, to_string(expected.type)),
                    .cure = "set it",
                    .expected = std::string(to_string(expected.type))});
    }
  }
}

}  // namespace sardonyx::check
