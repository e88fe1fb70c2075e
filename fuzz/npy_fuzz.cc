// Any bytes as a .npy file: an Error or a tensor that survives writing and reading.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "sardonyx/npy.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sardonyx;
  Tensor tensor;
  try {
    tensor = parse_npy(std::as_bytes(std::span(data, size)));
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kInternal) std::abort();
    return 0;
  }
  std::string bytes;
  try {
    bytes = serialize_npy(tensor);
  } catch (const Error&) {
    // Byte strings need not be UTF-8.
    if (tensor.dtype() != DType::kString) std::abort();
    return 0;
  }
  const Tensor again = parse_npy(std::as_bytes(std::span(bytes.data(), bytes.size())));
  if (again.shape() != tensor.shape() || again.dtype() != tensor.dtype()) std::abort();
  return 0;
}
