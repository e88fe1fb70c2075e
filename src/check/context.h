// What is looked up for every node: the functions of the model by name, and the opsets that are imported.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

#include "sardonyx/model.h"

namespace sardonyx::check {

class ExternalFolder;

// Domain, name, overload; "ai.onnx" is "".
using FunctionKey = std::tuple<std::string_view, std::string_view, std::string_view>;
struct FunctionKeyHash {
  size_t operator()(const FunctionKey& key) const noexcept {
    const std::hash<std::string_view> hash;
    return hash(std::get<0>(key)) * 31 + hash(std::get<1>(key)) * 7 + hash(std::get<2>(key));
  }
};
inline std::string_view canonical(std::string_view domain) { return domain == "ai.onnx" ? std::string_view() : domain; }
inline FunctionKey key_of(const model::Function& function) { return {canonical(function.domain), function.name, function.overload}; }
inline FunctionKey callee_of(const model::Node& node) { return {canonical(node.domain), node.op_type, node.overload}; }

using Functions = std::unordered_map<FunctionKey, const model::Function*, FunctionKeyHash>;

// Imported versions by domain. Of a domain that is imported twice the last counts.
class Imports {
 public:
  explicit Imports(std::span<const model::OpsetId> imports) {
    for (const model::OpsetId& import : imports) {
      versions_.insert_or_assign(canonical(import.domain), import.version);
      (import.domain.empty() ? is_spelled_empty_ : is_spelled_out_) |= canonical(import.domain).empty();
    }
  }
  // Whether the default domain is imported as "", or as "ai.onnx".
  bool has_spelling(std::string_view domain) const noexcept { return domain.empty() ? is_spelled_empty_ : is_spelled_out_; }
  std::optional<int64_t> version(std::string_view domain) const {
    const auto found = versions_.find(canonical(domain));
    return found == versions_.end() ? std::nullopt : std::optional(found->second);
  }
  void add_missing(std::string_view domain, int64_t version) { versions_.emplace(canonical(domain), version); }

 private:
  std::unordered_map<std::string_view, int64_t> versions_;
  bool is_spelled_empty_ = false, is_spelled_out_ = false;
};

using RequiredInputs = std::unordered_set<std::string_view>;

struct ModelContext {
  const model::Model& model;
  Functions functions;
  Imports imports;      // of the model
  Imports all_imports;  // and what only functions import
  std::unordered_set<std::string_view> configurations;
  ExternalFolder* external = nullptr;  // null: files of external data are not looked at
  bool full = false;                   // types are checked too
  // Filled as functions are called.
  mutable std::unordered_map<const model::Function*, RequiredInputs> required_inputs = {};
};

// What a node is checked in: a graph of the model, or a function's body.
struct NodeContext {
  const ModelContext& model;
  const Imports& imports;
  const model::Function* function = nullptr;
  std::unordered_set<std::string_view> function_attributes;
};

}  // namespace sardonyx::check
