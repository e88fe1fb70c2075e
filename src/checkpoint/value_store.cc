#include "checkpoint/value_store.h"

#include <algorithm>
#include <bit>
#include <unordered_set>

#include "checkpoint/text.h"

namespace sardonyx::checkpoint {

namespace {

constexpr std::string_view kKindNames[] = {"none", "bool", "int",    "big int", "float",  "string",  "bytes",      "list",       "tuple",
                                           "set",  "dict", "tensor", "opaque",  "global", "storage", "numpy type", "numpy array"};

struct Summary {
  enum class State : uint8_t { kNew, kOpen, kDone } state = State::kNew;
  uint32_t height = 0;    // containers from here down, this one included
  uint64_t expanded = 0;  // values from here down, shared ones counted at each place
};

struct Frame {
  NodeId node;
  size_t next;
};

bool is_hashable(NodeKind kind) noexcept { return kind <= NodeKind::kBytes || kind == NodeKind::kTuple || kind == NodeKind::kOpaque; }

void check_keys(const ValueStore& store, NodeId dict) {
  std::unordered_set<std::string_view> texts;
  std::unordered_set<int64_t> numbers;
  const std::vector<NodeId>& children = store.children(dict);
  for (size_t i = 0; i < children.size(); i += 2) {
    const NodeId key = children[i];
    if (!is_hashable(store.kind(key))) {
      throw Error(ErrorCode::kInvalidModel,
                  "a dict has a key of kind " + std::string(kind_name(store.kind(key))) + ", which Python cannot hash");
    }
    if (store.kind(key) == NodeKind::kString && !texts.insert(store.text(key)).second) {
      throw Error(ErrorCode::kInvalidModel, "a dict has the key " + quote(store.text(key)) + " twice");
    }
    if (store.kind(key) == NodeKind::kInt && !numbers.insert(store.node(key).value).second) {
      throw Error(ErrorCode::kInvalidModel, "a dict has the key " + std::to_string(store.node(key).value) + " twice");
    }
  }
}

// Walks the tree without recursion.
class TreeCheck {
 public:
  TreeCheck(const ValueStore& store, const CheckpointLimits& limits) : store_(store), limits_(limits), seen_(store.nodes.size()) {}

  std::vector<NodeId> run(NodeId root) {
    enter(root);
    while (!path_.empty()) {
      Frame& frame = path_.back();
      const std::vector<NodeId>& children = store_.children(frame.node);
      if (frame.next < children.size()) {
        visit(children[frame.next++]);
      } else {
        leave();
      }
    }
    return std::move(tensors_);
  }

 private:
  void visit(NodeId child) {
    switch (seen_[child].state) {
      case Summary::State::kNew:
        return enter(child);
      case Summary::State::kOpen:
        throw Error(ErrorCode::kUnsupported, "a " + name(child) + " contains itself, which no data tree may");
      case Summary::State::kDone:
        return account(child);
    }
  }

  void enter(NodeId id) {
    if (store_.kind(id) >= NodeKind::kGlobal) {
      throw Error(ErrorCode::kUnsupported, "the checkpoint holds a bare " + name(id) + ", which is not a data value");
    }
    Summary& summary = seen_[id];
    summary.expanded = 1;
    if (store_.kind(id) == NodeKind::kTensor) tensors_.push_back(id);
    if (store_.has_items(id)) {
      if (store_.kind(id) == NodeKind::kDict) check_keys(store_, id);
      summary.state = Summary::State::kOpen;
      path_.push_back({id, 0});
    } else {
      summary.state = Summary::State::kDone;
      account(id);
    }
  }

  void leave() {
    const NodeId id = path_.back().node;
    path_.pop_back();
    Summary& summary = seen_[id];
    summary.state = Summary::State::kDone;
    ++summary.height;
    account(id);
  }

  // Adds a finished child to the container it was met in, and holds it to the limits.
  void account(NodeId child) {
    const Summary& done = seen_[child];
    if (done.height > limits_.max_depth) {
      throw Error(ErrorCode::kResourceLimit,
                  "values are nested deeper than " + std::to_string(limits_.max_depth) + " (CheckpointLimits::max_depth)");
    }
    if (done.expanded > limits_.max_values) throw_too_many();
    if (path_.empty()) return;
    Summary& parent = seen_[path_.back().node];
    parent.height = std::max(parent.height, done.height);
    parent.expanded += done.expanded;
    if (parent.expanded > limits_.max_values) throw_too_many();
  }

  [[noreturn]] void throw_too_many() const {
    throw Error(ErrorCode::kResourceLimit, "the tree has more than " + std::to_string(limits_.max_values) +
                                               " values, shared ones counted at each place (CheckpointLimits::max_values)");
  }

  std::string name(NodeId id) const { return std::string(kind_name(store_.kind(id))); }

  const ValueStore& store_;
  const CheckpointLimits& limits_;
  std::vector<Summary> seen_;
  std::vector<Frame> path_;
  std::vector<NodeId> tensors_;
};

}  // namespace

NodeId ValueStore::add(NodeKind kind, int64_t value) {
  nodes.push_back({kind, value});
  return static_cast<NodeId>(nodes.size() - 1);
}

NodeId ValueStore::add_float(double value) { return add(NodeKind::kFloat, std::bit_cast<int64_t>(value)); }

NodeId ValueStore::add_text(NodeKind kind, std::string_view text) {
  texts.push_back(text);
  return add(kind, static_cast<int64_t>(texts.size() - 1));
}

NodeId ValueStore::add_owned_text(NodeKind kind, std::string text) { return add_text(kind, owned_texts.emplace_back(std::move(text))); }

NodeId ValueStore::add_items(NodeKind kind, std::vector<NodeId> children) {
  items.push_back(std::move(children));
  return add(kind, static_cast<int64_t>(items.size() - 1));
}

std::string_view kind_name(NodeKind kind) noexcept { return kKindNames[static_cast<size_t>(kind)]; }

std::vector<NodeId> check_tree(const ValueStore& store, NodeId root, const CheckpointLimits& limits) {
  return TreeCheck(store, limits).run(root);
}

}  // namespace sardonyx::checkpoint
