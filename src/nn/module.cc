#include "sardonyx/nn/module.h"

#include <cxxabi.h>

#include <cstdlib>
#include <ostream>
#include <typeinfo>
#include <unordered_set>

#include "nn/module_walk.h"

namespace sardonyx::nn {
namespace {

std::string demangled(const char* symbol) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> text(abi::__cxa_demangle(symbol, nullptr, nullptr, &status), &std::free);
  return status == 0 ? text.get() : symbol;
}

// "a::(anonymous namespace)::Block<int>::NetImpl" and "NetImpl<a::B>" become "Net".
std::string plain_type_name(std::string name) {
  while (name.ends_with('>')) {
    size_t open = name.size() - 1;
    for (int depth = 1; depth > 0 && open > 0;) {
      --open;
      depth += (name[open] == '>') - (name[open] == '<');
    }
    name.erase(open);
  }
  if (const size_t colon = name.rfind("::"); colon != std::string::npos) name.erase(0, colon + 2);
  constexpr std::string_view kSuffix = "Impl";
  if (name.size() > kSuffix.size() && name.ends_with(kSuffix)) name.erase(name.size() - kSuffix.size());
  return name;
}

std::vector<Tensor> tensors_of(const StateDict& named) {
  std::vector<Tensor> result;
  for (const auto& [name, tensor] : named) result.push_back(tensor);
  return result;
}

// The tensors that `own` finds in each module, each tensor once.
template <class Own>
StateDict collect(const Module& root, bool recurse, const Own& own) {
  StateDict result;
  std::unordered_set<const void*> seen;
  const auto take = [&](const std::string& path, const Module& module) {
    for (const auto& [name, tensor] : own(module)) {
      if (seen.insert(tensor.identity()).second) result.set(join_names(path, name), tensor);
    }
  };
  if (recurse) {
    ModuleWalk::once(root, take);
  } else {
    take("", root);
  }
  return result;
}

Tensor writable(Tensor tensor) { return tensor.is_read_only() ? tensor.clone() : tensor; }

std::string indented(const std::string& text) {
  std::string result;
  for (const char c : text) {
    result += c;
    if (c == '\n') result += "  ";
  }
  return result;
}

}  // namespace

Tensor Module::forward(const Tensor&) {
  throw Error(ErrorCode::kUnsupported, name() + " has no forward(const Tensor&): override it, or forward_many for several inputs");
}

std::vector<Tensor> Module::forward_many(std::span<const Tensor> inputs) {
  if (inputs.size() != 1) {
    throw Error(ErrorCode::kInvalidArgument,
                name() + " takes 1 input, not " + std::to_string(inputs.size()) + "; a module with several overrides forward_many");
  }
  return {forward(inputs[0])};
}

std::string Module::name() const { return name_.empty() ? plain_type_name(demangled(typeid(*this).name())) : name_; }

StateDict Module::named_parameters(bool recurse) const { return collect(*this, recurse, ModuleWalk::parameters); }
StateDict Module::named_buffers(bool recurse) const { return collect(*this, recurse, ModuleWalk::buffers); }
std::vector<Tensor> Module::parameters(bool recurse) const { return tensors_of(named_parameters(recurse)); }
std::vector<Tensor> Module::buffers(bool recurse) const { return tensors_of(named_buffers(recurse)); }

std::vector<std::pair<std::string, std::shared_ptr<Module>>> Module::named_children() const {
  Children result;
  std::unordered_set<const Module*> seen;
  for (const auto& child : children_) {
    if (seen.insert(child.second.get()).second) result.push_back(child);
  }
  return result;
}

std::vector<std::shared_ptr<Module>> Module::children() const {
  std::vector<std::shared_ptr<Module>> result;
  for (auto& [name, child] : named_children()) result.push_back(child);
  return result;
}

std::vector<std::pair<std::string, std::shared_ptr<Module>>> Module::named_modules(bool include_self) {
  Children result;
  ModuleWalk::once(*this, [&](const std::string& path, Module& module) {
    if (&module == this && !include_self) return;
    std::shared_ptr<Module> shared = module.weak_from_this().lock();
    if (!shared) {
      throw Error(ErrorCode::kInvalidArgument, "modules(): the " + name() +
                                                   " is not owned by a shared_ptr; hold it in a ModuleHolder, or leave it "
                                                   "out with include_self = false");
    }
    result.emplace_back(path, std::move(shared));
  });
  return result;
}

std::vector<std::shared_ptr<Module>> Module::modules(bool include_self) {
  std::vector<std::shared_ptr<Module>> result;
  for (auto& [path, module] : named_modules(include_self)) result.push_back(std::move(module));
  return result;
}

void Module::apply(const std::function<void(Module&)>& visit) {
  for (const auto& child : children()) child->apply(visit);
  visit(*this);
}

void Module::train(bool on) {
  ModuleWalk::once(*this, [on](const std::string&, Module& module) { ModuleWalk::set_training(module, on); });
}

void Module::check_name(std::string_view what, std::string_view name) const {
  const std::string told = "register_" + std::string(what) + ": the name '" + std::string(name) + "' ";
  if (name.empty()) throw Error(ErrorCode::kInvalidArgument, told + "is empty");
  if (name.find('.') != std::string_view::npos) throw Error(ErrorCode::kInvalidArgument, told + "contains a dot");
  bool taken = parameters_.contains(name) || buffers_.contains(name);
  for (const auto& child : children_) taken = taken || child.first == name;
  if (taken) throw Error(ErrorCode::kInvalidArgument, told + "is already registered in " + this->name());
}

Tensor Module::register_parameter(std::string name, Tensor tensor) {
  check_name("parameter", name);
  if (!tensor.defined()) return tensor;
  tensor = writable(std::move(tensor));
  parameters_.set(std::move(name), tensor);
  return tensor;
}

Tensor Module::register_buffer(std::string name, Tensor tensor) {
  check_name("buffer", name);
  if (!tensor.defined()) return tensor;
  tensor = writable(std::move(tensor));
  buffers_.set(std::move(name), tensor);
  return tensor;
}

void Module::add_child(std::string name, std::shared_ptr<Module> module) {
  check_name("module", name);
  if (!module) throw Error(ErrorCode::kInvalidArgument, "register_module: the module '" + name + "' is empty");
  ModuleWalk::once(*module, [&](const std::string&, const Module& below) {
    if (&below == this) throw Error(ErrorCode::kInvalidArgument, "register_module: '" + name + "' contains the module it is registered in");
  });
  children_.emplace_back(std::move(name), std::move(module));
}

std::string to_string(const Module& module) {
  const std::string extra = module.extra_repr();
  const auto& children = ModuleWalk::children(module);
  if (children.empty() && extra.find('\n') == std::string::npos) return module.name() + "(" + extra + ")";
  std::string result = module.name() + "(\n";
  if (!extra.empty()) result += "  " + indented(extra) + "\n";
  for (const auto& [name, child] : children) result += "  (" + name + "): " + indented(to_string(*child)) + "\n";
  return result + ")";
}

std::string describe(const Module& module) {
  const std::string extra = module.extra_repr();
  return extra.empty() ? module.name() : module.name() + "(" + extra + ")";
}

std::ostream& operator<<(std::ostream& out, const Module& module) { return out << to_string(module); }
std::ostream& pretty_print(std::ostream& out, const Module& module) { return out << module; }

}  // namespace sardonyx::nn
