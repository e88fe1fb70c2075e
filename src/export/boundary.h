// The inputs and outputs of an exported graph, as the caller's options name them and leave their axes open.
#pragma once

#include <string>
#include <vector>

#include "nn/trace.h"
#include "sardonyx/export.h"
#include "sardonyx/model.h"

namespace sardonyx::exporter {

struct Port {
  std::string name;
  nn::ValueId value = nn::kNoValue;
  std::vector<std::string> symbols;  // one per axis: "" where the size is fixed
};

struct Boundary {
  std::vector<Port> inputs, outputs;
};

// Names: those given, then "input", "input.1", ... and "output", "output.1", ... past names that are taken. Symbols: those of dynamic_axes.
// Throws one InvalidArgument for all options that do not fit the trace: too many names, names that are empty, taken twice or a parameter's;
// entries of dynamic_axes that fit no port or axis; symbols that stand for two sizes of the example inputs.
Boundary find_boundary(const nn::Trace& trace, const ExportOptions& options);

// "axis 2 of 'input'".
std::string describe_axis(const Port& port, size_t axis);

// The port as the graph declares it.
model::ValueInfo declaration(const Port& port, const nn::TraceValue& value);

}  // namespace sardonyx::exporter
