// FusedConv and FusedGemm of com.microsoft: the operators of ai.onnx with a function applied to their result.
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

struct ConvFunction {
  std::string_view name;
  size_t params;
};
constexpr std::array<ConvFunction, 7> kConvFunctions = {
    {{"Clip", 2}, {"HardSigmoid", 2}, {"LeakyRelu", 1}, {"Relu", 0}, {"Sigmoid", 0}, {"Silu", 0}, {"Tanh", 0}}};

// Attribute activation_params, of which this function needs so many.
std::vector<float> function_params(const model::Node& node, std::string_view function) {
  const auto row = std::ranges::find(kConvFunctions, function, &ConvFunction::name);
  std::vector<float> params = model::get_floats(node, "activation_params");
  if (row != kConvFunctions.end() && params.size() != row->params && row->params != 0) {
    throw model_error("attribute activation_params has {} values; {} needs {}", params.size(), function, row->params);
  }
  return params;
}

// What a convolution does itself: attributes of FusedConv of ai.sardonyx.
void add_clip(std::vector<model::Attribute>& attributes, std::string_view function, const std::vector<float>& params) {
  attributes.push_back(model::Attribute::of("activation", function == "Relu" ? "relu" : "clip"));
  if (function == "Relu") return;
  attributes.push_back(model::Attribute::of("min", params[0]));
  attributes.push_back(model::Attribute::of("max", params[1]));
}

std::unique_ptr<Prepared> prepare_wide_fused_conv(const PrepareContext& context) {
  const bool has_function = context.node.find_attribute("activation") != nullptr;
  const std::string function = model::get_string(context.node, "activation", "");
  const std::vector<float> params = function_params(context.node, function);
  std::vector<model::Attribute> attributes = without_function(context.node);
  const bool clips = function == "Relu" || function == "Clip";
  if (clips) add_clip(attributes, function, params);
  std::unique_ptr<Prepared> conv = prepare_as(context, "ai.sardonyx", "FusedConv", std::move(attributes));
  if (!has_function || clips) return conv;
  std::vector<model::Attribute> own;
  for (size_t i = 0; i < params.size() && i < 2; ++i) own.push_back(model::Attribute::of(i == 0 ? "alpha" : "beta", params[i]));
  std::array<std::string_view, kConvFunctions.size()> names;
  std::ranges::transform(kConvFunctions, names.begin(), &ConvFunction::name);
  return with_function(std::move(conv), fused_function(function, std::move(own), names));
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
