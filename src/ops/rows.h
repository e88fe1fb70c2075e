// Running an operator on some rows of its result at a time, so that a chain of operators needs only bands of the values between them
// (runtime/chain.h).
//
// A value that is processed by rows has at least three dimensions: the first two number its planes (images and channels), the third its
// rows, the others lie within a row. A band holds some consecutive rows of every plane. Each element of a result is computed by the same
// operations in the same order, whatever the rows that are asked for: its bits do not depend on the bands.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <type_traits>

#include "core/parallel.h"
#include "kernels/cpu/window.h"
#include "ops/op.h"

namespace sardonyx::ops {

using RowRange = kernels::Range;

// Rows of a value as they lie in memory: a band, or the whole.
template <class Byte>
struct RowsAt {
  Byte* data = nullptr;  // row `first` of plane 0
  size_t first = 0;
  size_t row_bytes = 0;    // rows of a plane are contiguous
  size_t plane_bytes = 0;  // from one plane to the next

  Byte* at(size_t row) const noexcept { return data + (row - first) * row_bytes; }
  template <class T>
  auto* as(size_t row) const noexcept {
    return reinterpret_cast<std::conditional_t<std::is_const_v<Byte>, const T, T>*>(at(row));
  }
  template <class T>
  size_t plane() const noexcept {
    return plane_bytes / sizeof(T);
  }
};
using ReadRows = RowsAt<const std::byte>;
using WriteRows = RowsAt<std::byte>;

struct RowRun {
  RowRange rows;                     // of the result, to be computed
  std::span<const ReadRows> inputs;  // one for each input of the node; of those that are read whole `data` alone is set, null if absent
  WriteRows output;
  std::byte* scratch = nullptr;  // RowKernel::scratch_bytes, aligned to 64
  core::ThreadPool& pool;
};

// How a bound step of one output computes some rows of it.
class RowKernel {
 public:
  virtual ~RowKernel() = default;
  // Whether the input is read by rows; the others are read whole, each time.
  virtual bool by_rows(size_t input) const noexcept = 0;
  // The rows of an input by rows that these rows of the result (at least one) are computed from.
  virtual RowRange reads(size_t input, RowRange rows) const noexcept = 0;
  // Rows are asked for in multiples of it, from a multiple of it on.
  virtual size_t unit() const noexcept { return 1; }
  // For at most so many rows at a time.
  virtual size_t scratch_bytes(size_t /*rows*/) const noexcept { return 0; }
  // Bytes of constants that each call reads anew.
  virtual size_t constant_bytes() const noexcept { return 0; }
  virtual void run(const RowRun& run) const noexcept = 0;
};

// The step, which has one output, with its row kernel; null: it stays as it is.
std::unique_ptr<Bound> with_rows(std::unique_ptr<Bound> step, std::shared_ptr<const RowKernel> rows);
// The step, which has no row kernel for that reason: a literal.
std::unique_ptr<Bound> without_rows(std::unique_ptr<Bound> step, const char* reason);
// The row kernel of a step, or null.
const RowKernel* row_kernel(const Bound& step) noexcept;
// Why it has none; "" where nobody said why.
const char* row_refusal(const Bound& step) noexcept;

// A value of that shape seen as planes of rows.
struct RowShape {
  RowShape() = default;
  // The shape has at least three dimensions.
  RowShape(const Shape& shape, size_t element_bytes);

  ReadRows whole(const void* data) const noexcept { return {static_cast<const std::byte*>(data), 0, row_bytes, rows * row_bytes}; }
  WriteRows whole(void* data) const noexcept { return {static_cast<std::byte*>(data), 0, row_bytes, rows * row_bytes}; }

  size_t planes = 0, rows = 0, row_bytes = 0;
};

// The rows under a window whose outermost dimension counts the rows: those that these rows of the result read.
RowRange rows_under(const kernels::Window& window, RowRange rows) noexcept;
// The window that computes `rows` of the result from the input's rows `read` = rows_under(window, rows) alone.
kernels::Window band_window(const kernels::Window& window, RowRange rows, RowRange read) noexcept;

// The row kernel of a step that maps the elements of input 0 one by one; the other inputs are read whole. map(run, x, y, count, pool)
// computes `count` consecutive elements.
template <class Map>
std::shared_ptr<const RowKernel> map_rows(const Shape& shape, size_t element_bytes, Map map) {
  class MapRows final : public RowKernel {
   public:
    MapRows(const RowShape& value, size_t bytes, Map function) : shape_(value), element_bytes_(bytes), map_(std::move(function)) {}
    bool by_rows(size_t input) const noexcept override { return input == 0; }
    RowRange reads(size_t /*input*/, RowRange rows) const noexcept override { return rows; }
    void run(const RowRun& r) const noexcept override {
      const ReadRows& x = r.inputs[0];
      const size_t bytes = r.rows.size() * shape_.row_bytes;
      if (x.plane_bytes == bytes && r.output.plane_bytes == bytes) {
        return map_(r, x.at(r.rows.begin), r.output.at(r.rows.begin), shape_.planes * bytes / element_bytes_, r.pool);
      }
      constexpr size_t kTaskBytes = size_t{1} << 16;
      const size_t grain = bytes == 0 ? shape_.planes : kTaskBytes / bytes;
      r.pool.for_ranges(shape_.planes, grain, [&](size_t begin, size_t end) {
        for (size_t plane = begin; plane < end; ++plane) {
          map_(r, x.at(r.rows.begin) + plane * x.plane_bytes, r.output.at(r.rows.begin) + plane * r.output.plane_bytes,
               bytes / element_bytes_, r.pool);
        }
      });
    }

   private:
    RowShape shape_;
    size_t element_bytes_;
    Map map_;
  };
  if (shape.size() < 3 || element_bytes == 0) return nullptr;
  return std::make_shared<MapRows>(RowShape(shape, element_bytes), element_bytes, std::move(map));
}

}  // namespace sardonyx::ops
