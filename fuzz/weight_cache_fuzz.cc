// Any bytes as a file of packed weights: refused, or entries that all lie within it. The first byte tells whether the rest is the file
// itself, or what follows a sound header: the count of entries in one byte, then table and data, to which the checksum is made to fit.
#include <xxhash.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include "ops/weights/weight_cache.h"

namespace {

template <class T>
void append(std::string& bytes, T value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

std::string with_header(const uint8_t* data, size_t size) {
  const uint32_t entries = size > 0 ? data[0] : 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + (size > 0 ? 1 : 0), size > 0 ? size - 1 : 0);
  const size_t table = std::min<size_t>(entries * sizeof(sardonyx::ops::PackedEntry), rest.size());
  std::string file = "SDXPACK\n";
  append(file, uint32_t{1});
  append(file, entries);
  append(file, uint64_t{64 + rest.size()});
  append(file, uint64_t{0x0102030405060708});
  append(file, uint64_t{XXH3_64bits(rest.data(), table)});
  return file.append(24, '\0').append(rest);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string text =
      data[0] % 2 == 0 ? std::string(reinterpret_cast<const char*>(data) + 1, size - 1) : with_header(data + 1, size - 1);
  const auto file = std::as_bytes(std::span(text.data(), text.size()));
  const auto entries = sardonyx::ops::read_packed_entries(file);
  if (!entries) return 0;
  unsigned sum = 0;
  for (const sardonyx::ops::PackedEntry& entry : *entries) {
    if (entry.offset % 64 != 0 || entry.offset < 64 + entries->size() * sizeof(entry)) std::abort();
    for (const std::byte byte : file.subspan(entry.offset, entry.bytes)) sum += static_cast<unsigned>(byte);
  }
  volatile unsigned read = sum;
  static_cast<void>(read);
  return 0;
}
