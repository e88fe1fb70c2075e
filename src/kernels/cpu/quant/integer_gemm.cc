#include "kernels/cpu/quant/integer_gemm.h"

#include <array>
#include <utility>

// Where one instruction multiplies pairs and adds them: not among the targets unless it is asked for.
#define HWY_WANT_AVX3_DL
#include "kernels/cpu/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/quant/integer_gemm.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sardonyx::kernels {
namespace HWY_NAMESPACE {
namespace {

using SumTag = hn::ScalableTag<int32_t>;
using SumVec = hn::Vec<SumTag>;
using PairTag = hn::ScalableTag<int16_t>;

// A register tile is kTileRows x 2 vectors of sums; two vectors of B, one of A and, where it is apart, one of products need registers too.
constexpr size_t kTileRows = HWY_TARGET == HWY_AVX3_DL ? 14 : HWY_TARGET == HWY_AVX3 ? 12 : 6;
constexpr size_t kTileColumns = 2 * HWY_LANES(int32_t);
static_assert(kIntegerColumns % kTileColumns == 0);

IntegerTile tile_of_target() { return {kTileRows, kTileColumns}; }

#if HWY_TARGET == HWY_SCALAR
// There are no vectors that hold a pair.
template <size_t kRows>
void accumulate_rows(size_t pairs, const int16_t* a, const int16_t* b, bool add, int32_t* c, size_t c_stride) {
  uint32_t sums[kRows][kTileColumns] = {};
  for (size_t p = 0; p < pairs; ++p, a += 2 * kTileRows, b += 2 * kTileColumns) {
    for (size_t i = 0; i < kRows; ++i) {
      for (size_t j = 0; j < kTileColumns; ++j) {
        sums[i][j] += static_cast<uint32_t>(a[2 * i] * b[2 * j]) + static_cast<uint32_t>(a[2 * i + 1] * b[2 * j + 1]);
      }
    }
  }
  for (size_t i = 0; i < kRows; ++i) {
    for (size_t j = 0; j < kTileColumns; ++j) {
      int32_t& to = c[i * c_stride + j];
      to = static_cast<int32_t>((add ? static_cast<uint32_t>(to) : 0) + sums[i][j]);
    }
  }
}
#else
// Both numbers of a pair of A in every lane.
HWY_INLINE hn::Vec<PairTag> repeat_pair(const int16_t* pair) {
  int32_t both;
  std::memcpy(&both, pair, sizeof both);
  return hn::BitCast(PairTag(), hn::Set(SumTag(), both));
}

// Adds the products of neighbours. A target may gather them in two vectors, which store_sum brings together.
HWY_INLINE void add_products(hn::Vec<PairTag> a, hn::Vec<PairTag> b, SumVec& even, SumVec& odd) {
#if HWY_TARGET == HWY_AVX3_DL
  // Every machine of this target has the instruction, but compilers are not told so: the intrinsic is out of reach.
  __asm__("vpdpwssd %2, %1, %0" : "+v"(even.raw) : "v"(a.raw), "v"(b.raw));
  static_cast<void>(odd);
#else
  even = hn::ReorderWidenMulAccumulate(SumTag(), a, b, even, odd);
#endif
}

HWY_INLINE void store_sum(SumVec even, SumVec odd, bool add, int32_t* to) {
  const SumTag d;
  const SumVec sum = hn::RearrangeToOddPlusEven(even, odd);
  hn::StoreU(add ? hn::Add(hn::LoadU(d, to), sum) : sum, d, to);
}

template <size_t... kRow>
HWY_INLINE void accumulate(std::index_sequence<kRow...>, size_t pairs, const int16_t* HWY_RESTRICT a, const int16_t* HWY_RESTRICT b,
                           bool add, int32_t* HWY_RESTRICT c, size_t c_stride) {
  constexpr size_t kHalf = kTileColumns / 2;
  const PairTag d;
  const SumTag ds;
  SumVec left[] = {((void)kRow, hn::Zero(ds))...}, left_odd[] = {((void)kRow, hn::Zero(ds))...};
  SumVec right[] = {((void)kRow, hn::Zero(ds))...}, right_odd[] = {((void)kRow, hn::Zero(ds))...};
  for (size_t p = 0; p < pairs; ++p, a += 2 * kTileRows, b += 2 * kTileColumns) {
    const auto b_left = hn::LoadU(d, b), b_right = hn::LoadU(d, b + kTileColumns);
    ((add_products(repeat_pair(a + 2 * kRow), b_left, left[kRow], left_odd[kRow]),
      add_products(repeat_pair(a + 2 * kRow), b_right, right[kRow], right_odd[kRow])),
     ...);
  }
  ((store_sum(left[kRow], left_odd[kRow], add, c + kRow * c_stride),
    store_sum(right[kRow], right_odd[kRow], add, c + kRow * c_stride + kHalf)),
   ...);
}

template <size_t kRows>
void accumulate_rows(size_t pairs, const int16_t* a, const int16_t* b, bool add, int32_t* c, size_t c_stride) {
  accumulate(std::make_index_sequence<kRows>(), pairs, a, b, add, c, c_stride);
}
#endif

using AccumulateRows = void (*)(size_t pairs, const int16_t* a, const int16_t* b, bool add, int32_t* c, size_t c_stride);
template <size_t... kIndex>
constexpr std::array<AccumulateRows, sizeof...(kIndex)> accumulate_table(std::index_sequence<kIndex...>) {
  return {accumulate_rows<kIndex + 1>...};
}
constexpr auto kAccumulate = accumulate_table(std::make_index_sequence<kTileRows>());  // by rows, less one

// Columns outside: a panel of B stays in the nearest cache while the panels of A stream past it.
void multiply(const IntegerBlock& block) {
  for (size_t column = 0; column < block.columns; column += kTileColumns) {
    const int16_t* b = block.b + column / kTileColumns * block.b_panel;
    for (size_t row = 0; row < block.rows; row += kTileRows) {
      const size_t rows = HWY_MIN(kTileRows, block.rows - row);
      kAccumulate[rows - 1](block.pairs, block.a + row / kTileRows * block.a_panel, b, block.add, block.c + row * block.c_stride + column,
                            block.c_stride);
    }
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace sardonyx::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sardonyx::kernels {

HWY_EXPORT(tile_of_target);
HWY_EXPORT(multiply);

namespace {

// The lines [0, lines) of one panel. Differences of bytes fit 16 bits.
template <class T>
void pack_panel(const IntegerLines& from, const T* data, const T* zero, size_t lines, size_t depth, size_t width,
                int16_t* packed) noexcept {
  const auto at = [&](size_t line, size_t k) {
    const auto i = static_cast<ptrdiff_t>(line), p = static_cast<ptrdiff_t>(k);
    const int value = data[i * from.line_stride + p * from.depth_stride];
    return static_cast<int16_t>(zero ? value - zero[i * from.zero_line_stride + p * from.zero_depth_stride] : value);
  };
  const size_t whole = depth / 2;
  if (from.line_stride == 1 && from.zero_line_stride == 0 && from.zero_depth_stride == 0) {
    const int offset = zero ? *zero : 0;
    for (size_t p = 0; p < whole; ++p) {
      const T* first = data + static_cast<ptrdiff_t>(2 * p) * from.depth_stride;
      const T* second = first + from.depth_stride;
      int16_t* to = packed + p * 2 * width;
      for (size_t i = 0; i < lines; ++i) {
        to[2 * i] = static_cast<int16_t>(first[i] - offset);
        to[2 * i + 1] = static_cast<int16_t>(second[i] - offset);
      }
    }
  } else {
    for (size_t i = 0; i < lines; ++i) {
      for (size_t p = 0; p < whole; ++p) {
        packed[(p * width + i) * 2] = at(i, 2 * p);
        packed[(p * width + i) * 2 + 1] = at(i, 2 * p + 1);
      }
    }
  }
  for (size_t i = 0; depth % 2 != 0 && i < lines; ++i) {
    packed[(whole * width + i) * 2] = at(i, depth - 1);
    packed[(whole * width + i) * 2 + 1] = 0;
  }
  for (size_t p = 0; lines < width && p < integer_pairs(depth); ++p) {
    std::fill(packed + (p * width + lines) * 2, packed + (p + 1) * width * 2, int16_t{0});
  }
}

template <class T>
void pack_all(const IntegerLines& from, size_t lines, size_t depth, size_t width, int16_t* packed, core::ThreadPool& pool) noexcept {
  constexpr size_t kNumbersPerTask = 1 << 15;
  const size_t panel = width * 2 * integer_pairs(depth);
  pool.for_ranges((lines + width - 1) / width, kNumbersPerTask / std::max<size_t>(panel, 1), [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      const auto first = static_cast<ptrdiff_t>(i * width);
      const T* zero = from.zero ? static_cast<const T*>(from.zero) + first * from.zero_line_stride : nullptr;
      pack_panel(from, static_cast<const T*>(from.data) + first * from.line_stride, zero, std::min(width, lines - i * width), depth, width,
                 packed + i * panel);
    }
  });
}

}  // namespace

IntegerTile integer_tile() noexcept { return HWY_DYNAMIC_DISPATCH(tile_of_target)(); }

void multiply_integers(const IntegerBlock& block) noexcept { HWY_DYNAMIC_DISPATCH(multiply)(block); }

void pack_integers(const IntegerLines& from, size_t lines, size_t depth, size_t width, int16_t* packed, core::ThreadPool& pool) noexcept {
  switch (from.kind) {
    case IntegerKind::kUint8:
      return pack_all<uint8_t>(from, lines, depth, width, packed, pool);
    case IntegerKind::kInt8:
      return pack_all<int8_t>(from, lines, depth, width, packed, pool);
    case IntegerKind::kInt16:
      return pack_all<int16_t>(from, lines, depth, width, packed, pool);
  }
}

}  // namespace sardonyx::kernels
#endif
