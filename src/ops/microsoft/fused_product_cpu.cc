// FusedConv and FusedGemm of com.microsoft: the operators of ai.onnx with a function applied to their result.
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "ops/facts.h"
#include "ops/microsoft/fused_function.h"
#include "ops/via_float/via_float.h"

namespace sardonyx::ops {
namespace {

// The node's attributes but those that describe the function.
std::vector<model::Attribute> without_function(const model::Node& node) {
  std::vector<model::Attribute> attributes;
  for (const model::Attribute& attribute : node.attribute) {
    if (!attribute.name.starts_with("activation")) attributes.push_back(attribute);
  }
  return attributes;
}

// Prepares the node as another operator, with those attributes.
std::unique_ptr<Prepared> prepare_as(const PrepareContext& context, std::string_view domain, const char* op_type,
                                     std::vector<model::Attribute> attributes) {
  constexpr int64_t kOpset = 13;  // of Conv and Gemm
  model::Node node = context.node;
  node.domain = domain;
  node.op_type = op_type;
  node.attribute = std::move(attributes);
  return find_operator(domain, op_type)->prepare({node, kOpset, context.constants});
}

// The functions of FusedConv, by their names in ai.sardonyx.
struct ConvFunction {
  std::string_view name, own_name;
  size_t params;  // that the node must give
};
constexpr std::array<ConvFunction, 7> kConvFunctions = {{{"Clip", "Clip", 2},
                                                         {"HardSigmoid", "HardSigmoid", 2},
                                                         {"LeakyRelu", "LeakyRelu", 1},
                                                         {"Relu", "Relu", 0},
                                                         {"Sigmoid", "Sigmoid", 0},
                                                         {"Silu", "Swish", 0},
                                                         {"Tanh", "Tanh", 0}}};

// The function as FusedConv of ai.sardonyx has it.
void add_function(const model::Node& node, std::vector<model::Attribute>& attributes) {
  const std::string name = model::get_string(node, "activation", "");
  const auto* row = std::ranges::find(kConvFunctions, std::string_view(name), &ConvFunction::name);
  if (row == kConvFunctions.end()) {
    std::array<std::string_view, kConvFunctions.size()> names;
    std::ranges::transform(kConvFunctions, names.begin(), &ConvFunction::name);
    throw model_error("attribute activation is '{}'; it must be one of {}", name, fmt::join(names, ", "));
  }
  std::vector<float> params = model::get_floats(node, "activation_params");
  if (params.size() != row->params && row->params != 0) {
    throw model_error("attribute activation_params has {} values; {} needs {}", params.size(), name, row->params);
  }
  params.resize(row->params);
  if (name == "Silu") params = {1.0f};  // Swish has a slope
  attributes.push_back(model::Attribute::of("activation", row->own_name));
  attributes.push_back(model::Attribute::of("activation_params", std::move(params)));
}

std::unique_ptr<Prepared> prepare_wide_fused_conv(const PrepareContext& context) {
  std::vector<model::Attribute> attributes = without_function(context.node);
  if (context.node.find_attribute("activation")) add_function(context.node, attributes);
  return prepare_as(context, "ai.sardonyx", "FusedConv", std::move(attributes));
}

std::unique_ptr<Prepared> prepare_wide_fused_gemm(const PrepareContext& context) {
  constexpr std::array<std::string_view, 12> kFunctions = {"Elu",      "HardSigmoid", "LeakyRelu", "ParametricSoftplus",
                                                           "Relu",     "ScaledTanh",  "Selu",      "Sigmoid",
                                                           "Softplus", "Softsign",    "Tanh",      "ThresholdedRelu"};
  constexpr std::string_view kPrefix = "activation_";
  std::unique_ptr<Prepared> gemm = prepare_as(context, "", "Gemm", without_function(context.node));
  if (!context.node.find_attribute("activation")) return gemm;
  std::vector<model::Attribute> params;
  for (const model::Attribute& attribute : context.node.attribute) {
    if (!attribute.name.starts_with(kPrefix)) continue;
    params.push_back(attribute);
    params.back().name.erase(0, kPrefix.size());
  }
  return with_function(std::move(gemm), fused_function(model::get_string(context.node, "activation", ""), std::move(params), kFunctions));
}

}  // namespace

std::unique_ptr<Prepared> prepare_fused_conv(const PrepareContext& context) { return via_float(context, prepare_wide_fused_conv); }

std::unique_ptr<Prepared> prepare_fused_gemm(const PrepareContext& context) { return via_float(context, prepare_wide_fused_gemm); }

}  // namespace sardonyx::ops
