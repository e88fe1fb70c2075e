#include <memory>
#include <unordered_map>

#include "optimize/evaluate.h"
#include "optimize/rules.h"

namespace sardonyx::optimize {
namespace {

// What must agree before two nodes are compared attribute by attribute.
std::string key_of(const model::Node& node) {
  std::string key = node.op_type;
  const auto add = [&](std::string_view text) {
    key += '\n';
    key += text;
  };
  add(node.domain);
  add(node.overload);
  for (const std::string& input : node.input) add(input);
  for (const std::string& output : node.output) add(output.empty() ? "-" : "+");
  return key;
}

class EqualNodes {
 public:
  std::optional<Patch> operator()(const GraphView& graph, size_t index) {
    const model::Node& node = *graph.node(index);
    if (has_subgraph(node) || !is_deterministic(node, graph.opset(node.domain))) return std::nullopt;
    std::vector<size_t>& seen = (*nodes_)[key_of(node)];
    for (const size_t earlier : seen) {
      const model::Node* other = graph.node(earlier);
      if (!other || other->attribute != node.attribute) continue;
      std::optional<Patch> patch = merge(graph, *other, index);
      if (patch) return patch;
    }
    if (seen.size() < kMaxVariants) seen.push_back(index);
    return std::nullopt;
  }

 private:
  static constexpr size_t kMaxVariants = 32;  // nodes with equal inputs that differ in their attributes

  static std::optional<Patch> merge(const GraphView& graph, const model::Node& kept, size_t index) {
    Patch patch{.remove = {index}};
    const model::Node& node = *graph.node(index);
    for (size_t i = 0; i < node.output.size(); ++i) {
      if (node.output[i].empty()) continue;
      if (!graph.can_replace(node.output[i], kept.output[i])) return std::nullopt;
      patch.replace.emplace_back(node.output[i], kept.output[i]);
    }
    return patch;
  }

  // Shared, because a Rule can be copied.
  std::shared_ptr<std::unordered_map<std::string, std::vector<size_t>>> nodes_ =
      std::make_shared<std::unordered_map<std::string, std::vector<size_t>>>();
};

}  // namespace

Rule merge_equal_nodes() { return EqualNodes(); }

}  // namespace sardonyx::optimize
