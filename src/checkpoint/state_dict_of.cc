#include <array>
#include <string>

#include "checkpoint/text.h"
#include "sardonyx/checkpoint.h"

namespace sardonyx {

namespace {

using Kind = CheckpointValue::Kind;

constexpr std::array<std::string_view, 11> kUsualKeys = {"state_dict", "model_state_dict", "model",     "module",  "params_ema", "params",
                                                         "net",        "network",          "generator", "weights", "ema"};
constexpr int kDeepest = 8;

bool holds_tensors(const CheckpointValue& value) {
  if (value.kind() != Kind::kDict) return false;
  for (size_t i = 0; i < value.size(); ++i) {
    if (value.at(i).kind() == Kind::kTensor) return true;
  }
  return false;
}

// The dict within `value` that the documented rule chooses, if any.
std::optional<CheckpointValue> choose(const CheckpointValue& value, int depth) {
  if (value.kind() != Kind::kDict || depth > kDeepest) return std::nullopt;
  for (const std::string_view key : kUsualKeys) {
    const auto child = value.find(key);
    if (!child || child->kind() != Kind::kDict) continue;
    if (auto chosen = choose(*child, depth + 1)) return chosen;
  }
  if (holds_tensors(value)) return value;
  std::optional<CheckpointValue> only;
  for (size_t i = 0; i < value.size(); ++i) {
    if (!holds_tensors(value.at(i))) continue;
    if (only) return std::nullopt;
    only = value.at(i);
  }
  return only;
}

// "a.b.c": keys may themselves have dots, so each split is tried, the longest first key last.
std::optional<CheckpointValue> follow(const CheckpointValue& value, std::string_view path, int depth) {
  if (depth > kDeepest) return std::nullopt;
  if (auto found = value.find(path)) return found;
  for (size_t dot = path.find('.'); dot != std::string_view::npos; dot = path.find('.', dot + 1)) {
    const auto child = value.find(path.substr(0, dot));
    if (!child) continue;
    if (auto found = follow(*child, path.substr(dot + 1), depth + 1)) return found;
  }
  return std::nullopt;
}

std::string key_name(const CheckpointValue& key) {
  if (key.kind() == Kind::kString) return std::string(key.as_string());
  if (key.kind() == Kind::kInt) return std::to_string(key.as_int());
  throw Error(ErrorCode::kUnsupported, "the state dict has a tensor under a key that is a " + std::string(to_string(key.kind())) +
                                           ". Cure: re-save it with string keys");
}

std::string list_keys(const CheckpointValue& value) {
  constexpr size_t kShown = 12;
  if (value.kind() != Kind::kDict) return "it holds a " + std::string(to_string(value.kind()));
  std::string names;
  for (size_t i = 0; i < value.size() && i < kShown; ++i) {
    const CheckpointValue key = value.key(i);
    const bool has_name = key.kind() == Kind::kString || key.kind() == Kind::kInt;
    names += (i == 0 ? "" : ", ") + (has_name ? checkpoint::quote(key_name(key)) : std::string(to_string(key.kind())));
    names += " (" + std::string(to_string(value.at(i).kind())) + ")";
  }
  if (names.empty()) return "it holds an empty dict";
  return "its keys are " + names + (value.size() > kShown ? ", ..." : "");
}

StateDict tensors_of(const CheckpointValue& dict, std::string_view strip_prefix) {
  StateDict state;
  for (size_t i = 0; i < dict.size(); ++i) {
    const CheckpointValue value = dict.at(i);
    if (value.kind() != Kind::kTensor) continue;
    std::string name = key_name(dict.key(i));
    if (!strip_prefix.empty() && name.starts_with(strip_prefix)) name.erase(0, strip_prefix.size());
    if (state.contains(name)) throw Error(ErrorCode::kInvalidArgument, "two tensors have the name " + checkpoint::quote(name));
    state.set(std::move(name), value.as_tensor());
  }
  return state;
}

}  // namespace

StateDict state_dict_of(const CheckpointValue& root, const CheckpointOptions& options) {
  if (options.key.empty()) {
    const auto chosen = choose(root, 0);
    if (!chosen) {
      throw Error(ErrorCode::kInvalidArgument, "no dict of tensors is where state dicts usually lie: " + list_keys(root) +
                                                   ". Cure: name its place with CheckpointOptions::key");
    }
    return tensors_of(*chosen, options.strip_prefix);
  }
  const auto found = follow(root, options.key, 0);
  if (!found) throw Error(ErrorCode::kInvalidArgument, "there is no key " + checkpoint::quote(options.key) + ": " + list_keys(root));
  if (!holds_tensors(*found)) {
    throw Error(ErrorCode::kInvalidArgument,
                "there are no tensors directly under " + checkpoint::quote(options.key) + ": " + list_keys(*found));
  }
  return tensors_of(*found, options.strip_prefix);
}

}  // namespace sardonyx
