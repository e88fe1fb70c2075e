// Read access to the tree of modules, for what is written about a module from outside: state, text, traces.
#pragma once

#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_set>

#include "sardonyx/nn/module.h"

namespace sardonyx::nn {

inline std::string join_names(std::string_view prefix, std::string_view name) {
  return prefix.empty() ? std::string(name) : std::string(prefix) + "." + std::string(name);
}

class ModuleWalk {
 public:
  static const StateDict& parameters(const Module& module) { return module.parameters_; }
  static const StateDict& buffers(const Module& module) { return module.buffers_; }
  static const Module::Children& children(const Module& module) { return module.children_; }
  static bool may_be_missing(const Module& module, std::string_view key) { return module.may_be_missing(key); }
  static void set_training(Module& module, bool on) { module.training_ = on; }

  // Calls visit(path, module) for the root (path "") and all below, depth first; a shared module as often as it occurs.
  template <class M, class Visit>
  requires std::is_same_v<std::remove_const_t<M>, Module>
  static void every(M& root, const Visit& visit, const std::string& path = {}) {
    visit(path, root);
    for (const auto& [name, child] : root.children_) every(static_cast<M&>(*child), visit, join_names(path, name));
  }

  // The same, but a shared module only once.
  template <class M, class Visit>
  static void once(M& root, const Visit& visit) {
    std::unordered_set<const Module*> seen;
    every(root, [&](const std::string& path, M& module) {
      if (seen.insert(&module).second) visit(path, module);
    });
  }
};

}  // namespace sardonyx::nn
