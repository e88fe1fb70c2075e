// Inlining of a model's own functions.
//
// A call is replaced in two steps: the body is instantiated (copied with the names and attributes of the call), then the copy is searched
// for calls itself. Graphs that a call passes as attributes belong to the caller: they are searched before they are passed, and never
// renamed. Every node that is copied or passed counts against the budget, so that functions that double at each level end in an error.
#include <algorithm>
#include <optional>
#include <set>

#include "edit/rename.h"
#include "schema/schema.h"

namespace sardonyx {

namespace edit {
namespace {
using model::Attribute;
using model::Function;
using model::Graph;
using model::Model;
using model::Node;
using model::ValueInfo;

constexpr int kMaxCalls = 256;  // functions within each other

[[noreturn]] void invalid(std::string message) { throw Error(ErrorCode::kInvalidModel, std::move(message)); }

// ---- What the copies cost ----

size_t bytes_of(const model::TensorData& tensor) {
  return sizeof(tensor) + tensor.name.size() + 4 * (tensor.float_data.size() + tensor.int32_data.size()) +
         8 * (tensor.int64_data.size() + tensor.double_data.size() + tensor.uint64_data.size() + tensor.dims.size()) +
         sizeof(model::Bytes) * tensor.string_data.size();
}

size_t bytes_of(const Attribute& attribute) {
  size_t bytes = sizeof(attribute) + attribute.name.size() + 4 * attribute.floats.size() + 8 * attribute.ints.size() +
                 sizeof(model::Bytes) * attribute.strings.size() + sizeof(model::Type) * attribute.type_protos.size();
  for (const model::TensorData& tensor : attribute.tensors) bytes += bytes_of(tensor);
  for (const model::SparseTensorData& tensor : attribute.sparse_tensors) bytes += bytes_of(tensor.values) + bytes_of(tensor.indices);
  return bytes;
}

size_t bytes_of(const Node& node) {
  size_t bytes = sizeof(node) + node.name.size() + node.op_type.size() + node.domain.size() + node.doc_string.size();
  for (const auto* names : {&node.input, &node.output}) {
    for (const std::string& name : *names) bytes += sizeof(name) + name.size();
  }
  for (const Attribute& attribute : node.attribute) bytes += bytes_of(attribute);
  for (const model::StringPair& pair : node.metadata_props) bytes += sizeof(pair) + pair.key.size() + pair.value.size();
  return bytes;
}

class Budget {
 public:
  explicit Budget(const InlineOptions& options) : options_(options) {}

  void charge(const Node& node) {
    ++nodes_;
    charge_bytes(bytes_of(node));
  }
  void charge(const Graph& graph) {  // the graph without its nodes
    size_t bytes = sizeof(graph);
    for (const model::TensorData& tensor : graph.initializer) bytes += bytes_of(tensor);
    for (const model::SparseTensorData& tensor : graph.sparse_initializer) bytes += bytes_of(tensor.values) + bytes_of(tensor.indices);
    for (const auto* list : {&graph.input, &graph.output, &graph.value_info}) bytes += list->size() * sizeof(ValueInfo);
    charge_bytes(bytes);
  }
  // A graph that is handed on as it is: shared in memory, but written and run where it stands.
  void charge_passed(const Attribute& attribute) {
    const auto passed = [&](const Graph& graph) { for_each_node(graph.node, [&](const Node& node) { charge(node); }); };
    if (attribute.g != nullptr) passed(*attribute.g);
    for (const auto& graph : attribute.graphs) passed(*graph);
  }

 private:
  void charge_bytes(size_t bytes) {
    bytes_ += bytes;
    if (nodes_ > options_.max_nodes || bytes_ > options_.max_bytes) {
      throw Error(ErrorCode::kResourceLimit,
                  fmt::format("inlining adds more than {} nodes or {} bytes: raise the limits, or inline fewer functions by a filter",
                              options_.max_nodes, options_.max_bytes));
    }
  }

  const InlineOptions& options_;
  size_t nodes_ = 0, bytes_ = 0;
};

// ---- Which functions, and whether they end ----

using FunctionTable = std::map<FunctionKey, const Function*>;

const Function* callee_of(const Node& node, const FunctionTable& table) {
  const auto found = table.find(key_of(node));
  return found == table.end() ? nullptr : found->second;
}

std::vector<const Function*> callees(const Function& function, const FunctionTable& table) {
  std::set<const Function*> found;
  const auto note = [&](const Node& node) {
    if (const Function* callee = callee_of(node, table)) found.insert(callee);
  };
  for_each_node(function.node, note);
  for (const Attribute& attribute : function.attribute_proto) {
    if (attribute.g != nullptr) for_each_node(attribute.g->node, note);
    for (const auto& graph : attribute.graphs) for_each_node(graph->node, note);
  }
  return {found.begin(), found.end()};
}

void expect_no_recursion(const FunctionTable& table) {
  struct Frame {
    const Function* function;
    std::vector<const Function*> left;
  };
  enum class State { kOpen, kDone };
  std::unordered_map<const Function*, State> states;
  std::vector<Frame> stack;
  const auto open = [&](const Function* function) {
    states[function] = State::kOpen;
    stack.push_back({function, callees(*function, table)});
  };
  for (const auto& entry : table) {
    if (!states.contains(entry.second)) open(entry.second);
    while (!stack.empty()) {
      Frame& top = stack.back();
      if (top.left.empty()) {
        states[top.function] = State::kDone;
        stack.pop_back();
        continue;
      }
      const Function* next = top.left.back();
      top.left.pop_back();
      const auto state = states.find(next);
      if (state == states.end()) {
        open(next);
      } else if (state->second == State::kOpen) {
        invalid(fmt::format("{} calls {}, which leads back to it: functions that call themselves cannot be inlined",
                            describe(*top.function), describe(*next)));
      }
    }
  }
}

// ---- One call ----

// The body of a function as it stands for one call.
class Instance {
 public:
  Instance(const Function& function, const Node& call, UniqueNames& names, UniqueNames& calls, Budget& budget)
      : function_(function), call_(call), names_(names), budget_(budget) {
    prefix_ = calls.make(call.name.empty() ? function.name : call.name);
    if (call.input.size() > function.input.size() || call.output.size() > function.output.size()) {
      invalid(fmt::format("the call has {} inputs and {} outputs, the function {} and {}", call.input.size(), call.output.size(),
                          function.input.size(), function.output.size()));
    }
    bind_values();
  }

  std::vector<Node> nodes() {
    std::vector<Node> body;
    body.reserve(function_.node.size() + copies_.size());
    for (const Node& node : function_.node) body.push_back(instantiate(node));
    for (const auto& [from, to] : copies_) {
      Node& copy = body.emplace_back();
      copy.op_type = "Identity";
      copy.input = {from};
      copy.output = {to};
      budget_.charge(copy);
    }
    return body;
  }

  bool copies_values() const { return !copies_.empty(); }

  // What the function tells of its inner values.
  void add_value_info(std::vector<ValueInfo>& infos) const {
    for (const ValueInfo& value : function_.value_info) {
      const auto found = inner_.find(value.name);
      if (found == inner_.end()) continue;
      ValueInfo& added = infos.emplace_back(value);
      added.name = found->second;
      own_symbols(added.type);
    }
  }

 private:
  void bind_values() {
    NameMap& top = scopes_.emplace_back();
    for (size_t i = 0; i < function_.input.size(); ++i) {
      const std::string actual = i < call_.input.size() ? call_.input[i] : std::string();
      if (!top.emplace(function_.input[i], actual).second) invalid(fmt::format("the function has two inputs '{}'", function_.input[i]));
    }
    NameSet made;
    for (const Node& node : function_.node) {
      for (const std::string& name : node.output) {
        if (name.empty()) continue;
        if (top.contains(name) || !made.insert(name).second) invalid(fmt::format("the function defines '{}' twice", name));
      }
    }
    bind_outputs(top, made);
    for (const std::string_view name : made) {
      const std::string key(name);
      if (!top.contains(key)) inner_[key] = top[key] = names_.make(fmt::format("{}/{}", prefix_, name));
    }
  }

  void bind_outputs(NameMap& top, const NameSet& made) {
    std::vector<std::pair<std::string, std::string>> handed_on;
    for (size_t i = 0; i < function_.output.size(); ++i) {
      const std::string& formal = function_.output[i];
      if (!made.contains(formal) && !top.contains(formal)) invalid(fmt::format("nothing in the function defines its output '{}'", formal));
      if (i >= call_.output.size() || call_.output[i].empty()) continue;
      // An input handed on, or one value given as two outputs, needs a copy to have two names.
      if (!top.emplace(formal, call_.output[i]).second) handed_on.emplace_back(formal, call_.output[i]);
    }
    for (const auto& [formal, actual] : handed_on) {
      const std::string& from = top.at(formal);
      if (from.empty()) invalid(fmt::format("the function hands on its input '{}', which the call leaves out", formal));
      copies_.emplace_back(from, actual);
    }
  }

  const std::string* find(const std::string& name) const {
    for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
      const auto found = scope->find(name);
      if (found != scope->end()) return &found->second;
    }
    return nullptr;
  }

  std::string translate(const std::string& name) const {
    if (name.empty()) return name;
    const std::string* found = find(name);
    if (found == nullptr) invalid(fmt::format("the function uses '{}', which it does not define", name));
    return *found;
  }

  // Symbols of the function mean sizes of this call only.
  void own_symbols(model::Type& type) const {
    change_dims(type, [&](model::Dimension& dim) { return own_symbol(dim); });
  }
  bool own_symbol(model::Dimension& dim) const {
    if (!dim.is_symbol() || dim.symbol().empty()) return false;
    dim.value = fmt::format("{}/{}", prefix_, dim.symbol());
    return true;
  }

  Node instantiate(const Node& node) {
    Node copy = node;
    copy.attribute.clear();
    if (!copy.name.empty()) copy.name = fmt::format("{}/{}", prefix_, copy.name);
    for_each_name_of(copy, [&](std::string& name) { name = translate(name); });
    for (const Attribute& attribute : node.attribute) {
      if (std::optional<Attribute> bound = bind(attribute)) copy.attribute.push_back(*std::move(bound));
    }
    budget_.charge(copy);
    return copy;
  }

  // Nothing where the attribute refers to one that neither the call nor the function gives.
  std::optional<Attribute> bind(const Attribute& attribute) {
    if (attribute.ref_attr_name.empty()) return own_copy(attribute);
    const auto& defaults = function_.attribute_proto;
    const Attribute* given = call_.find_attribute(attribute.ref_attr_name);
    const auto fallback =
        std::find_if(defaults.begin(), defaults.end(), [&](const Attribute& a) { return a.name == attribute.ref_attr_name; });
    if (given == nullptr && fallback == defaults.end()) return std::nullopt;
    const Attribute& source = given != nullptr ? *given : *fallback;
    if (attribute.type != Attribute::Type::kUndefined && attribute.type != source.type) {
      invalid(fmt::format("attribute '{}' is of type {}, where the function needs {}", source.name, to_string(source.type),
                          to_string(attribute.type)));
    }
    if (given != nullptr) budget_.charge_passed(source);
    Attribute bound = given != nullptr ? source : own_copy(source);
    bound.name = attribute.name;
    return bound;
  }

  Attribute own_copy(const Attribute& attribute) {
    Attribute copy = attribute;
    if (copy.g != nullptr) copy.g = std::make_shared<Graph>(instantiate(*copy.g));
    for (auto& graph : copy.graphs) graph = std::make_shared<Graph>(instantiate(*graph));
    if (copy.tp != nullptr) {
      copy.tp = std::make_shared<model::Type>(*copy.tp);
      own_symbols(*copy.tp);
    }
    for (model::Type& type : copy.type_protos) own_symbols(type);
    return copy;
  }

  Graph instantiate(const Graph& graph) {
    expect_depth(static_cast<int>(scopes_.size()), "subgraphs");
    budget_.charge(graph);
    NameMap& scope = scopes_.emplace_back();
    for_each_definition(graph, [&](const std::string& name) {
      if (!scope.contains(name)) scope.emplace(name, names_.make(fmt::format("{}/{}", prefix_, name)));
    });
    Graph copy = graph;
    copy.node.clear();
    for_each_name(copy, [&](std::string& name) {
      if (const std::string* found = find(name)) name = *found;
    });
    for (size_t i = 0; i < copy.output.size(); ++i) {
      copy.output[i].name = translate(graph.output[i].name);
      if (copy.output[i].name.empty()) invalid(fmt::format("a subgraph gives '{}', which the call leaves out", graph.output[i].name));
    }
    change_dims_of(copy, [&](model::Dimension& dim) { return own_symbol(dim); });
    for (const Node& node : graph.node) copy.node.push_back(instantiate(node));
    scopes_.pop_back();
    return copy;
  }

  const Function& function_;
  const Node& call_;
  UniqueNames& names_;
  Budget& budget_;
  std::string prefix_;
  std::vector<NameMap> scopes_;                              // innermost last; the first holds parameters and inner values
  NameMap inner_;                                            // the function's inner values
  std::vector<std::pair<std::string, std::string>> copies_;  // values that need a second name
};

// ---- Where functions are inlined ----

// The opsets of what takes the bodies in: the model, or a function that stays.
class Home {
 public:
  Home(std::vector<model::OpsetId>& imports, int64_t ir_version, std::string what, const FunctionTable& all)
      : imports_(imports), what_(std::move(what)), all_(all) {
    constexpr int64_t kFirstIrWithOpsets = 3;
    if (imports_.empty() && ir_version < kFirstIrWithOpsets) implied_ = 1;
  }

  void accept(const Function& function) {
    if (!accepted_.insert(&function).second) return;
    for_each_node(function.node, [&](const Node& node) { accept(function, node); });
  }

  void expect_identity() const {
    if (version_of(imports_, "") == 0 && implied_ == 0) {
      invalid(fmt::format("the function hands a value on, for which {} needs ai.onnx's Identity: import ai.onnx", what_));
    }
  }

 private:
  static int64_t version_of(const std::vector<model::OpsetId>& imports, std::string_view domain) {
    for (const model::OpsetId& id : imports) {
      if (plain_domain(id.domain) == domain) return id.version;
    }
    return 0;
  }

  void accept(const Function& function, const Node& node) {
    const std::string_view domain = plain_domain(node.domain);
    const int64_t theirs = version_of(function.opset_import, domain);
    if (theirs == 0) return;  // the checker's business: it was not imported before either
    const int64_t ours = domain.empty() && implied_ != 0 ? implied_ : version_of(imports_, domain);
    if (ours == theirs) return;
    if (ours == 0) {
      model::OpsetId& id = imports_.emplace_back();
      id.domain = domain;
      id.version = theirs;
    } else if (!all_.contains(key_of(node)) && !same_operator(domain, node.op_type, ours, theirs)) {
      refuse(
          fmt::format("{} imports version {} of {}, {} version {}, and {} is not the same in both: convert one of them to the opset of "
                      "the other first",
                      describe(function), theirs, shown_domain(domain), what_, ours, node.op_type));
    }
  }

  static bool same_operator(std::string_view domain, std::string_view op_type, int64_t a, int64_t b) {
    const auto first = schema::find(domain, op_type, a), second = schema::find(domain, op_type, b);
    return first && second && first->since_version() == second->since_version();
  }

  std::vector<model::OpsetId>& imports_;
  std::string what_;
  const FunctionTable& all_;
  int64_t implied_ = 0;
  std::unordered_set<const Function*> accepted_;
};

class Inliner {
 public:
  Inliner(const FunctionTable& table, Home& home, UniqueNames& names, UniqueNames& calls, Budget& budget)
      : table_(table), home_(home), names_(names), calls_(calls), budget_(budget) {}

  void process(std::vector<Node>& nodes, std::vector<ValueInfo>& infos) {
    if (!has_call(nodes)) return;
    std::vector<Node> result;
    result.reserve(nodes.size());
    for (Node& node : nodes) place(std::move(node), result, infos);
    nodes = std::move(result);
  }

 private:
  bool has_call(const std::vector<Node>& nodes) const {
    bool found = false;
    for_each_node(nodes, [&](const Node& node) { found = found || callee_of(node, table_) != nullptr; });
    return found;
  }

  void process_subgraphs(Node& node) {
    expect_depth(++depth_, "subgraphs");
    for (Attribute& attribute : node.attribute) {
      if (attribute.g != nullptr && has_call(attribute.g->node)) process(own(attribute.g).node, attribute.g->value_info);
      for (auto& graph : attribute.graphs) {
        if (has_call(graph->node)) process(own(graph).node, graph->value_info);
      }
    }
    --depth_;
  }

  void place(Node node, std::vector<Node>& result, std::vector<ValueInfo>& infos) {
    process_subgraphs(node);
    const Function* function = callee_of(node, table_);
    if (function == nullptr) {
      result.push_back(std::move(node));
      return;
    }
    if (++open_calls_ > kMaxCalls)
      throw Error(ErrorCode::kResourceLimit, fmt::format("functions call each other more than {} deep", kMaxCalls));
    std::vector<Node> body = with_trail([&] { return fmt::format("{}, {}", model::describe(node), describe(*function)); },
                                        [&] {
                                          home_.accept(*function);
                                          Instance instance(*function, node, names_, calls_, budget_);
                                          if (instance.copies_values()) home_.expect_identity();
                                          instance.add_value_info(infos);
                                          return instance.nodes();
                                        });
    for (Node& inner : body) place(std::move(inner), result, infos);
    --open_calls_;
  }

  const FunctionTable& table_;
  Home& home_;
  UniqueNames& names_;
  UniqueNames& calls_;
  Budget& budget_;
  int depth_ = 0, open_calls_ = 0;
};

FunctionTable table_of(const Model& model, const std::function<bool(const Function&)>& filter) {
  FunctionTable table;
  for (const Function& function : model.functions) {
    if (!filter || filter(function)) table.emplace(key_of(function), &function);
  }
  return table;
}

void inline_into_graphs(Model& model, const FunctionTable& table, const FunctionTable& all, Budget& budget) {
  Home home(model.opset_import, model.ir_version, "the model", all);
  UniqueNames names, calls;
  for (const std::string_view name : value_names(model)) names.take(name);
  for_each_graph_of(model, [&](const Graph& graph) {
    for (const Node& node : graph.node) {
      if (callee_of(node, table) == nullptr) calls.take(node.name);
    }
  });
  Inliner inliner(table, home, names, calls, budget);
  inliner.process(model.graph.node, model.graph.value_info);
  for (model::TrainingInfo& training : model.training_info) {
    inliner.process(training.initialization.node, training.initialization.value_info);
    inliner.process(training.algorithm.node, training.algorithm.value_info);
  }
}

void inline_into_function(Function& function, int64_t ir_version, const FunctionTable& table, const FunctionTable& all, Budget& budget) {
  Home home(function.opset_import, ir_version, describe(function), all);
  UniqueNames names, calls;
  for (const auto* list : {&function.input, &function.output}) {
    for (const std::string& name : *list) names.take(name);
  }
  for_each_node(std::as_const(function.node), [&](const Node& node) {
    for_each_name_of(node, [&](const std::string& name) { names.take(name); });
    for_each_subgraph(node, [&](const Graph& graph) { for_each_name(graph, [&](const std::string& name) { names.take(name); }); });
    if (callee_of(node, table) == nullptr) calls.take(node.name);
  });
  Inliner(table, home, names, calls, budget).process(function.node, function.value_info);
}

}  // namespace
}  // namespace edit

model::Model inline_functions(const model::Model& model, const InlineOptions& options) {
  using namespace edit;
  const FunctionTable all = table_of(model, nullptr), table = table_of(model, options.filter);
  model::Model result = model;
  if (table.empty()) return result;
  expect_no_recursion(table);
  Budget budget(options);
  result.functions.clear();
  for (const model::Function& function : model.functions) {
    const auto selected = table.find(key_of(function));
    if (selected == table.end()) result.functions.push_back(function);
  }
  inline_into_graphs(result, table, all, budget);
  for (model::Function& function : result.functions) inline_into_function(function, model.ir_version, table, all, budget);
  return result;
}

}  // namespace sardonyx
