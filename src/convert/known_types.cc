#include "convert/known_types.h"

#include <algorithm>

#include "sardonyx/infer.h"

namespace sardonyx::convert {

namespace {
model::Type type_of(const model::TensorData& tensor) {
  return model::Type::of_tensor(tensor.dtype(), std::vector<model::Dimension>(tensor.dims.begin(), tensor.dims.end()));
}
}  // namespace

KnownTypes::KnownTypes(const model::Model& model) {
  model::Model inferred = model;
  infer_shapes(inferred, {.strict = false, .data_propagation = true, .name_unknown_dims = false});
  collect(model.graph, inferred.graph);
}

KnownTypes::KnownTypes(const model::Function& function) {
  Values& values = scopes_[&function.node];
  for (const model::ValueInfo& value : function.value_info) values.emplace(value.name, value.type);
}

const model::Type* KnownTypes::find(const void* scope, std::string_view name) const {
  const auto values = scopes_.find(scope);
  if (values == scopes_.end()) return nullptr;
  const auto found = values->second.find(std::string(name));
  return found == values->second.end() || found->second.absent() ? nullptr : &found->second;
}

void KnownTypes::collect(const model::Graph& original, const model::Graph& inferred) {
  Values& values = scopes_[&original.node];
  for (const model::TensorData& tensor : original.initializer) values.emplace(tensor.name, type_of(tensor));
  for (const auto* infos : {&inferred.input, &inferred.output, &inferred.value_info}) {
    for (const model::ValueInfo& value : *infos) values.emplace(value.name, value.type);
  }
  for (size_t i = 0; i < std::min(original.node.size(), inferred.node.size()); ++i) {
    const auto& before = original.node[i].attribute;
    const auto& after = inferred.node[i].attribute;
    for (size_t j = 0; j < std::min(before.size(), after.size()); ++j) {
      if (before[j].g != nullptr && after[j].g != nullptr) collect(*before[j].g, *after[j].g);
      for (size_t k = 0; k < std::min(before[j].graphs.size(), after[j].graphs.size()); ++k) {
        collect(*before[j].graphs[k], *after[j].graphs[k]);
      }
    }
  }
}

}  // namespace sardonyx::convert
