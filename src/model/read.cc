// Reading .onnx models and .pb tensors.
#include <string>
#include <utility>

#include "core/mapped_file.h"
#include "model/decoder.h"
#include "model/external_data.h"
#include "model/tensor_walk.h"
#include "sardonyx/error.h"
#include "sardonyx/model.h"

namespace sardonyx::model {
namespace {

// What a file that is not a model often is.
void expect_protobuf(std::string_view bytes) {
  if (bytes.empty()) throw Error(ErrorCode::kInvalidModel, "the file is empty");
  if (bytes.starts_with("version https://git-lfs")) {
    throw Error(ErrorCode::kInvalidModel, "the file is a Git LFS pointer, not the data: fetch it with 'git lfs pull'");
  }
}

std::pair<std::string_view, std::shared_ptr<const void>> kept_alive(std::string_view bytes, std::shared_ptr<const void> owner) {
  if (owner) return {bytes, std::move(owner)};
  const Bytes copy = Bytes::copy_of(bytes);
  return {copy.text(), copy.owner()};
}

void expect_no_external_data(Model& model) {
  TensorWalk walk([](const TensorData& tensor, TensorPlace) {
    if (!tensor.is_external()) return;
    throw Error(ErrorCode::kInvalidArgument, "tensor '" + tensor.name +
                                                 "' has external data, and a model read from memory has no folder to find it in: give the "
                                                 "folder, or set external_data = false");
  });
  walk.model(model);
}

}  // namespace

Model parse_model(std::string_view bytes, std::shared_ptr<const void> owner, const ReadOptions& options,
                  const std::filesystem::path& folder) {
  const auto [kept, keeper] = kept_alive(bytes, std::move(owner));
  Model model;
  decode_message(model, kept, keeper, options.limits);
  if (!options.external_data) return model;
  if (folder.empty()) {
    expect_no_external_data(model);
  } else {
    resolve_external_data(model, folder, {});
  }
  return model;
}

Model read_model(const std::filesystem::path& path, const ReadOptions& options) {
  const std::shared_ptr<const core::MappedFile> file = core::MappedFile::open(path);
  return with_trail([&] { return path.string(); },
                    [&] {
                      expect_protobuf(file->text());
                      Model model;
                      decode_message(model, file->text(), file, options.limits);
                      if (options.external_data) resolve_external_data(model, path.parent_path(), path);
                      return model;
                    });
}

TensorData parse_tensor(std::string_view bytes, std::shared_ptr<const void> owner, const ReadLimits& limits) {
  const auto [kept, keeper] = kept_alive(bytes, std::move(owner));
  TensorData tensor;
  decode_message(tensor, kept, keeper, limits);
  return tensor;
}

TensorData read_tensor(const std::filesystem::path& path, const ReadLimits& limits) {
  const std::shared_ptr<const core::MappedFile> file = core::MappedFile::open(path);
  return with_trail([&] { return path.string(); },
                    [&] {
                      expect_protobuf(file->text());
                      return parse_tensor(file->text(), file, limits);
                    });
}

}  // namespace sardonyx::model
