#include "ops/norm/row_norm.h"

#include <cmath>
#include <limits>

#include "core/interrupt.h"
#include "kernels/cpu/norm/moments.h"
#include "ops/facts.h"
#include "ops/movement/strided.h"

namespace sardonyx::ops {
namespace {

template <class Acc>
class RowNormRun {
 public:
  RowNormRun(const RowNorm& norm, const RowNormTensors& on, std::byte* scratch)
      : norm_(norm),
        on_(on),
        load_(load_run<Acc>(on.x_type)),
        store_(store_run<Acc>(on.y_type)),
        x_bytes_(element_bytes(on.x_type)),
        y_bytes_(element_bytes(on.y_type)),
        scale_(reinterpret_cast<Acc*>(scratch)),
        shift_(scale_ + norm.index.count) {
    load_parameter(on.scale, norm.parameter_shape, Acc{1}, scale_);
    load_parameter(on.shift, norm.parameter_shape, Acc{0}, shift_);
  }

  void operator()(size_t row) const noexcept {
    const auto size = static_cast<double>(norm_.size);
    double mean = 0;
    if (norm_.centered) mean = fold(row, [](const Acc* values, size_t count) { return kernels::sum(values, count); }) / size;
    const double variance =
        fold(row, [mean](const Acc* values, size_t count) { return kernels::sum_square_apart(values, count, mean); }) / size;
    const auto epsilon = static_cast<double>(norm_.epsilon);
    const double factor = norm_.epsilon_outside_root ? 1 / (std::sqrt(variance) + epsilon) : 1 / std::sqrt(variance + epsilon);
    normalize(row, mean, static_cast<Acc>(factor));
    keep(mean, row, on_.mean);
    keep(factor, row, on_.factor);
  }

 private:
  const std::byte* at(size_t row, size_t j) const noexcept {
    return static_cast<const std::byte*>(on_.x) + (row * norm_.size + j) * x_bytes_;
  }

  template <class Sum>
  double fold(size_t row, const Sum& sum) const noexcept {
    Acc values[kRunLength];
    double result = 0;
    core::in_pieces(norm_.size, kRunLength, [&](size_t j, size_t count) {
      load_(at(row, j), 1, count, values);
      result += sum(values, count);
    });
    return result;
  }

  void normalize(size_t row, double mean, Acc factor) const noexcept {
    Acc values[kRunLength];
    auto* to = static_cast<std::byte*>(on_.y) + row * norm_.size * y_bytes_;
    core::in_pieces(norm_.size, kRunLength, [&](size_t j, size_t count) {
      load_(at(row, j), 1, count, values);
      apply_affine(norm_.index, row, j, count, scale_, shift_, mean, factor, values);
      store_(values, count, to + j * y_bytes_);
    });
  }

  static void keep(double value, size_t row, Tensor* tensor) noexcept {
    if (!tensor) return;
    const size_t bytes = static_cast<size_t>(bit_width(tensor->dtype())) / 8;
    store_run<double>(tensor->dtype())(&value, 1, static_cast<std::byte*>(tensor->mutable_raw()) + row * bytes);
  }

  const RowNorm& norm_;
  const RowNormTensors& on_;
  LoadRun<Acc> load_;
  StoreRun<Acc> store_;
  size_t x_bytes_, y_bytes_;
  Acc *scale_, *shift_;
};

}  // namespace

template <class Acc>
void load_parameter(const Tensor* tensor, const Shape& shape, Acc fallback, Acc* values) {
  const size_t count = to_size(element_count(shape));
  if (!tensor) {
    std::fill_n(values, count, fallback);
    return;
  }
  const LoadRun<Acc> load = load_run<Acc>(tensor->dtype());
  const auto* data = static_cast<const std::byte*>(tensor->raw());
  if (to_size(tensor->numel()) == count) return load(data, 1, count, values);
  const StridedView view = broadcast_view(tensor->shape(), shape);
  const auto bytes = static_cast<ptrdiff_t>(element_bytes(tensor->dtype()));
  for (size_t i = 0; i < count; ++i) load(data + view.offset(i) * bytes, 1, 1, values + i);
}
template void load_parameter<float>(const Tensor*, const Shape&, float, float*);
template void load_parameter<double>(const Tensor*, const Shape&, double, double*);

void fill_with_nan(Tensor* tensor) {
  if (!tensor || tensor->numel() == 0) return;
  const std::vector<float> values(to_size(tensor->numel()), std::numeric_limits<float>::quiet_NaN());
  store_run<float>(tensor->dtype())(values.data(), values.size(), tensor->mutable_raw());
}

size_t row_norm_scratch(const RowNorm& norm) noexcept { return 2 * norm.index.count * sizeof(double); }

void run_row_norm(const RowNorm& norm, const RowNormTensors& on, std::byte* scratch, core::ThreadPool& pool) {
  const size_t grain = std::max<size_t>(1, 8192 / std::max<size_t>(norm.size, 1));
  const auto run = [&]<class Acc>(std::type_identity<Acc>) {
    const RowNormRun<Acc> each(norm, on, scratch);
    pool.for_ranges(norm.rows, grain, [&](size_t begin, size_t end) {
      for (size_t row = begin; row < end; ++row) each(row);
    });
  };
  if (on.x_type == DType::kFloat64 || on.y_type == DType::kFloat64) return run(std::type_identity<double>());
  run(std::type_identity<float>());
}

}  // namespace sardonyx::ops
