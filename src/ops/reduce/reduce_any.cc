#include "ops/reduce/reduce_any.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "ops/elements/elements.h"
#include "ops/facts.h"

namespace sardonyx::ops {
namespace {

template <class Acc>
Acc add(Acc a, Acc b) noexcept {
  if constexpr (std::is_integral_v<Acc>) return static_cast<Acc>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
  return a + b;
}
template <class Acc>
Acc multiply(Acc a, Acc b) noexcept {
  if constexpr (std::is_integral_v<Acc>) return static_cast<Acc>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
  return a * b;
}
template <class Acc>
Acc magnitude(Acc a) noexcept {
  if constexpr (std::is_floating_point_v<Acc>) {
    return std::abs(a);
  } else if constexpr (std::is_signed_v<Acc>) {
    return a < 0 ? static_cast<Acc>(uint64_t{0} - static_cast<uint64_t>(a)) : a;
  }
  return a;
}

// Least (or greatest) value of the element type, which the maximum (minimum) of nothing is.
template <class Acc>
Acc extreme(DType dtype, bool least) noexcept {
  if constexpr (std::is_floating_point_v<Acc>) {
    return least ? -std::numeric_limits<Acc>::infinity() : std::numeric_limits<Acc>::infinity();
  } else {
    if (dtype == DType::kBool) return least ? 0 : 1;
    const int bits = bit_width(dtype);
    const bool is_signed = kSignedIntegers.has(dtype);
    const uint64_t all = ~uint64_t{0} >> (64 - bits);
    const uint64_t greatest = is_signed ? all >> 1 : all;
    return static_cast<Acc>(!least ? greatest : is_signed ? ~greatest : 0);
  }
}

template <class Acc>
Acc start_value(ReduceKind kind, DType dtype) noexcept {
  switch (kind) {
    case ReduceKind::kProd:
      return Acc{1};
    case ReduceKind::kMax:
      return extreme<Acc>(dtype, true);
    case ReduceKind::kMin:
      return extreme<Acc>(dtype, false);
    default:
      return Acc{};
  }
}

template <class Acc>
Acc fold(ReduceKind kind, Acc sum, const Acc* values, size_t count) noexcept {
  const auto each = [&](auto step) {
    for (size_t i = 0; i < count; ++i) sum = step(sum, values[i]);
    return sum;
  };
  switch (kind) {
    case ReduceKind::kL1:
      return each([](Acc a, Acc v) { return add(a, magnitude(v)); });
    case ReduceKind::kL2:
    case ReduceKind::kSumSquare:
      return each([](Acc a, Acc v) { return add(a, multiply(v, v)); });
    case ReduceKind::kProd:
      return each([](Acc a, Acc v) { return multiply(a, v); });
    case ReduceKind::kMax:
      return each([](Acc a, Acc v) { return v > a || v != v ? v : a; });  // v != v: NaN, which then stays
    case ReduceKind::kMin:
      return each([](Acc a, Acc v) { return v < a || v != v ? v : a; });
    default:
      return each([](Acc a, Acc v) { return add(a, v); });
  }
}

template <class Acc>
Acc finish(ReduceKind kind, Acc sum, size_t count) noexcept {
  if (kind == ReduceKind::kMean) {
    if constexpr (std::is_integral_v<Acc>) return count == 0 ? Acc{} : static_cast<Acc>(sum / static_cast<Acc>(count));
    return sum / static_cast<Acc>(count);
  }
  if constexpr (std::is_floating_point_v<Acc>) {
    if (kind == ReduceKind::kL2) return std::sqrt(sum);
    if (kind == ReduceKind::kLogSum) return std::log(sum);
  }
  return sum;
}

// The elements of x that make one result, a run at a time.
template <class Acc>
class Elements {
 public:
  Elements(const StridedView& reduced, const Tensor& x)
      : view_(reduced),
        load_(load_run<Acc>(x.dtype())),
        data_(static_cast<const std::byte*>(x.raw())),
        bytes_(static_cast<ptrdiff_t>(element_bytes(x.dtype()))),
        count_(span_count(reduced.shape, 0, reduced.shape.size())),
        inner_(reduced.shape.empty() ? 1 : to_size(reduced.shape.back())),
        step_(reduced.shape.empty() ? 0 : reduced.stride.back()) {}

  size_t count() const noexcept { return count_; }

  // visit(values, count) for all elements of the result whose first element is `base`, until the run is to end.
  template <class Visit>
  void visit(ptrdiff_t base, const Visit& visitor) const {
    Acc values[kRunLength];
    core::InterruptGate gate;
    for (size_t row = 0; row < count_; row += inner_) {
      for (size_t i = 0; i < inner_ && !gate.stopped(); i += kRunLength) {
        const size_t length = std::min(kRunLength, inner_ - i);
        load_(data_ + (base + view_.offset(row + i)) * bytes_, step_, length, values);
        visitor(values, length);
      }
    }
  }

 private:
  const StridedView& view_;
  LoadRun<Acc> load_;
  const std::byte* data_;
  ptrdiff_t bytes_;
  size_t count_, inner_;
  ptrdiff_t step_;
};

double log_sum_exp(const Elements<double>& elements, ptrdiff_t base) {
  double greatest = -std::numeric_limits<double>::infinity();
  elements.visit(base, [&](const double* v, size_t n) { greatest = fold(ReduceKind::kMax, greatest, v, n); });
  if (!std::isfinite(greatest)) return greatest;
  double sum = 0;
  elements.visit(base, [&](const double* v, size_t n) {
    for (size_t i = 0; i < n; ++i) sum += std::exp(v[i] - greatest);
  });
  return greatest + std::log(sum);
}

template <class Acc>
Acc reduce_one(ReduceKind kind, const Elements<Acc>& elements, ptrdiff_t base, DType dtype) {
  if constexpr (std::is_same_v<Acc, double>) {
    if (kind == ReduceKind::kLogSumExp) return log_sum_exp(elements, base);
  }
  Acc sum = start_value<Acc>(kind, dtype);
  elements.visit(base, [&](const Acc* v, size_t n) { sum = fold(kind, sum, v, n); });
  return finish(kind, sum, elements.count());
}

template <class Acc>
void reduce_as(ReduceKind kind, const ReduceViews& views, const Tensor& x, Tensor& y, core::ThreadPool& pool) {
  const Elements<Acc> elements(views.reduced, x);
  const StoreRun<Acc> store = store_run<Acc>(y.dtype());
  const size_t bytes = element_bytes(y.dtype());
  auto* data = static_cast<std::byte*>(y.mutable_raw());
  pool.for_ranges(to_size(y.numel()), std::max<size_t>(1, 8192 / std::max<size_t>(1, elements.count())), [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      const Acc value = reduce_one<Acc>(kind, elements, views.kept.offset(i), x.dtype());
      store(&value, 1, data + i * bytes);
    }
  });
}

}  // namespace

ReduceViews reduce_views(const Shape& x, const std::vector<bool>& reduced) {
  const StridedView own = contiguous_view(x);
  ReduceViews views;
  for (size_t i = 0; i < x.size(); ++i) {
    StridedView& view = reduced[i] ? views.reduced : views.kept;
    view.shape.push_back(x[i]);
    view.stride.push_back(own.stride[i]);
  }
  return views;
}

void reduce_any(ReduceKind kind, const ReduceViews& views, const Tensor& x, Tensor& y, core::ThreadPool& pool) {
  const bool needs_reals = kind == ReduceKind::kL2 || kind == ReduceKind::kLogSum || kind == ReduceKind::kLogSumExp;
  if (needs_reals || is_floating_point(x.dtype())) {
    reduce_as<double>(kind, views, x, y, pool);
  } else if (x.dtype() == DType::kUInt64) {
    reduce_as<uint64_t>(kind, views, x, y, pool);
  } else {
    reduce_as<int64_t>(kind, views, x, y, pool);
  }
}

}  // namespace sardonyx::ops
