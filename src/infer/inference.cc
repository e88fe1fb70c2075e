#include "infer/inference.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "custom/node.h"
#include "infer/function_binding.h"
#include "infer/rules.h"

namespace sardonyx::infer {

namespace {
constexpr int kMaxDepth = 64;  // of subgraphs and functions within each other
constexpr size_t kMaxProblems = 1000;
// Bodies and functions are inferred anew for each use; this bounds the whole.
constexpr size_t kStepsPerNode = 64;
constexpr size_t kLeastSteps = 1 << 16;

std::string function_key(std::string_view domain, std::string_view name, std::string_view overload) {
  return fmt::format("{}\x1f{}\x1f{}", domain == "ai.onnx" ? "" : domain, name, overload);
}

Value tensor_value(const model::TensorData& tensor) {
  Value value;
  value.type = ValueType::tensor(tensor.dtype(), Dims(tensor.dims.begin(), tensor.dims.end()));
  for (Dim& dim : value.type.dims) dim = dim.value() < 0 ? Dim() : dim;
  value.constant = &tensor;
  return value;
}
}  // namespace

class Inference::Place {
 public:
  Place(Inference& inference, std::string where) : inference_(inference) { inference_.path_.push_back(std::move(where)); }
  ~Place() { inference_.path_.pop_back(); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

 private:
  Inference& inference_;
};

const Value* Inference::Scope::find(std::string_view name) const {
  for (const Scope* scope = this; scope != nullptr; scope = scope->outer) {
    const auto found = scope->values.find(name);
    if (found != scope->values.end()) return &found->second;
  }
  return nullptr;
}

Inference::Inference(const model::Model& model, const InferOptions& options, Trust trust)
    : model_(model),
      options_(options),
      trust_(trust),
      state_{nullptr, &model.opset_import, 0, false},
      max_steps_(kLeastSteps + kStepsPerNode * model.graph.node.size()) {
  for (const model::Function& function : model.functions) {
    functions_.emplace(function_key(function.domain, function.name, function.overload), &function);
  }
}

void Inference::run() {
  reserve_names(model_.graph, 0);
  for (const model::Function& function : model_.functions) reserve_names(function.node, 0);
  const Place place(*this, fmt::format("graph '{}'", model_.graph.name));
  declare(model_.graph, main_, false);
  infer_graph(model_.graph, main_);
}

// Symbols that the model uses must not be made anew.
void Inference::reserve_names(const model::Graph& graph, int depth) {
  if (depth > kMaxDepth) {
    throw Error(ErrorCode::kResourceLimit, fmt::format("subgraphs are nested more than {} deep", kMaxDepth));
  }
  for (const auto* list : {&graph.input, &graph.output, &graph.value_info}) {
    for (const model::ValueInfo& value : *list) from_model(value.type, symbols_);
  }
  reserve_names(graph.node, depth);
}

void Inference::reserve_names(const std::vector<model::Node>& nodes, int depth) {
  max_steps_ += kStepsPerNode * nodes.size();
  for (const model::Node& node : nodes) {
    for (const model::Attribute& attribute : node.attribute) {
      if (attribute.g != nullptr) reserve_names(*attribute.g, depth + 1);
      for (const auto& inner : attribute.graphs) reserve_names(*inner, depth + 1);
    }
  }
}

bool Inference::may_be_fed(std::string_view initializer, const Scope& scope) const {
  constexpr int64_t kFirstOverridableIr = 4;
  return trust_ == Trust::kFeeds && &scope == &main_ && model_.ir_version >= kFirstOverridableIr && scope.values.contains(initializer);
}

// Of declared types that nobody is held to, only what inference cannot tell counts: the kind, the element type and the rank.
ValueType Inference::with_declared(const ValueType& declared, const ValueType& inferred) const {
  if (trust_ == Trust::kFile) return merge_types(declared, inferred, symbols_);
  if (inferred.is_known() && (!inferred.is_tensor() || inferred.has_rank)) return inferred;
  ValueType merged = declared;
  std::ranges::fill(merged.dims, Dim());
  return merge_types(merged, inferred, symbols_);
}

void Inference::declare_initializer(const model::TensorData& tensor, Scope& scope) {
  if (may_be_fed(tensor.name, scope)) return;
  Value value = tensor_value(tensor);
  const auto declared = scope.declared.find(tensor.name);
  if (declared != scope.declared.end()) {
    try {
      value.type = merge_types(declared->second, value.type, symbols_);
    } catch (const Contradiction& error) {
      problem({.where = where(),
               .message = fmt::format("initializer '{}': {}", tensor.name, error.what()),
               .kind = InferProblem::Kind::kInitializer,
               .declared = error.declared,
               .inferred = error.inferred});
    }
  }
  if (tensor.data_type != 0 && tensor.dtype() == DType::kUndefined) {
    problem(fmt::format("initializer '{}' has the unknown element type {}", tensor.name, tensor.data_type));
  }
  scope.values.insert_or_assign(tensor.name, std::move(value));
}

// Of an input that is an output too, and declared otherwise as such, ONNX's checker takes the second declaration.
void Inference::prefer_output_types(const model::Graph& graph, Scope& scope) {
  for (const model::ValueInfo& output : graph.output) {
    const auto input = scope.values.find(output.name);
    if (input == scope.values.end() || output.type.absent()) continue;
    ValueType type = from_model(output.type, symbols_);
    try {
      merge_types(type, input->second.type, symbols_);
    } catch (const Contradiction& error) {
      problem(fmt::format("graph output '{}'", output.name), error, true);
      input->second.type = std::move(type);
    }
  }
}

void Inference::declare(const model::Graph& graph, Scope& scope, bool is_body) {
  scope.values.reserve(graph.node.size() + graph.initializer.size() + graph.input.size());
  for (const model::ValueInfo& input : graph.input) {
    ValueType type = from_model(input.type, symbols_);
    scope.declared.insert_or_assign(input.name, type);
    if (!is_body) scope.values.insert_or_assign(input.name, Value{std::move(type), nullptr, nullptr});
  }
  for (const auto* list : {&graph.value_info, &graph.output}) {
    for (const model::ValueInfo& value : *list) {
      if (!value.type.absent()) scope.declared.insert_or_assign(value.name, from_model(value.type, symbols_));
    }
  }
  if (options_.schema_types && !is_body) prefer_output_types(graph, scope);
  for (const model::TensorData& tensor : graph.initializer) declare_initializer(tensor, scope);
  for (const model::SparseTensorData& tensor : graph.sparse_initializer) {
    Value value;
    value.type = ValueType::tensor(tensor.values.dtype(), Dims(tensor.dims.begin(), tensor.dims.end()));
    if (options_.schema_types) value.type.kind = ValueType::Kind::kSparseTensor;
    scope.values.insert_or_assign(tensor.values.name, std::move(value));
  }
}

void Inference::infer_graph(const model::Graph& graph, Scope& scope) {
  GraphResult result;
  const Scope* const before = state_.scope;
  for (const model::Node& node : graph.node) {
    state_.scope = &scope;
    infer_node(node, scope, &result);
  }
  state_.scope = before;
  for (const model::ValueInfo& output : graph.output) result.outputs.push_back(output_of(output, scope).type);
  results_.insert_or_assign(&graph, std::move(result));
}

void Inference::enter(const char* what) {
  if (state_.depth >= kMaxDepth) {
    throw Error(ErrorCode::kResourceLimit, fmt::format("{}: {} are nested more than {} deep", where(), what, kMaxDepth));
  }
}

std::string Inference::where() const { return fmt::format("{}", fmt::join(path_, " / ")); }

void Inference::problem(std::string message, InferProblem::Kind kind) {
  problem({.where = where(), .message = std::move(message), .kind = kind});
}

void Inference::problem(const std::string& subject, const Contradiction& contradiction, bool is_of_given_output) {
  problem({.where = where(),
           .message = fmt::format("{} is {}", subject, contradiction.what()),
           .kind = contradiction.is_of_shapes ? InferProblem::Kind::kShape : InferProblem::Kind::kType,
           .is_of_given_output = is_of_given_output,
           .declared = contradiction.declared,
           .inferred = contradiction.inferred});
}

void Inference::problem(InferProblem found) {
  if (options_.strict) {
    reported_ = true;
    throw Error(ErrorCode::kInvalidModel, fmt::format("{}: {}", found.where, found.message));
  }
  if (report_.problems.size() >= kMaxProblems) return;
  const bool is_known = std::any_of(report_.problems.begin(), report_.problems.end(), [&](const InferProblem& other) {
    return other.message == found.message && other.where == found.where;  // a loop's body is seen more than once
  });
  if (!is_known) report_.problems.push_back(std::move(found));
}

int64_t Inference::imported_version(std::string_view domain) const {
  const bool is_onnx = domain.empty() || domain == "ai.onnx";
  for (const model::OpsetId& import : *state_.imports) {
    if (import.domain == domain || (is_onnx && (import.domain.empty() || import.domain == "ai.onnx"))) return import.version;
  }
  return is_onnx && model_.ir_version < 3 && !state_.in_function ? 1 : 0;
}

const model::Function* Inference::find_function(const model::Node& node) const {
  if (functions_.empty()) return nullptr;
  const auto found = functions_.find(function_key(node.domain, node.op_type, node.overload));
  return found == functions_.end() ? nullptr : found->second;
}

void Inference::infer_node(const model::Node& node, Scope& scope, GraphResult* result) {
  if (++steps_ > max_steps_) {
    throw Error(ErrorCode::kResourceLimit,
                "subgraphs and functions use each other so often that inference takes too long: inline fewer, "
                "or nest them less deeply");
  }
  std::vector<const Value*> inputs;
  inputs.reserve(node.input.size());
  for (const std::string& name : node.input) inputs.push_back(name.empty() ? nullptr : scope.find(name));
  const std::optional<schema::Schema> schema = schema::find(node.domain, node.op_type, imported_version(node.domain));
  const int version = schema ? schema->since_version() : static_cast<int>(schema::kLatestOpset);
  NodeContext context(node, version, std::move(inputs), symbols_, *this);
  const Place place(*this, model::describe(node));
  bool is_inferred = false;
  const State before = state_;
  const size_t calls = calls_.size();
  try {
    if (const model::Function* function = find_function(node)) {
      is_inferred = infer_function(context, *function);
    } else if (schema && !schema->deprecated()) {
      is_inferred = infer_operator(context, *schema);
    } else if (const CustomOp* custom = find_custom(node)) {
      is_inferred = infer_custom(context, *custom);
    } else if (!schema) {
      is_inferred = infer_foreign(context);
    }
  } catch (const Error& error) {
    if (reported_ || error.code() == ErrorCode::kResourceLimit) throw;
    state_ = before;  // where a body or a function was left in the middle
    calls_.resize(calls);
    problem(error.what());
  }
  keep_outputs(context, is_inferred, scope, result);
}

const CustomOp* Inference::find_custom(const model::Node& node) const {
  return options_.custom_ops == nullptr ? nullptr : options_.custom_ops->find(node.domain, node.op_type, imported_version(node.domain));
}

// Its rule is asked only where it can be: the type and the rank of every input are known.
bool Inference::infer_custom(NodeContext& context, const CustomOp& op) {
  const CustomKernel kernel = custom::make_kernel(op, context.node());
  std::vector<TensorFacts> inputs(context.inputs());
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!context.has_input(i)) continue;
    const Dims* dims = context.shape(i);
    if (!dims || context.dtype(i) == DType::kUndefined) return false;
    inputs[i].dtype = context.dtype(i);
    for (const Dim& dim : *dims) inputs[i].shape.push_back(dim.is_known() ? dim.value() : -1);
  }
  const std::vector<TensorFacts> outputs = custom::infer(op, kernel, context.node(), inputs);
  for (size_t i = 0; i < outputs.size(); ++i) {
    context.set_dtype(i, outputs[i].dtype);
    Dims dims;
    for (const int64_t size : outputs[i].shape) dims.push_back(size < 0 ? Dim() : Dim(size));
    context.set_shape(i, std::move(dims));
  }
  return true;
}

bool Inference::infer_operator(NodeContext& context, const schema::Schema& schema) {
  if (!check_types(context, schema)) return false;
  set_default_types(context, schema);
  const Rule rule = find_rule(schema.domain(), schema.name());
  if (rule != nullptr) rule(context);
  if (options_.schema_types) check_output_types(context, schema);
  return true;
}

bool Inference::infer_foreign(NodeContext& context) {
  const Rule rule = find_foreign_rule(context.node().domain, context.node().op_type);
  if (rule == nullptr) return false;
  const DType dtype = context.dtype(0);
  for (size_t i = 0; i < context.outputs() && dtype != DType::kUndefined; ++i) context.set_dtype(i, dtype);
  rule(context);
  return true;
}

namespace {
// The formal parameter of the i-th actual one: the last, if variadic, takes all that follow.
std::optional<schema::Parameter> formal(size_t i, size_t count, const auto& parameter) {
  if (i < count) return parameter(i);
  if (count > 0 && parameter(count - 1).option == schema::Option::kVariadic) return parameter(count - 1);
  return std::nullopt;
}

bool is_type(std::string_view parameter_type) { return parameter_type.find('(') != std::string_view::npos; }
}  // namespace

void Inference::check_output_types(const NodeContext& context, const schema::Schema& schema) {
  for (size_t i = 0; i < context.outputs(); ++i) {
    const auto parameter = formal(i, schema.output_count(), [&](size_t k) { return schema.output(k); });
    if (!parameter) break;
    const std::string type = type_text(context.results()[i].type);
    if (type.empty() || schema.allows(parameter->type, type)) continue;
    problem(fmt::format("output {} ('{}') is {}, which {} version {} does not make", i, parameter->name, type, schema.name(),
                        schema.since_version()),
            InferProblem::Kind::kInput);
  }
}

bool Inference::check_types(const NodeContext& context, const schema::Schema& schema) {
  std::vector<std::pair<std::string_view, std::string>> bound;
  bool is_right = true;
  for (size_t i = 0; i < context.inputs(); ++i) {
    const auto parameter = formal(i, schema.input_count(), [&](size_t k) { return schema.input(k); });
    if (!parameter) break;
    if (context.input(i).is_unmade) {
      problem(fmt::format("input {} ('{}') is an output of a function, none of whose nodes makes it", i, parameter->name));
      is_right = false;
    }
    std::string type = type_text(context.type(i));
    if (type.empty()) continue;
    if (!schema.allows(parameter->type, type)) {
      problem(fmt::format("input {} ('{}') is {}, which {} version {} does not take", i, parameter->name, type, schema.name(),
                          schema.since_version()),
              InferProblem::Kind::kInput);
      is_right = false;
    }
    if (is_type(parameter->type) || (parameter->option == schema::Option::kVariadic && !parameter->homogeneous)) continue;
    const auto other = std::find_if(bound.begin(), bound.end(), [&](const auto& pair) { return pair.first == parameter->type; });
    if (other == bound.end()) {
      bound.emplace_back(parameter->type, std::move(type));
    } else if (other->second != type) {
      problem(fmt::format("input {} ('{}') is {}, an earlier input of the same type parameter {} is {}", i, parameter->name, type,
                          parameter->type, other->second),
              InferProblem::Kind::kInput);
      is_right = false;
    }
  }
  return is_right;
}

namespace {
// "tensor(int64)" as a type; nothing for what is no dense tensor.
std::optional<ValueType> tensor_of(std::string_view text) {
  constexpr std::string_view kPrefix = "tensor(";
  if (!text.starts_with(kPrefix) || !text.ends_with(')')) return std::nullopt;
  const std::optional<DType> dtype = dtype_from_string(text.substr(kPrefix.size(), text.size() - kPrefix.size() - 1));
  return dtype ? std::optional(ValueType::tensor(*dtype)) : std::nullopt;
}
}  // namespace

void Inference::set_default_types(NodeContext& context, const schema::Schema& schema) {
  for (size_t i = 0; i < context.outputs(); ++i) {
    const auto parameter = formal(i, schema.output_count(), [&](size_t k) { return schema.output(k); });
    if (!parameter) break;
    if (is_type(parameter->type)) {
      if (std::optional<ValueType> type = tensor_of(parameter->type)) context.set_type(i, std::move(*type));
      continue;
    }
    if (parameter->option == schema::Option::kVariadic && !parameter->homogeneous) continue;
    for (size_t k = 0; k < context.inputs(); ++k) {
      const auto input = formal(k, schema.input_count(), [&](size_t p) { return schema.input(p); });
      if (!input || input->type != parameter->type || !context.type(k).is_known()) continue;
      ValueType type = context.type(k);
      type.has_rank = false;
      type.dims.clear();
      context.set_type(i, std::move(type));
      break;
    }
  }
}

void Inference::name_unknown(ValueType& type) {
  if (!options_.name_unknown_dims) return;
  for (Dim& dim : type.dims) {
    if (dim.is_unknown()) dim = symbols_.fresh();
  }
}

namespace {
// What can still be said where a rule failed: the kind and the element type.
ValueType without_dims(ValueType type) {
  type.has_rank = false;
  type.dims.clear();
  return type;
}

// Nodes of the subgraphs within a node.
size_t nodes_inside(const model::Node& node) {
  size_t count = 0;
  const auto add = [&](const model::Graph& graph) {
    for (const model::Node& inner : graph.node) count += 1 + nodes_inside(inner);
  };
  for (const model::Attribute& attribute : node.attribute) {
    if (attribute.g != nullptr) add(*attribute.g);
    for (const auto& graph : attribute.graphs) add(*graph);
  }
  return count;
}
}  // namespace

// Elements of all values together are bounded: a node of a few bytes may have a thousand.
bool Inference::may_keep(const Elements& elements) {
  if (elements == nullptr) return true;
  const bool fits = elements->size() <= elements_left_;
  if (fits) elements_left_ -= elements->size();
  return fits;
}

void Inference::keep_outputs(NodeContext& context, bool is_inferred, Scope& scope, GraphResult* result) {
  const model::Node& node = context.node();
  for (size_t i = 0; i < node.output.size(); ++i) {
    const std::string& name = node.output[i];
    if (name.empty()) continue;
    Value value = std::move(context.results()[i]);
    if (!is_inferred) value = {without_dims(std::move(value.type)), nullptr, nullptr};
    const auto declared = scope.declared.find(name);
    if (declared != scope.declared.end()) {
      try {
        value.type = with_declared(declared->second, value.type);
      } catch (const Contradiction& error) {
        problem(fmt::format("output '{}'", name), error);
        value = {trust_ == Trust::kFile ? declared->second : ValueType{}, nullptr, nullptr};
      }
    }
    if (!options_.data_propagation || !may_keep(value.elements)) value.elements = nullptr;
    name_unknown(value.type);
    if (result != nullptr) result->made.emplace_back(name, value.type);
    if (scope.outer == nullptr && !state_.in_function) {
      ++report_.values;
      report_.known += value.type.has_rank || (value.type.is_known() && !value.type.is_tensor());
    }
    scope.values.insert_or_assign(name, std::move(value));
  }
}

Value Inference::output_of(const model::ValueInfo& output, const Scope& scope) {
  const Value* found = scope.find(output.name);
  Value value = found == nullptr ? Value{} : *found;
  const ValueType declared = from_model(output.type, symbols_);
  try {
    value.type = with_declared(declared, value.type);
  } catch (const Contradiction& error) {
    problem(fmt::format("graph output '{}'", output.name), error);
    value = {trust_ == Trust::kFile ? declared : ValueType{}, nullptr, nullptr};
  }
  return value;
}

void Inference::bind_body_inputs(const model::Graph& body, std::span<const Value> inputs, Scope& scope) {
  for (size_t i = 0; i < body.input.size(); ++i) {
    const model::ValueInfo& input = body.input[i];
    Value value = i < inputs.size() ? inputs[i] : Value{};
    const ValueType declared = from_model(input.type, symbols_);
    try {
      value.type = with_declared(declared, value.type);
    } catch (const Contradiction& error) {
      problem(fmt::format("input '{}'", input.name), error);
      value = {declared, nullptr, nullptr};
    }
    name_unknown(value.type);
    scope.values.insert_or_assign(input.name, std::move(value));
  }
}

std::vector<Value> Inference::infer_body(const model::Graph& body, std::string_view attribute, std::span<const Value> inputs) {
  enter("subgraphs");
  const Place place(*this, std::string(attribute));
  if (!inputs.empty() && inputs.size() != body.input.size()) {
    throw Error(ErrorCode::kInvalidModel,
                fmt::format("{} takes {} inputs, the operator gives it {}", attribute, body.input.size(), inputs.size()));
  }
  Scope scope;
  scope.outer = state_.scope;
  ++state_.depth;
  declare(body, scope, true);
  bind_body_inputs(body, inputs, scope);
  infer_graph(body, scope);
  --state_.depth;
  std::vector<Value> outputs;
  for (const model::ValueInfo& output : body.output) outputs.push_back(output_of(output, scope));
  return outputs;
}

bool Inference::infer_function(NodeContext& context, const model::Function& function) {
  enter("functions");
  if (std::find(calls_.begin(), calls_.end(), &function) != calls_.end()) {
    throw Error(ErrorCode::kInvalidModel,
                fmt::format("function '{}.{}' calls itself: functions of a model must not be recursive", function.domain, function.name));
  }
  const Place place(*this, fmt::format("function '{}.{}'", function.domain, function.name));
  Scope scope;
  for (size_t i = 0; i < function.input.size(); ++i) {
    Value& value = scope.values.insert_or_assign(function.input[i], context.input(i)).first->second;
    value.is_absent = !context.has_input(i);
  }
  for (const model::ValueInfo& value : function.value_info) scope.declared.insert_or_assign(value.name, from_model(value.type, symbols_));
  const AttributeValues values = attribute_values(function, context.node());
  calls_.push_back(&function);
  const State before = std::exchange(state_, {nullptr, &function.opset_import, state_.depth + 1, true});
  for (const model::Node& node : function.node) {
    state_.scope = &scope;
    const bool is_bound = has_references(node);
    if (is_bound) steps_ += nodes_inside(node);  // copies cost too
    infer_node(is_bound ? bound_nodes_.emplace_back(bind_attributes(node, values)) : node, scope, nullptr);
  }
  state_ = before;
  calls_.pop_back();
  for (size_t i = 0; i < std::min(context.outputs(), function.output.size()); ++i) {
    if (const Value* value = scope.find(function.output[i])) {
      context.results()[i] = *value;
    } else {
      context.results()[i].is_unmade = true;
    }
  }
  return true;
}

}  // namespace sardonyx::infer
