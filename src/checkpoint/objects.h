// What REDUCE, BUILD and persistent ids make of the known globals.
#pragma once

#include <string_view>
#include <vector>

#include "checkpoint/pickle.h"

namespace sardonyx::checkpoint {

class ObjectBuilder {
 public:
  explicit ObjectBuilder(PickleState& state) : state_(state), store_(state.store) {}

  NodeId global(std::string_view module, std::string_view name);
  // `function(*arguments)`, for functions that stand for data.
  NodeId reduce(NodeId function, NodeId arguments);
  // State given to an object after its making. Replaces nothing but numpy's unfinished objects.
  void build(NodeId object, NodeId object_state);
  // ('storage', type, key, location, count[, view]).
  NodeId storage(NodeId persistent_id);

 private:
  using Arguments = std::vector<NodeId>;  // copied: the store's arrays move while values are added

  NodeId reduce_torch(const Global& function, const Arguments& arguments);
  NodeId reduce_numpy(const Global& function, const Arguments& arguments);
  NodeId make_dict(const Arguments& arguments);
  NodeId make_default_dict(const Arguments& arguments);
  NodeId make_copy(NodeKind kind, const Arguments& arguments);
  NodeId make_bytes(const Arguments& arguments);
  NodeId encode(const Arguments& arguments);
  NodeId make_tensor(const Global& function, const Arguments& arguments);
  NodeId make_from_type(const Arguments& arguments);
  NodeId make_device(const Arguments& arguments);
  NodeId numpy_type(const Arguments& arguments);
  NodeId numpy_scalar(const Arguments& arguments);
  void build_numpy_type(NodeId type, const Arguments& arguments);
  NodeId numpy_from_buffer(const Arguments& arguments);
  void build_numpy_array(NodeId array, const Arguments& arguments);
  void add_numpy_array(NodeId type, NodeId shape, bool is_fortran, NodeId contents);
  void add_tensor(TensorSpec tensor);
  void read_metadata(NodeId metadata, ElementView& view) const;
  size_t storage_index(const std::string& key, DType dtype, int64_t count);
  StorageRef part_of(const StorageRef& whole, NodeId view) const;

  // Arguments, checked. `index` counts from 0.
  NodeId argument(const Arguments& arguments, size_t index, NodeKind kind, std::string_view what) const;
  NodeId first_tensor(const Arguments& arguments, std::string_view what) const;
  int64_t integer(NodeId node, std::string_view what) const;
  std::string_view string(NodeId node, std::string_view what) const;
  Shape sizes(NodeId node, std::string_view what) const;
  bool is_global(NodeId node, GlobalKind kind) const;

  PickleState& state_;
  ValueStore& store_;
};

}  // namespace sardonyx::checkpoint
