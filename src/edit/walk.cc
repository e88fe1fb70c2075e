#include "edit/walk.h"

#include <algorithm>
#include <functional>

#include "core/closest.h"

namespace sardonyx::edit {

namespace {
using SymbolVisit = std::function<void(const std::string&)>;

void visit_symbols(const model::Type& type, const SymbolVisit& visit, int depth) {
  expect_depth(depth, "types");
  const auto element = [&](const std::shared_ptr<const model::Type>& inner) {
    if (inner != nullptr) visit_symbols(*inner, visit, depth + 1);
  };
  std::visit(
      [&](const auto& kind) {
        using Kind = std::remove_cvref_t<decltype(kind)>;
        if constexpr (std::is_base_of_v<model::TensorType, Kind>) {
          for (const model::Dimension& dim : kind.shape.dims) {
            if (dim.is_symbol()) visit(dim.symbol());
          }
        } else if constexpr (std::is_same_v<Kind, model::SequenceType> || std::is_same_v<Kind, model::OptionalType>) {
          element(kind.elem_type);
        } else if constexpr (std::is_same_v<Kind, model::MapType>) {
          element(kind.value_type);
        }
      },
      type.value);
}
}  // namespace

void for_each_symbol(const model::Model& model, const std::function<void(const std::string&)>& visit) {
  for_each_graph_of(model, [&](const model::Graph& graph) {
    for (const auto* list : {&graph.input, &graph.output, &graph.value_info}) {
      for (const model::ValueInfo& value : *list) visit_symbols(value.type, visit, 0);
    }
    for (const model::Node& node : graph.node) {
      for (const model::Attribute& attribute : node.attribute) {
        if (attribute.tp != nullptr) visit_symbols(*attribute.tp, visit, 0);
        for (const model::Type& type : attribute.type_protos) visit_symbols(type, visit, 0);
      }
    }
  });
}

std::string hint(std::string_view name, const NameSet& names) {
  std::vector<std::string_view> sorted(names.begin(), names.end());
  std::sort(sorted.begin(), sorted.end());
  return core::closest_hint(name, sorted);
}

}  // namespace sardonyx::edit
