// Tensors whose bytes lie in files beside the model.
//
// A location is a path relative to the model's folder, without "..", and the file's real path (links followed) must lie within the model's
// folder, or within the folder of the file that the model's path links to. The second case is how caches of content-addressed files are
// laid out: model.onnx and model.onnx.data are both links to a folder of blobs. A location therefore never reaches a file outside the
// folder that the model itself really lies in or was opened through. Hard links cannot be told from files and are not refused.
//
// The keys location, offset and length count; checksum and all others are ignored, since a checksum would need every byte to be read.
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "sardonyx/model.h"

namespace sardonyx::model {

// Alignment of a tensor's offset in files that are written: a page, so that it can be mapped by itself; small tensors share pages.
inline constexpr size_t kPageAlignment = 4096;
inline constexpr size_t kSmallAlignment = 64;

// Maps the files that external tensors name, each once, and sets TensorData::external. No byte of them is read.
// `folder`: where locations start; `model_file`: the path the model was opened by, or empty.
// Throws InvalidModel for a bad reference, Io for a file that cannot be opened, naming tensor and file.
void resolve_external_data(Model& model, const std::filesystem::path& folder, const std::filesystem::path& model_file);

// Why the location may not be used ("it is absolute"); null if it may.
const char* location_refusal(std::string_view location);

// One tensor of a data file to be written.
struct ExternalPiece {
  const TensorData* tensor;
  size_t offset;
  size_t bytes;
};
// Gives the piece that follows `pieces` its place.
ExternalPiece next_piece(const std::vector<ExternalPiece>& pieces, const TensorData& tensor, size_t bytes);
// The tensor without its data, referring to `location`.
TensorData external_reference(const ExternalPiece& piece, std::string_view location);

}  // namespace sardonyx::model
