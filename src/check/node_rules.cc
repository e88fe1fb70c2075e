#include "check/node_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <unordered_set>

#include "check/tensor_rules.h"
#include "core/closest.h"
#include "schema/schema.h"

namespace sardonyx::check {

namespace {
using model::Attribute;
using model::Node;

std::string_view shown(std::string_view domain) { return domain.empty() ? "ai.onnx" : domain; }

// The imported version of a domain, if it is imported. Files older than IR version 3 mean opset 1.
std::optional<int64_t> imported_version(const NodeContext& context, std::string_view domain) {
  const bool onnx = domain.empty() || domain == "ai.onnx";
  for (const model::OpsetId& import : context.opset_import) {
    if (import.domain == domain || (onnx && (import.domain.empty() || import.domain == "ai.onnx"))) return import.version;
  }
  if (onnx && context.model.ir_version < 3 && !context.in_function) return 1;
  return std::nullopt;
}

bool is_model_function(const NodeContext& context, const Node& node) {
  return std::any_of(context.model.functions.begin(), context.model.functions.end(), [&](const model::Function& function) {
    return function.name == node.op_type && function.domain == node.domain && function.overload == node.overload;
  });
}

// Kinds of value an attribute holds, by the fields that are filled.
bool holds_only_its_type(const Attribute& attribute) {
  using Type = Attribute::Type;
  const Type type = attribute.type;
  const auto fits = [&](bool filled, Type wanted) { return !filled || type == wanted; };
  return fits(attribute.f != 0, Type::kFloat) && fits(attribute.i != 0, Type::kInt) && fits(!attribute.s.empty(), Type::kString) &&
         fits(attribute.t != nullptr, Type::kTensor) && fits(attribute.g != nullptr, Type::kGraph) &&
         fits(attribute.sparse_tensor != nullptr, Type::kSparseTensor) && fits(attribute.tp != nullptr, Type::kTypeProto) &&
         fits(!attribute.floats.empty(), Type::kFloats) && fits(!attribute.ints.empty(), Type::kInts) &&
         fits(!attribute.strings.empty(), Type::kStrings) && fits(!attribute.tensors.empty(), Type::kTensors) &&
         fits(!attribute.graphs.empty(), Type::kGraphs) && fits(!attribute.sparse_tensors.empty(), Type::kSparseTensors) &&
         fits(!attribute.type_protos.empty(), Type::kTypeProtos);
}

bool lacks_its_value(const Attribute& attribute) {
  using Type = Attribute::Type;
  switch (attribute.type) {
    case Type::kTensor:
      return attribute.t == nullptr;
    case Type::kGraph:
      return attribute.g == nullptr;
    case Type::kSparseTensor:
      return attribute.sparse_tensor == nullptr;
    case Type::kTypeProto:
      return attribute.tp == nullptr;
    default:
      return false;
  }
}

void check_value(Reporter& reporter, const Attribute& attribute, bool in_function) {
  if (!attribute.ref_attr_name.empty()) {
    if (!in_function) {
      reporter.add(Code::kAttributeReference, fmt::format("attribute '{}' refers to '{}', but the node is not in a function",
                                                          attribute.name, attribute.ref_attr_name));
    }
    return;
  }
  if (attribute.type == Attribute::Type::kUndefined || !holds_only_its_type(attribute) || lacks_its_value(attribute)) {
    reporter.add(Code::kAttributeValue, fmt::format("attribute '{}' is declared {} but holds another value, several, or none",
                                                    attribute.name, to_string(attribute.type)));
  }
  if (attribute.t != nullptr) check_tensor(reporter, *attribute.t);
  for (const model::TensorData& tensor : attribute.tensors) check_tensor(reporter, tensor);
  if (attribute.sparse_tensor != nullptr) check_sparse_tensor(reporter, *attribute.sparse_tensor);
  for (const model::SparseTensorData& tensor : attribute.sparse_tensors) check_sparse_tensor(reporter, tensor);
}

void check_attribute_names(Reporter& reporter, const Node& node) {
  std::unordered_set<std::string_view> seen;
  for (const Attribute& attribute : node.attribute) {
    if (attribute.name.empty()) {
      reporter.add(Code::kAttributeName, "an attribute has no name");
    } else if (!seen.insert(attribute.name).second) {
      reporter.add(Code::kAttributeDuplicate, fmt::format("attribute '{}' stands twice", attribute.name));
    }
  }
}

void check_against_schema(Reporter& reporter, const Attribute& attribute, const schema::Schema& schema) {
  const std::optional<schema::AttributeSchema> expected = schema.find_attribute(attribute.name);
  if (!expected) {
    std::vector<std::string_view> names;
    for (size_t i = 0; i < schema.attribute_count(); ++i) names.push_back(schema.attribute(i).name);
    reporter.add(Code::kAttributeUnknown, fmt::format("{} version {} has no attribute '{}'{}", schema.name(), schema.since_version(),
                                                      attribute.name, core::closest_hint(attribute.name, names)));
  } else if (expected->type != attribute.type) {
    reporter.add(Code::kAttributeType,
                 fmt::format("attribute '{}' must be {}, it is {}", attribute.name, to_string(expected->type), to_string(attribute.type)));
  }
}

void check_attributes(Reporter& reporter, const Node& node, const schema::Schema& schema) {
  for (const Attribute& attribute : node.attribute) {
    // Names that begin with two underscores are reserved for annotations.
    if (!attribute.name.starts_with("__")) check_against_schema(reporter, attribute, schema);
  }
  for (size_t i = 0; i < schema.attribute_count(); ++i) {
    const schema::AttributeSchema expected = schema.attribute(i);
    if (expected.required && node.find_attribute(expected.name) == nullptr) {
      reporter.add(Code::kAttributeMissing,
                   fmt::format("{} needs attribute '{}' ({})", schema.name(), expected.name, to_string(expected.type)));
    }
  }
}

std::string range(size_t least, size_t most) {
  if (most == SIZE_MAX) return fmt::format("at least {}", least);
  return least == most ? fmt::format("{}", least) : fmt::format("{} to {}", least, most);
}

void check_counts(Reporter& reporter, const Node& node, const schema::Schema& schema) {
  if (node.input.size() < schema.min_inputs() || node.input.size() > schema.max_inputs()) {
    reporter.add(Code::kInputCount, fmt::format("{} version {} takes {} inputs, the node has {}", schema.name(), schema.since_version(),
                                                range(schema.min_inputs(), schema.max_inputs()), node.input.size()));
  }
  if (node.output.size() < schema.min_outputs() || node.output.size() > schema.max_outputs()) {
    reporter.add(Code::kOutputCount, fmt::format("{} version {} makes {} outputs, the node has {}", schema.name(), schema.since_version(),
                                                 range(schema.min_outputs(), schema.max_outputs()), node.output.size()));
  }
  for (size_t i = 0; i < std::min(node.input.size(), schema.input_count()); ++i) {
    if (node.input[i].empty() && schema.input(i).option == schema::Option::kSingle) {
      reporter.add(Code::kInputCount,
                   fmt::format("input {} ('{}') of {} is required, but left out", i, schema.input(i).name, schema.name()));
    }
  }
}

void report_unknown_operator(Reporter& reporter, const Node& node, int64_t opset) {
  if (const std::optional<schema::Schema> later = schema::find_first(node.domain, node.op_type)) {
    reporter.add(Code::kOperatorUnknown,
                 fmt::format("{} came with {} {}, the model imports {}", node.op_type, shown(node.domain), later->since_version(), opset),
                 fmt::format("import {} {} or later", shown(node.domain), later->since_version()));
  } else {
    reporter.add(Code::kOperatorUnknown, fmt::format("{} has no operator '{}'", shown(node.domain), node.op_type),
                 "mend the name, or give the operator a domain of its own");
  }
}

void check_operator(Reporter& reporter, const Node& node, const NodeContext& context) {
  const std::optional<int64_t> opset = imported_version(context, node.domain);
  if (!opset) {
    reporter.add(Code::kDomainNotImported, fmt::format("opset_import has no domain '{}'", shown(node.domain)),
                 fmt::format("add '{}' with its version to opset_import", shown(node.domain)));
    return;
  }
  if (is_model_function(context, node) || !schema::is_standard_domain(node.domain)) return;
  const std::optional<schema::Schema> schema = schema::find(node.domain, node.op_type, *opset);
  if (!schema) return report_unknown_operator(reporter, node, *opset);
  if (schema->deprecated()) {
    reporter.add(Code::kOperatorDeprecated, fmt::format("{} is deprecated since {} {}, the model imports {}", node.op_type,
                                                        shown(node.domain), schema->since_version(), *opset));
    return;
  }
  check_counts(reporter, node, *schema);
  check_attributes(reporter, node, *schema);
}
}  // namespace

void check_node(Reporter& reporter, const Node& node, const NodeContext& context) {
  if (node.op_type.empty()) {
    reporter.add(Code::kOperatorName, "the node has no op_type");
    return;
  }
  if (node.input.empty() && node.output.empty()) reporter.add(Code::kNodeEmpty, "the node has neither inputs nor outputs");
  check_attribute_names(reporter, node);
  for (const Attribute& attribute : node.attribute) check_value(reporter, attribute, context.in_function);
  check_operator(reporter, node, context);
}

}  // namespace sardonyx::check
