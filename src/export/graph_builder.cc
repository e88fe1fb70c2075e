#include "export/graph_builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "schema/schema.h"

namespace sardonyx::exporter {

using model::Attribute;

namespace {
// The first opset from `opset` on in which input number `input` of the operator takes the type; nothing if there is none.
std::optional<int64_t> first_opset_taking(std::string_view op_type, size_t input, const std::string& type, int64_t opset) {
  for (int64_t later = opset; later <= kMaxExportOpset; ++later) {
    const std::optional<schema::Schema> schema = schema::find("", op_type, later);
    if (!schema || schema->input_count() == 0) continue;
    const schema::Parameter parameter = schema->input(std::min(input, schema->input_count() - 1));
    if (schema->allows(parameter.type, type)) return later;
  }
  return std::nullopt;
}
}  // namespace

GraphBuilder::GraphBuilder(const nn::Trace& trace, const DynamicSizes& sizes, const ExportOptions& options)
    : trace_(trace), sizes_(sizes), options_(options) {
  graph_.name = "main_graph";
  // State-dict keys are reserved, so that a node's output never takes the name of a weight that comes later.
  for (const nn::TraceValue& value : trace.values) {
    if (!value.name.empty()) used_.insert(value.name);
  }
  for (const Port& output : sizes.boundary.outputs) used_.insert(output.name);
  for (const Port& input : sizes.boundary.inputs) {
    used_.insert(input.name);
    names_[input.value] = input.name;
    types_[input.name] = value(input.value).dtype;
    graph_.input.push_back(declaration(input, value(input.value)));
  }
}

std::string GraphBuilder::unique(std::string wanted) {
  std::string name = wanted;
  for (int serial = 1; !used_.insert(name).second; ++serial) name = fmt::format("{}_{}", wanted, serial);
  return name;
}

std::string GraphBuilder::scoped(std::string_view hint) const { return fmt::format("{}/{}", op_ != nullptr ? op_->scope : "", hint); }

void GraphBuilder::add_initializer(const std::string& name, const Tensor& tensor) {
  types_[name] = tensor.dtype();
  graph_.initializer.push_back(model::encode(tensor, name));
}

void GraphBuilder::add_weight(const std::string& name, const Tensor& tensor) {
  if (!options_.export_params || options_.keep_initializers_as_inputs) {
    model::ValueInfo info;
    info.name = name;
    info.type = model::Type::of_tensor(tensor.dtype(), {tensor.shape().begin(), tensor.shape().end()});
    weight_inputs_.push_back(std::move(info));
  }
  types_[name] = tensor.dtype();
  if (options_.export_params) add_initializer(name, tensor);
}

std::string GraphBuilder::name(nn::ValueId id) {
  if (id == nn::kNoValue) return "";
  if (const auto known = names_.find(id); known != names_.end()) return known->second;
  const nn::TraceValue& source = value(id);
  const auto replaced = replaced_.find(id);
  const Tensor& tensor = replaced != replaced_.end() ? replaced->second.tensor : source.tensor;
  if (!tensor.defined()) throw Error(ErrorCode::kInternal, fmt::format("trace value {} is used before it is computed", id));
  const bool renamed = replaced != replaced_.end() && !replaced->second.name.empty();
  std::string name = renamed ? unique(replaced->second.name) : source.name.empty() ? unique(scoped("constant")) : source.name;
  names_[id] = name;
  if (source.name.empty()) {
    add_initializer(name, tensor);
  } else {
    add_weight(name, tensor);
  }
  return name;
}

void GraphBuilder::check_types(std::string_view op_type, const std::vector<std::string>& inputs) const {
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].empty()) continue;
    const std::string type = type_string(types_.at(inputs[i]));
    const std::optional<int64_t> first = first_opset_taking(op_type, i, type, opset());
    if (first == opset()) continue;
    if (first) refuse(fmt::format("{} takes {} from opset {} on", op_type, type, *first));
    refuse(fmt::format("{} takes no {} in any opset; convert to another type", op_type, type));
  }
}

std::string GraphBuilder::node(std::string_view op_type, std::vector<std::string> inputs, Attributes attributes) {
  while (!inputs.empty() && inputs.back().empty()) inputs.pop_back();
  check_types(op_type, inputs);
  model::Node node;
  node.name = unique(scoped(op_type));
  node.op_type = op_type;
  node.output = {unique(node.name + "_output_0")};
  types_[node.output[0]] = op_type == "Shape" ? DType::kInt64 : types_.at(inputs[0]);
  node.input = std::move(inputs);
  node.attribute = std::move(attributes);
  graph_.node.push_back(std::move(node));
  return graph_.node.back().output[0];
}

std::string GraphBuilder::constant(const Tensor& tensor, std::string_view hint) {
  std::string name = unique(scoped(hint));
  add_initializer(name, tensor);
  return name;
}

std::string GraphBuilder::ints(const std::vector<int64_t>& values, std::string_view hint) {
  return constant(Tensor::of<int64_t>({static_cast<int64_t>(values.size())}, std::span<const int64_t>(values)), hint);
}

std::string GraphBuilder::scalar(double number, nn::ValueId like, std::string_view hint) {
  return constant(Tensor::full({}, number, value(like).dtype), hint);
}

std::string GraphBuilder::with_axes(std::string_view op_type, const std::string& input, const std::vector<int64_t>& axes, int64_t since,
                                    Attributes extra) {
  if (opset() >= since) return node(op_type, {input, ints(axes, "axes")}, std::move(extra));
  extra.push_back(Attribute::of("axes", axes));
  return node(op_type, {input}, std::move(extra));
}

std::string GraphBuilder::transpose(const std::string& input, std::vector<int64_t> permutation) {
  return node("Transpose", {input}, {Attribute::of("perm", std::move(permutation))});
}

std::string GraphBuilder::sizes_of(const std::string& input, const std::vector<int64_t>& axes, int64_t factor, int64_t divisor) {
  std::string& gathered = gathered_[{input, axes}];
  if (gathered.empty()) gathered = node("Gather", {node("Shape", {input}), ints(axes, "axes")}, {Attribute::of("axis", 0)});
  std::string sizes = gathered;
  if (factor != 1) sizes = node("Mul", {sizes, ints({factor}, "factor")});
  if (divisor != 1) sizes = node("Div", {sizes, ints({divisor}, "divisor")});
  return sizes;
}

std::string GraphBuilder::reshape(const std::string& input, const std::vector<SizeEntry>& entries, Attributes attributes) {
  std::vector<std::string> parts;
  std::vector<int64_t> run;
  const auto flush = [&] {
    if (!run.empty()) parts.push_back(ints(run, "shape"));
    run.clear();
  };
  for (const SizeEntry& entry : entries) {
    if (const int64_t* number = std::get_if<int64_t>(&entry)) {
      run.push_back(*number);
    } else {
      flush();
      parts.push_back(std::get<std::string>(entry));
    }
  }
  flush();
  if (parts.empty()) parts.push_back(ints({}, "shape"));
  const std::string shape = parts.size() == 1 ? parts[0] : node("Concat", parts, {Attribute::of("axis", 0)});
  return node("Reshape", {input, shape}, std::move(attributes));
}

void GraphBuilder::refuse(std::string_view why) const {
  const std::string module = op_ != nullptr && !op_->scope.empty() ? fmt::format(" of module '{}'", op_->scope) : "";
  throw Error(ErrorCode::kUnsupported,
              fmt::format("cannot export {}{} to opset {}: {}", op_ != nullptr ? op_->kind : "the graph", module, opset(), why));
}

void GraphBuilder::add_output(const Port& port, bool sole) {
  const std::string produced = name(port.value);
  const auto maker = std::find_if(graph_.node.begin(), graph_.node.end(), [&](const model::Node& n) { return n.output[0] == produced; });
  if (sole && maker != graph_.node.end()) {
    // The value takes the output's name wherever it stands.
    for (model::Node& user : graph_.node) std::replace(user.input.begin(), user.input.end(), produced, port.name);
    maker->output[0] = port.name;
    names_[port.value] = port.name;
  } else {
    node("Identity", {produced});
    graph_.node.back().output[0] = port.name;
  }
  graph_.output.push_back(declaration(port, value(port.value)));
}

model::Graph GraphBuilder::finish() {
  op_ = nullptr;
  for (const Port& port : sizes_.boundary.outputs) {
    add_output(port, std::count(trace_.outputs.begin(), trace_.outputs.end(), port.value) == 1);
  }
  graph_.input.insert(graph_.input.end(), weight_inputs_.begin(), weight_inputs_.end());
  return std::move(graph_);
}

}  // namespace sardonyx::exporter
