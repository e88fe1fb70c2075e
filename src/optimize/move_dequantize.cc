#include <algorithm>
#include <array>
#include <string_view>

#include "optimize/quantized.h"
#include "optimize/rules.h"

namespace sardonyx::optimize {
namespace {

// They choose among the elements of their first input, whatever these are.
constexpr std::array<std::string_view, 10> kMovers = {"DepthToSpace", "Flatten",      "Gather",  "Identity",  "Reshape",
                                                      "Slice",        "SpaceToDepth", "Squeeze", "Transpose", "Unsqueeze"};
constexpr int64_t kMaxPoolOfBytes = 12;

// No window sees padding alone, whose value differs between types.
bool windows_see_elements(const model::Node& pool) {
  const std::vector<int64_t> kernel = model::get_ints(pool, "kernel_shape"), pads = model::get_ints(pool, "pads");
  const std::vector<int64_t> strides = model::get_ints(pool, "strides"), dilations = model::get_ints(pool, "dilations");
  if (model::get_string(pool, "auto_pad", "NOTSET") != "NOTSET") return false;
  if (std::ranges::any_of(dilations, [](int64_t d) { return d != 1; })) return false;
  for (size_t i = 0; i < kernel.size(); ++i) {
    for (const size_t at : {i, i + kernel.size()}) {
      if (at < pads.size() && pads[at] >= kernel[i]) return false;
    }
    if (model::get_int(pool, "ceil_mode", 0) != 0 && i < strides.size() && strides[i] > kernel[i]) return false;
  }
  return true;
}

bool keeps_elements(const GraphView& graph, const model::Node& node) {
  if (!is_onnx_domain(node.domain) || node.output.size() != 1) return false;
  if (node.op_type == "MaxPool") return graph.opset(node.domain) >= kMaxPoolOfBytes && windows_see_elements(node);
  return std::ranges::find(kMovers, std::string_view(node.op_type)) != kMovers.end();
}

}  // namespace

std::optional<Patch> move_dequantize(const GraphView& graph, size_t index) {
  const model::Node& node = *graph.node(index);
  if (node.input.empty() || !keeps_elements(graph, node)) return std::nullopt;
  const std::optional<Dequantized> input = dequantized(graph, node.input[0]);
  if (!input || !is_byte(input->how.type) || !input->how.has_one_scale() || input->how.scales->dim() != 0) return std::nullopt;
  model::Node mover = node, dequantizer = *graph.node(input->node);
  mover.input[0] = input->q;
  mover.output = {graph.fresh_name(first_output(node) + "_quantized")};
  dequantizer.input[0] = mover.output[0];
  dequantizer.name = first_output(node) + "_dequantized";
  dequantizer.output = {first_output(node)};
  Patch patch{.remove = {index}};
  retire(graph, {*input}, index, patch);
  patch.add.push_back(std::move(mover));
  patch.add.push_back(std::move(dequantizer));
  return patch;
}

}  // namespace sardonyx::optimize
