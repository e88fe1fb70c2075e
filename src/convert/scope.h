// One list of nodes while it is converted: a graph's or a function's, with what is known of its values and of those around it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "convert/known_types.h"
#include "sardonyx/model.h"

namespace sardonyx::convert {

class Scope {
 public:
  // `types` may be null: then nothing is known.
  Scope(const model::Graph& graph, int64_t ir_version, const KnownTypes* types, const Scope* outer);
  Scope(const model::Function& function, const KnownTypes* types);

  // The value of a name that is the same in every run: of a Constant node, or of an initializer that no caller may replace.
  std::optional<Tensor> constant(std::string_view name) const;
  const model::Type* type(std::string_view name) const;
  bool is_output(std::string_view name) const;
  bool is_function() const noexcept { return graph_ == nullptr; }
  // A constant that an adapter has made in this scope.
  void add_constant(const std::string& name, Tensor value) { made_.emplace(name, std::move(value)); }

 private:
  void index(const std::vector<model::Node>& nodes);

  const model::Graph* graph_ = nullptr;
  const model::Function* function_ = nullptr;
  const void* key_ = nullptr;
  const KnownTypes* types_;
  const Scope* outer_ = nullptr;
  std::unordered_map<std::string_view, const model::Node*> producers_;
  std::unordered_map<std::string_view, const model::TensorData*> initializers_;
  std::unordered_map<std::string_view, bool> inputs_;
  std::unordered_map<std::string, Tensor> made_;
};

// The tensor that a Constant node of any version makes; none for other nodes, references to a function's attribute and sparse values.
std::optional<Tensor> constant_tensor(const model::Node& node);

}  // namespace sardonyx::convert
