// Which sizes of a trace differ from run to run: found by tracing the module again at other sizes of its dynamic input axes.
#pragma once

#include <string>
#include <vector>

#include "export/boundary.h"
#include "nn/trace.h"

namespace sardonyx::exporter {

struct DynamicSizes {
  std::vector<std::vector<bool>> values;  // per trace value and axis: whether the size differs
  Boundary boundary;                      // with symbols for all axes of outputs that differ
  std::vector<std::string> warnings;
};

// Throws InvalidArgument where the module's forward bakes a dynamic size in, or takes no other sizes than the example's.
DynamicSizes find_dynamic_sizes(nn::Module& module, const std::vector<Tensor>& args, const nn::Trace& trace, Boundary boundary);

}  // namespace sardonyx::exporter
