// nn::Module: a tree of modules with named parameters and buffers, after the torch C++ front end.
//
//   struct SuperResolutionNetImpl : nn::Module {
//     explicit SuperResolutionNetImpl(int64_t factor) {
//       conv1 = register_module("conv1", nn::Conv2d(nn::Conv2dOptions(1, 64, 5).padding(2)));
//       shuffle = register_module("shuffle", nn::PixelShuffle(factor));
//     }
//     Tensor forward(const Tensor& x) override { return shuffle(relu(conv1(x))); }
//     nn::Conv2d conv1{nullptr};
//     nn::PixelShuffle shuffle{nullptr};
//   };
//   SARDONYX_MODULE(SuperResolutionNet);
//   SuperResolutionNet net(3);
//
// Names of parameters and buffers, and their order, are those of Python's state_dict(). There is no autograd: modules compute forward only.
// A module is not safe to change in one thread while another uses it.
#pragma once

#include <concepts>
#include <functional>
#include <iosfwd>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "sardonyx/state_dict.h"
#include "sardonyx/tensor.h"

namespace sardonyx::nn {

template <class ImplType>
class ModuleHolder;

// What load_state_dict(state, strict = false) left alone.
struct IncompatibleKeys {
  std::vector<std::string> missing_keys;     // of the module, not in the state
  std::vector<std::string> unexpected_keys;  // of the state, not in the module
};

class Module : public std::enable_shared_from_this<Module> {
 public:
  Module() = default;
  explicit Module(std::string name) : name_(std::move(name)) {}
  virtual ~Module() = default;
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  // The computation, for modules with one input and one output: what Sequential and the exporter call. A module with another signature
  // may define its own forward(...) beside these, and overrides forward_many so that it can be exported.
  // The default throws Unsupported, naming the module's type.
  virtual Tensor forward(const Tensor& input);
  // Several inputs, several outputs. The default calls forward with the only input.
  virtual std::vector<Tensor> forward_many(std::span<const Tensor> inputs);

  // The type's name as Python would print it ("Conv2d"), or the one given to the constructor.
  std::string name() const;
  // What stands between the parentheses of to_string ("1, 64, kernel_size=(5, 5)"). Lines are separated by '\n'.
  virtual std::string extra_repr() const { return {}; }

  // Handles to the tensors themselves, in Python's order, names joined by dots. A tensor that occurs twice is told once, under its first
  // name.
  StateDict named_parameters(bool recurse = true) const;
  StateDict named_buffers(bool recurse = true) const;
  std::vector<Tensor> parameters(bool recurse = true) const;
  std::vector<Tensor> buffers(bool recurse = true) const;

  // Direct children; all modules below in depth-first order. A module that occurs twice is told once. include_self needs a module that a
  // shared_ptr owns (every ModuleHolder does), else throws InvalidArgument.
  std::vector<std::pair<std::string, std::shared_ptr<Module>>> named_children() const;
  std::vector<std::shared_ptr<Module>> children() const;
  std::vector<std::pair<std::string, std::shared_ptr<Module>>> named_modules(bool include_self = true);
  std::vector<std::shared_ptr<Module>> modules(bool include_self = true);

  // Calls `visit` for all modules below, then for this one, as Python's apply.
  void apply(const std::function<void(Module&)>& visit);

  // Own parameters, own buffers, then each child, recursively. The tensors are the module's own, not copies.
  StateDict state_dict() const;
  // Copies the elements of `state` into the module's tensors (handles stay valid). Floating-point types convert among each other, integers
  // among each other. All missing, unexpected (if strict), mis-shaped and mistyped keys are named in one InvalidArgument, and then nothing
  // has been copied. With strict = false, missing and unexpected keys are returned instead.
  IncompatibleKeys load_state_dict(const StateDict& state, bool strict = true);

  // Training mode changes BatchNorm and Dropout; new modules are in training mode, as in PyTorch.
  void train(bool on = true);
  void eval() { train(false); }
  bool is_training() const noexcept { return training_; }

  // The module as another type, or null: module.as<nn::Conv2d>(), module.as<nn::Conv2dImpl>().
  template <class M>
  auto* as() noexcept {
    if constexpr (std::derived_from<M, Module>) {
      return dynamic_cast<M*>(this);
    } else {
      return dynamic_cast<typename M::Impl*>(this);
    }
  }

  // Register under a name without dots that no other parameter, buffer or child has; else throws InvalidArgument. They return what was
  // registered. Read-only tensors are cloned, so that load_state_dict can write to them; an undefined tensor registers nothing.
  Tensor register_parameter(std::string name, Tensor tensor);
  Tensor register_buffer(std::string name, Tensor tensor);
  template <class M>
  std::shared_ptr<M> register_module(std::string name, std::shared_ptr<M> module) {
    add_child(std::move(name), module);
    return module;
  }
  template <class M>
  std::shared_ptr<M> register_module(std::string name, const ModuleHolder<M>& holder) {
    return register_module(std::move(name), holder.ptr());
  }

 protected:
  // Whether a state without this own key is accepted by a strict load_state_dict (BatchNorm's counter in old checkpoints).
  virtual bool may_be_missing(std::string_view /*key*/) const { return false; }

 private:
  friend class ModuleWalk;
  using Children = std::vector<std::pair<std::string, std::shared_ptr<Module>>>;

  void add_child(std::string name, std::shared_ptr<Module> module);
  void check_name(std::string_view what, std::string_view name) const;

  std::string name_;
  bool training_ = true;
  StateDict parameters_;
  StateDict buffers_;
  Children children_;
};

using sardonyx::to_string;  // of shapes and types, beside those of modules
// As Python prints a module: its type, extra_repr(), and its children, indented.
std::string to_string(const Module& module);
// One line for error trails: "Conv2d(1, 64, kernel_size=(5, 5), stride=(1, 1))".
std::string describe(const Module& module);
std::ostream& operator<<(std::ostream& out, const Module& module);
std::ostream& pretty_print(std::ostream& out, const Module& module);

// While it lives, what runs on this thread belongs to `module`: an export names its nodes after that ("/conv1/Conv").
class CallScope {
 public:
  explicit CallScope(const Module& module);
  ~CallScope();
  CallScope(const CallScope&) = delete;
  CallScope& operator=(const CallScope&) = delete;

 private:
  bool pushed_;
};

// A shared handle to a module. Copies share the module. `conv1(x)` is conv1->forward(x) within a CallScope, and errors tell the module:
// prefer it. Constructed from nullptr it is empty; using it then throws InvalidArgument.
template <class ImplType>
class ModuleHolder {
 public:
  using Impl = ImplType;

  ModuleHolder() : impl_(std::make_shared<Impl>()) {}
  ModuleHolder(std::nullptr_t) {}                                           // NOLINT: members read as conv1{nullptr}
  ModuleHolder(std::shared_ptr<Impl> module) : impl_(std::move(module)) {}  // NOLINT: conv1 = register_module(...)
  template <class Head, class... Tail>
  requires(std::constructible_from<Impl, Head, Tail...> &&
           !(sizeof...(Tail) == 0 &&
             (std::same_as<std::remove_cvref_t<Head>, ModuleHolder> || std::convertible_to<Head, std::shared_ptr<Impl>> ||
              std::same_as<std::remove_cvref_t<Head>, std::nullptr_t>))) explicit ModuleHolder(Head&& head, Tail&&... tail)
      : impl_(std::make_shared<Impl>(std::forward<Head>(head), std::forward<Tail>(tail)...)) {}

  Impl* operator->() const { return get(); }
  Impl& operator*() const { return *get(); }
  Impl* get() const {
    if (!impl_) throw Error(ErrorCode::kInvalidArgument, "the module handle is empty: assign a module to it before use");
    return impl_.get();
  }
  const std::shared_ptr<Impl>& ptr() const {
    get();
    return impl_;
  }
  bool is_empty() const noexcept { return impl_ == nullptr; }
  explicit operator bool() const noexcept { return impl_ != nullptr; }

  template <class... Args>
  decltype(auto) operator()(Args&&... args) const {
    CallScope scope(*get());
    return with_trail([this] { return describe(*impl_); }, [&]() -> decltype(auto) { return impl_->forward(std::forward<Args>(args)...); });
  }

 private:
  std::shared_ptr<Impl> impl_;
};

template <class M>
std::string to_string(const ModuleHolder<M>& holder) {
  return to_string(static_cast<const Module&>(*holder));
}
template <class M>
std::ostream& operator<<(std::ostream& out, const ModuleHolder<M>& holder) {
  return out << static_cast<const Module&>(*holder);
}

}  // namespace sardonyx::nn

// Name becomes the handle of NameImpl.
#define SARDONYX_MODULE(Name) using Name = ::sardonyx::nn::ModuleHolder<Name##Impl>
