#include "optimize/graph_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "optimize/sort.h"

namespace sardonyx::optimize {
namespace {

constexpr int64_t kFirstOverridableIr = 4;  // from this IR version on, a feed may replace an initializer that is also a graph input

Error invalid_patch(std::string message) { return Error(ErrorCode::kInternal, "invalid patch: " + std::move(message)); }

model::TensorType type_of(const model::TensorData& tensor) {
  model::TensorType type;
  type.elem_type = tensor.data_type;
  type.has_shape = true;
  for (const int64_t size : tensor.dims) type.shape.dims.emplace_back(size);
  return type;
}

// Whether some value could have both types.
bool compatible(const model::TensorType& a, const model::TensorType& b) {
  if (a.elem_type != 0 && b.elem_type != 0 && a.elem_type != b.elem_type) return false;
  if (!a.has_shape || !b.has_shape) return true;
  if (a.shape.dims.size() != b.shape.dims.size()) return false;
  for (size_t i = 0; i < a.shape.dims.size(); ++i) {
    const model::Dimension &x = a.shape.dims[i], &y = b.shape.dims[i];
    if (x.is_known() && y.is_known() && x.size() != y.size()) return false;
  }
  return true;
}

}  // namespace

GraphView::GraphView(model::Model& model) : model_(model) {
  model::Graph& graph = model.graph;
  const auto declare = [&](const model::ValueInfo& info) -> Value& {
    Value& value = values_[info.name];
    if (!value.type && info.type.tensor()) value.type = *info.type.tensor();
    return value;
  };
  for (model::TensorData& tensor : graph.initializer) add_constant(std::move(tensor));
  for (const model::ValueInfo& input : graph.input) declare(input).graph_input = true;
  for (const model::ValueInfo& output : graph.output) declare(output).pinned = true;
  for (const model::ValueInfo& info : graph.value_info) declare(info);
  for (const model::SparseTensorData& tensor : graph.sparse_initializer) values_[tensor.values.name].pinned = true;
  for (size_t i = 0; i < graph.node.size(); ++i) add_node(std::move(graph.node[i]), i);
  graph.node.clear();
  graph.initializer.clear();
}

GraphView::GraphView(model::Model& model, KnownValues known) : GraphView(model) {
  for (auto& [name, value] : values_) {
    if (value.initializer && !value.graph_input) continue;
    const auto found = known.find(name);
    value.type.reset();
    if (found == known.end()) continue;
    value.type = std::move(found->second.type);
    value.elements = std::move(found->second.elements);
  }
}

const GraphView::Value* GraphView::find(std::string_view value) const noexcept {
  const auto found = values_.find(value);
  return found == values_.end() ? nullptr : &found->second;
}

std::optional<size_t> GraphView::producer(std::string_view value) const noexcept {
  const Value* found = find(value);
  return found ? found->producer : std::nullopt;
}

const std::vector<size_t>& GraphView::consumers(std::string_view value) const noexcept {
  static const std::vector<size_t> none;
  const Value* found = find(value);
  return found ? found->consumers : none;
}

bool GraphView::is_pinned(std::string_view value) const noexcept {
  const Value* found = find(value);
  return found && found->pinned;
}

bool GraphView::is_graph_input(std::string_view value) const noexcept {
  const Value* found = find(value);
  return found && found->graph_input;
}

std::optional<size_t> GraphView::sole_consumer(std::string_view value) const noexcept {
  const std::vector<size_t>& readers = consumers(value);
  return readers.size() == 1 && !is_pinned(value) ? std::optional(readers[0]) : std::nullopt;
}

const Tensor* GraphView::constant(std::string_view value) const {
  const Value* found = find(value);
  if (!found || !found->initializer) return nullptr;
  if (found->graph_input && model_.ir_version >= kFirstOverridableIr) return nullptr;
  if (!found->decoded) {
    try {
      found->decoded = model::decode(*found->initializer);
    } catch (const Error&) {
      found->decoded.emplace();  // the program reports it if the initializer is used
    }
  }
  return found->decoded->defined() ? &*found->decoded : nullptr;
}

const model::TensorType* GraphView::type(std::string_view value) const noexcept {
  const Value* found = find(value);
  return found && found->type ? &*found->type : nullptr;
}

DType GraphView::dtype(std::string_view value) const noexcept {
  const model::TensorType* found = type(value);
  return found ? found->dtype() : DType::kUndefined;
}

const std::vector<model::Dimension>* GraphView::dims(std::string_view value) const noexcept {
  const model::TensorType* found = type(value);
  return found && found->has_shape ? &found->shape.dims : nullptr;
}

const std::vector<model::Dimension>* GraphView::elements(std::string_view value) const noexcept {
  const Value* found = find(value);
  return found && !found->elements.empty() ? &found->elements : nullptr;
}

bool GraphView::admits(std::string_view value, DType dtype, const Shape& shape) const noexcept {
  const model::TensorType* declared = type(value);
  if (!declared) return true;
  if (declared->elem_type != 0 && declared->elem_type != static_cast<int32_t>(dtype)) return false;
  if (!declared->has_shape) return true;
  if (declared->shape.dims.size() != shape.size()) return false;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (declared->shape.dims[i].is_known() && declared->shape.dims[i].size() != shape[i]) return false;
  }
  return true;
}

bool GraphView::can_replace(std::string_view old_value, std::string_view new_value) const noexcept {
  if (old_value == new_value || !is_defined(new_value)) return false;
  const model::TensorType *was = type(old_value), *is = type(new_value);
  if (was && is && !compatible(*was, *is)) return false;
  return !is_pinned(old_value) || (!is_pinned(new_value) && producer(new_value).has_value());
}

std::string GraphView::fresh_name(std::string_view base) const {
  std::string name(base);
  for (size_t i = 1; values_.contains(name); ++i) name = fmt::format("{}_{}", base, i);
  return name;
}

std::nullopt_t GraphView::refuse(size_t node, std::string reason) const {
  if (refusals_.size() < kMaxRefusals) refusals_.emplace_back(node, std::move(reason));
  return std::nullopt;
}

std::vector<std::string> GraphView::take_refusals() {
  std::vector<std::string> texts;
  for (const auto& [index, reason] : refusals_) {
    if (const model::Node* found = node(index)) texts.push_back(fmt::format("{}: {}", model::describe(*found), reason));
  }
  refusals_.clear();
  return texts;
}

bool GraphView::is_defined(std::string_view value) const noexcept {
  const Value* found = find(value);
  return found && (found->producer || found->graph_input || found->initializer);
}

void GraphView::check_replacement(const std::string& from, const std::string& to) const {
  const model::TensorType *was = type(from), *is = type(to);
  if (was && is && !compatible(*was, *is)) throw invalid_patch(fmt::format("'{}' and '{}' differ in type or shape", from, to));
  const Value* target = find(to);
  if (is_pinned(from) && target && (target->pinned || target->graph_input || target->initializer)) {
    throw invalid_patch(fmt::format("'{}' is a graph output and cannot become '{}'", from, to));
  }
}

void GraphView::check(const Patch& patch) const {
  std::unordered_set<size_t> removed(patch.remove.begin(), patch.remove.end());
  std::unordered_set<std::string_view> lost, given;
  for (const size_t index : removed) {
    if (index >= nodes_.size() || !nodes_[index].node) throw invalid_patch(fmt::format("node {} is not there", index));
    for (const std::string& output : nodes_[index].node->output) lost.insert(output);
  }
  const auto give = [&](const std::string& name) {
    if (name.empty()) return;
    if ((is_defined(name) && !lost.contains(name)) || !given.insert(name).second) {
      throw invalid_patch(fmt::format("'{}' would be produced twice", name));
    }
  };
  for (const model::TensorData& tensor : patch.constants) {
    give(tensor.name);
    if (!admits(tensor.name, tensor.dtype(), tensor.dims)) throw invalid_patch(fmt::format("'{}' changes its type or shape", tensor.name));
  }
  for (const model::Node& node : patch.add) {
    for (const std::string& output : node.output) give(output);
  }
  const auto must_exist = [&](const std::string& name) {
    if (name.empty() || given.contains(name) || (is_defined(name) && !lost.contains(name))) return;
    throw invalid_patch(fmt::format("'{}' would be read, but not produced", name));
  };
  for (const model::Node& node : patch.add) std::for_each(node.input.begin(), node.input.end(), must_exist);
  std::unordered_set<std::string_view> replaced;
  for (const auto& [from, to] : patch.replace) {
    must_exist(to);
    check_replacement(from, to);
    replaced.insert(from);
  }
  for (const std::string_view name : lost) {
    if (given.contains(name) || replaced.contains(name)) continue;
    const auto stays = [&](size_t reader) { return !removed.contains(reader); };
    if (is_pinned(name) || std::ranges::any_of(consumers(name), stays)) {
      throw invalid_patch(fmt::format("'{}' would be lost, but is still read", name));
    }
  }
}

void GraphView::apply(Patch patch) {
  check(patch);
  size_t order = nodes_.size();
  for (const size_t index : patch.remove) order = std::min(order, nodes_[index].order);
  for (const size_t index : patch.remove) remove_node(index);
  for (model::TensorData& tensor : patch.constants) add_constant(std::move(tensor));
  for (model::Node& node : patch.add) {
    import_domain(node.domain);
    add_node(std::move(node), order);
  }
  for (auto& [name, type] : patch.types) values_[name].type = std::move(type);
  for (const auto& [from, to] : patch.replace) redirect(from, to);
}

void GraphView::add_node(model::Node node, size_t order) {
  const size_t index = nodes_.size();
  for (const std::string& output : node.output) {
    if (!output.empty()) values_[output].producer = index;
  }
  for (const std::string& input : node.input) {
    if (!input.empty()) values_[input].consumers.push_back(index);
  }
  for (const std::string_view name : names_read_by_subgraphs(node)) values_[std::string(name)].pinned = true;
  nodes_.push_back({std::make_unique<model::Node>(std::move(node)), order});
}

void GraphView::add_constant(model::TensorData tensor) {
  Value& value = values_[tensor.name];
  value.type = type_of(tensor);
  value.decoded.reset();
  value.initializer_order = initializers_++;
  value.initializer = std::make_unique<model::TensorData>(std::move(tensor));
}

void GraphView::remove_node(size_t index) {
  const std::unique_ptr<model::Node> node = std::move(nodes_[index].node);
  for (const std::string& output : node->output) {
    if (!output.empty()) values_[output].producer.reset();
  }
  for (const std::string& input : node->input) {
    if (input.empty()) continue;
    std::vector<size_t>& readers = values_[input].consumers;
    readers.erase(std::find(readers.begin(), readers.end(), index));
  }
}

void GraphView::redirect(const std::string& from, const std::string& to) {
  if (is_pinned(from)) return rename_output(to, from);
  Value& old_value = values_[from];
  Value& new_value = values_[to];
  for (const size_t reader : old_value.consumers) {
    std::ranges::replace(nodes_[reader].node->input, from, to);
    new_value.consumers.push_back(reader);
  }
  old_value.consumers.clear();
}

void GraphView::rename_output(const std::string& from, const std::string& to) {
  Value& old_value = values_[from];
  Value& new_value = values_[to];
  std::ranges::replace(nodes_[old_value.producer.value()].node->output, from, to);
  new_value.producer = std::exchange(old_value.producer, std::nullopt);
  redirect(from, to);
}

void GraphView::import_domain(const std::string& domain) {
  if (domain.empty() || model_.opset_version(domain) != 0) return;
  model::OpsetId opset;
  opset.domain = domain;
  opset.version = 1;
  model_.opset_import.push_back(std::move(opset));
}

void GraphView::release() {
  model::Graph& graph = model_.graph;
  std::ranges::stable_sort(nodes_, {}, &Slot::order);
  for (Slot& slot : nodes_) {
    if (slot.node) graph.node.push_back(std::move(*slot.node));
  }
  nodes_.clear();
  std::vector<Value*> kept;
  for (auto& [name, value] : values_) {
    if (value.initializer && (value.graph_input || value.pinned || !value.consumers.empty())) kept.push_back(&value);
  }
  std::ranges::sort(kept, {}, &Value::initializer_order);
  for (Value* value : kept) graph.initializer.push_back(std::move(*value->initializer));
  std::erase_if(graph.value_info, [&](const model::ValueInfo& info) { return !producer(info.name) && !is_graph_input(info.name); });
  values_.clear();
  put_in_running_order(graph);
}

}  // namespace sardonyx::optimize
