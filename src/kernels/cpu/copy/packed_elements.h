// Elements of 4 or 2 bits, several to a byte: unpacked to one byte each and packed again, copied in runs, filled. Raw bits, without signs.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/parallel.h"

namespace sardonyx::kernels {

// `width` is 4 or 2 throughout; the first element lies in the lowest bits. Unused bits of the last byte are ignored when read, and zero
// when packed or filled.
void unpack_elements(int width, const uint8_t* packed, size_t count, uint8_t* elements, core::ThreadPool& pool) noexcept;
void pack_elements(int width, const uint8_t* elements, size_t count, uint8_t* packed, core::ThreadPool& pool) noexcept;

// Elements [src_first, src_first + count) to the places from dst_first on; the other elements of the bytes stay as they are. The runs do
// not overlap.
void copy_packed(int width, const uint8_t* src, size_t src_first, uint8_t* dst, size_t dst_first, size_t count) noexcept;

// `count` elements of these bits.
void fill_packed(int width, uint8_t bits, size_t count, uint8_t* dst) noexcept;

}  // namespace sardonyx::kernels
