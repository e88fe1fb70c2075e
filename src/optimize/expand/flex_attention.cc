// FlexAttention (ai.onnx.preview, since 1): softmax(score_mod(Q K^T scale)), then prob_mod, times V. Without modifiers it is Attention.
#include <fmt/format.h>

#include "optimize/expand/rewrites.h"

namespace sardonyx::optimize {
namespace {

constexpr int64_t kFirstWithAttention = 23;  // opset of ai.onnx

// The attributes of those names that the node has.
std::vector<model::Attribute> copied(const model::Node& node, std::initializer_list<std::string_view> names) {
  std::vector<model::Attribute> attributes;
  for (const std::string_view name : names) {
    if (const model::Attribute* attribute = node.find_attribute(name)) attributes.push_back(*attribute);
  }
  return attributes;
}

const model::Graph* modifier(const model::Node& node, std::string_view name) {
  const model::Attribute* attribute = node.find_attribute(name);
  if (attribute == nullptr) return nullptr;
  if (attribute->g == nullptr) throw Error(ErrorCode::kInvalidModel, fmt::format("attribute {} must be a graph", name));
  if (attribute->g->input.size() != 1 || attribute->g->output.size() != 1) {
    throw Error(ErrorCode::kInvalidModel, fmt::format("attribute {} must be a graph of one input and one output", name));
  }
  return attribute->g.get();
}

std::string modified(const model::Graph* graph, std::string value, NodeWriter& writer) {
  return graph == nullptr ? value : writer.inlined(*graph, {value})[0];
}

}  // namespace

bool rewrite_flex_attention(const model::Model& model, size_t index, NodeWriter& writer) {
  const model::Node& node = model.graph.node[index];
  if (node.input.size() != 3 || node.output.size() != 1) {
    throw Error(ErrorCode::kInvalidModel,
                fmt::format("it has {} inputs and {} outputs; FlexAttention has 3 and 1", node.input.size(), node.output.size()));
  }
  const std::string &q = node.input[0], &k = node.input[1], &v = node.input[2];
  const model::Graph *score_mod = modifier(node, "score_mod"), *prob_mod = modifier(node, "prob_mod");
  if (score_mod == nullptr && prob_mod == nullptr && model.opset_version() >= kFirstWithAttention) {
    writer.name(writer.onnx("Attention", {q, k, v}, copied(node, {"scale", "softmax_precision"})), node.output[0]);
    return true;
  }
  const std::string query = writer.own("FlexQuery", {q}, copied(node, {"scale", "softmax_precision"}));
  const std::string key = writer.own("FlexHeads", {k, q}, copied(node, {"softmax_precision"}));
  const std::string value = writer.own("FlexHeads", {v, q}, copied(node, {"softmax_precision"}));
  const std::string scores = modified(score_mod, writer.onnx("MatMul", {query, writer.own("SwapLast", {key})}), writer);
  const std::string probs = modified(prob_mod, writer.onnx("Softmax", {scores}, {model::Attribute::of("axis", -1)}), writer);
  writer.name(writer.own("CastLike", {writer.onnx("MatMul", {probs, value}), q}), node.output[0]);
  return true;
}

}  // namespace sardonyx::optimize
