#include "ops/elementwise/activation.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "ops/facts.h"

namespace sardonyx::ops {
namespace {

using kernels::UnaryOp;
constexpr ActivationRow kRows[] = {
    {"Clip", UnaryOp::kClip, 2},           {"HardSigmoid", UnaryOp::kHardSigmoid, 2},
    {"HardSwish", UnaryOp::kHardSwish, 0}, {"LeakyRelu", UnaryOp::kLeakyRelu, 1},
    {"Relu", UnaryOp::kRelu, 0},           {"Sigmoid", UnaryOp::kSigmoid, 0},
    {"Swish", UnaryOp::kSwish, 1},         {"Tanh", UnaryOp::kTanh, 0},
};

}  // namespace

std::span<const ActivationRow> activation_rows() noexcept { return kRows; }

kernels::Activation activation_from_node(const model::Node& node) {
  if (node.domain != "ai.sardonyx" || !node.find_attribute("activation")) return {};
  const std::string name = model::get_string(node, "activation", "");
  const auto* row = std::ranges::find(kRows, std::string_view(name), &ActivationRow::name);
  if (row == std::end(kRows)) {
    std::vector<std::string_view> names(std::size(kRows));
    std::ranges::transform(kRows, names.begin(), &ActivationRow::name);
    throw model_error("attribute activation is '{}'; it must be one of {}", name, fmt::join(names, ", "));
  }
  const std::vector<float> params = model::get_floats(node, "activation_params");
  if (params.size() != row->params) {
    throw model_error("attribute activation_params has {} values; {} needs {}", params.size(), name, row->params);
  }
  if (row->function == UnaryOp::kRelu) return kernels::Activation::relu();
  if (row->function == UnaryOp::kClip) return kernels::Activation::clip(params[0], params[1]);
  return kernels::Activation::of(row->function, {params.empty() ? 0.0f : params[0], params.size() < 2 ? 0.0f : params[1]});
}

}  // namespace sardonyx::ops
