// The types of a model's values, as far as they are declared or can be inferred, by the graph in which a value stands.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "sardonyx/model.h"

namespace sardonyx::convert {

class KnownTypes {
 public:
  // Infers the types of all values. The model must outlive the object, and its graphs must stay where they are.
  explicit KnownTypes(const model::Model& model);
  // The types that a function declares: what its callers pass is not looked at.
  explicit KnownTypes(const model::Function& function);
  // The type of a value of that very graph (a function's body: its `node` vector); null if it is not known or stands in another one.
  const model::Type* find(const void* scope, std::string_view name) const;

 private:
  using Values = std::unordered_map<std::string, model::Type>;
  void collect(const model::Graph& original, const model::Graph& inferred);

  std::unordered_map<const void*, Values> scopes_;
};

}  // namespace sardonyx::convert
