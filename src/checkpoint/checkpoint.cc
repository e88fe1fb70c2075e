// The entrances: find the format, read, and name the file in every error.
#include "sardonyx/checkpoint.h"

#include "checkpoint/byte_reader.h"
#include "checkpoint/formats.h"
#include "checkpoint/zip_format.h"
#include "core/mapped_file.h"

namespace sardonyx {

namespace checkpoint {

CheckpointFormat detect_format(std::span<const std::byte> file) {
  constexpr size_t kTarMark = 257;
  const std::string_view text = as_text(file);
  if (file.size() > 8 && text[8] == '{' && load_little<uint64_t>(file.data()) <= file.size() - 8) return CheckpointFormat::kSafetensors;
  if (text.starts_with("PK\x03\x04") || text.starts_with("PK\x05\x06")) return CheckpointFormat::kTorchZip;
  if (text.size() > kTarMark + 5 && text.substr(kTarMark, 5) == "ustar") {
    throw Error(ErrorCode::kUnsupported,
                "the file is a tar archive, as torch wrote before 0.1.10 or as downloads are packed. Cure: unpack " +
                    std::string("it, or load and save it anew in Python with a current torch"));
  }
  if (text.starts_with("\x89HDF")) throw Error(ErrorCode::kUnsupported, "the file is HDF5, not a checkpoint of torch or safetensors");
  if (text.starts_with("GGUF")) throw Error(ErrorCode::kUnsupported, "the file is GGUF, not a checkpoint of torch or safetensors");
  // Pickles of protocol 2 and up start so; those of 0 and 1 with a long integer, the magic number of torch.save.
  if (text.starts_with('\x80') || text.starts_with("L119547")) return CheckpointFormat::kTorchLegacy;
  if (file.empty()) throw Error(ErrorCode::kInvalidModel, "the file is empty");
  throw Error(ErrorCode::kInvalidModel, "the file is neither of torch.save (zip or pickle) nor of safetensors");
}

CopyBudget copy_budget(const CheckpointLimits& limits, size_t file_size) {
  constexpr uint64_t kBase = uint64_t{1} << 30;
  return CopyBudget(limits.max_copied_bytes != 0 ? limits.max_copied_bytes : kBase + 4 * uint64_t{file_size});
}

namespace {

Checkpoint read(const Bytes& file, const CheckpointOptions& options) {
  if (file.data.size() > options.limits.max_file_bytes) {
    throw Error(ErrorCode::kResourceLimit, "the file has " + std::to_string(file.data.size()) + " bytes, more than " +
                                               std::to_string(options.limits.max_file_bytes) + " (CheckpointLimits::max_file_bytes)");
  }
  switch (detect_format(file.data)) {
    case CheckpointFormat::kTorchZip:
      return read_torch_zip(file, options);
    case CheckpointFormat::kTorchLegacy:
      return read_torch_legacy(file, options);
    case CheckpointFormat::kSafetensors:
      return read_safetensors(file, options);
  }
  throw Error(ErrorCode::kInternal, "the checkpoint format is unknown");
}

std::string trail(std::string_view name) { return "checkpoint '" + std::string(name) + "'"; }

}  // namespace

}  // namespace checkpoint

Checkpoint read_checkpoint(std::span<const std::byte> bytes, std::shared_ptr<const void> owner, const CheckpointOptions& options,
                           std::string_view name) {
  return with_trail([&] { return checkpoint::trail(name); }, [&] { return checkpoint::read({bytes, std::move(owner)}, options); });
}

Checkpoint read_checkpoint(const std::filesystem::path& path, const CheckpointOptions& options) {
  const std::shared_ptr<const core::MappedFile> file = core::MappedFile::open(path);
  return read_checkpoint(file->bytes(), file, options, path.string());
}

StateDict load_checkpoint(std::span<const std::byte> bytes, std::shared_ptr<const void> owner, const CheckpointOptions& options,
                          std::string_view name) {
  const Checkpoint read = read_checkpoint(bytes, std::move(owner), options, name);
  return with_trail([&] { return checkpoint::trail(name); }, [&] { return state_dict_of(read.root, options); });
}

StateDict load_checkpoint(const std::filesystem::path& path, const CheckpointOptions& options) {
  const Checkpoint read = read_checkpoint(path, options);
  return with_trail([&] { return checkpoint::trail(path.string()); }, [&] { return state_dict_of(read.root, options); });
}

}  // namespace sardonyx
