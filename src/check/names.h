// The values of one graph, within those of the graphs around it, and where each comes from.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sardonyx/model.h"

namespace sardonyx::check {

class NameScope {
 public:
  enum class Origin { kInput, kInitializer, kNode };
  struct Source {
    Origin origin;
    const model::Node* node;  // null unless a node makes the value
  };

  explicit NameScope(const NameScope* outer = nullptr) : outer_(outer) {}

  // False if this graph has the name already; it then keeps its first source.
  bool define(std::string_view name, Source source) { return sources_.emplace(name, source).second; }
  // Tells of nodes that are not reached yet; define_outputs reaches them.
  void expect(const std::vector<model::Node>& nodes);

  bool has_here(std::string_view name) const { return sources_.contains(name); }
  bool has(std::string_view name) const { return find(name) != nullptr; }
  const Source* find(std::string_view name) const;
  // The node that makes the name, if it is not reached yet.
  const model::Node* later(std::string_view name) const;
  void reached(std::string_view name) { later_.erase(name); }
  const std::unordered_map<std::string_view, Source>& sources() const { return sources_; }

  // How the value came to be, its source first; at most the last few steps. Empty for a name that is unknown.
  std::vector<std::string> chain(std::string_view value) const;

 private:
  const model::Node* maker(std::string_view name) const;
  std::string_view main_input(const model::Node& node) const;

  const NameScope* outer_;
  std::unordered_map<std::string_view, Source> sources_;
  std::unordered_map<std::string_view, const model::Node*> later_;
};

}  // namespace sardonyx::check
