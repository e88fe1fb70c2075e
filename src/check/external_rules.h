// What must hold for tensors whose data lie in files beside the model.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <unordered_map>

#include "check/report.h"

namespace sardonyx::check {

// The files of external data beside a model, each looked at once. None of their bytes is read.
class ExternalFolder {
 public:
  explicit ExternalFolder(std::filesystem::path model_file) : model_file_(std::move(model_file)) {}

  struct File {
    uint64_t size = 0;
    std::string refusal;  // why it cannot be used; "" if it can
  };
  const File& find(const std::string& location);

 private:
  std::filesystem::path model_file_;
  std::unordered_map<std::string, File> files_;
};

// `bytes`: what the tensor's type and dims need, 0 where that is not known. `folder` may be null: then only the reference's form is
// checked.
void check_external(Reporter& reporter, const model::TensorData& tensor, uint64_t bytes, ExternalFolder* folder);

}  // namespace sardonyx::check
