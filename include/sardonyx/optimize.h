// The model that a session would run, as a model: to look at it, and to save it.
#pragma once

#include <string>
#include <vector>

#include "sardonyx/model.h"
#include "sardonyx/session.h"

namespace sardonyx {

struct OptimizedModel {
  model::Model model;
  std::vector<PassReport> passes;  // in the order they ran
};

// Rewrites the main graph as a session of these options does (see optimization_passes()); the model's own functions are inlined. Standard
// operators stay where they can. An operator of the domain ai.sardonyx comes with a function of the model that says in standard operators
// what it computes, so that other runtimes can run the result; InferenceSession takes its kernel instead. Operators of com.microsoft
// (quantised ones) have no function. Throws as the constructor of InferenceSession, and Unsupported where standard operators cannot say
// what an operator computes.
OptimizedModel optimize_model(const model::Model& model, GraphOptimizationLevel level = GraphOptimizationLevel::kAll,
                              const std::vector<std::string>& disabled_passes = {});

}  // namespace sardonyx
