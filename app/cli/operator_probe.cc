#include "cli/operator_probe.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "cli/command.h"

namespace sardonyx::cli {
namespace {
namespace fs = std::filesystem;

// Attributes that choose an output's type.
constexpr std::string_view kTypeAttributes[] = {"to", "dtype", "output_dtype", "output_datatype"};

bool is_plain_number(DType type) {
  const bool small_float = is_floating_point(type) && bit_width(type) < 16;
  return type == DType::kBool || (bit_width(type) >= 8 && !small_float && (is_integral(type) || is_floating_point(type)));
}

// The elements as text: whole numbers without a point. Texts of zeros where they are no plain numbers.
Tensor as_text(const Tensor& tensor) {
  Tensor texts(tensor.shape(), DType::kString);
  const std::span<std::string> values = texts.mutable_values<std::string>();
  std::ranges::fill(values, "0");
  if (!is_plain_number(tensor.dtype())) return texts;
  const Tensor numbers = tensor.to(DType::kFloat64);
  for (size_t i = 0; i < values.size(); ++i) values[i] = fmt::format("{}", numbers.values<double>()[i]);
  return texts;
}

// The elements as another type; zeros where they do not convert.
Tensor as_type(const Tensor& tensor, DType type) {
  if (tensor.dtype() == type) return tensor;
  if (type == DType::kString) return as_text(tensor);
  if (is_plain_number(tensor.dtype()) && is_plain_number(type)) return tensor.to(type);
  return Tensor(tensor.shape(), type);
}

// Attributes that hold what inputs are compared with, of numbers and of texts.
void pools_as_text(model::Node& node) {
  for (model::Attribute& attribute : node.attribute) {
    if (attribute.name != "pool_int64s") continue;
    std::vector<std::string> texts;
    for (const int64_t value : attribute.ints) texts.push_back(std::to_string(value));
    attribute = model::Attribute::of("pool_strings", texts);
  }
}

bool has_type_attribute(const model::Node& node) {
  return std::ranges::any_of(node.attribute,
                             [](const auto& a) { return std::ranges::find(kTypeAttributes, a.name) != std::end(kTypeAttributes); });
}

// The model whose node gives that type.
model::Model with_output_type(model::Model model, DType type) {
  for (model::Attribute& attribute : model.graph.node[0].attribute) {
    if (std::ranges::find(kTypeAttributes, attribute.name) != std::end(kTypeAttributes)) attribute.i = static_cast<int64_t>(type);
  }
  return model;
}

// The kernel that the model's node ran with; nothing where it is refused.
std::optional<std::string> kernel_of_run(model::Model model, const std::vector<Tensor>& inputs) {
  SessionOptions options;
  options.intra_op_num_threads = 1;
  options.graph_optimization_level = GraphOptimizationLevel::kNone;
  for (model::ValueInfo& output : model.graph.output) output.type = model::Type();
  try {
    Feeds feeds;
    InputShapes shapes;
    for (size_t i = 0; i < inputs.size(); ++i) {
      feeds.emplace_back(model.graph.input[i].name, inputs[i]);
      shapes.emplace_back(model.graph.input[i].name, inputs[i].shape());
    }
    const InferenceSession session(std::move(model), options);
    session.run(feeds);
    const PlanReport report = session.explain(shapes);
    return report.steps.empty() ? "" : report.steps[0].kernel;
  } catch (const Error&) {
    return std::nullopt;
  }
}

// Likewise, with these inputs of the graph as another type.
std::optional<std::string> kernel_with_input(model::Model model, std::vector<Tensor> inputs, const std::vector<size_t>& members,
                                             DType type) {
  for (const size_t member : members) {
    model.graph.input[member].type = model::Type::of_tensor(type);
    inputs[member] = as_type(inputs[member], type);
  }
  if (type == DType::kString) pools_as_text(model.graph.node[0]);
  return kernel_of_run(std::move(model), inputs);
}

}  // namespace

// A test folder's model with its inputs.
struct OperatorProbe::Call {
  model::Model model;
  std::vector<Tensor> inputs;  // of the graph
  const OperatorInfo& info;
  Findings& findings;

  const model::Node& node() const { return model.graph.node[0]; }
  // The graph's input that the node's input `index` is; nothing if it is none.
  std::optional<size_t> graph_input(size_t index) const {
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (model.graph.input[i].name == node().input[index]) return i;
    }
    return std::nullopt;
  }
};

OperatorProbe::OperatorProbe(const std::vector<OperatorInfo>& operators) {
  for (const OperatorInfo& info : operators) {
    operators_.emplace(Key(info.domain, info.name), &info);
    findings_.try_emplace(Key(info.domain, info.name));
  }
}

void OperatorProbe::try_folder(const fs::path& folder) {
  model::Model model = model::read_model(folder / "model.onnx");
  if (model.graph.node.size() != 1 || !model.functions.empty()) return;
  const model::Node& node = model.graph.node[0];
  const auto found = operators_.find({node.domain == "ai.onnx" ? "" : node.domain, node.op_type});
  if (found == operators_.end()) return;
  std::vector<Tensor> inputs;
  for (size_t i = 0; i < model.graph.input.size(); ++i) {
    const fs::path file = folder / "test_data_set_0" / fmt::format("input_{}.pb", i);
    if (model.graph.input[i].type.tensor() == nullptr || !fs::exists(file)) return;
    inputs.push_back(load_tensor(file));
  }
  const Call call{std::move(model), std::move(inputs), *found->second, findings_.at(found->first)};
  const std::optional<std::string> kernel = kernel_of_run(call.model, call.inputs);
  if (!kernel) return;
  call.findings.ran = true;
  if (!kernel->empty()) call.findings.kernels.insert(*kernel);
  for (const TypeConstraint& constraint : call.info.constraints) {
    try_types(call, constraint);
    if (constraint.inputs.empty()) try_output_types(call, constraint);
  }
}

void OperatorProbe::try_types(const Call& call, const TypeConstraint& constraint) {
  if (constraint.inputs.empty()) return;
  size_t formal_inputs = 0;
  for (const TypeConstraint& other : call.info.constraints) {
    for (const size_t input : other.inputs) formal_inputs = std::max(formal_inputs, input + 1);
  }
  std::vector<size_t> members;  // graph inputs of the constraint
  for (size_t i = 0; i < call.node().input.size(); ++i) {
    if (std::ranges::find(constraint.inputs, std::min(i, formal_inputs - 1)) == constraint.inputs.end()) continue;
    if (const std::optional<size_t> input = call.graph_input(i)) members.push_back(*input);
  }
  if (members.empty()) return;
  std::set<DType>& known = call.findings.types[constraint.name];
  for (const DType type : constraint.allowed) {
    if (known.contains(type)) continue;
    std::optional<std::string> kernel = kernel_with_input(call.model, call.inputs, members, type);
    if (!kernel && has_type_attribute(call.node()) && bit_width(type) != 0) {
      kernel = kernel_with_input(with_output_type(call.model, type), call.inputs, members, type);
    }
    if (kernel) {
      known.insert(type);
      if (!kernel->empty()) call.findings.kernels.insert(*kernel);
    }
  }
}

void OperatorProbe::try_output_types(const Call& call, const TypeConstraint& constraint) {
  std::set<DType>& known = call.findings.types[constraint.name];
  if (!has_type_attribute(call.node())) return;
  for (const DType type : constraint.allowed) {
    if (known.contains(type)) continue;
    const model::Model model = with_output_type(call.model, type);
    if (kernel_of_run(model, call.inputs)) {
      known.insert(type);
    } else if (const std::optional<size_t> input = call.graph_input(0)) {
      // Some operators take inputs of the same width only.
      if (kernel_with_input(model, call.inputs, {*input}, type)) known.insert(type);
    }
  }
}

}  // namespace sardonyx::cli
