#include "kernels/cpu/copy/packed_elements.h"

#include <algorithm>
#include <cstring>

#include "core/float8.h"

namespace sardonyx::kernels {
namespace {

constexpr size_t kGrain = 16384;  // bytes of packed elements

size_t per_byte(int width) noexcept { return 8 / static_cast<size_t>(width); }

template <int kWidth>
void unpack_bytes(const uint8_t* packed, size_t begin, size_t end, uint8_t* elements) noexcept {
  constexpr size_t kPerByte = 8 / kWidth;
  for (size_t i = begin; i < end; ++i) {
    for (size_t k = 0; k < kPerByte; ++k) {
      elements[i * kPerByte + k] = static_cast<uint8_t>(packed[i] >> (k * kWidth) & ((1U << kWidth) - 1));
    }
  }
}

template <int kWidth>
void pack_bytes(const uint8_t* elements, size_t begin, size_t end, uint8_t* packed) noexcept {
  constexpr size_t kPerByte = 8 / kWidth;
  for (size_t i = begin; i < end; ++i) {
    unsigned byte = 0;
    for (size_t k = 0; k < kPerByte; ++k) byte |= (elements[i * kPerByte + k] & ((1U << kWidth) - 1)) << (k * kWidth);
    packed[i] = static_cast<uint8_t>(byte);
  }
}

void copy_singly(int width, const uint8_t* src, size_t src_first, uint8_t* dst, size_t dst_first, size_t count) noexcept {
  for (size_t i = 0; i < count; ++i) core::packed_set(dst, width, dst_first + i, core::packed_get(src, width, src_first + i));
}

}  // namespace

void unpack_elements(int width, const uint8_t* packed, size_t count, uint8_t* elements, core::ThreadPool& pool) noexcept {
  const size_t whole = count / per_byte(width);
  const auto unpack = width == 4 ? unpack_bytes<4> : unpack_bytes<2>;
  pool.for_ranges(whole, kGrain, [&](size_t begin, size_t end) { unpack(packed, begin, end, elements); });
  for (size_t i = whole * per_byte(width); i < count; ++i) elements[i] = core::packed_get(packed, width, i);
}

void pack_elements(int width, const uint8_t* elements, size_t count, uint8_t* packed, core::ThreadPool& pool) noexcept {
  const size_t whole = count / per_byte(width), first = whole * per_byte(width);
  const auto pack = width == 4 ? pack_bytes<4> : pack_bytes<2>;
  pool.for_ranges(whole, kGrain, [&](size_t begin, size_t end) { pack(elements, begin, end, packed); });
  if (first < count) packed[whole] = 0;
  for (size_t i = first; i < count; ++i) core::packed_set(packed, width, i, elements[i]);
}

void copy_packed(int width, const uint8_t* src, size_t src_first, uint8_t* dst, size_t dst_first, size_t count) noexcept {
  const size_t per = per_byte(width), place = src_first % per;
  // Whole bytes, where both runs reach the bounds of bytes together.
  const size_t head = place == dst_first % per ? std::min(count, (per - place) % per) : count;
  copy_singly(width, src, src_first, dst, dst_first, head);
  const size_t bytes = (count - head) / per, done = head + bytes * per;
  if (bytes != 0) std::memcpy(dst + (dst_first + head) / per, src + (src_first + head) / per, bytes);
  copy_singly(width, src, src_first + done, dst, dst_first + done, count - done);
}

void fill_packed(int width, uint8_t bits, size_t count, uint8_t* dst) noexcept {
  const size_t whole = count / per_byte(width), first = whole * per_byte(width);
  uint8_t byte = 0;
  for (size_t i = 0; i < per_byte(width); ++i) core::packed_set(&byte, width, i, bits);
  if (whole != 0) std::memset(dst, byte, whole);
  if (first < count) dst[whole] = 0;
  for (size_t i = first; i < count; ++i) core::packed_set(dst, width, i, bits);
}

}  // namespace sardonyx::kernels
