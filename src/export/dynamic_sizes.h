// Which sizes of a trace differ from run to run: found by tracing the module again at other sizes of its dynamic input axes.
#pragma once

#include <string>
#include <vector>

#include "nn/trace.h"
#include "sardonyx/export.h"

namespace sardonyx::exporter {

// Symbols of the axes of each input and output: "" where the axis is fixed (or the caller did not name it).
using Symbols = std::vector<std::vector<std::string>>;

struct DynamicSizes {
  std::vector<std::vector<bool>> values;  // per trace value and axis: whether the size differs
  std::vector<std::vector<model::Dimension>> inputs, outputs;
};

// Throws InvalidArgument that names all entries of options.dynamic_axes that fit no input or output, symbols that stand for two sizes, and
// modules whose forward bakes a dynamic size in.
DynamicSizes find_dynamic_sizes(nn::Module& module, const std::vector<Tensor>& args, const nn::Trace& trace, const ExportOptions& options);

}  // namespace sardonyx::exporter
