#include "nn/trace.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <utility>

#include "nn/module_walk.h"

namespace sardonyx::nn {
namespace {

thread_local Tracer* current_tracer = nullptr;

constexpr ValueId kSpoiled = -2;  // the tensor's elements were changed through another tensor

// The last name of a path and the numbers behind it: "layer1.0" and "conv1" of "net.layer1.0.conv1" come out as torch.onnx has them.
std::string scope_segment(const std::string& path) {
  size_t begin = path.size();
  while (true) {
    const size_t dot = begin == 0 ? std::string::npos : path.rfind('.', begin - 1);
    const size_t name = dot == std::string::npos ? 0 : dot + 1;
    const bool number = std::all_of(path.begin() + static_cast<ptrdiff_t>(name), path.begin() + static_cast<ptrdiff_t>(begin),
                                    [](unsigned char c) { return std::isdigit(c) != 0; });
    if (!number) return path.substr(name);
    if (dot == std::string::npos) return path;
    begin = dot;
  }
}

// Other values of the same type and shape, for the second run. Integers stay: they may be indices.
template <class T>
void disturb(std::span<T> values) {
  for (size_t i = 0; i < values.size(); ++i) values[i] = values[i] * T(0.5) + T(0.375) + T(0.03125) * static_cast<T>(i % 7);
}

bool disturb(std::vector<Tensor>& inputs) {
  bool changed = false;
  for (Tensor& input : inputs) {
    input = input.clone();
    changed = changed || input.dtype() == DType::kFloat32 || input.dtype() == DType::kFloat64;
    if (input.dtype() == DType::kFloat32) disturb(input.mutable_values<float>());
    if (input.dtype() == DType::kFloat64) disturb(input.mutable_values<double>());
  }
  return changed;
}

Trace record_forward(Module& module, const std::vector<Tensor>& inputs) {
  Tracer tracer(module, inputs);
  const CallScope scope(module);
  return tracer.finish(module.forward_many(inputs));
}

std::string place_of(const Trace& trace, size_t index) {
  const TraceOp& op = trace.ops[index];
  return "operator " + std::to_string(index) + " (" + op.kind + (op.scope.empty() ? "" : " in " + op.scope) + ")";
}

bool same_elements(const Tensor& a, const Tensor& b) {
  if (a.dtype() != b.dtype() || a.shape() != b.shape()) return false;
  if (a.dtype() == DType::kString) return std::ranges::equal(a.strings(), b.strings());
  return a.numel() == 0 || std::memcmp(a.raw(), b.raw(), a.byte_size()) == 0;
}

std::optional<std::string> operator_difference(const Trace& a, const Trace& b) {
  for (size_t i = 0; i < std::min(a.ops.size(), b.ops.size()); ++i) {
    const TraceOp &x = a.ops[i], &y = b.ops[i];
    if (x.kind != y.kind) return place_of(a, i) + " is " + place_of(b, i);
    if (x.inputs != y.inputs || x.outputs != y.outputs) return place_of(a, i) + " has other inputs";
    if (x.attributes.size() != y.attributes.size()) return place_of(a, i) + " has other attributes";
    for (const auto& [name, value] : x.attributes) {
      const TraceAttribute* other = y.find(name);
      if (!other || *other != value) return place_of(a, i) + " has another " + name;
    }
  }
  if (a.ops.size() != b.ops.size()) return std::to_string(a.ops.size()) + " operators are " + std::to_string(b.ops.size());
  if (a.outputs != b.outputs) return "the outputs are other values";
  return std::nullopt;
}

}  // namespace

const TraceAttribute* TraceOp::find(std::string_view name) const {
  const auto found = attributes.find(name);
  return found == attributes.end() ? nullptr : &found->second;
}

Tracer* Tracer::current() noexcept { return current_tracer; }

Tracer::Tracer(const Module& root, std::span<const Tensor> inputs) {
  if (current_tracer) throw Error(ErrorCode::kInvalidArgument, "a trace is already active on this thread");
  trace_.root_name = root.name();
  ModuleWalk::once(root, [&](const std::string& path, const Module& module) {
    segments_[&module] = path.empty() ? std::string() : scope_segment(path);
    if (module.is_training()) trace_.training_modules.push_back(path);
    const auto remember = [&](const StateDict& own, TraceValue::Origin origin) {
      for (const auto& [name, tensor] : own) state_.try_emplace(tensor.identity(), State{origin, join_names(path, name), tensor});
    };
    remember(ModuleWalk::parameters(module), TraceValue::Origin::kParameter);
    remember(ModuleWalk::buffers(module), TraceValue::Origin::kBuffer);
  });
  for (const Tensor& input : inputs) {
    if (!input.defined()) throw Error(ErrorCode::kInvalidArgument, "an example input is an undefined tensor");
    const auto index = static_cast<int32_t>(trace_.inputs.size());
    trace_.inputs.push_back(add_value(TraceValue::Origin::kInput, index, {}, input));
  }
  current_tracer = this;
}

Tracer::~Tracer() { current_tracer = nullptr; }

ValueId Tracer::add_value(TraceValue::Origin origin, int32_t index, std::string name, const Tensor& tensor) {
  const auto id = static_cast<ValueId>(trace_.values.size());
  trace_.values.push_back({origin, index, std::move(name), tensor.dtype(), tensor.shape(), tensor});
  known_[tensor.identity()] = id;
  const bool varies = origin == TraceValue::Origin::kInput || origin == TraceValue::Origin::kOperator;
  if (varies && tensor.numel() > 0) storage_[tensor.raw()].push_back(tensor.identity());
  return id;
}

ValueId Tracer::value_of(const Tensor& tensor) {
  if (!tensor.defined()) return kNoValue;
  if (const auto known = known_.find(tensor.identity()); known != known_.end()) {
    if (known->second != kSpoiled) return known->second;
    throw Error(ErrorCode::kUnsupported, "the trace cannot follow a tensor of shape " + to_string(tensor.shape()) +
                                             " that shares its elements with one changed in place: do not use in-place functions on it");
  }
  if (const auto state = state_.find(tensor.identity()); state != state_.end()) {
    return add_value(state->second.origin, -1, state->second.name, tensor);
  }
  if (storage_.contains(tensor.raw())) {
    throw Error(ErrorCode::kInvalidArgument,
                "the trace cannot follow a tensor of shape " + to_string(tensor.shape()) +
                    " made from a traced one by a method of Tensor: use the functions of sardonyx/nn/functional.h "
                    "(reshape, flatten) instead");
  }
  return add_value(TraceValue::Origin::kConstant, -1, {}, tensor);
}

void Tracer::record(std::string_view kind, std::span<const Tensor> inputs, TraceAttributes attributes, const Tensor& output) {
  const auto index = static_cast<int32_t>(trace_.ops.size());
  TraceOp op{std::string(kind), scopes_.empty() ? std::string() : scopes_.back(), {}, {}, std::move(attributes)};
  for (const Tensor& input : inputs) op.inputs.push_back(value_of(input));
  if (state_.contains(output.identity())) {
    throw Error(ErrorCode::kUnsupported, "the trace cannot follow a change in place of " + state_.at(output.identity()).name);
  }
  if (known_.contains(output.identity())) spoil_views(output);
  op.outputs.push_back(add_value(TraceValue::Origin::kOperator, index, {}, output));
  trace_.ops.push_back(std::move(op));
}

void Tracer::spoil_views(const Tensor& changed) {
  const auto found = storage_.find(changed.raw());
  if (found == storage_.end()) return;
  for (const void* identity : found->second) known_[identity] = kSpoiled;
  found->second.clear();
}

Trace Tracer::finish(std::span<const Tensor> outputs) {
  for (const Tensor& output : outputs) {
    if (!output.defined()) throw Error(ErrorCode::kInvalidArgument, trace_.root_name + " gave an undefined tensor");
    trace_.outputs.push_back(value_of(output));
  }
  for (TraceValue& value : trace_.values) {
    if (value.origin == TraceValue::Origin::kOperator) value.tensor = {};
  }
  return std::move(trace_);
}

bool Tracer::push(const Module& module) {
  const auto found = segments_.find(&module);
  if (found == segments_.end() || (!stack_.empty() && stack_.back() == &module)) return false;
  stack_.push_back(&module);
  const std::string outer = scopes_.empty() ? std::string() : scopes_.back();
  scopes_.push_back(found->second.empty() ? outer : outer + "/" + found->second);
  return true;
}

void Tracer::pop() noexcept {
  stack_.pop_back();
  scopes_.pop_back();
}

CallScope::CallScope(const Module& module) : pushed_(current_tracer && current_tracer->push(module)) {}

CallScope::~CallScope() {
  if (pushed_ && current_tracer) current_tracer->pop();
}

Trace trace(Module& module, std::vector<Tensor> inputs) {
  for (Tensor& input : inputs) {
    if (input.defined()) input = input.clone();
  }
  std::vector<Tensor> others = inputs;
  const bool varied = std::ranges::all_of(inputs, &Tensor::defined) && disturb(others);
  Trace result = record_forward(module, inputs);
  if (!varied || !result.training_modules.empty()) return result;
  const Trace again = record_forward(module, others);
  if (const std::optional<std::string> difference = first_difference(result, again)) {
    throw Error(ErrorCode::kInvalidArgument, "the trace of " + result.root_name +
                                                 " depends on the values of its inputs: on other values, " + *difference +
                                                 ". Compute what depends on an input by the functions of sardonyx/nn/functional.h, without "
                                                 "branches on values or random numbers");
  }
  return result;
}

std::optional<std::string> first_difference(const Trace& a, const Trace& b) {
  if (auto difference = operator_difference(a, b)) return difference;
  if (a.values.size() != b.values.size()) return "there is another number of values";
  for (size_t i = 0; i < a.values.size(); ++i) {
    const TraceValue &x = a.values[i], &y = b.values[i];
    if (x.origin != y.origin || x.name != y.name || x.index != y.index) return "value " + std::to_string(i) + " comes from elsewhere";
    if (x.origin == TraceValue::Origin::kConstant && !same_elements(x.tensor, y.tensor)) {
      return "a constant of shape " + to_string(x.shape) + " has other elements or another shape";
    }
  }
  return std::nullopt;
}

}  // namespace sardonyx::nn
