// The values of one checkpoint in flat arrays: nodes refer to each other by number, so that shared values stay shared, and destruction
// never recurses. The pickle machine fills it; CheckpointValue reads it.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sardonyx/checkpoint.h"

namespace sardonyx::checkpoint {

using NodeId = uint32_t;

// The first are CheckpointValue::Kind, in its order; those from kGlobal on exist while a pickle runs only.
enum class NodeKind : uint8_t {
  kNone,
  kBool,
  kInt,
  kBigInt,
  kFloat,
  kString,
  kBytes,
  kList,
  kTuple,
  kSet,
  kDict,
  kTensor,
  kOpaque,
  kGlobal,
  kStorage,
  kNumpyType,
  kNumpyArray,
};
static_assert(static_cast<int>(NodeKind::kOpaque) == static_cast<int>(CheckpointValue::Kind::kOpaque));

// `value` by kind: the truth or number itself, the bits of a double, else an index into the array of that kind.
struct Node {
  NodeKind kind = NodeKind::kNone;
  int64_t value = 0;
};

struct ValueStore {
  std::vector<Node> nodes;
  std::vector<std::string_view> texts;     // kBigInt, kString, kBytes, kOpaque; views on the file or on owned_texts
  std::vector<std::vector<NodeId>> items;  // kList, kTuple, kSet; kDict as key, value, key, value
  std::vector<Tensor> tensors;             // kTensor
  std::deque<std::string> owned_texts;
  std::shared_ptr<const void> owner;  // keeps the viewed bytes alive

  NodeId add(NodeKind kind, int64_t value = 0);
  NodeId add_float(double value);
  NodeId add_text(NodeKind kind, std::string_view text);
  NodeId add_owned_text(NodeKind kind, std::string text);
  NodeId add_items(NodeKind kind, std::vector<NodeId> children = {});

  const Node& node(NodeId id) const { return nodes[id]; }
  NodeKind kind(NodeId id) const { return nodes[id].kind; }
  bool is_text(NodeId id) const { return kind(id) == NodeKind::kString || kind(id) == NodeKind::kBytes; }
  bool is_sequence(NodeId id) const { return kind(id) == NodeKind::kList || kind(id) == NodeKind::kTuple; }
  bool has_items(NodeId id) const { return kind(id) >= NodeKind::kList && kind(id) <= NodeKind::kDict; }
  std::string_view text(NodeId id) const { return texts[static_cast<size_t>(nodes[id].value)]; }
  std::vector<NodeId>& children(NodeId id) { return items[static_cast<size_t>(nodes[id].value)]; }
  const std::vector<NodeId>& children(NodeId id) const { return items[static_cast<size_t>(nodes[id].value)]; }
};

// "list", "tensor", "global", ...
std::string_view kind_name(NodeKind kind) noexcept;

// Holds the tree below `root` to the limits on depth and on values counted at each place; refuses values that contain themselves, dicts
// with unhashable or repeated keys, and kinds from kGlobal on.
// Returns the tensor nodes of the tree, each once, in order of first sight.
std::vector<NodeId> check_tree(const ValueStore& store, NodeId root, const CheckpointLimits& limits);

}  // namespace sardonyx::checkpoint
