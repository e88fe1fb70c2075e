#include "convert/scope.h"

#include <algorithm>

namespace sardonyx::convert {

namespace {
constexpr int64_t kFirstIrWithInnerInitializers = 4;  // before, every initializer is also an input

Tensor strings_of(const std::vector<model::Bytes>& strings, Shape shape) {
  std::vector<std::string> values;
  for (const model::Bytes& text : strings) values.emplace_back(text.text());
  return Tensor::of_strings(std::move(shape), std::move(values));
}
}  // namespace

std::optional<Tensor> constant_tensor(const model::Node& node) {
  if (node.op_type != "Constant" || !(node.domain.empty() || node.domain == "ai.onnx") || node.attribute.size() != 1) return std::nullopt;
  const model::Attribute& value = node.attribute[0];
  if (!value.ref_attr_name.empty()) return std::nullopt;
  const auto count = [](const auto& values) { return static_cast<int64_t>(values.size()); };
  if (value.name == "value" && value.t != nullptr) return decode(*value.t);
  if (value.name == "value_float") return Tensor::scalar(value.f);
  if (value.name == "value_int") return Tensor::scalar(value.i);
  if (value.name == "value_string") return strings_of({value.s}, {});
  if (value.name == "value_floats") return Tensor::of<float>({count(value.floats)}, std::span<const float>(value.floats));
  if (value.name == "value_ints") return Tensor::of<int64_t>({count(value.ints)}, std::span<const int64_t>(value.ints));
  if (value.name == "value_strings") return strings_of(value.strings, {count(value.strings)});
  return std::nullopt;
}

Scope::Scope(const model::Graph& graph, int64_t ir_version, const KnownTypes* types, const Scope* outer)
    : graph_(&graph), key_(&graph.node), types_(types), outer_(outer) {
  index(graph.node);
  for (const model::TensorData& tensor : graph.initializer) initializers_.emplace(tensor.name, &tensor);
  for (const model::ValueInfo& input : graph.input) {
    const bool replaceable = ir_version >= kFirstIrWithInnerInitializers || initializers_.count(input.name) == 0;
    inputs_.emplace(input.name, replaceable);
  }
}

Scope::Scope(const model::Function& function, const KnownTypes* types) : function_(&function), key_(&function.node), types_(types) {
  index(function.node);
  for (const std::string& input : function.input) inputs_.emplace(input, true);
}

void Scope::index(const std::vector<model::Node>& nodes) {
  for (const model::Node& node : nodes) {
    for (const std::string& output : node.output) producers_.emplace(output, &node);
  }
}

std::optional<Tensor> Scope::constant(std::string_view name) const {
  if (name.empty()) return std::nullopt;
  for (const Scope* scope = this; scope != nullptr; scope = scope->outer_) {
    if (const auto made = scope->made_.find(std::string(name)); made != scope->made_.end()) return made->second;
    if (const auto input = scope->inputs_.find(name); input != scope->inputs_.end() && input->second) return std::nullopt;
    if (const auto node = scope->producers_.find(name); node != scope->producers_.end()) return constant_tensor(*node->second);
    if (const auto tensor = scope->initializers_.find(name); tensor != scope->initializers_.end()) return decode(*tensor->second);
  }
  return std::nullopt;
}

const model::Type* Scope::type(std::string_view name) const {
  if (types_ == nullptr || name.empty()) return nullptr;
  for (const Scope* scope = this; scope != nullptr; scope = scope->outer_) {
    if (const model::Type* found = types_->find(scope->key_, name)) return found;
  }
  return nullptr;
}

bool Scope::is_output(std::string_view name) const {
  if (graph_ == nullptr) return std::find(function_->output.begin(), function_->output.end(), name) != function_->output.end();
  return std::any_of(graph_->output.begin(), graph_->output.end(), [&](const model::ValueInfo& output) { return output.name == name; });
}

}  // namespace sardonyx::convert
