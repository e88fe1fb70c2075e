// Reads the input, but for its first byte, which tells the kind, as the value of a sequence, a map or an optional.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "sardonyx/value.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sardonyx::model;
  if (size == 0) return 0;
  Type type;
  if (data[0] % 3 == 0) type.value = SequenceType();
  if (data[0] % 3 == 1) type.value = MapType();
  if (data[0] % 3 == 2) type.value = OptionalType();
  ReadLimits limits;
  limits.max_memory = 64'000'000;
  try {
    const sardonyx::Tensor value = parse_value({reinterpret_cast<const char*>(data) + 1, size - 1}, nullptr, type, limits);
    if (data[0] % 3 != 2 && value.dtype() != sardonyx::DType::kTensor) std::abort();
  } catch (const sardonyx::Error& error) {
    if (error.code() == sardonyx::ErrorCode::kInternal) std::abort();
  }
  return 0;
}
