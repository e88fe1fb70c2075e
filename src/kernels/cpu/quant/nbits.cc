#include "kernels/cpu/quant/nbits.h"

#include <algorithm>

#include "kernels/cpu/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/quant/nbits.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sardonyx::kernels {
namespace HWY_NAMESPACE {
namespace {

constexpr size_t kRun = 16;  // values that are unpacked together
constexpr size_t kRunVectors = kRun / kLanes;
constexpr size_t kPiece = 512;  // values of a column that are multiplied at a time

HWY_INLINE uint8_t unpack(const uint8_t* bytes, size_t bits, size_t i) {
  const size_t bit = i * bits;
  return static_cast<uint8_t>(bytes[bit / 8] >> bit % 8 & ((1u << bits) - 1));
}

// kRun bytes: a vector, where the target has any of that size.
#if HWY_TARGET == HWY_SCALAR
struct ByteVec {
  uint8_t at[kRun];
};

HWY_INLINE ByteVec unpack_run(const uint8_t* bytes, size_t bits) {
  ByteVec values;
  for (size_t i = 0; i < kRun; ++i) values.at[i] = unpack(bytes, bits, i);
  return values;
}

HWY_INLINE void store_bytes(const ByteVec& values, uint8_t* bytes) {
  for (size_t i = 0; i < kRun; ++i) bytes[i] = values.at[i];
}

template <size_t kFirst>
HWY_INLINE ByteVec interleave(const ByteVec& a, const ByteVec& b) {
  ByteVec values;
  for (size_t i = 0; i < kRun; ++i) values.at[i] = (i % 2 == 0 ? a : b).at[kFirst + i / 2];
  return values;
}
HWY_INLINE ByteVec interleave_lower(const ByteVec& a, const ByteVec& b) { return interleave<0>(a, b); }
HWY_INLINE ByteVec interleave_upper(const ByteVec& a, const ByteVec& b) { return interleave<kRun / 2>(a, b); }
#else
using ByteTag = hn::FixedTag<uint8_t, kRun>;
using ByteVec = hn::Vec<ByteTag>;

HWY_INLINE ByteVec interleave_lower(ByteVec a, ByteVec b) { return hn::InterleaveLower(ByteTag(), a, b); }
HWY_INLINE ByteVec interleave_upper(ByteVec a, ByteVec b) { return hn::InterleaveUpper(ByteTag(), a, b); }
HWY_INLINE void store_bytes(ByteVec values, uint8_t* bytes) { hn::Store(values, ByteTag(), bytes); }

// kRun values from a byte on.
HWY_INLINE ByteVec unpack_run(const uint8_t* bytes, size_t bits) {
  const ByteTag d;
  if (bits == 8) return hn::LoadU(d, bytes);
  if (bits == 4) {
    const ByteVec packed = hn::ZeroExtendVector(d, hn::LoadU(hn::Half<ByteTag>(), bytes));
    return interleave_lower(hn::And(packed, hn::Set(d, uint8_t{15})), hn::ShiftRight<4>(packed));
  }
  HWY_ALIGN uint8_t values[kRun];
  for (size_t i = 0; i < kRun; ++i) values[i] = unpack(bytes, bits, i);
  return hn::Load(d, values);
}
#endif

// As floats.
HWY_INLINE void widen(ByteVec values, FloatVec* wide) {
  HWY_ALIGN uint8_t bytes[kRun];
  store_bytes(values, bytes);
  for (size_t v = 0; v < kRunVectors; ++v) {
    const auto lanes = hn::LoadU(hn::Rebind<uint8_t, FloatTag>(), bytes + v * kLanes);
    wide[v] = hn::ConvertTo(FloatTag(), hn::PromoteTo(hn::Rebind<int32_t, FloatTag>(), lanes));
  }
}

// Values minus `zero`, kRun of them from a byte on.
HWY_INLINE void load_run(const uint8_t* bytes, size_t bits, FloatVec zero, FloatVec* values) {
  widen(unpack_run(bytes, bits), values);
  for (size_t v = 0; v < kRunVectors; ++v) values[v] = hn::Sub(values[v], zero);
}

// (value - zero) * scale for the values [first, first + count) of a block.
HWY_INLINE void scale_values(const uint8_t* bytes, size_t bits, size_t first, size_t count, float scale, float zero, float* to) {
  const FloatTag d;
  const FloatVec scales = hn::Set(d, scale), zeros = hn::Set(d, zero);
  FloatVec values[kRunVectors];
  size_t i = 0;
  const auto one = [&]() HWY_ATTR { to[i] = (static_cast<float>(unpack(bytes, bits, first + i)) - zero) * scale; };
  for (; i < count && (first + i) % kRun != 0; ++i) one();
  for (; i + kRun <= count; i += kRun) {
    load_run(bytes + (first + i) * bits / 8, bits, zeros, values);
    for (size_t v = 0; v < kRunVectors; ++v) hn::StoreU(hn::Mul(values[v], scales), d, to + i + v * kLanes);
  }
  for (; i < count; ++i) one();
}

HWY_INLINE float zero_of(const BlockWeights& w, size_t column, size_t group) {
  if (w.zeros) return w.zeros[column * w.blocks() + group];
  if (w.packed_zeros) return unpack(w.packed_zeros + column * w.zero_bytes(), w.bits, group);
  return static_cast<float>(1u << (w.bits - 1));
}

void dequantize(const BlockWeights& w, size_t column, size_t k, size_t count, float* to) {
  const uint8_t* bytes = w.data + column * w.column_bytes();
  const float* scales = w.scales + column * w.blocks();
  if (w.groups) {
    for (size_t i = 0; i < count; ++i) {
      const auto group = static_cast<size_t>(w.groups[k + i]);
      to[i] = (static_cast<float>(unpack(bytes, w.bits, k + i)) - zero_of(w, column, group)) * scales[group];
    }
    return;
  }
  for (size_t i = 0; i < count;) {
    const size_t group = (k + i) / w.block, first = (k + i) % w.block, length = HWY_MIN(w.block - first, count - i);
    scale_values(bytes + group * (w.block * w.bits / 8), w.bits, first, length, scales[group], zero_of(w, column, group), to + i);
    i += length;
  }
}

// Exchanges rows and columns of kRun x kRun bytes: each round brings one more bit of the row's number into the column's.
HWY_INLINE void transpose_bytes(ByteVec* rows) {
  for (size_t round = 0; round < 4; ++round) {
    ByteVec next[kRun];
    for (size_t i = 0; i < kRun / 2; ++i) {
      next[2 * i] = interleave_lower(rows[i], rows[i + kRun / 2]);
      next[2 * i + 1] = interleave_upper(rows[i], rows[i + kRun / 2]);
    }
    for (size_t i = 0; i < kRun; ++i) rows[i] = next[i];
  }
}

// kRun columns from `column` on, for kRun values of one group from `k` on, which begin a byte.
HWY_INLINE void make_square(const BlockWeights& w, size_t k, size_t column, const float* scales, const float* zeros, float* rows,
                            size_t row_stride) {
  const FloatTag d;
  ByteVec square[kRun];
  for (size_t j = 0; j < kRun; ++j) square[j] = unpack_run(w.data + (column + j) * w.column_bytes() + k * w.bits / 8, w.bits);
  transpose_bytes(square);
  for (size_t i = 0; i < kRun; ++i) {
    FloatVec row[kRunVectors];
    widen(square[i], row);
    for (size_t v = 0; v < kRunVectors; ++v) {
      const FloatVec value = hn::Mul(hn::Sub(row[v], hn::LoadU(d, zeros + v * kLanes)), hn::LoadU(d, scales + v * kLanes));
      hn::StoreU(value, d, rows + i * row_stride + v * kLanes);
    }
  }
}

// B(k + i, column + j) at rows[i * row_stride + j], value by value in depth: where neither fast way goes.
HWY_INLINE void make_scattered(const BlockWeights& w, size_t k, size_t depth, size_t column, size_t count, float* rows, size_t row_stride) {
  HWY_ALIGN float values[kPiece];
  for (size_t j = 0; j < count; ++j) {
    for (size_t i = 0; i < depth; i += kPiece) {
      const size_t length = HWY_MIN(kPiece, depth - i);
      dequantize(w, column + j, k + i, length, values);
      for (size_t n = 0; n < length; ++n) rows[(i + n) * row_stride + j] = values[n];
    }
  }
}

// The same for kRun columns: squares where they fit into the depth.
HWY_INLINE void make_strip(const BlockWeights& w, size_t k, size_t depth, size_t column, float* rows, size_t row_stride) {
  HWY_ALIGN float scales[kRun];
  HWY_ALIGN float zeros[kRun];
  size_t known = w.blocks();  // the group whose scales are at hand
  for (size_t i = 0; i < depth;) {
    const size_t at = k + i, length = HWY_MIN(kRun - at % kRun, depth - i);
    if (length < kRun) {
      make_scattered(w, at, length, column, kRun, rows + i * row_stride, row_stride);
    } else {
      const size_t group = at / w.block;
      for (size_t j = 0; group != known && j < kRun; ++j) {
        scales[j] = w.scales[(column + j) * w.blocks() + group];
        zeros[j] = zero_of(w, column + j, group);
      }
      known = group;
      make_square(w, at, column, scales, zeros, rows + i * row_stride, row_stride);
    }
    i += length;
  }
}

void make_columns(const BlockWeights& w, size_t k, size_t depth, size_t column, size_t count, float* rows, size_t row_stride) {
  size_t j = 0;
  for (; !w.groups && j + kRun <= count; j += kRun) make_strip(w, k, depth, column + j, rows + j, row_stride);
  if (j < count) make_scattered(w, k, depth, column + j, count - j, rows + j, row_stride);
}

// sums[r] += scale * the products of row r of a with the first `count` values of a block.
template <size_t kCount>
HWY_INLINE void add_block(const uint8_t* bytes, size_t bits, size_t count, float scale, float zero, const float* a, size_t row_stride,
                          FloatVec* sums) {
  const FloatTag d;
  const FloatVec zeros = hn::Set(d, zero);
  FloatVec block[kCount];
  for (FloatVec& sum : block) sum = hn::Zero(d);
  FloatVec values[kRunVectors];
  size_t i = 0;
  for (; i + kRun <= count; i += kRun) {
    load_run(bytes + i * bits / 8, bits, zeros, values);
    for (size_t r = 0; r < kCount; ++r) {
      for (size_t v = 0; v < kRunVectors; ++v) {
        block[r] = hn::MulAdd(values[v], hn::LoadU(d, a + r * row_stride + i + v * kLanes), block[r]);
      }
    }
  }
  if (i < count) {
    load_run(bytes + i * bits / 8, bits, zeros, values);
    for (size_t v = 0; i + v * kLanes < count; ++v) {
      const size_t at = i + v * kLanes, length = HWY_MIN(kLanes, count - at);
      for (size_t r = 0; r < kCount; ++r) block[r] = hn::MulAdd(values[v], load_n(d, a + r * row_stride + at, length), block[r]);
    }
  }
  for (size_t r = 0; r < kCount; ++r) sums[r] = hn::MulAdd(block[r], hn::Set(d, scale), sums[r]);
}

// The products of `kCount` rows of a with one column.
template <size_t kCount>
HWY_INLINE void multiply_rows(const BlockWeights& w, size_t column, const float* a, FloatVec* sums) {
  const uint8_t* bytes = w.data + column * w.column_bytes();
  const size_t block_bytes = w.block * w.bits / 8;
  for (size_t g = 0; g < w.blocks(); ++g) {
    const size_t k = g * w.block, count = HWY_MIN(w.block, w.depth - k);
    add_block<kCount>(bytes + g * block_bytes, w.bits, count, w.scales[column * w.blocks() + g], zero_of(w, column, g), a + k, w.depth,
                      sums);
  }
}

// The same where each value has its own group.
HWY_INLINE void multiply_grouped(const BlockWeights& w, size_t column, size_t rows, const float* a, FloatVec* sums) {
  const FloatTag d;
  HWY_ALIGN float values[kPiece];
  for (size_t k = 0; k < w.depth; k += kPiece) {
    const size_t count = HWY_MIN(kPiece, w.depth - k);
    dequantize(w, column, k, count, values);
    for (size_t i = 0; i < count; i += kLanes) {
      const size_t length = HWY_MIN(kLanes, count - i);
      const FloatVec value = load_n(d, values + i, length);
      for (size_t r = 0; r < rows; ++r) sums[r] = hn::MulAdd(value, load_n(d, a + r * w.depth + k + i, length), sums[r]);
    }
  }
}

// c[r * columns + column] for `rows` <= kFewRows rows.
void multiply_column(const BlockWeights& w, size_t column, size_t rows, const float* a, const float* bias, float* c) {
  const FloatTag d;
  FloatVec sums[kFewRows];
  for (FloatVec& sum : sums) sum = hn::Zero(d);
  if (w.groups) {
    multiply_grouped(w, column, rows, a, sums);
  } else if (rows == 1) {
    multiply_rows<1>(w, column, a, sums);
  } else if (rows == 2) {
    multiply_rows<2>(w, column, a, sums);
  } else if (rows == 3) {
    multiply_rows<3>(w, column, a, sums);
  } else {
    multiply_rows<kFewRows>(w, column, a, sums);
  }
  for (size_t r = 0; r < rows; ++r) {
    c[r * w.columns + column] = hn::GetLane(hn::SumOfLanes(d, sums[r])) + (bias ? bias[column] : 0.0f);
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace sardonyx::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sardonyx::kernels {

HWY_EXPORT(make_columns);
HWY_EXPORT(multiply_column);

namespace {

constexpr size_t kTaskCost = 1 << 15;

void make_piece(const void* context, size_t k, size_t depth, size_t column, size_t count, float* rows, size_t row_stride) noexcept {
  HWY_DYNAMIC_DISPATCH(make_columns)(*static_cast<const BlockWeights*>(context), k, depth, column, count, rows, row_stride);
}

}  // namespace

size_t block_product_scratch_bytes(const BlockWeights& w, size_t m, int threads) noexcept {
  return m <= kFewRows ? 0 : gemm_scratch_bytes({m, w.columns, w.depth}, false, false, threads);
}

void block_product(const BlockWeights& w, size_t m, const float* a, const float* bias, float* c, void* scratch,
                   core::ThreadPool& pool) noexcept {
  if (m <= kFewRows) {
    pool.for_ranges(w.columns, kTaskCost / std::max<size_t>(w.depth, 1), [&](size_t begin, size_t end) {
      for (size_t column = begin; column < end; ++column) HWY_DYNAMIC_DISPATCH(multiply_column)(w, column, m, a, bias, c);
    });
    return;
  }
  const ColumnSource source = {make_piece, &w};
  Epilogue epilogue;
  epilogue.column_bias = bias;
  gemm({m, w.columns, w.depth}, Matrix::view(a, static_cast<ptrdiff_t>(w.depth)), Matrix::made(&source), epilogue, c,
       static_cast<ptrdiff_t>(w.columns), scratch, pool);
}

}  // namespace sardonyx::kernels
#endif
