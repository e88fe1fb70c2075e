// LpNormalization: lines divided by their 1- or 2-norm. Lines of norm 0 stay 0.
#include <cmath>

#include "core/interrupt.h"
#include "ops/elements/elements.h"
#include "ops/facts.h"
#include "ops/lines/lines.h"
#include "ops/stages.h"
#include "sardonyx/model.h"

namespace sardonyx::ops {
namespace {

template <class Acc>
class LpNormRow {
 public:
  LpNormRow(DType dtype, int64_t p)
      : load_(load_run<Acc>(dtype)), store_(store_run<Acc>(dtype)), bytes_(element_bytes(dtype)), is_euclidean_(p == 2) {}

  void operator()(size_t size, const std::byte* x, std::byte* y) const noexcept {
    const double length = norm(size, x);
    const double divisor = length == 0 ? 1 : length;
    Acc values[kRunLength];
    core::in_pieces(size, kRunLength, [&](size_t i, size_t count) {
      load_(x + i * bytes_, 1, count, values);
      for (size_t k = 0; k < count; ++k) values[k] = static_cast<Acc>(static_cast<double>(values[k]) / divisor);
      store_(values, count, y + i * bytes_);
    });
  }

 private:
  double norm(size_t size, const std::byte* x) const noexcept {
    Acc values[kRunLength];
    double sum = 0;
    core::in_pieces(size, kRunLength, [&](size_t i, size_t count) {
      load_(x + i * bytes_, 1, count, values);
      for (size_t k = 0; k < count; ++k) {
        const auto value = static_cast<double>(values[k]);
        sum += is_euclidean_ ? value * value : std::abs(value);
      }
    });
    return is_euclidean_ ? std::sqrt(sum) : sum;
  }

  LoadRun<Acc> load_;
  StoreRun<Acc> store_;
  size_t bytes_;
  bool is_euclidean_;
};

}  // namespace

std::unique_ptr<Prepared> prepare_lp_norm(const PrepareContext& context) {
  const int64_t p = model::get_int(context.node, "p", 2);
  if (p != 1 && p != 2) throw model_error("attribute p is {}; it must be 1 or 2", p);
  return make_prepared([p, axis = model::get_int(context.node, "axis", -1)](const BindContext& b) {
    const ValueFacts& x = required(b, 0, "input");
    require_dtype(x, kFloats, "input");
    const Lines lines = lines_along(x.shape, axis, false);
    if (x.dtype == DType::kFloat64) return bind_rows(output(x.dtype, x.shape), lines, each_row(x.dtype, LpNormRow<double>(x.dtype, p)));
    return bind_rows(output(x.dtype, x.shape), lines, each_row(x.dtype, LpNormRow<float>(x.dtype, p)));
  });
}

}  // namespace sardonyx::ops
