// Writing .onnx models and .pb tensors.
#include <optional>
#include <string>
#include <vector>

#include "core/mapped_file.h"
#include "model/encoder.h"
#include "model/external_data.h"
#include "model/tensor_walk.h"
#include "sardonyx/error.h"
#include "sardonyx/model.h"

namespace sardonyx::model {
namespace {

namespace fs = std::filesystem;

bool is_resolved(const TensorData& tensor) { return tensor.is_external() && tensor.external.bytes.owner() != nullptr; }

// Bytes of the tensor's elements outside the protobuf; nothing for what has to stay inside.
std::optional<size_t> external_size(const TensorData& tensor) {
  if (is_resolved(tensor)) return tensor.external.bytes.size();
  const bool has_bytes = tensor.dtype() != DType::kUndefined && tensor.dtype() != DType::kString;
  if (tensor.is_external() || tensor.has_segment || !has_bytes) return std::nullopt;
  if (!tensor.raw_data.empty()) return tensor.raw_data.size();
  return with_trail([&] { return "tensor '" + tensor.name + "'"; },
                    [&] { return storage_bytes(tensor.dtype(), element_count(tensor.dims)); });
}

// The tensor with its external bytes as raw_data.
TensorData inlined(const TensorData& tensor) {
  TensorData inside = tensor;
  inside.raw_data = tensor.external.bytes;
  if (inside.raw_data.empty()) inside.presence.set(9);
  inside.external_data.clear();
  inside.data_location = TensorData::Location::kDefault;
  inside.external = {};
  return inside;
}

struct WritePlan {
  Replacements replacements;
  std::vector<ExternalPiece> pieces;
};

WritePlan plan(const Model& model, const WriteOptions& options) {
  WritePlan plan;
  TensorWalk walk([&](const TensorData& tensor, TensorPlace place) {
    const bool may_move = !options.external_file.empty() && (place == TensorPlace::kInitializer || is_resolved(tensor));
    const std::optional<size_t> bytes = may_move ? external_size(tensor) : std::nullopt;
    if (bytes && *bytes > 0 && *bytes >= options.external_threshold) {
      plan.pieces.push_back(next_piece(plan.pieces, tensor, *bytes));
      plan.replacements.emplace(&tensor, external_reference(plan.pieces.back(), options.external_file));
    } else if (is_resolved(tensor)) {
      plan.replacements.emplace(&tensor, inlined(tensor));
    }
  });
  walk.model(model);
  return plan;
}

void write_piece(core::AtomicFile& file, const TensorData& tensor) {
  if (is_resolved(tensor)) {
    file.write(tensor.external.bytes.text());
  } else if (!tensor.raw_data.empty()) {
    file.write(tensor.raw_data.text());
  } else {
    const Tensor elements = decode(tensor);
    file.write({static_cast<const std::byte*>(elements.raw()), elements.byte_size()});
  }
}

void write_pieces(core::AtomicFile& file, const std::vector<ExternalPiece>& pieces) {
  const std::string padding(kPageAlignment, '\0');
  size_t at = 0;
  for (const ExternalPiece& piece : pieces) {
    file.write(std::string_view(padding).substr(0, piece.offset - at));
    write_piece(file, *piece.tensor);
    at = piece.offset + piece.bytes;
  }
}

void expect_usable(const WriteOptions& options, const fs::path& path) {
  if (options.external_file.empty()) return;
  const char* reason = location_refusal(options.external_file);
  if (reason == nullptr && fs::path(options.external_file).lexically_normal() == path.filename()) reason = "it is the model's own name";
  if (reason != nullptr) throw Error(ErrorCode::kInvalidArgument, "external_file '" + options.external_file + "' is refused: " + reason);
}

}  // namespace

std::string serialize(const Model& model) { return encode_to_string(model); }
std::string serialize(const TensorData& tensor) { return encode_to_string(tensor); }

void write_model(const Model& model, const fs::path& path, const WriteOptions& options) {
  with_trail([&] { return path.string(); },
             [&] {
               expect_usable(options, path);
               const WritePlan what = plan(model, options);
               core::AtomicFile file(path);
               encode_message(model, what.replacements, [&](std::string_view piece) { file.write(piece); });
               if (!what.pieces.empty()) {
                 core::AtomicFile data(path.parent_path() / options.external_file);
                 write_pieces(data, what.pieces);
                 data.commit();
               }
               file.commit();
             });
}

void write_tensor(const TensorData& tensor, const fs::path& path) {
  core::AtomicFile file(path);
  encode_message(tensor, [&](std::string_view piece) { file.write(piece); });
  file.commit();
}

}  // namespace sardonyx::model
