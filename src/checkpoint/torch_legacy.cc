// torch.save before 1.6: pickles one after the other (magic number, protocol version, system, object, list of storage keys), then for each
// key in that order the number of elements as int64 and the elements. Numbers and elements are little-endian on every machine.
#include <string>

#include "checkpoint/byte_reader.h"
#include "checkpoint/element_types.h"
#include "checkpoint/formats.h"
#include "checkpoint/pickle.h"
#include "checkpoint/text.h"

namespace sardonyx::checkpoint {

namespace {

constexpr std::string_view kMagic = "119547037146038801333356";  // 0x1950a86a20f9469cfc6c
constexpr int64_t kProtocol = 1001;

[[noreturn]] void invalid(const std::string& message) { throw Error(ErrorCode::kInvalidModel, message); }

class TorchLegacy {
 public:
  TorchLegacy(const Bytes& file, const CheckpointOptions& options)
      : file_(file),
        budget_(copy_budget(options.limits, file.data.size())),
        store_(std::make_shared<ValueStore>()),
        state_{*store_, options} {
    store_->owner = file.owner;
  }

  Checkpoint read() {
    const NodeId magic = next_pickle();
    if (store_->kind(magic) != NodeKind::kBigInt || store_->text(magic) != kMagic) {
      throw Error(ErrorCode::kUnsupported, "the file is a pickle, but not one of torch.save. Cure: torch.save(the_object, path) in Python");
    }
    const NodeId protocol = next_pickle();
    if (store_->kind(protocol) != NodeKind::kInt || store_->node(protocol).value != kProtocol)
      invalid("its torch.save protocol is not 1001");
    next_pickle();  // sizes of C types on the machine that wrote the file
    const NodeId root = next_pickle();
    read_storages(next_pickle());
    make_tensors(state_, root, budget_, false, [&](const StorageSpec& storage) { return fetch(storage); });
    return {CheckpointFormat::kTorchLegacy, {store_, root}, {}};
  }

 private:
  NodeId next_pickle() {
    size_t consumed = 0;
    const NodeId node = run_pickle(state_, file_.data.subspan(position_), consumed);
    position_ += consumed;
    return node;
  }

  void read_storages(NodeId keys) {
    if (store_->kind(keys) != NodeKind::kList) invalid("the list of storage keys is a " + std::string(kind_name(store_->kind(keys))));
    ByteReader reader(file_.data, "file");
    reader.seek(position_);
    contents_.resize(state_.storages.size());
    for (const NodeId node : store_->children(keys)) {
      const std::string key = key_text(node);
      const auto found = state_.storage_of_key.find(key);
      if (found == state_.storage_of_key.end()) invalid("the file has a storage " + quote(key) + " that no tensor mentions");
      const StorageSpec& storage = state_.storages[found->second];
      const int64_t count = reader.read<int64_t>();
      if (count != storage.count) {
        invalid("storage " + quote(key) + " has " + std::to_string(count) + " elements, and " + std::to_string(storage.count) +
                " are declared");
      }
      contents_[found->second] = {reader.take(byte_count(storage)), file_.owner};
    }
  }

  std::string key_text(NodeId node) const {
    if (store_->kind(node) == NodeKind::kInt) return std::to_string(store_->node(node).value);
    if (!store_->is_text(node)) invalid("a storage key is a " + std::string(kind_name(store_->kind(node))));
    return std::string(store_->text(node).substr(0, 2048));
  }

  Bytes fetch(const StorageSpec& storage) const {
    const Bytes& bytes = contents_[state_.storage_of_key.at(storage.key)];
    if (bytes.data.size() != byte_count(storage)) invalid("the file lacks the elements of storage " + quote(storage.key));
    return bytes;
  }

  const Bytes& file_;
  size_t position_ = 0;
  CopyBudget budget_;
  std::shared_ptr<ValueStore> store_;
  PickleState state_;
  std::vector<Bytes> contents_;  // by storage
};

}  // namespace

Checkpoint read_torch_legacy(const Bytes& file, const CheckpointOptions& options) { return TorchLegacy(file, options).read(); }

}  // namespace sardonyx::checkpoint
