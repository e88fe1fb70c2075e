#include "export/graph_builder.h"

#include <fmt/format.h>

#include <algorithm>

namespace sardonyx::exporter {

using model::Attribute;

GraphBuilder::GraphBuilder(const nn::Trace& trace, std::vector<std::vector<bool>> dynamic, const ExportOptions& options)
    : trace_(trace), dynamic_(std::move(dynamic)), options_(options) {
  graph_.name = "main_graph";
  // State-dict keys are reserved, so that a node's output never takes the name of a weight that comes later.
  for (const nn::TraceValue& value : trace.values) {
    if (!value.name.empty()) used_.insert(value.name);
  }
  name_inputs();
  name_outputs();
}

std::vector<std::string> boundary_names(const std::vector<std::string>& given, size_t count, std::string_view stem) {
  std::vector<std::string> names(given.begin(), given.begin() + static_cast<std::ptrdiff_t>(std::min(given.size(), count)));
  for (size_t serial = 0; names.size() < count;) {
    std::string name = serial == 0 ? std::string(stem) : fmt::format("{}.{}", stem, serial);
    ++serial;
    if (std::find(given.begin(), given.end(), name) == given.end()) names.push_back(std::move(name));
  }
  return names;
}

void GraphBuilder::name_inputs() {
  input_names_ = boundary_names(options_.input_names, trace_.inputs.size(), "input");
  for (size_t i = 0; i < trace_.inputs.size(); ++i) {
    names_[trace_.inputs[i]] = input_names_[i];
    used_.insert(input_names_[i]);
  }
}

void GraphBuilder::name_outputs() {
  output_names_ = boundary_names(options_.output_names, trace_.outputs.size(), "output");
  used_.insert(output_names_.begin(), output_names_.end());
}

std::string GraphBuilder::unique(std::string wanted) {
  std::string name = wanted;
  for (int serial = 1; !used_.insert(name).second; ++serial) name = fmt::format("{}_{}", wanted, serial);
  return name;
}

void GraphBuilder::add_initializer(std::string name, const Tensor& tensor) {
  graph_.initializer.push_back(model::encode(tensor, name));
  if (!options_.keep_initializers_as_inputs) return;
  std::vector<model::Dimension> dims(tensor.shape().begin(), tensor.shape().end());
  model::ValueInfo info;
  info.name = std::move(name);
  info.type = model::Type::of_tensor(tensor.dtype(), std::move(dims));
  parameter_inputs_.push_back(std::move(info));
}

std::string GraphBuilder::source_name(const nn::TraceValue& value) { return value.name.empty() ? unique("constant") : value.name; }

std::string GraphBuilder::name(nn::ValueId id) {
  if (id == nn::kNoValue) return "";
  if (const auto known = names_.find(id); known != names_.end()) return known->second;
  const nn::TraceValue& source = value(id);
  const auto replaced = replaced_.find(id);
  const Tensor& tensor = replaced != replaced_.end() ? replaced->second.second : source.tensor;
  if (!tensor.defined()) throw Error(ErrorCode::kInternal, fmt::format("trace value {} is used before it is computed", id));
  std::string name = replaced != replaced_.end() ? replaced->second.first : source_name(source);
  names_[id] = name;
  const bool weight = source.origin == nn::TraceValue::Origin::kParameter || source.origin == nn::TraceValue::Origin::kBuffer;
  if (weight && !options_.export_params) {
    model::ValueInfo info;
    info.name = name;
    info.type = model::Type::of_tensor(tensor.dtype(), {tensor.shape().begin(), tensor.shape().end()});
    parameter_inputs_.push_back(std::move(info));
  } else {
    add_initializer(name, tensor);
  }
  return name;
}

std::string GraphBuilder::node(std::string_view op_type, std::vector<std::string> inputs, Attributes attributes) {
  model::Node node;
  node.name = unique(fmt::format("{}/{}", op_ != nullptr ? op_->scope : "", op_type));
  node.op_type = op_type;
  node.input = std::move(inputs);
  while (!node.input.empty() && node.input.back().empty()) node.input.pop_back();
  node.output = {unique(node.name + "_output_0")};
  node.attribute = std::move(attributes);
  graph_.node.push_back(std::move(node));
  return graph_.node.back().output[0];
}

std::string GraphBuilder::constant(const Tensor& tensor, std::string_view hint) {
  std::string name = unique(fmt::format("{}/{}", op_ != nullptr ? op_->scope : "", hint));
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
  const std::string shape = node("Shape", {input});
  std::string sizes = node("Gather", {shape, ints(axes, "axes")}, {Attribute::of("axis", 0)});
  if (factor != 1) sizes = node("Mul", {sizes, ints({factor}, "factor")});
  if (divisor != 1) sizes = node("Div", {sizes, ints({divisor}, "divisor")});
  return sizes;
}

std::string GraphBuilder::reshape(const std::string& input, const std::vector<SizeEntry>& entries) {
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
  return node("Reshape", {input, shape});
}

void GraphBuilder::refuse(std::string_view why) const {
  const std::string module = op_ != nullptr && !op_->scope.empty() ? fmt::format(" of module '{}'", op_->scope) : "";
  throw Error(ErrorCode::kUnsupported,
              fmt::format("cannot export {}{} to opset {}: {}", op_ != nullptr ? op_->kind : "the graph", module, opset(), why));
}

model::Graph GraphBuilder::finish(const std::vector<std::vector<model::Dimension>>& input_dims,
                                  const std::vector<std::vector<model::Dimension>>& output_dims) {
  op_ = nullptr;
  const auto boundary = [&](const std::string& name, nn::ValueId id, const std::vector<model::Dimension>& dims) {
    model::ValueInfo info;
    info.name = name;
    info.type = model::Type::of_tensor(value(id).dtype, dims);
    return info;
  };
  for (size_t i = 0; i < trace_.inputs.size(); ++i) graph_.input.push_back(boundary(input_names_[i], trace_.inputs[i], input_dims[i]));
  for (size_t i = 0; i < trace_.outputs.size(); ++i) {
    const nn::ValueId id = trace_.outputs[i];
    const std::string produced = name(id);
    const bool sole = std::count(trace_.outputs.begin(), trace_.outputs.end(), id) == 1;
    const auto maker = std::find_if(graph_.node.begin(), graph_.node.end(), [&](const model::Node& n) { return n.output[0] == produced; });
    if (sole && maker != graph_.node.end()) {
      // The value takes the output's name wherever it stands.
      for (model::Node& user : graph_.node) std::replace(user.input.begin(), user.input.end(), produced, output_names_[i]);
      maker->output[0] = output_names_[i];
      names_[id] = output_names_[i];
    } else {
      node("Identity", {produced});
      graph_.node.back().output[0] = output_names_[i];
    }
    graph_.output.push_back(boundary(output_names_[i], id, output_dims[i]));
  }
  graph_.input.insert(graph_.input.end(), parameter_inputs_.begin(), parameter_inputs_.end());
  return std::move(graph_);
}

}  // namespace sardonyx::exporter
