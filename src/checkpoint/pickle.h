// The restricted pickle machine: protocols 0 to 5, data only.
//
// A pickle is a program for a stack machine whose GLOBAL and REDUCE instructions call any Python function. Here nothing is ever called:
// a global is one of a short list of names known to stand for data (globals.h), and REDUCE of such a name builds that data. All else is
// refused with the global's name. Tensors come out as descriptions; the container (zip, legacy) brings their bytes later.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "checkpoint/globals.h"
#include "checkpoint/tensor_view.h"
#include "checkpoint/value_store.h"

namespace sardonyx::checkpoint {

// A block of elements that a pickle names by a key, or (numpy arrays) holds itself.
struct StorageSpec {
  std::string key;
  DType dtype = DType::kUInt8;  // of its first mention
  int64_t count = 0;            // elements of that type
  bool is_inline = false;
  std::span<const std::byte> contents;  // if is_inline
};

// A value of kind kStorage: a storage, or (legacy files) a part of one.
struct StorageRef {
  size_t storage = 0;
  DType dtype = DType::kUInt8;
  bool untyped = false;
  int64_t offset = 0;  // elements
  int64_t count = 0;
};

struct TensorSpec {
  size_t storage = 0;
  ElementView view;
};

// What the pickles of one file share.
struct PickleState {
  ValueStore& store;
  const CheckpointOptions& options;
  uint64_t operations = 0;
  std::vector<Global> globals = {};         // values of kind kGlobal
  std::vector<StorageRef> references = {};  // values of kind kStorage
  std::vector<StorageSpec> storages = {};
  std::unordered_map<std::string, size_t> storage_of_key = {};
  std::vector<TensorSpec> tensors = {};  // values of kind kTensor

  // Accounts for work; throws ResourceLimit beyond CheckpointLimits::max_pickle_ops.
  void charge(uint64_t amount);
  const Global& global(NodeId id) const { return globals[static_cast<size_t>(store.node(id).value)]; }
};

// Runs the pickle that starts at bytes[0], to its STOP. `consumed` receives its length.
NodeId run_pickle(PickleState& state, std::span<const std::byte> bytes, size_t& consumed);

// Makes the tensors of the tree below `root` from the bytes that `fetch` finds for their storages, each storage once.
// `swapped`: the file's elements are big-endian.
template <class Fetch>
void make_tensors(PickleState& state, NodeId root, CopyBudget& budget, bool swapped, const Fetch& fetch) {
  std::unordered_map<size_t, Bytes> fetched;
  state.store.tensors.resize(state.tensors.size());
  for (const NodeId node : check_tree(state.store, root, state.options.limits)) {
    const size_t index = static_cast<size_t>(state.store.node(node).value);
    TensorSpec& tensor = state.tensors[index];
    const StorageSpec& storage = state.storages[tensor.storage];
    auto found = fetched.find(tensor.storage);
    if (found == fetched.end()) {
      Bytes bytes = storage.is_inline ? Bytes{storage.contents, state.store.owner} : fetch(storage);
      found = fetched.emplace(tensor.storage, std::move(bytes)).first;
    }
    if (swapped && !storage.is_inline) tensor.view.swapped = true;
    state.store.tensors[index] = make_tensor(found->second, tensor.view, budget);
  }
}

// Bytes of a storage. Throws InvalidModel where they exceed int64.
uint64_t byte_count(const StorageSpec& storage);

}  // namespace sardonyx::checkpoint
