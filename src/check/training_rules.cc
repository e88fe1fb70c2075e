#include "check/training_rules.h"

#include <fmt/format.h>

#include <unordered_set>

#include "check/graph_rules.h"

namespace sardonyx::check {

namespace {
using Strings = std::unordered_set<std::string_view>;

void add_initializers(const model::Graph& graph, Strings& names) {
  for (const model::TensorData& initializer : graph.initializer) names.insert(initializer.name);
  for (const model::SparseTensorData& initializer : graph.sparse_initializer) names.insert(initializer.values.name);
}

void add_outputs(const model::Graph& graph, Strings& names) {
  for (const model::ValueInfo& output : graph.output) names.insert(output.name);
}

// `bound`: the initializers that were bound so far.
void check_bindings(Reporter& reporter, std::string_view what, const model::StringPairs& bindings, const Strings& initializers,
                    const Strings& outputs, Strings& bound) {
  for (const model::StringPair& binding : bindings) {
    if (!initializers.contains(binding.key)) {
      reporter.add(Code::kTrainingBinding, fmt::format("{} sets {}, which is no initializer", what, quote(binding.key)),
                   "name an initializer of the model's graph or of the algorithm");
    }
    if (!outputs.contains(binding.value)) {
      reporter.add(Code::kTrainingBinding, fmt::format("{} takes {}, which is no output", what, quote(binding.value)),
                   "name an output of the graph that computes the new value");
    }
    if (!bound.insert(binding.key).second) {
      reporter.add(Code::kTrainingBinding, fmt::format("{} sets {} a second time", what, quote(binding.key)), "keep one binding");
    }
  }
}
}  // namespace

void check_training(Reporter& reporter, const NodeContext& context, const NameScope& main) {
  const model::Model& model = context.model.model;
  Strings updated;
  for (size_t i = 0; i < model.training_info.size(); ++i) {
    const model::TrainingInfo& training = model.training_info[i];
    const Reporter::Scope where(reporter, fmt::format("training_info {}", i));
    Strings initializers, initial_outputs, outputs, initialized;
    add_initializers(model.graph, initializers);
    add_outputs(model.graph, outputs);
    if (training.has_initialization) {
      const Reporter::Scope part(reporter, "initialization");
      NameScope names;
      check_main_graph(reporter, training.initialization, context, names);
      add_outputs(training.initialization, initial_outputs);
    }
    if (training.has_algorithm) {
      const Reporter::Scope part(reporter, "algorithm");
      NameScope names(&main);
      check_main_graph(reporter, training.algorithm, context, names);
      add_initializers(training.algorithm, initializers);
      add_outputs(training.algorithm, outputs);
    }
    check_bindings(reporter, "initialization_binding", training.initialization_binding, initializers, initial_outputs, initialized);
    check_bindings(reporter, "update_binding", training.update_binding, initializers, outputs, updated);
  }
}

}  // namespace sardonyx::check
