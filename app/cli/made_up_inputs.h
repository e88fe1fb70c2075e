// Inputs for commands that run a model on whatever fits it.
#pragma once

#include <CLI/App.hpp>
#include <string>
#include <utility>
#include <vector>

#include "sardonyx/session.h"

namespace sardonyx::cli {

// What the command line says of a model's inputs.
struct InputOptions {
  std::vector<std::string> shapes, dims, files;

  void add_options(CLI::App& command);  // --shape, --dim, --input
  // For SessionOptions::free_dimension_overrides.
  std::vector<std::pair<std::string, int64_t>> dim_sizes() const;
};

// Files where --input names them, else numbers that are alike in every run: reals in -1..1, small non-negative integers; of declared
// sizes, those not fixed from --shape. Throws InvalidArgument for an input whose shape nobody tells.
Feeds make_feeds(const InferenceSession& session, const InputOptions& options);
// The shapes alone, of inputs that are tensors.
InputShapes make_shapes(const InferenceSession& session, const InputOptions& options);

}  // namespace sardonyx::cli
