#include "optimize/expand/expand.h"

#include <algorithm>

#include "optimize/expand/rewrites.h"
#include "optimize/pass.h"

namespace sardonyx::optimize {
namespace {

struct Composite {
  std::string_view domain, op_type;
  // Writes what takes the place of graph.node[index]. False: it has to wait until another composite is rewritten.
  bool (*rewrite)(const model::Model& model, size_t index, NodeWriter& writer);
};

constexpr Composite kComposites[] = {
    {"ai.onnx.preview", "FlexAttention", rewrite_flex_attention},
    {"ai.onnx.preview.training", "Gradient", rewrite_gradient},
};

const Composite* composite_of(const model::Node& node) {
  const auto* found =
      std::ranges::find_if(kComposites, [&](const Composite& c) { return c.domain == node.domain && c.op_type == node.op_type; });
  return found == std::end(kComposites) ? nullptr : found;
}

void import_own_domain(model::Model& model) {
  if (model.opset_version(kFusedDomain) != 0) return;
  model::OpsetId id;
  id.domain = kFusedDomain;
  id.version = 1;
  model.opset_import.push_back(std::move(id));
}

void replace(model::Model& model, size_t index, NodeWriter& writer) {
  std::vector<model::Node>& nodes = model.graph.node;
  const auto at = nodes.begin() + static_cast<ptrdiff_t>(index);
  nodes.insert(nodes.erase(at), std::make_move_iterator(writer.nodes().begin()), std::make_move_iterator(writer.nodes().end()));
  std::ranges::move(writer.initializers(), std::back_inserter(model.graph.initializer));
  std::ranges::move(writer.sparse_initializers(), std::back_inserter(model.graph.sparse_initializer));
  if (writer.uses_own()) import_own_domain(model);
}

// Rewrites one composite that need not wait for another; false where there is none.
bool expand_one(model::Model& model, Names& names) {
  for (size_t i = 0; i < model.graph.node.size(); ++i) {
    const model::Node& node = model.graph.node[i];
    const Composite* composite = composite_of(node);
    if (!composite) continue;
    NodeWriter writer(names, node.name.empty() ? first_output(node) : node.name);
    if (!with_trail([&] { return model::describe(node); }, [&] { return composite->rewrite(model, i, writer); })) continue;
    replace(model, i, writer);
    return true;
  }
  return false;
}

}  // namespace

void expand_composites(model::Model& model) {
  const auto is_composite = [](const model::Node& node) { return composite_of(node) != nullptr; };
  if (std::ranges::none_of(model.graph.node, is_composite)) return;
  Names names(model.graph);
  while (expand_one(model, names)) {
  }
  const auto left = std::ranges::find_if(model.graph.node, is_composite);
  if (left == model.graph.node.end()) return;
  throw Error(ErrorCode::kInvalidModel, model::describe(*left) + ": it differentiates what depends on its own outputs");
}

}  // namespace sardonyx::optimize
