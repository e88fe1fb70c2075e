#include "kernels/cpu/svm/squared_distance.h"

#include "kernels/cpu/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/svm/squared_distance.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sardonyx::kernels {
namespace HWY_NAMESPACE {
namespace {

constexpr size_t kGroupVectors = kVectorGroup / kLanes;
constexpr size_t kRows = 2;

// The distances of kRows rows from one group; a missing row is the same as the first.
HWY_INLINE void group_distances(size_t features, const float* const* rows, const float* group, float (*sums)[kVectorGroup]) {
  const FloatTag d;
  FloatVec sum[kRows][kGroupVectors];
  for (size_t r = 0; r < kRows; ++r) {
    for (size_t v = 0; v < kGroupVectors; ++v) sum[r][v] = hn::Zero(d);
  }
  for (size_t k = 0; k < features; ++k) {
    for (size_t v = 0; v < kGroupVectors; ++v) {
      const FloatVec values = hn::LoadU(d, group + k * kVectorGroup + v * kLanes);
      for (size_t r = 0; r < kRows; ++r) {
        const FloatVec apart = hn::Sub(hn::Set(d, rows[r][k]), values);
        sum[r][v] = hn::MulAdd(apart, apart, sum[r][v]);
      }
    }
  }
  for (size_t r = 0; r < kRows; ++r) {
    for (size_t v = 0; v < kGroupVectors; ++v) hn::StoreU(sum[r][v], d, sums[r] + v * kLanes);
  }
}

void distances(size_t rows, size_t vectors, size_t features, const float* x, const float* packed, float* y) {
  for (size_t first = 0; first < vectors; first += kVectorGroup) {
    const float* group = packed + first * features;
    const size_t count = HWY_MIN(kVectorGroup, vectors - first);
    for (size_t row = 0; row < rows; row += kRows) {
      const float* lines[kRows];
      float sums[kRows][kVectorGroup];
      for (size_t r = 0; r < kRows; ++r) lines[r] = x + (row + r < rows ? row + r : row) * features;
      group_distances(features, lines, group, sums);
      for (size_t r = 0; r < kRows && row + r < rows; ++r) std::memcpy(y + (row + r) * vectors + first, sums[r], count * sizeof(float));
    }
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace sardonyx::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sardonyx::kernels {

HWY_EXPORT(distances);

size_t packed_vector_floats(size_t vectors, size_t features) noexcept {
  return (vectors + kVectorGroup - 1) / kVectorGroup * kVectorGroup * features;
}

void pack_vectors(size_t vectors, size_t features, const float* from, float* packed) noexcept {
  const size_t rounded = (vectors + kVectorGroup - 1) / kVectorGroup * kVectorGroup;
  for (size_t i = 0; i < rounded; ++i) {
    float* to = packed + i / kVectorGroup * kVectorGroup * features + i % kVectorGroup;
    for (size_t k = 0; k < features; ++k) to[k * kVectorGroup] = i < vectors ? from[i * features + k] : 0.0f;
  }
}

void squared_distances(size_t rows, size_t vectors, size_t features, const float* x, const float* packed, float* y) noexcept {
  HWY_DYNAMIC_DISPATCH(distances)(rows, vectors, features, x, packed, y);
}

}  // namespace sardonyx::kernels
#endif
