// Exports a module to ONNX, as torch.onnx.export does: runs it once on example inputs, records what it does, lowers that to the operators
// of the asked opset.
//
//   sardonyx::ExportOptions options;
//   options.opset_version = 10;
//   options.input_names = {"input"};
//   options.output_names = {"output"};
//   options.dynamic_axes = {{"input", {{0, "batch_size"}}}, {"output", {{0, "batch_size"}}}};
//   sardonyx::export_onnx(*net, {Tensor({1, 1, 224, 224})}, "superres.onnx", options);
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "sardonyx/model.h"
#include "sardonyx/nn.h"
#include "sardonyx/tensor.h"

namespace sardonyx {

inline constexpr int64_t kMinExportOpset = 7;
inline constexpr int64_t kMaxExportOpset = 27;
inline constexpr int64_t kDefaultExportOpset = 17;

// Axis numbers (negative ones count from the end) to symbols; or a list of axes, whose symbols are made up: "input_dynamic_axes_1", ...
using DynamicAxes = std::map<std::string, std::variant<std::map<int64_t, std::string>, std::vector<int64_t>>>;

struct ExportOptions {
  // Weights are stored in the file as initializers; without, they become inputs of the graph. Either way they are named as in the state
  // dict, except those that constant folding transposes.
  bool export_params = true;
  // Computes at export what depends on constants alone, and folds BatchNorm into the convolution before it.
  bool do_constant_folding = true;
  // Adds the weights to the graph's inputs as well, so that a feed may replace them; what depends on them is then not folded.
  bool keep_initializers_as_inputs = false;
  int64_t opset_version = kDefaultExportOpset;
  // Names of the first inputs and outputs, in order; the others get "input", "input.1", ... and "output", "output.1", ...
  std::vector<std::string> input_names, output_names;
  // The axes whose sizes are left open. Axes of outputs that depend on them are found: they get the input's symbol where the size is the
  // same, else a name such as "output_dim_2"; so do axes of outputs whose given symbol means another size, with a warning.
  DynamicAxes dynamic_axes;
  // Called with each warning (the module is in training mode; dynamic_axes names an axis of an output that is fixed, or with a symbol of
  // another size); empty: they are printed on standard error.
  std::function<void(std::string_view)> warn;
};

// The module is traced in evaluation mode, at the sizes of `args` and, with dynamic axes of inputs, at other sizes as well; its submodules'
// modes are restored. The model has its own copy of the weights.
// Throws InvalidArgument (options that do not fit the module: all of them named; a forward that bakes a dynamic size in), Unsupported (an
// operation that the opset cannot express: names the operation, its module, and the first opset that can), and what the module's forward
// throws.
model::Model export_model(nn::Module& module, const std::vector<Tensor>& args, const ExportOptions& options = {});

// The same, checked by check_model and written atomically to `path`; a file that was there stays if anything fails.
void export_onnx(nn::Module& module, const std::vector<Tensor>& args, const std::filesystem::path& path, const ExportOptions& options = {});

}  // namespace sardonyx
