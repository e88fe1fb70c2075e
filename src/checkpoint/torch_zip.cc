// torch.save since 1.6: a zip with <root>/data.pkl, <root>/data/<key> for each storage, <root>/version, and perhaps <root>/byteorder.
#include <charconv>
#include <string>

#include "checkpoint/byte_reader.h"
#include "checkpoint/formats.h"
#include "checkpoint/pickle.h"
#include "checkpoint/text.h"
#include "checkpoint/zip_reader.h"

namespace sardonyx::checkpoint {

namespace {

class TorchZip {
 public:
  TorchZip(const Bytes& file, const CheckpointOptions& options)
      : options_(options), budget_(copy_budget(options.limits, file.data.size())), zip_(file, options.limits.max_entries) {}

  Checkpoint read() {
    root_ = find_root();
    check_version();
    const bool swapped = is_big_endian();
    const auto store = std::make_shared<ValueStore>();
    PickleState state{*store, options_};
    const Bytes pickle = zip_.contents(*zip_.find(root_ + "data.pkl"), options_.verify_crc_up_to > 0, budget_);
    store->owner = pickle.owner;
    size_t consumed = 0;
    const NodeId root = run_pickle(state, pickle.data, consumed);
    make_tensors(state, root, budget_, swapped, [&](const StorageSpec& storage) { return fetch(storage); });
    return {CheckpointFormat::kTorchZip, {store, root}, {}};
  }

 private:
  // The folder of data.pkl, with its slash, or nothing.
  std::string find_root() const {
    constexpr std::string_view kPickle = "data.pkl";
    const ZipReader::Entry* found = nullptr;
    for (const ZipReader::Entry& entry : zip_.entries()) {
      const size_t slash = entry.name.find('/');
      const std::string_view base = slash == std::string_view::npos ? entry.name : entry.name.substr(slash + 1);
      if (base != kPickle) continue;
      if (found != nullptr) throw Error(ErrorCode::kInvalidModel, "the zip archive has data.pkl in two folders");
      found = &entry;
    }
    if (found == nullptr) refuse_without_pickle();
    const std::string root(found->name.substr(0, found->name.size() - kPickle.size()));
    if (zip_.find(root + "constants.pkl") != nullptr) {
      throw Error(ErrorCode::kUnsupported, "this is a TorchScript archive (torch.jit.save), not a state dict. Cure: in Python, " +
                                               std::string("torch.save(torch.jit.load(path).state_dict(), new_path)"));
    }
    return root;
  }

  [[noreturn]] void refuse_without_pickle() const {
    std::string names;
    for (size_t i = 0; i < zip_.entries().size() && i < 5; ++i) names += (i == 0 ? "" : ", ") + quote(zip_.entries()[i].name);
    throw Error(ErrorCode::kUnsupported, "the zip archive is no torch.save file: it has no data.pkl in its top folder, but " +
                                             (names.empty() ? "nothing at all" : names));
  }

  // A short text entry; empty if absent.
  std::string note(const std::string& name) {
    const ZipReader::Entry* entry = zip_.find(root_ + name);
    if (entry == nullptr) return {};
    if (entry->size > 64) throw Error(ErrorCode::kInvalidModel, "zip entry " + quote(entry->name) + " is no short note");
    const Bytes contents = zip_.contents(*entry, options_.verify_crc_up_to > 0, budget_);
    std::string text(as_text(contents.data));
    while (text.ends_with('\n') || text.ends_with(' ') || text.ends_with('\r')) text.pop_back();
    return text;
  }

  void check_version() {
    constexpr int kLastKnown = 10;  // what torch itself accepts
    const std::string text = note("version");
    if (text.empty()) return;
    int version = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
    if (error != std::errc() || end != text.data() + text.size() || version < 1) {
      throw Error(ErrorCode::kInvalidModel, "the file's version is " + quote(text));
    }
    if (version > kLastKnown) {
      throw Error(ErrorCode::kUnsupported, "the file has format version " + text + ", and " + std::to_string(kLastKnown) +
                                               " is the last known. Cure: save it with a current release of torch");
    }
  }

  bool is_big_endian() {
    const std::string order = note("byteorder");
    if (!order.empty() && order != "little" && order != "big")
      throw Error(ErrorCode::kInvalidModel, "the file's byteorder is " + quote(order));
    return order == "big";
  }

  Bytes fetch(const StorageSpec& storage) {
    const ZipReader::Entry* entry = zip_.find(root_ + "data/" + storage.key);
    if (entry == nullptr) throw Error(ErrorCode::kInvalidModel, "the zip archive lacks the storage " + quote(storage.key));
    if (entry->size != byte_count(storage)) {
      throw Error(ErrorCode::kInvalidModel, "storage " + quote(storage.key) + " has " + std::to_string(entry->size) + " bytes, and " +
                                                std::to_string(byte_count(storage)) + " are declared");
    }
    return zip_.contents(*entry, entry->size <= options_.verify_crc_up_to, budget_);
  }

  const CheckpointOptions& options_;
  CopyBudget budget_;
  ZipReader zip_;
  std::string root_;
};

}  // namespace

Checkpoint read_torch_zip(const Bytes& file, const CheckpointOptions& options) { return TorchZip(file, options).read(); }

}  // namespace sardonyx::checkpoint
