#include "check/node_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "check/attribute_rules.h"
#include "core/utf8.h"
#include "schema/schema.h"

namespace sardonyx::check {

namespace {
using model::Node;

// Operators of ONNX's first releases that never were in an opset.
constexpr std::array<std::string_view, 11> kExperimental = {
    "ATen",  "Affine",    "ConstantFill", "Crop", "DynamicSlice", "GRUUnit", "GivenTensorFill", "ImageScaler", "ParametricSoftplus",
    "Scale", "ScaledTanh"};

std::string shown(std::string_view domain) { return domain.empty() ? "'ai.onnx'" : quote(domain); }

bool is_experimental(const Node& node) {
  return canonical(node.domain).empty() && std::find(kExperimental.begin(), kExperimental.end(), node.op_type) != kExperimental.end();
}

// The imported version of a domain, if it is imported. Files older than IR version 3 mean opset 1.
std::optional<int64_t> imported_version(const NodeContext& context, std::string_view domain) {
  const std::optional<int64_t> version = context.imports.version(domain);
  const bool is_old = context.model.model.ir_version < 3 && context.function == nullptr;
  return !version && is_old && canonical(domain).empty() ? 1 : version;
}

std::string range(size_t least, size_t most) {
  if (most == SIZE_MAX) return fmt::format("at least {}", least);
  return least == most ? fmt::format("{}", least) : fmt::format("{} to {}", least, most);
}

// BatchNormalization has all outputs of training or none of them.
bool is_between(const Node& node, const schema::Schema& schema) {
  return schema.name() == "BatchNormalization" && node.output.size() > 1 && node.output.size() < schema.max_outputs();
}

std::string_view first_input(const Node& node) { return node.input.empty() ? std::string_view() : std::string_view(node.input[0]); }

void check_counts(Reporter& reporter, const Node& node, const schema::Schema& schema) {
  const size_t inputs = node.input.size(), outputs = node.output.size();
  if (inputs < schema.min_inputs() || inputs > schema.max_inputs()) {
    const std::string expected = range(schema.min_inputs(), schema.max_inputs());
    reporter.add(
        {.code = Code::kInputCount,
         .message = fmt::format("{} version {} takes {} inputs, the node has {}", schema.name(), schema.since_version(), expected, inputs),
         .expected = expected,
         .found = std::to_string(inputs),
         .value = first_input(node)});
  }
  if (outputs < schema.min_outputs() || outputs > schema.max_outputs() || is_between(node, schema)) {
    const std::string expected = schema.name() == "BatchNormalization" ? fmt::format("1 or {}", schema.max_outputs())
                                                                       : range(schema.min_outputs(), schema.max_outputs());
    reporter.add({.code = Code::kOutputCount,
                  .message = fmt::format("{} version {} makes {} outputs, the node has {}", schema.name(), schema.since_version(), expected,
                                         outputs),
                  .expected = expected,
                  .found = std::to_string(outputs)});
  }
}

// Whether the i-th input may not be left out: those of a variadic parameter may not either.
bool is_required(const schema::Schema& schema, size_t i) {
  if (schema.input_count() == 0) return false;
  return schema.input(std::min(i, schema.input_count() - 1)).option != schema::Option::kOptional;
}

void check_left_out(Reporter& reporter, const Node& node, const schema::Schema& schema) {
  for (size_t i = 0; i < node.input.size(); ++i) {
    if (!node.input[i].empty() || !is_required(schema, i)) continue;
    const schema::Parameter parameter = schema.input(std::min(i, schema.input_count() - 1));
    reporter.add({.code = Code::kInputCount,
                  .message = fmt::format("input {} ('{}') of {} is required, but left out", i, parameter.name, schema.name()),
                  .cure = "connect it",
                  .severity = parameter.option == schema::Option::kVariadic ? Severity::kUnrunnable : Severity::kError});
  }
  for (size_t i = 0; i < std::min(node.output.size(), schema.output_count()); ++i) {
    if (node.output[i].empty() && schema.output(i).option == schema::Option::kSingle) {
      reporter.add(Code::kOutputCount,
                   fmt::format("output {} ('{}') of {} is required, but left out", i, schema.output(i).name, schema.name()), "name it");
    }
  }
}

void report_unknown_operator(Reporter& reporter, const Node& node, const NodeContext& context, int64_t opset) {
  const std::string domain = shown(canonical(node.domain));
  // ONNX's checker lets preview domains have any operator.
  const Severity severity = node.domain.starts_with("ai.onnx.preview") ? Severity::kUnrunnable : Severity::kError;
  const std::string_view plain = canonical(node.domain).empty() ? "ai.onnx" : canonical(node.domain);
  if (const std::optional<schema::Schema> later = schema::find_first(node.domain, node.op_type)) {
    reporter.add({.code = Code::kOperatorUnknown,
                  .message = fmt::format("{} came with {} {}, the {} imports {}", node.op_type, plain, later->since_version(),
                                         context.function == nullptr ? "model" : "function", opset),
                  .cure = fmt::format("import {} {} or later", plain, later->since_version()),
                  .expected = fmt::format("{} {} or later", plain, later->since_version()),
                  .found = fmt::format("{} {}", plain, opset),
                  .severity = severity});
  } else if (context.model.functions.contains(callee_of(node))) {
    reporter.add(Code::kOperatorUnknown, fmt::format("{} has no operator {}; a function cannot add one", domain, quote(node.op_type)),
                 "give the function a domain of its own");
  } else {
    reporter.add({.code = Code::kOperatorUnknown,
                  .message = fmt::format("{} has no operator {}", domain, quote(node.op_type)),
                  .cure = "mend the name, or give the operator a domain of its own",
                  .severity = severity});
  }
}

// Inputs of a function that its body needs, because an operator or another function does. Deep chains of calls are not followed to the end.
const RequiredInputs& required_inputs(const model::Function& function, const ModelContext& context, int depth);

constexpr int kMaxCalls = 64;  // and subgraphs

// Adds those of `inputs` that nodes of the function, or of a graph within it, need.
void add_required(const std::vector<Node>& nodes, const std::unordered_set<std::string_view>& inputs, const Imports& imports,
                  const ModelContext& context, int depth, RequiredInputs& required) {
  if (depth > kMaxCalls) return;
  for (const Node& node : nodes) {
    const auto schema = schema::find(node.domain, node.op_type, imports.version(node.domain).value_or(0));
    const auto called = context.functions.find(callee_of(node));
    for (size_t i = 0; i < node.input.size(); ++i) {
      if (!inputs.contains(node.input[i])) continue;
      const bool is_needed = schema ? is_required(*schema, i)
                                    : called != context.functions.end() && i < called->second->input.size() &&
                                          required_inputs(*called->second, context, depth + 1).contains(called->second->input[i]);
      if (is_needed) required.insert(node.input[i]);
    }
    for (const model::Attribute& attribute : node.attribute) {
      if (attribute.g != nullptr) add_required(attribute.g->node, inputs, imports, context, depth + 1, required);
    }
  }
}

const RequiredInputs& required_inputs(const model::Function& function, const ModelContext& context, int depth) {
  const auto [entry, is_new] = context.required_inputs.try_emplace(&function);
  RequiredInputs& required = entry->second;
  if (!is_new) return required;
  const std::unordered_set<std::string_view> inputs(function.input.begin(), function.input.end());
  add_required(function.node, inputs, Imports(function.opset_import), context, depth, required);
  return required;
}

void check_call_counts(Reporter& reporter, const Node& node, const model::Function& function) {
  const auto check = [&](Code code, std::string_view what, size_t found, size_t most) {
    if (found <= most) return;
    reporter.add({.code = code,
                  .message = fmt::format("function {} has {} {}s, the node has {}", quote(function.name), most, what, found),
                  .expected = fmt::format("at most {}", most),
                  .found = std::to_string(found),
                  .value = first_input(node),
                  .severity = Severity::kUnrunnable});
  };
  check(Code::kInputCount, "input", node.input.size(), function.input.size());
  check(Code::kOutputCount, "output", node.output.size(), function.output.size());
}

void check_call_inputs(Reporter& reporter, const Node& node, const model::Function& function, const ModelContext& context) {
  for (size_t i = 0; i < function.input.size(); ++i) {
    if (i < node.input.size() && !node.input[i].empty()) continue;
    if (!required_inputs(function, context, 0).contains(function.input[i])) continue;
    reporter.add({.code = Code::kInputCount,
                  .message = fmt::format("input {} ({}) of function {} is required, but left out", i, quote(function.input[i]),
                                         quote(function.name)),
                  .cure = "connect it",
                  .value = first_input(node),
                  .severity = Severity::kUnrunnable});
  }
}

void check_call(Reporter& reporter, const Node& node, const model::Function& function, const ModelContext& context) {
  check_call_counts(reporter, node, function);
  check_call_inputs(reporter, node, function, context);
  std::unordered_set<std::string_view> given;
  for (const model::Attribute& attribute : node.attribute) given.insert(attribute.name);
  for (const std::string& name : function.attribute) {
    if (given.erase(name) == 0) {
      reporter.add(Code::kFunctionArgument, fmt::format("function {} has the attribute {} without a default, the node does not set it",
                                                        quote(function.name), quote(name)));
    }
  }
  for (const model::Attribute& attribute : function.attribute_proto) given.erase(attribute.name);
  for (const std::string_view name : given) {
    reporter.add(Code::kFunctionArgument, fmt::format("function {} has no attribute {}", quote(function.name), quote(name)));
  }
}

// A function may import another opset than the model only as far as its operators mean the same in both.
// ONNX's checker looks at the function's own nodes alone, not at those of its subgraphs.
void check_function_opset(Reporter& reporter, const Node& node, const NodeContext& context, int64_t opset, bool in_subgraph) {
  if (context.function == nullptr) return;
  const std::optional<int64_t> models = context.model.all_imports.version(node.domain);
  if (!models || *models == opset) return;
  const auto of_function = schema::find(node.domain, node.op_type, opset), of_model = schema::find(node.domain, node.op_type, *models);
  if (!of_function && !of_model) return;
  if (of_function && of_model && of_function->since_version() == of_model->since_version()) return;
  reporter.add({.code = Code::kFunctionOpset,
                .message = fmt::format("{} differs between version {} of {}, which the function imports, and {}, which the model imports",
                                       node.op_type, opset, shown(canonical(node.domain)), *models),
                .cure = "import the same version in both",
                .expected = std::to_string(*models),
                .found = std::to_string(opset),
                .severity = in_subgraph ? Severity::kUnrunnable : Severity::kError});
}

void report_missing_import(Reporter& reporter, const Node& node) {
  const std::string domain = shown(canonical(node.domain));
  reporter.add(Code::kDomainNotImported, fmt::format("opset_import has no domain {}", domain),
               fmt::format("add {} with its version to opset_import", domain));
}

// Both spellings name the same domain, but its operators are registered under "" alone.
void check_spelling(Reporter& reporter, const Node& node, const NodeContext& context) {
  if (!canonical(node.domain).empty()) return;
  if (!node.domain.empty()) {
    reporter.add(Code::kDomainNotImported, "the node's domain is spelled 'ai.onnx'", "leave the domain of ONNX's own operators empty");
  } else if (!context.imports.has_spelling("") && context.imports.has_spelling("ai.onnx")) {
    reporter.add(Code::kDomainNotImported, "the node's domain is '', opset_import spells it 'ai.onnx'", "write '' in opset_import");
  }
}

void check_operator(Reporter& reporter, const Node& node, const NodeContext& context, bool in_subgraph) {
  const std::optional<int64_t> opset = imported_version(context, node.domain);
  if (!opset) return report_missing_import(reporter, node);
  check_spelling(reporter, node, context);
  check_function_opset(reporter, node, context, *opset, in_subgraph);
  if (is_experimental(node)) {
    reporter.add(Code::kOperatorExperimental, fmt::format("{} never was in an opset; few runtimes have it", node.op_type));
    return;
  }
  if (!schema::is_standard_domain(node.domain)) {
    const auto function = context.model.functions.find(callee_of(node));
    if (function != context.model.functions.end()) check_call(reporter, node, *function->second, context.model);
    return;
  }
  const std::optional<schema::Schema> schema = schema::find(node.domain, node.op_type, *opset);
  if (!schema) return report_unknown_operator(reporter, node, context, *opset);
  if (schema->deprecated()) {
    reporter.add(Code::kOperatorDeprecated,
                 fmt::format("{} is deprecated since {} {}, the model imports {}", node.op_type, shown(canonical(node.domain)),
                             schema->since_version(), *opset),
                 "use its successor, or import an earlier opset");
    return;
  }
  check_counts(reporter, node, *schema);
  check_left_out(reporter, node, *schema);
  check_attributes(reporter, node, *schema);
}

bool has_value(const Node& node, std::string_view name) {
  return std::find(node.input.begin(), node.input.end(), name) != node.input.end() ||
         std::find(node.output.begin(), node.output.end(), name) != node.output.end();
}

void check_devices(Reporter& reporter, const Node& node, const NodeContext& context) {
  for (const Node::DeviceConfiguration& device : node.device_configurations) {
    if (!context.model.configurations.contains(device.configuration_id)) {
      reporter.add(Code::kDeviceConfiguration, fmt::format("the model has no configuration {}", quote(device.configuration_id)));
    }
    for (const Node::ShardingSpec& spec : device.sharding_spec) {
      if (!has_value(node, spec.tensor_name)) {
        reporter.add(Code::kDeviceConfiguration,
                     fmt::format("{} is sharded, but is no input or output of the node", quote(spec.tensor_name)));
      }
    }
  }
}
}  // namespace

void check_node(Reporter& reporter, const Node& node, const NodeContext& context, bool in_subgraph) {
  if (!core::is_utf8(node.name) || !core::is_utf8(node.op_type) || !core::is_utf8(node.domain)) {
    reporter.add(Code::kInvalidUtf8, "the node's name, op_type or domain is not UTF-8", "rename it");
  }
  if (node.op_type.empty()) {
    reporter.add(Code::kOperatorName, "the node has no op_type", "set it");
    return;
  }
  if (node.input.empty() && node.output.empty()) reporter.add(Code::kNodeEmpty, "the node has neither inputs nor outputs", "remove it");
  check_attributes_alone(reporter, node, context);
  check_operator(reporter, node, context, in_subgraph);
  check_devices(reporter, node, context);
}

}  // namespace sardonyx::check
