// What the commands that edit models share: reading them, and writing the result with its weights where those of the source were.
#pragma once

#include <CLI/App.hpp>
#include <string>

#include "sardonyx/model.h"

namespace sardonyx::cli {

// Where an edited model goes: -o OUT and --external-data FILE.
struct EditedModel {
  std::string path, external_file;

  void add_options(CLI::App& command);
  // Weights that came from external data, or that no protobuf could hold, go to external data: FILE, or "<OUT>.data" beside OUT.
  void write(const model::Model& model) const;
};

// "8", "batch", or "?" for a size that is not given; throws InvalidArgument for anything else.
model::Dimension parse_dimension(const std::string& text);

}  // namespace sardonyx::cli
