#include "sardonyx/edit.h"

namespace sardonyx {

model::WriteOptions fitting_write_options(const model::Model& model, const std::filesystem::path& path) {
  constexpr size_t kMostInside = size_t{1} << 30;  // a protobuf ends at 2 GiB
  size_t bytes = 0;
  bool is_external = false;
  for (const model::TensorData& tensor : model.graph.initializer) {
    bytes += tensor.raw_data.size();
    is_external |= tensor.is_external();
  }
  model::WriteOptions options;
  if (is_external || bytes > kMostInside) options.external_file = path.filename().string() + ".data";
  return options;
}

}  // namespace sardonyx
