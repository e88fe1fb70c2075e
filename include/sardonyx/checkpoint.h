// Checkpoints: reading what torch.save and safetensors write, and writing files that they read.
//
// Reading executes nothing: the pickle inside a .pth or .pt file runs on a machine that knows data only, and a file that names any other
// global is refused with that name. Formats are told apart by content, not by file name: the zip of torch >= 1.6, the older sequence of
// pickles, safetensors. Tensors are read-only views on the mapped file wherever the stored elements are contiguous, aligned and
// little-endian; else they are copied once. Tensors that share a storage in the file share memory, save where they had to be copied.
//
// All functions throw Error: InvalidModel for a file that breaks its format, Unsupported for one that asks for more than data,
// ResourceLimit where CheckpointLimits would be exceeded, Io where the system refuses the file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sardonyx/state_dict.h"
#include "sardonyx/tensor.h"

namespace sardonyx {

namespace checkpoint {
struct ValueStore;
}

// What a file may cost. The defaults admit every honest checkpoint known to the authors.
struct CheckpointLimits {
  uint64_t max_file_bytes = uint64_t{1} << 42;
  uint64_t max_entries = 1'000'000;         // files in the zip
  uint64_t max_pickle_ops = 20'000'000;     // pickle instructions of the whole file
  uint64_t max_memo = 20'000'000;           // pickle memo entries
  uint64_t max_depth = 100;                 // containers within containers
  uint64_t max_values = 20'000'000;         // values of the tree, a shared one counted at each place
  uint64_t max_tensors = 1'000'000;         // tensors of the file
  uint64_t max_rank = 64;                   // axes of a tensor
  uint64_t max_header_bytes = 100'000'000;  // JSON header of safetensors
  uint64_t max_copied_bytes = 0;            // elements that cannot be views, and inflated entries; 0: 1 GiB + 4 x the file's size
};

struct CheckpointOptions {
  // Where the state dict lies in the file, as "ema.model"; empty: it is found by the rule of state_dict_of().
  std::string key;
  // Removed from the names that begin with it, as "module." of DataParallel.
  std::string strip_prefix;
  // Zip entries of at most this many bytes are held to their CRC-32, and the pickle whatever its size. 0: nothing is.
  uint64_t verify_crc_up_to = uint64_t{1} << 20;
  // Reads around objects of unknown globals instead of refusing the file: they become values of kind kOpaque that hold the global's name.
  // Nothing is executed either way.
  bool opaque_globals = false;
  CheckpointLimits limits;
};

// One value of a checkpoint's tree: a cheap handle; the handles of one checkpoint share its memory.
// torch.dtype, torch.device and layouts are strings ("torch.float32", "cuda:0", "torch.strided"); torch.Size is a tuple; numpy arrays
// are tensors and numpy scalars plain numbers. Attributes of an OrderedDict (`_metadata`) are checked and left out.
class CheckpointValue {
 public:
  enum class Kind : uint8_t { kNone, kBool, kInt, kBigInt, kFloat, kString, kBytes, kList, kTuple, kSet, kDict, kTensor, kOpaque };

  CheckpointValue() = default;  // none
  CheckpointValue(std::shared_ptr<const checkpoint::ValueStore> store, uint32_t node) : store_(std::move(store)), node_(node) {}

  Kind kind() const noexcept;
  // Each throws InvalidArgument for another kind.
  bool as_bool() const;
  int64_t as_int() const;
  double as_float() const;             // a kInt too
  std::string_view as_string() const;  // UTF-8; the decimal digits of a kBigInt; the global's name of a kOpaque
  std::string_view as_bytes() const;   // kBytes
  const Tensor& as_tensor() const;

  size_t size() const noexcept;             // elements of a list, tuple, set or dict; else 0
  CheckpointValue at(size_t index) const;   // element of a list, tuple or set; value of a dict, in insertion order
  CheckpointValue key(size_t index) const;  // key of a dict
  // The value of a dict under that string key; none if absent or not a dict.
  std::optional<CheckpointValue> find(std::string_view key) const;

 private:
  std::shared_ptr<const checkpoint::ValueStore> store_;
  uint32_t node_ = 0;
};

// "dict", "tensor", ...
std::string_view to_string(CheckpointValue::Kind kind) noexcept;

enum class CheckpointFormat { kTorchZip, kTorchLegacy, kSafetensors };

using CheckpointMetadata = std::vector<std::pair<std::string, std::string>>;

struct Checkpoint {
  CheckpointFormat format = CheckpointFormat::kTorchZip;
  CheckpointValue root;
  CheckpointMetadata metadata;  // `__metadata__` of safetensors, sorted by key
};

// The whole tree of a file. options.key and options.strip_prefix do not matter here.
Checkpoint read_checkpoint(const std::filesystem::path& path, const CheckpointOptions& options = {});
// From memory. `owner` keeps `bytes` alive for the tensors (null: the caller does); `name` stands in error messages.
Checkpoint read_checkpoint(std::span<const std::byte> bytes, std::shared_ptr<const void> owner, const CheckpointOptions& options = {},
                           std::string_view name = "memory");

// The state dict within a tree: the tensors of one dict, in order; its other values are left out, whole-number keys become decimal names.
// With options.key, that dict. Else, from the root on: the dict under the first of the keys state_dict, model_state_dict, model, module,
// params_ema, params, net, network, generator, weights, ema that leads to tensors; else this dict if it holds tensors itself; else its
// only value that is a dict holding tensors. Throws InvalidArgument that lists the keys there are if none of these has tensors.
StateDict state_dict_of(const CheckpointValue& root, const CheckpointOptions& options = {});

// state_dict_of(read_checkpoint(...).root).
StateDict load_checkpoint(const std::filesystem::path& path, const CheckpointOptions& options = {});
StateDict load_checkpoint(std::span<const std::byte> bytes, std::shared_ptr<const void> owner, const CheckpointOptions& options = {},
                          std::string_view name = "memory");

// Writes a file that torch.load(path, weights_only=True) of torch >= 1.13 reads as an OrderedDict (float8 and uint16/32/64 need the torch
// versions that have them). Tensors of one type that overlap in memory share one storage in the file. The file appears complete or not at
// all. Throws Unsupported for strings and packed types.
void save_checkpoint(const std::filesystem::path& path, const StateDict& state);

// Writes safetensors. Throws Unsupported for element types that the format lacks (strings, packed types, complex128).
void save_safetensors(const std::filesystem::path& path, const StateDict& state, const CheckpointMetadata& metadata = {});

}  // namespace sardonyx
