#include "kernels/cpu/copy/gather.h"

#include <algorithm>
#include <cstring>

#include "core/interrupt.h"

namespace sardonyx::kernels {
namespace {

constexpr size_t kPiece = size_t{1} << 20;  // bytes of a row that are moved without asking whether the run is to end

struct GatherRows {
  const std::byte* src;
  std::byte* dst;
  const int64_t* indices;
  size_t axis, count, inner_bytes;
};

// Rows [first, last) of the flattened (outer, count) result. kBytes: the row's size where it is known at compile time, else 0.
template <size_t kBytes>
void gather_rows(const GatherRows& rows, size_t first, size_t last) {
  const size_t bytes = kBytes == 0 ? rows.inner_bytes : kBytes;
  size_t outer = first / rows.count;
  size_t i = first % rows.count;
  for (size_t row = first; row < last; ++row) {
    const int64_t index = rows.indices[i];
    const size_t from = index < 0 ? rows.axis - static_cast<size_t>(-index) : static_cast<size_t>(index);
    const std::byte* source = rows.src + (outer * rows.axis + from) * bytes;
    if (kBytes != 0 || bytes <= kPiece) {
      std::memcpy(rows.dst + row * bytes, source, bytes);
    } else {
      core::in_pieces(bytes, kPiece, [&](size_t begin, size_t size) { std::memcpy(rows.dst + row * bytes + begin, source + begin, size); });
    }
    if (++i == rows.count) i = 0, ++outer;
  }
}

}  // namespace

void gather(size_t outer, size_t axis, size_t inner_bytes, const int64_t* indices, size_t count, const void* src, void* dst,
            core::ThreadPool& pool) noexcept {
  constexpr size_t kBytesPerTask = 1 << 16;
  if (inner_bytes == 0) return;
  const GatherRows rows = {static_cast<const std::byte*>(src), static_cast<std::byte*>(dst), indices, axis, count, inner_bytes};
  pool.for_ranges(outer * count, std::max<size_t>(kBytesPerTask / inner_bytes, 1), [&](size_t first, size_t last) {
    switch (inner_bytes) {
      case 4:
        return gather_rows<4>(rows, first, last);
      case 8:
        return gather_rows<8>(rows, first, last);
      default:
        return gather_rows<0>(rows, first, last);
    }
  });
}

}  // namespace sardonyx::kernels
