#include "sardonyx/nn/containers.h"

namespace sardonyx::nn {

ModuleListImpl::ModuleListImpl(std::initializer_list<AnyModule> modules) {
  for (const AnyModule& module : modules) push_back(module);
}

void ModuleListImpl::push_back(const AnyModule& module) { append(std::to_string(modules_.size()), module); }

void ModuleListImpl::append(std::string name, const AnyModule& module) {
  register_module(std::move(name), module.ptr());
  modules_.push_back(module.ptr());
}

const std::shared_ptr<Module>& ModuleListImpl::operator[](size_t index) const {
  if (index >= modules_.size()) {
    throw Error(ErrorCode::kInvalidArgument, "index " + std::to_string(index) + " is out of range: the " + name() + " has " +
                                                 std::to_string(modules_.size()) + " modules");
  }
  return modules_[index];
}

SequentialImpl::SequentialImpl(const std::vector<NamedModule>& modules) {
  for (const auto& [name, module] : modules) append(name, module);
}

Tensor SequentialImpl::forward(const Tensor& input) {
  Tensor x = input;
  for (const std::shared_ptr<Module>& module : *this) {
    const CallScope scope(*module);
    x = with_trail([&] { return describe(*module); }, [&] { return module->forward(x); });
  }
  return x;
}

}  // namespace sardonyx::nn
