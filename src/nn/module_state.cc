// state_dict and load_state_dict.
#include <cstring>
#include <unordered_set>

#include "nn/module_walk.h"
#include "sardonyx/nn/module.h"

namespace sardonyx::nn {
namespace {

struct Slot {
  std::string key;
  Tensor tensor;
  bool optional;  // may be missing from a state
};

std::vector<Slot> slots_of(const Module& root) {
  std::vector<Slot> result;
  ModuleWalk::every(root, [&](const std::string& path, const Module& module) {
    for (const StateDict* own : {&ModuleWalk::parameters(module), &ModuleWalk::buffers(module)}) {
      for (const auto& [name, tensor] : *own) result.push_back({join_names(path, name), tensor, ModuleWalk::may_be_missing(module, name)});
    }
  });
  return result;
}

std::string quoted_list(const std::vector<std::string>& keys) {
  std::string result;
  for (const std::string& key : keys) result += (result.empty() ? "\"" : ", \"") + key + "\"";
  return result;
}

bool converts(DType from, DType to) {
  return from == to || (is_floating_point(from) && is_floating_point(to)) || (is_integral(from) && is_integral(to));
}

// Why `given` cannot be copied into `own`, or nothing. Checkpoints of old hold scalars as one-element vectors.
std::string mismatch(const Slot& own, const Tensor& given) {
  if (!given.defined()) return "the state holds an undefined tensor for " + own.key + ".";
  const bool old_scalar = own.tensor.dim() == 0 && given.shape() == Shape{1};
  if (given.shape() != own.tensor.shape() && !old_scalar) {
    return "size mismatch for " + own.key + ": copying a param with shape torch.Size(" + to_string(given.shape()) +
           ") from checkpoint, the shape in current model is torch.Size(" + to_string(own.tensor.shape()) + ").";
  }
  if (!converts(given.dtype(), own.tensor.dtype())) {
    return "type mismatch for " + own.key + ": " + type_string(given.dtype()) + " in the checkpoint does not convert to " +
           type_string(own.tensor.dtype()) + " in the current model.";
  }
  return {};
}

struct Copy {
  Tensor target, source;
};

}  // namespace

StateDict Module::state_dict() const {
  StateDict result;
  for (Slot& slot : slots_of(*this)) result.set(std::move(slot.key), std::move(slot.tensor));
  return result;
}

IncompatibleKeys Module::load_state_dict(const StateDict& state, bool strict) {
  IncompatibleKeys keys;
  std::vector<std::string> mismatches;
  std::vector<Copy> copies;
  std::unordered_set<std::string_view> own_keys;
  const std::vector<Slot> slots = slots_of(*this);
  for (const Slot& slot : slots) {
    own_keys.insert(slot.key);
    const Tensor* given = state.find(slot.key);
    if (!given) {
      if (!slot.optional) keys.missing_keys.push_back(slot.key);
    } else if (std::string told = mismatch(slot, *given); !told.empty()) {
      mismatches.push_back(std::move(told));
    } else {
      with_trail([&] { return slot.key; }, [&] { copies.push_back({slot.tensor, given->to(slot.tensor.dtype())}); });
    }
  }
  for (const auto& [key, tensor] : state) {
    if (!own_keys.contains(key)) keys.unexpected_keys.push_back(key);
  }

  std::vector<std::string> messages;
  if (strict && !keys.missing_keys.empty()) messages.push_back("Missing key(s) in state_dict: " + quoted_list(keys.missing_keys) + ". ");
  if (strict && !keys.unexpected_keys.empty())
    messages.push_back("Unexpected key(s) in state_dict: " + quoted_list(keys.unexpected_keys) + ". ");
  messages.insert(messages.end(), mismatches.begin(), mismatches.end());
  if (!messages.empty()) {
    std::string told = "Error(s) in loading state_dict for " + name() + ":";
    for (const std::string& message : messages) told += "\n\t" + message;
    throw Error(ErrorCode::kInvalidArgument, told);
  }
  for (Copy& copy : copies) {
    if (copy.source.numel() > 0) std::memmove(copy.target.mutable_raw(), copy.source.raw(), copy.target.byte_size());
  }
  return keys;
}

}  // namespace sardonyx::nn
