// A graph as rules read it, and the patches they answer with.
//
// GraphView indexes a model's graph by value names. Rules see it const and return a Patch; apply() checks the patch, then changes graph and
// indexes together, at a cost proportional to the patch. Nodes keep their index for the life of the view; a removed node reads as null.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "optimize/known_values.h"
#include "sardonyx/model.h"
#include "sardonyx/tensor.h"

namespace sardonyx::optimize {

struct Patch {
  std::vector<size_t> remove = {};                                    // nodes
  std::vector<model::Node> add = {};                                  // they take the place of the first removed one
  std::vector<model::TensorData> constants = {};                      // new initializers
  std::vector<std::pair<std::string, std::string>> replace = {};      // who reads the first value reads the second from now on
  std::vector<std::pair<std::string, model::TensorType>> types = {};  // of new values, where the rule knows them
};

class GraphView {
 public:
  // Takes the model's graph over until release(). Its nodes must be in running order.
  explicit GraphView(model::Model& model);
  // With what inference has found instead of what the file declares.
  GraphView(model::Model& model, KnownValues known);

  size_t node_count() const noexcept { return nodes_.size(); }
  const model::Node* node(size_t index) const noexcept { return nodes_[index].node.get(); }
  int64_t opset(std::string_view domain) const noexcept { return model_.opset_version(domain); }

  // The node that produces a value, if one does.
  std::optional<size_t> producer(std::string_view value) const noexcept;
  // Nodes that read a value; one that reads it twice is there twice.
  const std::vector<size_t>& consumers(std::string_view value) const noexcept;
  // Its value must stay under this name: a graph output, or read by a graph inside a node.
  bool is_pinned(std::string_view value) const noexcept;
  bool is_graph_input(std::string_view value) const noexcept;
  bool is_used(std::string_view value) const noexcept { return is_pinned(value) || !consumers(value).empty(); }
  // The only node that reads the value, if the value is not pinned and is read once.
  std::optional<size_t> sole_consumer(std::string_view value) const noexcept;

  // The elements of an initializer that no feed can replace; null for anything else and where they cannot be read.
  const Tensor* constant(std::string_view value) const;
  // What an initializer is, inference found or (without it) the file declares; null if unknown. Equal symbols are equal sizes.
  const model::TensorType* type(std::string_view value) const noexcept;
  DType dtype(std::string_view value) const noexcept;                                // kUndefined if unknown
  const std::vector<model::Dimension>* dims(std::string_view value) const noexcept;  // null: the rank is unknown
  // The elements of a small integer tensor of rank 0 or 1 as far as they are known, constant or followed through the graph. Null: none is.
  const std::vector<model::Dimension>* elements(std::string_view value) const noexcept;
  // Whether the declared type, as far as it is known, admits this type and shape.
  bool admits(std::string_view value, DType dtype, const Shape& shape) const noexcept;
  // Whether every use of `old_value` could read `new_value`; see Patch::replace.
  bool can_replace(std::string_view old_value, std::string_view new_value) const noexcept;
  // A name that no value has, made from `base`.
  std::string fresh_name(std::string_view base) const;

  // Notes why a rule that nearly matched at a node leaves it; for `return graph.refuse(node, "...")`.
  std::nullopt_t refuse(size_t node, std::string reason) const;
  // The notes since the last call, as "node 'x' (Add): reason"; at most kMaxRefusals.
  std::vector<std::string> take_refusals();
  static constexpr size_t kMaxRefusals = 32;

  // Throws Internal, telling what does not hold, unless after the patch every value that is read is produced once, graph outputs are
  // there, and declared types still hold.
  void apply(Patch patch);

  // Gives the graph back: the nodes in running order, initializers and value_info that are still used.
  void release();

 private:
  struct Slot {
    std::unique_ptr<model::Node> node;
    size_t order = 0;  // place in the file, of the node or of the one that it replaces
  };
  struct Value {
    std::optional<size_t> producer;
    std::vector<size_t> consumers;
    bool pinned = false, graph_input = false;
    std::unique_ptr<model::TensorData> initializer;
    size_t initializer_order = 0;
    mutable std::optional<Tensor> decoded;  // of the initializer; undefined: cannot be read
    std::optional<model::TensorType> type;
    std::vector<model::Dimension> elements;
  };
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>()(text); }
  };
  using Values = std::unordered_map<std::string, Value, Hash, std::equal_to<>>;

  const Value* find(std::string_view value) const noexcept;
  bool is_defined(std::string_view value) const noexcept;
  void check(const Patch& patch) const;
  void check_replacement(const std::string& from, const std::string& to) const;
  void add_node(model::Node node, size_t order);
  void add_constant(model::TensorData tensor);
  void remove_node(size_t index);
  void redirect(const std::string& from, const std::string& to);
  void rename_output(const std::string& from, const std::string& to);
  void import_domain(const std::string& domain);

  model::Model& model_;
  mutable std::vector<std::pair<size_t, std::string>> refusals_;
  size_t initializers_ = 0;
  std::vector<Slot> nodes_;
  Values values_;
};

}  // namespace sardonyx::optimize
