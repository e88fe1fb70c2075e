// Any bytes through the door of load_checkpoint: they give a tree of values or an Error.
#include <cstddef>
#include <cstdint>
#include <span>

#include "sardonyx/checkpoint.h"

namespace {

// Touches every byte of every tensor and every scalar, so that a wrong view is noticed.
uint64_t touch(const sardonyx::CheckpointValue& value, int depth) {
  using Kind = sardonyx::CheckpointValue::Kind;
  uint64_t sum = static_cast<uint64_t>(value.kind());
  if (value.kind() == Kind::kTensor) {
    const auto* bytes = static_cast<const uint8_t*>(value.as_tensor().raw());
    for (size_t i = 0; i < value.as_tensor().byte_size(); ++i) sum += bytes[i];
  }
  if (value.kind() == Kind::kString || value.kind() == Kind::kBigInt) sum += value.as_string().size();
  if (depth == 0) return sum;
  for (size_t i = 0; i < value.size(); ++i) {
    if (value.kind() == Kind::kDict) sum += touch(value.key(i), depth - 1);
    sum += touch(value.at(i), depth - 1);
  }
  return sum;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  sardonyx::CheckpointOptions options;
  options.limits.max_copied_bytes = 1 << 22;
  options.limits.max_pickle_ops = 1 << 16;
  options.limits.max_values = 1 << 16;
  // The last byte chooses options: a mutated file seldom keeps its CRC.
  const uint8_t choice = size == 0 ? 0 : data[size - 1];
  options.verify_crc_up_to = (choice & 1) != 0 ? uint64_t{1} << 20 : 0;
  options.opaque_globals = (choice & 2) != 0;
  const std::span<const std::byte> bytes(reinterpret_cast<const std::byte*>(data), size);
  try {
    const sardonyx::Checkpoint checkpoint = sardonyx::read_checkpoint(bytes, nullptr, options);
    static_cast<void>(touch(checkpoint.root, 8));
    static_cast<void>(sardonyx::state_dict_of(checkpoint.root, options));
  } catch (const sardonyx::Error& error) {
    if (error.code() == sardonyx::ErrorCode::kInternal) __builtin_trap();
  }
  return 0;
}
