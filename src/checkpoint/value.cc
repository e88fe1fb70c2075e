#include <bit>
#include <limits>
#include <string>

#include "checkpoint/value_store.h"
#include "sardonyx/checkpoint.h"

namespace sardonyx {

using checkpoint::Node;
using checkpoint::NodeId;
using checkpoint::NodeKind;

namespace {

[[noreturn]] void wrong_kind(std::string_view wanted, CheckpointValue::Kind kind) {
  throw Error(ErrorCode::kInvalidArgument, "the checkpoint value is a " + std::string(to_string(kind)) + ", not a " + std::string(wanted));
}

}  // namespace

std::string_view to_string(CheckpointValue::Kind kind) noexcept { return checkpoint::kind_name(static_cast<NodeKind>(kind)); }

CheckpointValue::Kind CheckpointValue::kind() const noexcept { return store_ ? static_cast<Kind>(store_->node(node_).kind) : Kind::kNone; }

bool CheckpointValue::as_bool() const {
  if (kind() != Kind::kBool) wrong_kind("bool", kind());
  return store_->node(node_).value != 0;
}

int64_t CheckpointValue::as_int() const {
  if (kind() != Kind::kInt) wrong_kind("int", kind());
  return store_->node(node_).value;
}

double CheckpointValue::as_float() const {
  if (kind() == Kind::kInt) return static_cast<double>(as_int());
  if (kind() != Kind::kFloat) wrong_kind("float", kind());
  return std::bit_cast<double>(store_->node(node_).value);
}

std::string_view CheckpointValue::as_string() const {
  if (kind() != Kind::kString && kind() != Kind::kBigInt && kind() != Kind::kOpaque) wrong_kind("string", kind());
  return store_->text(node_);
}

std::string_view CheckpointValue::as_bytes() const {
  if (kind() != Kind::kBytes) wrong_kind("bytes", kind());
  return store_->text(node_);
}

const Tensor& CheckpointValue::as_tensor() const {
  if (kind() != Kind::kTensor) wrong_kind("tensor", kind());
  return store_->tensors[static_cast<size_t>(store_->node(node_).value)];
}

size_t CheckpointValue::size() const noexcept {
  if (!store_ || !store_->has_items(node_)) return 0;
  return store_->children(node_).size() / (kind() == Kind::kDict ? 2 : 1);
}

CheckpointValue CheckpointValue::at(size_t index) const {
  if (index >= size()) {
    throw Error(ErrorCode::kInvalidArgument, "element " + std::to_string(index) + " of a " + std::string(to_string(kind())) + " with " +
                                                 std::to_string(size()) + " elements");
  }
  return {store_, store_->children(node_)[kind() == Kind::kDict ? 2 * index + 1 : index]};
}

CheckpointValue CheckpointValue::key(size_t index) const {
  if (kind() != Kind::kDict) wrong_kind("dict", kind());
  at(index);
  return {store_, store_->children(node_)[2 * index]};
}

std::optional<CheckpointValue> CheckpointValue::find(std::string_view key) const {
  if (kind() != Kind::kDict) return std::nullopt;
  const std::vector<NodeId>& children = store_->children(node_);
  for (size_t i = 0; i < children.size(); i += 2) {
    if (store_->kind(children[i]) == NodeKind::kString && store_->text(children[i]) == key) return CheckpointValue(store_, children[i + 1]);
  }
  return std::nullopt;
}

}  // namespace sardonyx
