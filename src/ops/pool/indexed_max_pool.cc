#include <algorithm>
#include <array>
#include <limits>

#include "core/interrupt.h"
#include "ops/pool/pool.h"

namespace sardonyx::ops {
namespace {

using kernels::Extents;
using kernels::PoolShape;
using kernels::Window;

template <class T>
constexpr T lowest() noexcept {
  if constexpr (std::numeric_limits<T>::has_infinity) return -std::numeric_limits<T>::infinity();
  return std::numeric_limits<T>::lowest();
}

// A window always seen in three dimensions: leading ones are 1.
Window in_three_dimensions(const Window& w) noexcept {
  Window result;
  result.rank = 3;
  const auto missing = static_cast<size_t>(3 - w.rank);
  for (size_t i = 0; i < static_cast<size_t>(w.rank); ++i) {
    result.in[missing + i] = w.in[i];
    result.out[missing + i] = w.out[i];
    result.kernel[missing + i] = w.kernel[i];
    result.stride[missing + i] = w.stride[i];
    result.dilation[missing + i] = w.dilation[i];
    result.pad_begin[missing + i] = w.pad_begin[i];
  }
  return result;
}

// Taps of one output position along one dimension that lie inside the input.
struct Taps {
  size_t first, last;  // [first, last)
  size_t start;        // input position of `first`
};
Taps inside(const Window& w, size_t dimension, size_t out) noexcept {
  const size_t origin = out * w.stride[dimension];  // padded coordinates
  const size_t pad = w.pad_begin[dimension], step = w.dilation[dimension];
  const size_t first = origin >= pad ? 0 : (pad - origin + step - 1) / step;
  size_t last = w.kernel[dimension];
  const size_t end = w.in[dimension] + pad;
  if (origin >= end) return {0, 0, 0};
  last = std::min(last, (end - origin - 1) / step + 1);
  return {first, last, first < last ? origin + first * step - pad : 0};
}

template <class T>
struct Best {
  T value = lowest<T>();
  size_t where = 0;
  bool found = false;

  void offer(T candidate, size_t position) noexcept {
    const bool first_nan = candidate != candidate && value == value;
    if (found && !(candidate > value) && !first_nan) return;
    *this = {candidate, position, true};
  }
};

// The greatest of the taps of one window; positions are numbered with the steps `number`.
template <class T>
Best<T> best_of_window(const Window& w, const Extents& number, const std::array<Taps, 3>& taps, const T* x) noexcept {
  Best<T> best;
  const auto& [deep, high, wide] = taps;
  for (size_t i = deep.first, z = deep.start; i < deep.last; ++i, z += w.dilation[0]) {
    for (size_t j = high.first, y = high.start; j < high.last; ++j, y += w.dilation[1]) {
      const T* row = x + (z * w.in[1] + y) * w.in[2];
      for (size_t k = wide.first, column = wide.start; k < wide.last; ++k, column += w.dilation[2]) {
        best.offer(row[column], z * number[0] + y * number[1] + column * number[2]);
      }
    }
  }
  return best;
}

template <class T>
void pool_plane(const Window& w, bool column_major, size_t plane, const T* x, T* y, int64_t* indices) noexcept {
  const Extents number = column_major ? Extents{1, w.in[0], w.in[0] * w.in[1]} : Extents{w.in[1] * w.in[2], w.in[2], 1};
  core::InterruptGate interrupt;
  size_t at = 0;
  for (size_t d = 0; d < w.out[0]; ++d) {
    for (size_t h = 0; h < w.out[1] && !interrupt.stopped(); ++h) {
      for (size_t v = 0; v < w.out[2]; ++v, ++at) {
        const Best<T> best = best_of_window(w, number, {inside(w, 0, d), inside(w, 1, h), inside(w, 2, v)}, x);
        y[at] = best.value;
        if (indices) indices[at] = static_cast<int64_t>(plane * w.in_size() + best.where);
      }
    }
  }
}

template <class T>
void indexed(const PoolShape& shape, bool column_major, const void* x, void* y, int64_t* indices, core::ThreadPool& pool) {
  const Window w = in_three_dimensions(shape.window);
  const size_t in = w.in_size(), out = w.out_size();
  pool.for_each(shape.planes, [&](size_t plane) {
    pool_plane(w, column_major, plane, static_cast<const T*>(x) + plane * in, static_cast<T*>(y) + plane * out,
               indices ? indices + plane * out : nullptr);
  });
}

}  // namespace

IndexedMaxPool indexed_max_pool(DType dtype) noexcept {
  switch (dtype) {
    case DType::kFloat32:
      return indexed<float>;
    case DType::kFloat64:
      return indexed<double>;
    case DType::kInt8:
      return indexed<int8_t>;
    case DType::kUInt8:
      return indexed<uint8_t>;
    default:
      return nullptr;
  }
}

}  // namespace sardonyx::ops
