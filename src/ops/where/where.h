// Where: elements of x or y as a condition tells, with broadcasting of all three.
#pragma once

#include <algorithm>

#include "ops/facts.h"
#include "ops/movement/strided.h"

namespace sardonyx::ops {

class WhereStep {
  static constexpr size_t kPiece = size_t{1} << 15;  // elements of a row that are computed without asking whether the run is to end

 public:
  WhereStep(const Shape& condition, const Shape& x, const Shape& y)
      : out_(broadcast(broadcast(condition, x), y)),
        condition_(broadcast_view(condition, out_)),
        x_(broadcast_view(x, out_)),
        y_(broadcast_view(y, out_)) {}
  const Shape& out() const noexcept { return out_; }

  // Output 0 becomes map_x of an element of x where input 0 holds, else map_y of one of y.
  template <class T, class MapX, class MapY>
  void run(const RunContext& r, const T* x, const MapX& map_x, const T* y, const MapY& map_y) const {
    const bool* chosen = r.inputs[0].values<bool>().data();
    auto* to = static_cast<T*>(r.outputs[0].mutable_raw());
    const size_t rank = out_.size(), inner = rank == 0 ? 1 : to_size(out_[rank - 1]);
    if (r.outputs[0].numel() == 0) return;
    const size_t rows = to_size(r.outputs[0].numel()) / inner;
    const auto step = [&](const StridedView& view) { return rank == 0 ? 0 : view.stride[rank - 1]; };
    const ptrdiff_t condition_step = step(condition_), x_step = step(x_), y_step = step(y_);
    r.pool.for_ranges(rows, std::max<size_t>(1, 8192 / inner), [&](size_t begin, size_t end) {
      for (size_t row = begin; row < end; ++row) {
        ptrdiff_t c = condition_.offset(row * inner), a = x_.offset(row * inner), b = y_.offset(row * inner);
        core::in_pieces(inner, kPiece, [&](size_t first, size_t count) {
          for (size_t i = first; i < first + count; ++i, c += condition_step, a += x_step, b += y_step) {
            to[row * inner + i] = chosen[c] ? map_x(x[a]) : map_y(y[b]);
          }
        });
      }
    });
  }

 private:
  Shape out_;
  StridedView condition_, x_, y_;  // of the result's shape
};

}  // namespace sardonyx::ops
