// From one opset to another, one version after the other: in each, the nodes whose operator changes go through their adapter.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <tuple>

#include "convert/adapters.h"
#include "convert/ir_version.h"
#include "convert/leftovers.h"
#include "convert/names.h"
#include "convert/scope.h"
#include "sardonyx/convert.h"
#include "sardonyx/infer.h"
#include "schema/schema.h"

namespace sardonyx {

namespace convert {
namespace {
bool is_onnx(std::string_view domain) { return domain.empty() || domain == "ai.onnx"; }

int64_t imported_opset(const std::vector<model::OpsetId>& imports) {
  const auto found = std::find_if(imports.begin(), imports.end(), [](const model::OpsetId& id) { return is_onnx(id.domain); });
  return found == imports.end() ? 0 : found->version;
}

void import_opset(std::vector<model::OpsetId>& imports, int64_t version) {
  for (model::OpsetId& import : imports) {
    if (is_onnx(import.domain)) import.version = version;
  }
  if (imported_opset(imports) != 0) return;
  model::OpsetId id;
  id.version = version;
  imports.push_back(std::move(id));
}

// Adapters rely on the inputs and outputs that the operator's schema asks for.
void expect_counts(const model::Node& node, int64_t opset) {
  const std::optional<schema::Schema> schema = schema::find("", node.op_type, opset);
  if (!schema) return;
  const auto require = [&](bool is_right, std::string_view what, size_t count) {
    if (is_right) return;
    throw Error(ErrorCode::kInvalidModel, fmt::format("{}: {} version {} does not take {} {}: check the model first", describe(node),
                                                      node.op_type, schema->since_version(), count, what));
  };
  require(node.input.size() >= schema->min_inputs() && node.input.size() <= schema->max_inputs(), "inputs", node.input.size());
  require(node.output.size() >= schema->min_outputs() && node.output.size() <= schema->max_outputs(), "outputs", node.output.size());
  for (size_t i = 0; i < std::min(node.input.size(), schema->input_count()); ++i) {
    if (!node.input[i].empty() || schema->input(i).option != schema::Option::kSingle) continue;
    throw Error(ErrorCode::kInvalidModel, fmt::format("{}: its input {} ('{}') is left out, but required: check the model first",
                                                      describe(node), i, schema->input(i).name));
  }
}

// Carries the graphs and functions of one model over one step between neighbouring opsets.
class StepConverter {
 public:
  StepConverter(const model::Model& model, Names& names, int64_t from, int64_t to) : model_(model), names_(names), from_(from), to_(to) {
    for (const model::Function& function : model.functions) functions_.emplace(function.domain, function.name, function.overload);
  }

  bool changes(const std::vector<model::Node>& nodes) const {
    return std::any_of(nodes.begin(), nodes.end(), [&](const model::Node& node) {
      if (is_own(node) && step_of(node) != nullptr) return true;
      return std::any_of(node.attribute.begin(), node.attribute.end(), [&](const model::Attribute& attribute) {
        const auto within = [&](const auto& graph) { return changes(graph->node); };
        return (attribute.g != nullptr && within(attribute.g)) || std::any_of(attribute.graphs.begin(), attribute.graphs.end(), within);
      });
    });
  }

  void convert(model::Graph& graph, const KnownTypes* types, const Scope* outer) {
    Scope scope(graph, model_.ir_version, types, outer);
    Output output = convert(graph.node, types, scope);
    graph.node = std::move(output.nodes);
    for (model::TensorData& tensor : output.initializers) graph.initializer.push_back(std::move(tensor));
  }

  void convert(model::Function& function, const KnownTypes* types) {
    Scope scope(function, types);
    function.node = convert(function.node, types, scope).nodes;
  }

 private:
  // Whether a node's operator is one of ai.onnx, not a function of the model.
  bool is_own(const model::Node& node) const {
    return is_onnx(node.domain) && functions_.count({node.domain, node.op_type, node.overload}) == 0;
  }

  // The step that the node takes between the two opsets; null where its operator stays as it is.
  const Step* step_of(const model::Node& node) const {
    const auto low = schema::find("", node.op_type, std::min(from_, to_)), high = schema::find("", node.op_type, std::max(from_, to_));
    if (!(from_ < to_ ? low : high)) {
      throw Error(ErrorCode::kInvalidModel, fmt::format("{}: opset {} has no such operator", describe(node), from_));
    }
    if (low && low->since_version() == high->since_version()) return nullptr;
    const Step* step = find_step(node.op_type, high->since_version());
    if (step == nullptr || step->older != (low ? low->since_version() : 0)) {
      throw Error(ErrorCode::kUnsupported, fmt::format("{}: the step between opsets {} and {} is not known here; the nearest opset is {}",
                                                       describe(node), from_, to_, from_));
    }
    return step;
  }

  Output convert(const std::vector<model::Node>& nodes, const KnownTypes* types, Scope& scope) {
    Output output;
    for (const model::Node& node : nodes) {
      model::Node copy = node;
      convert_bodies(copy, types, scope);
      const Step* step = is_own(node) ? step_of(node) : nullptr;
      if (step == nullptr) {
        output.nodes.push_back(std::move(copy));
      } else {
        take_step(std::move(copy), *step, scope, output);
      }
    }
    return output;
  }

  void convert_bodies(model::Node& node, const KnownTypes* types, const Scope& scope) {
    const auto converted = [&](const std::shared_ptr<model::Graph>& graph) {
      auto copy = std::make_shared<model::Graph>(*graph);
      Scope inner(*graph, model_.ir_version, types, &scope);
      Output output = convert(graph->node, types, inner);
      copy->node = std::move(output.nodes);
      for (model::TensorData& tensor : output.initializers) copy->initializer.push_back(std::move(tensor));
      return copy;
    };
    for (model::Attribute& attribute : node.attribute) {
      if (attribute.g != nullptr && changes(attribute.g->node)) attribute.g = converted(attribute.g);
      for (auto& graph : attribute.graphs) {
        if (changes(graph->node)) graph = converted(graph);
      }
    }
  }

  void take_step(model::Node node, const Step& step, Scope& scope, Output& output) {
    expect_counts(node, from_);
    Rewriter rewriter(std::move(node), from_, to_, scope, names_, output);
    const std::vector<OutputCast> casts = settle_types(rewriter, step.types);
    (from_ < to_ ? step.up : step.down)(rewriter);
    rewriter.finish();
    for (const OutputCast& cast : casts) {
      rewriter.emit_as("Cast", {cast.from}, {cast.to}, {model::Attribute::of("to", static_cast<int64_t>(cast.dtype))});
    }
  }

  const model::Model& model_;
  Names& names_;
  int64_t from_, to_;
  std::set<std::tuple<std::string_view, std::string_view, std::string_view>> functions_;
};

// Main graph and training graphs, which share the model's import.
std::vector<model::Graph*> graphs_of(model::Model& model) {
  std::vector<model::Graph*> graphs = {&model.graph};
  for (model::TrainingInfo& training : model.training_info) {
    graphs.push_back(&training.initialization);
    graphs.push_back(&training.algorithm);
  }
  return graphs;
}

void convert_graphs(model::Model& model, Names& names, int64_t from, int64_t to) {
  StepConverter converter(model, names, from, to);
  const std::vector<model::Graph*> graphs = graphs_of(model);
  if (std::any_of(graphs.begin(), graphs.end(), [&](const model::Graph* graph) { return converter.changes(graph->node); })) {
    const KnownTypes types(model);
    for (model::Graph* graph : graphs) converter.convert(*graph, &types, nullptr);
  }
  import_opset(model.opset_import, to);
}

void convert_function(model::Model& model, model::Function& function, Names& names, int64_t opset) {
  int64_t version = imported_opset(function.opset_import);
  if (version == 0) return;
  const KnownTypes types(function);
  for (const int64_t step = version < opset ? 1 : -1; version != opset; version += step) {
    StepConverter converter(model, names, version, version + step);
    if (converter.changes(function.node)) converter.convert(function, &types);
  }
  import_opset(function.opset_import, opset);
}

void check_opset(int64_t opset, std::string_view what, ErrorCode code) {
  if (opset >= 1 && opset <= schema::kLatestOpset) return;
  throw Error(code, fmt::format("{} {} is none that ONNX has: 1 to {} are known here", what, opset, schema::kLatestOpset));
}
}  // namespace
}  // namespace convert

namespace {
// The checker wants a shape of every graph output: where the source gives none, what is inferred serves.
void complete_outputs(model::Model& model) {
  const auto lacks_shape = [](const model::ValueInfo& value) { return value.type.tensor() != nullptr && !value.type.tensor()->has_shape; };
  std::vector<model::ValueInfo>& outputs = model.graph.output;
  if (std::none_of(outputs.begin(), outputs.end(), lacks_shape)) return;
  model::Model inferred = model;
  infer_shapes(inferred);
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (lacks_shape(outputs[i])) outputs[i].type = inferred.graph.output[i].type;
  }
}
}  // namespace

model::Model convert_version(const model::Model& original, int64_t opset) {
  convert::check_opset(opset, "opset", ErrorCode::kInvalidArgument);
  model::Model model = original;
  convert::Names names(model);
  int64_t version = model.opset_version();
  if (version != 0) convert::check_opset(version, "the model's opset", ErrorCode::kInvalidModel);
  for (const model::Function& function : model.functions) {
    const int64_t imported = convert::imported_opset(function.opset_import);
    if (imported != 0) convert::check_opset(imported, fmt::format("function '{}': opset", function.name), ErrorCode::kInvalidModel);
  }
  for (model::Function& function : model.functions) {
    with_trail([&] { return fmt::format("function '{}'", function.name); },
               [&] { convert::convert_function(model, function, names, opset); });
  }
  for (const int64_t step = version < opset ? 1 : -1; version != 0 && version != opset; version += step) {
    convert::convert_graphs(model, names, version, version + step);
  }
  convert::Leftovers(original).remove(model);
  if (original.opset_version() != version) complete_outputs(model);
  if (original.opset_version() != version) model.ir_version = convert::ir_version_for(model, opset);
  return model;
}

}  // namespace sardonyx
