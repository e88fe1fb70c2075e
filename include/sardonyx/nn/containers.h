// Modules made of modules: Sequential, ModuleList.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sardonyx/nn/module.h"

namespace sardonyx::nn {

// A module of any type, as an element of a container.
class AnyModule {
 public:
  template <class M>
  AnyModule(const ModuleHolder<M>& holder) : module_(holder.ptr()) {}  // NOLINT: Sequential(Conv2d(...), ReLU())
  template <std::derived_from<Module> M>
  AnyModule(std::shared_ptr<M> module) : module_(std::move(module)) {}  // NOLINT
  const std::shared_ptr<Module>& ptr() const noexcept { return module_; }

 private:
  std::shared_ptr<Module> module_;
};
using NamedModule = std::pair<std::string, AnyModule>;

// Children "0", "1", ...; subscripts throw InvalidArgument outside the list.
class ModuleListImpl : public Module {
 public:
  ModuleListImpl() = default;
  explicit ModuleListImpl(std::initializer_list<AnyModule> modules);

  void push_back(const AnyModule& module);
  size_t size() const noexcept { return modules_.size(); }
  bool is_empty() const noexcept { return modules_.empty(); }
  const std::shared_ptr<Module>& operator[](size_t index) const;
  // The element as a type that it must have, else throws InvalidArgument.
  template <class M>
  auto& at(size_t index) const {
    auto* found = (*this)[index]->template as<M>();
    if (!found) throw Error(ErrorCode::kInvalidArgument, "module " + std::to_string(index) + " is a " + (*this)[index]->name());
    return *found;
  }
  auto begin() const noexcept { return modules_.begin(); }
  auto end() const noexcept { return modules_.end(); }

 protected:
  void append(std::string name, const AnyModule& module);

 private:
  std::vector<std::shared_ptr<Module>> modules_;
};
SARDONYX_MODULE(ModuleList);

// Runs its children one after the other: Sequential(Conv2d(1, 8, 3), ReLU()), or with names:
// Sequential({{"conv", Conv2d(1, 8, 3)}, {"relu", ReLU()}}). Where initial weights shall be drawn in the order written, as in Python, write
// Sequential{...}: C++ evaluates the arguments between parentheses in any order.
class SequentialImpl : public ModuleListImpl {
 public:
  SequentialImpl() = default;
  template <class... Modules>
  requires(sizeof...(Modules) > 0 && (std::convertible_to<Modules, AnyModule> && ...)) explicit SequentialImpl(const Modules&... modules)
      : ModuleListImpl({AnyModule(modules)...}) {}
  explicit SequentialImpl(const std::vector<NamedModule>& modules);

  using ModuleListImpl::push_back;
  void push_back(std::string name, const AnyModule& module) { append(std::move(name), module); }
  Tensor forward(const Tensor& input) override;
};

// Adds to the holder the list of named modules, which a forwarding constructor cannot take.
class Sequential : public ModuleHolder<SequentialImpl> {
 public:
  using ModuleHolder<SequentialImpl>::ModuleHolder;
  Sequential() = default;
  explicit Sequential(std::initializer_list<NamedModule> modules)
      : ModuleHolder(std::make_shared<SequentialImpl>(std::vector<NamedModule>(modules))) {}
};

}  // namespace sardonyx::nn
