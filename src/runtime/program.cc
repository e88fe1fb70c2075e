#include "runtime/program.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/parallel.h"
#include "ops/trail.h"
#include "optimize/evaluate.h"
#include "optimize/optimize.h"
#include "optimize/sort.h"
#include "runtime/body.h"

namespace sardonyx::runtime {
namespace {

Error unsupported(std::string message) { return Error(ErrorCode::kUnsupported, std::move(message)); }
Error invalid_model(std::string message) { return Error(ErrorCode::kInvalidModel, std::move(message)); }

ModelMetadata metadata_of(const model::Model& model) {
  ModelMetadata result{.producer_name = model.producer_name,
                       .producer_version = model.producer_version,
                       .graph_name = model.graph.name,
                       .domain = model.domain,
                       .description = model.doc_string,
                       .graph_description = model.graph.doc_string,
                       .version = model.model_version,
                       .ir_version = model.ir_version,
                       .opset_import = {},
                       .custom_metadata_map = {}};
  for (const model::OpsetId& opset : model.opset_import) result.opset_import.emplace_back(opset.domain, opset.version);
  for (const model::StringPair& pair : model.metadata_props) result.custom_metadata_map.emplace_back(pair.key, pair.value);
  return result;
}

model::Model& checked(model::Model& model) {
  if (!model.has_graph) throw invalid_model("the model has no graph");
  return model;
}

// Why the node cannot run on any back end, or "".
std::string refusal(const model::Node& node, const model::Model& model) {
  for (const model::Function& function : model.functions) {
    if (function.name == node.op_type && function.domain == node.domain) {
      return fmt::format("it calls the model-local function '{}' of domain '{}'; inline the functions of the model first", function.name,
                         function.domain);
    }
  }
  return "";
}

}  // namespace

std::string ProgramNode::label() const { return node.name.empty() && !node.output.empty() ? node.output[0] : node.name; }

std::string ProgramNode::op() const {
  return node.domain.empty() || node.domain == "ai.onnx" ? node.op_type : node.domain + "." + node.op_type;
}

std::string ProgramNode::where() const { return ops::trail(node, opset); }

Program::Program(model::Model model, const Backend& backend, const SessionOptions& options, ProgramShare share)
    : metadata_(metadata_of(model)),
      signature_(checked(model), options.free_dimension_overrides),
      guards_memory_(options.guard_memory),
      share_(std::move(share)) {
  load(model, {model, backend, options});
}

Program::Program(model::Model model, std::vector<std::pair<std::string, Tensor>> captured, const Backend& backend,
                 const SessionOptions& options, ProgramShare share)
    : metadata_(metadata_of(model)), signature_(checked(model).graph), guards_memory_(options.guard_memory), share_(std::move(share)) {
  for (model::ValueInfo& input : model.graph.input) input.type = {};  // nothing holds what is handed in to what a body declares
  for (auto& [name, tensor] : captured) {
    set_constant(value_id(name), std::move(tensor));
    model::ValueInfo& around = model.graph.input.emplace_back();  // for the optimiser, to which it is a value from elsewhere
    around.name = name;
  }
  load(model, {model, backend, options});
}

// It began where the last one ended.
void Program::note_phase(std::string name) {
  using std::chrono::duration, std::chrono::steady_clock;
  LoadPhase& phase = phases_.emplace_back(LoadPhase{std::move(name), phase_start_, 0});
  phase_start_ = steady_clock::now();
  phase.seconds = duration<double>(phase_start_ - phase.start).count();
}

void Program::load(model::Model& model, const Source& source) {
  const auto enabled = [&](std::string_view pass) {
    return optimize::is_enabled(pass, source.options.graph_optimization_level, source.options.disabled_passes);
  };
  chain_policy_.enabled = enabled("tile_chains");
  winograd_ = enabled("winograd");
  passes_ = optimize::optimize(model, source.options.graph_optimization_level, source.options.disabled_passes);
  note_phase("optimize");
  for (size_t i = 0; i < signature_.inputs().size(); ++i) {
    values_[static_cast<size_t>(value_id(signature_.inputs()[i].arg.name))].input = static_cast<int32_t>(i);
  }
  add_constants(model.graph);
  add_nodes(model, source);
  add_outputs(model.graph);
  ids_ = {};
  release_consumed();
  note_phase("prepare");
}

ValueId Program::value_id(const std::string& name) {
  if (name.empty()) return kAbsent;
  const auto [entry, is_new] = ids_.emplace(name, static_cast<ValueId>(values_.size()));
  if (is_new) values_.push_back({.name = name, .shape = {}, .constant = {}});
  return entry->second;
}

void Program::set_constant(ValueId id, Tensor tensor) {
  ProgramValue& value = values_[static_cast<size_t>(id)];
  value.is_constant = true;
  value.dtype = tensor.dtype();
  value.shape = tensor.shape();
  value.constant = std::move(tensor);
}

void Program::add_constants(const model::Graph& graph) {
  for (const model::TensorData& tensor : graph.initializer) {
    const ValueId id = value_id(tensor.name);
    if (id == kAbsent) throw invalid_model("an initializer has no name");
    if (values_[static_cast<size_t>(id)].input >= 0) continue;  // may be fed: not a constant
    with_trail([&] { return fmt::format("initializer '{}'", tensor.name); }, [&] { set_constant(id, model::decode(tensor)); });
  }
  for (const model::SparseTensorData& tensor : graph.sparse_initializer) {
    const ValueId id = value_id(tensor.values.name);
    if (id == kAbsent) throw invalid_model("a sparse initializer has no name");
    with_trail([&] { return fmt::format("sparse initializer '{}'", tensor.values.name); },
               [&] { set_constant(id, model::decode(tensor)); });
  }
}

void Program::add_nodes(model::Model& model, const Source& source) {
  nodes_.reserve(model.graph.node.size());
  std::vector<model::Node> nodes = std::move(model.graph.node);
  for (model::Node& node : nodes) add_node(std::move(node), source);
}

void Program::add_node(model::Node node, const Source& source) {
  ProgramNode& added = nodes_.emplace_back();
  added.node = std::move(node);
  added.opset = source.model.opset_version(added.node.domain);
  added.deterministic = !optimize::has_subgraph(added.node) && optimize::is_deterministic(added.node, added.opset);
  with_trail([&] { return added.where(); },
             [&] {
               if (added.opset == 0) throw invalid_model(fmt::format("the model imports no opset of domain '{}'", added.node.domain));
               std::string reason = refusal(added.node, source.model);
               if (reason.empty()) reason = source.backend.refusal(added.node, added.opset);
               if (!reason.empty()) throw unsupported(std::move(reason));
             });
  for (const std::string& input : added.node.input) added.inputs.push_back(value_id(input));
  const auto bodies = compile_bodies(added, source);
  for (const std::string& output : added.node.output) added.outputs.push_back(value_id(output));
  std::vector<const Tensor*> constants;
  for (const ValueId id : added.inputs) {
    const bool is_constant = id != kAbsent && values_[static_cast<size_t>(id)].is_constant;
    constants.push_back(is_constant ? &values_[static_cast<size_t>(id)].constant : nullptr);
  }
  constants.resize(added.node.input.size());
  std::vector<ops::NodeBody> held;
  for (const auto& [attribute, body] : bodies) held.push_back({attribute, body});
  added.prepared = source.backend.prepare({added.node, added.opset, constants, held});
  if (evaluate(added)) nodes_.pop_back();
}

std::vector<std::pair<std::string, std::shared_ptr<const ops::Body>>> Program::compile_bodies(ProgramNode& node, const Source& source) {
  std::vector<std::pair<std::string, std::shared_ptr<const ops::Body>>> bodies;
  for (model::Attribute& attribute : node.node.attribute) {
    if (!attribute.g) continue;
    with_trail([&] { return fmt::format("{}: graph {}", node.where(), attribute.name); },
               [&] { bodies.emplace_back(attribute.name, compile_body(*attribute.g, node, source)); });
  }
  return bodies;
}

// The position among the node's inputs at which a value from around comes in.
size_t Program::capture(ValueId id, ProgramNode& node) {
  const auto own = static_cast<ptrdiff_t>(node.node.input.size());
  const auto found = std::find(node.inputs.begin() + own, node.inputs.end(), id);
  const auto position = static_cast<size_t>(found - node.inputs.begin());
  if (found == node.inputs.end()) node.inputs.push_back(id);
  return position;
}

std::shared_ptr<const ops::Body> Program::compile_body(model::Graph graph, ProgramNode& node, const Source& source) {
  ProgramBody::Parts parts;
  parts.own_inputs = graph.input.size();
  for (const std::string_view name : optimize::outer_names(graph)) {
    const auto found = ids_.find(std::string(name));
    if (found == ids_.end()) throw invalid_model(fmt::format("it reads '{}', which neither it nor a graph around it has", name));
    const ProgramValue& value = values_[static_cast<size_t>(found->second)];
    if (value.is_constant) {
      parts.constants.emplace_back(name, value.constant);
    } else {
      model::ValueInfo captured;
      captured.name = name;
      graph.input.push_back(std::move(captured));
      parts.captured.push_back(capture(found->second, node));
    }
  }
  parts.model.ir_version = source.model.ir_version;
  parts.model.opset_import = source.model.opset_import;
  parts.model.has_graph = true;
  parts.model.graph = std::move(graph);
  auto body = std::make_shared<ProgramBody>(std::move(parts), source.backend, source.options, share_);
  for (size_t i = 0; i < passes_.size(); ++i) {
    const PassReport& inner = body->program().passes()[i];
    passes_[i].rewrites += inner.rewrites;
    passes_[i].refusals.insert(passes_[i].refusals.end(), inner.refusals.begin(), inner.refusals.end());
  }
  return body;
}

// A node without inputs (Constant) becomes constants right away, so that the nodes behind it can pack them.
bool Program::evaluate(const ProgramNode& node) {
  if (!node.inputs.empty() || !node.deterministic) return false;
  const auto results = with_trail([&] { return node.where(); },
                                  [&] { return optimize::run_on_constants(*node.prepared, {}, SIZE_MAX, core::shared_pool()); });
  for (size_t i = 0; i < node.outputs.size() && i < results->size(); ++i) {
    if (node.outputs[i] != kAbsent && (*results)[i].defined()) set_constant(node.outputs[i], (*results)[i]);
  }
  return true;
}

void Program::add_outputs(const model::Graph& graph) {
  for (const model::ValueInfo& output : graph.output) {
    const size_t known = values_.size();
    const ValueId id = value_id(output.name);
    if (id == kAbsent || values_.size() != known) {
      throw invalid_model(fmt::format("graph output '{}' is produced by no node, initializer or graph input", output.name));
    }
    outputs_.push_back({output.name, output.type});
    output_values_.push_back(id);
  }
}

// Lets go of constants that only nodes read which have taken them over, or nobody at all.
void Program::release_consumed() {
  std::vector<bool> needed(values_.size(), false);
  for (const ValueId id : output_values_) needed[static_cast<size_t>(id)] = true;
  for (const ProgramNode& node : nodes_) {
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (node.inputs[i] != kAbsent && !node.prepared->consumed_constant(i)) needed[static_cast<size_t>(node.inputs[i])] = true;
    }
  }
  for (size_t i = 0; i < values_.size(); ++i) {
    if (!needed[i]) values_[i].constant = Tensor();
  }
}

}  // namespace sardonyx::runtime
