#include "ops/rows.h"

#include <algorithm>

#include "ops/facts.h"

namespace sardonyx::ops {
namespace {

class RowBound final : public Bound {
 public:
  RowBound(std::unique_ptr<Bound> step, std::shared_ptr<const RowKernel> rows, const char* refusal)
      : Bound(*step), step_(std::move(step)), rows_(std::move(rows)), refusal_(refusal) {}
  void run(const RunContext& context) const override { step_->run(context); }
  const RowKernel* rows() const noexcept { return rows_.get(); }
  const char* refusal() const noexcept { return refusal_; }

 private:
  std::unique_ptr<Bound> step_;
  std::shared_ptr<const RowKernel> rows_;
  const char* refusal_;
};

}  // namespace

std::unique_ptr<Bound> with_rows(std::unique_ptr<Bound> step, std::shared_ptr<const RowKernel> rows) {
  if (!rows) return step;
  return std::make_unique<RowBound>(std::move(step), std::move(rows), "");
}

std::unique_ptr<Bound> without_rows(std::unique_ptr<Bound> step, const char* reason) {
  return std::make_unique<RowBound>(std::move(step), nullptr, reason);
}

const RowKernel* row_kernel(const Bound& step) noexcept {
  const auto* by_rows = dynamic_cast<const RowBound*>(&step);
  return by_rows ? by_rows->rows() : nullptr;
}

const char* row_refusal(const Bound& step) noexcept {
  const auto* by_rows = dynamic_cast<const RowBound*>(&step);
  return by_rows ? by_rows->refusal() : "";
}

RowShape::RowShape(const Shape& shape, size_t element_bytes)
    : planes(span_count(shape, 0, 2)), rows(to_size(shape[2])), row_bytes(span_count(shape, 3, shape.size()) * element_bytes) {}

RowRange rows_under(const kernels::Window& window, RowRange rows) noexcept {
  const auto end = static_cast<ptrdiff_t>(window.in[0]);
  const auto reach = static_cast<ptrdiff_t>((window.kernel[0] - 1) * window.dilation[0]);
  const ptrdiff_t first = std::clamp<ptrdiff_t>(window.origin(0, rows.begin), 0, end);
  const ptrdiff_t last = std::clamp<ptrdiff_t>(window.origin(0, rows.end - 1) + reach + 1, first, end);
  return {static_cast<size_t>(first), static_cast<size_t>(last)};
}

kernels::Window band_window(const kernels::Window& window, RowRange rows, RowRange read) noexcept {
  kernels::Window band = window;
  band.in[0] = read.size();
  band.out[0] = rows.size();
  const ptrdiff_t pad = static_cast<ptrdiff_t>(read.begin) - window.origin(0, rows.begin);
  // A band that reads nothing lies in the padding, wherever it begins.
  band.pad_begin[0] = static_cast<size_t>(std::max<ptrdiff_t>(pad, 0));
  return band;
}

}  // namespace sardonyx::ops
