#include "model/external_data.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <system_error>

#include "core/arena.h"
#include "core/mapped_file.h"
#include "model/tensor_walk.h"
#include "sardonyx/error.h"

namespace sardonyx::model {
namespace {

namespace fs = std::filesystem;

struct Reference {
  std::string location;
  uint64_t offset = 0;
  std::optional<uint64_t> length;
};

uint64_t parse_number(const std::string& key, const std::string& text) {
  uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end) {
    throw Error(ErrorCode::kInvalidModel, "external data: " + key + " is '" + text + "', not a number of bytes");
  }
  return value;
}

Reference parse_reference(const StringPairs& pairs) {
  Reference reference;
  uint32_t seen = 0;
  const auto once = [&](uint32_t bit, const std::string& key) {
    if ((seen & bit) != 0) throw Error(ErrorCode::kInvalidModel, "external data: " + key + " is given twice");
    seen |= bit;
  };
  for (const StringPair& pair : pairs) {
    if (pair.key == "location") {
      once(1, pair.key);
      reference.location = pair.value;
    } else if (pair.key == "offset") {
      once(2, pair.key);
      reference.offset = parse_number(pair.key, pair.value);
    } else if (pair.key == "length") {
      once(4, pair.key);
      reference.length = parse_number(pair.key, pair.value);
    }
  }
  return reference;
}

bool lies_within(const fs::path& file, const fs::path& folder) {
  return std::mismatch(folder.begin(), folder.end(), file.begin(), file.end()).first == folder.end();
}

// Bytes that type and shape of the tensor need, if they make sense.
std::optional<uint64_t> needed_bytes(const TensorData& tensor) {
  if (tensor.dtype() == DType::kUndefined || tensor.dtype() == DType::kString) return std::nullopt;
  try {
    return storage_bytes(tensor.dtype(), element_count(tensor.dims));
  } catch (const Error&) {
    return std::nullopt;  // decode() tells what is wrong with the shape
  }
}

class ExternalFiles {
 public:
  ExternalFiles(const fs::path& folder, const fs::path& model_file) : folder_(folder.empty() ? fs::path(".") : folder) {
    std::error_code error;
    real_folders_.push_back(fs::canonical(folder_, error));
    if (error) throw Error(ErrorCode::kIo, folder_.string() + ": cannot open the folder of external data: " + error.message());
    if (model_file.empty()) return;
    const fs::path real_model = fs::canonical(model_file, error);
    if (!error) real_folders_.push_back(real_model.parent_path());
  }

  const std::shared_ptr<const core::MappedFile>& open(const std::string& location) {
    const auto [entry, is_new] = by_location_.try_emplace(location);
    if (is_new) entry->second = map(location);
    return entry->second;
  }

 private:
  std::shared_ptr<const core::MappedFile> map(const std::string& location) {
    if (const char* reason = location_refusal(location)) {
      throw Error(ErrorCode::kInvalidModel, std::string("external data location is refused: ") + reason + ": '" + location + "'");
    }
    std::error_code error;
    const fs::path real = fs::canonical(folder_ / location, error);
    if (error) {
      throw Error(ErrorCode::kIo, "external data file '" + location + "': " + error.message() + ": it must lie beside the model, in " +
                                      fs::absolute(folder_, error).string());
    }
    if (std::none_of(real_folders_.begin(), real_folders_.end(), [&](const fs::path& folder) { return lies_within(real, folder); })) {
      throw Error(ErrorCode::kInvalidModel, "external data location is refused: '" + location + "' is a link to " + real.string() +
                                                ", outside the model's folder: put the file itself beside the model");
    }
    std::shared_ptr<const core::MappedFile>& mapped = by_path_[real];
    if (!mapped) mapped = core::MappedFile::open(real);
    return mapped;
  }

  fs::path folder_;
  std::vector<fs::path> real_folders_;
  std::map<std::string, std::shared_ptr<const core::MappedFile>> by_location_;
  std::map<fs::path, std::shared_ptr<const core::MappedFile>> by_path_;
};

void resolve(TensorData& tensor, ExternalFiles& files) {
  const Reference reference = parse_reference(tensor.external_data);
  const std::shared_ptr<const core::MappedFile>& file = files.open(reference.location);
  const uint64_t size = file->size();
  const uint64_t left = reference.offset <= size ? size - reference.offset : 0;
  const uint64_t length = reference.length.value_or(needed_bytes(tensor).value_or(left));
  if (reference.offset > size || length > left) {
    throw Error(ErrorCode::kInvalidModel, "external data file '" + reference.location + "' has " + std::to_string(size) +
                                              " bytes, where offset " + std::to_string(reference.offset) + " and length " +
                                              std::to_string(length) + " are asked for: it is cut short or belongs to another model");
  }
  tensor.external.bytes = Bytes::view(file, file->text().substr(reference.offset, length));
}

}  // namespace

const char* location_refusal(std::string_view location) {
  if (location.empty()) return "it is empty";
  if (location.find('\0') != std::string_view::npos) return "it holds a zero byte";
  const fs::path path(location);
  if (path.is_absolute() || path.has_root_path()) return "it is absolute, where a path relative to the model's folder is expected";
  if (std::find(path.begin(), path.end(), "..") != path.end()) return "it leaves the model's folder by '..'";
  return nullptr;
}

void resolve_external_data(Model& model, const fs::path& folder, const fs::path& model_file) {
  std::optional<ExternalFiles> files;
  TensorWalk walk([&](TensorData& tensor, TensorPlace) {
    if (!tensor.is_external()) return;
    if (!files) files.emplace(folder, model_file);
    with_trail([&] { return "tensor '" + tensor.name + "'"; }, [&] { resolve(tensor, *files); });
  });
  walk.model(model);
}

ExternalPiece next_piece(const std::vector<ExternalPiece>& pieces, const TensorData& tensor, size_t bytes) {
  const size_t end = pieces.empty() ? 0 : pieces.back().offset + pieces.back().bytes;
  return {&tensor, core::align_up(end, bytes < kPageAlignment ? kSmallAlignment : kPageAlignment), bytes};
}

TensorData external_reference(const ExternalPiece& piece, std::string_view location) {
  const TensorData& tensor = *piece.tensor;
  TensorData reference;
  reference.presence = tensor.presence;
  reference.presence.clear(9);
  reference.presence.clear(14);
  reference.unknown = tensor.unknown;
  reference.name = tensor.name;
  reference.data_type = tensor.data_type;
  reference.dims = tensor.dims;
  reference.doc_string = tensor.doc_string;
  reference.metadata_props = tensor.metadata_props;
  reference.data_location = TensorData::Location::kExternal;
  const auto add = [&](const char* key, std::string value) {
    StringPair& pair = reference.external_data.emplace_back();
    pair.key = key;
    pair.value = std::move(value);
  };
  add("location", std::string(location));
  add("offset", std::to_string(piece.offset));
  add("length", std::to_string(piece.bytes));
  return reference;
}

}  // namespace sardonyx::model
