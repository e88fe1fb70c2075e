#include "kernels/cpu/math/broadcast.h"

namespace sardonyx::kernels {
namespace {

// The extent of dimension `i` of `rank`, aligned at the last one; 1 where the shape is shorter.
int64_t aligned_extent(std::span<const int64_t> shape, size_t rank, size_t i) {
  const size_t missing = rank - shape.size();
  return i < missing ? 1 : shape[i - missing];
}

struct Dimension {
  size_t extent;
  ptrdiff_t a, b;
};

// Puts `outer` before the dimensions gathered so far (innermost first), merged with the last one where both operands allow it.
bool add_outer(BroadcastShape& reversed, const Dimension& outer) {
  if (outer.extent == 1) return true;
  if (reversed.rank > 0) {
    const auto inner = static_cast<size_t>(reversed.rank - 1);
    const auto extent = static_cast<ptrdiff_t>(reversed.extent[inner]);
    if (outer.a == extent * reversed.a_stride[inner] && outer.b == extent * reversed.b_stride[inner]) {
      reversed.extent[inner] *= outer.extent;
      return true;
    }
  }
  if (reversed.rank == kMaxBroadcastRank) return false;
  const auto at = static_cast<size_t>(reversed.rank++);
  reversed.extent[at] = outer.extent;
  reversed.a_stride[at] = outer.a;
  reversed.b_stride[at] = outer.b;
  return true;
}

}  // namespace

bool collapse_broadcast(std::span<const int64_t> a, std::span<const int64_t> b, BroadcastShape& result) noexcept {
  result = {};
  const size_t rank = std::max(a.size(), b.size());
  ptrdiff_t a_stride = 1, b_stride = 1;
  for (size_t i = rank; i-- > 0;) {
    const int64_t a_extent = aligned_extent(a, rank, i), b_extent = aligned_extent(b, rank, i);
    if (a_extent < 0 || b_extent < 0) return false;
    if (a_extent != b_extent && a_extent != 1 && b_extent != 1) return false;
    const int64_t extent = a_extent == 1 ? b_extent : a_extent;
    if (!add_outer(result, {static_cast<size_t>(extent), a_extent == 1 ? 0 : a_stride, b_extent == 1 ? 0 : b_stride})) return false;
    a_stride *= a_extent;
    b_stride *= b_extent;
  }
  const auto end = static_cast<ptrdiff_t>(result.rank);
  std::reverse(result.extent.begin(), result.extent.begin() + end);
  std::reverse(result.a_stride.begin(), result.a_stride.begin() + end);
  std::reverse(result.b_stride.begin(), result.b_stride.begin() + end);
  return true;
}

}  // namespace sardonyx::kernels
