// IsNaN and IsInf of every floating-point type, the float8 kinds among them.
#include <algorithm>
#include <cmath>

#include "core/float8.h"
#include "ops/elements/elements.h"
#include "ops/facts.h"
#include "ops/stages.h"
#include "sardonyx/model.h"

namespace sardonyx::ops {
namespace {

constexpr DTypeSet kFloat8s = {DType::kFloat8E4M3FN, DType::kFloat8E4M3FNUZ, DType::kFloat8E5M2, DType::kFloat8E5M2FNUZ};
constexpr size_t kGrain = 16 * kRunLength;

// Widening keeps NaN and infinities, so that float and double serve for all types.
template <class Acc, class Test>
void classify(const Tensor& x, Tensor& y, core::ThreadPool& pool, const Test& test) {
  const LoadRun<Acc> load = load_run<Acc>(x.dtype());
  const size_t bytes = element_bytes(x.dtype());
  const auto* from = static_cast<const std::byte*>(x.raw());
  bool* to = y.mutable_values<bool>().data();
  pool.for_ranges(to_size(x.numel()), kGrain, [&](size_t begin, size_t end) {
    Acc values[kRunLength];
    for (size_t i = begin; i < end; i += kRunLength) {
      const size_t count = std::min(kRunLength, end - i);
      load(from + i * bytes, 1, count, values);
      std::transform(values, values + count, to + i, test);
    }
  });
}

template <class Test>
void classify_float8(const Tensor& x, Tensor& y, const Test& test) {
  const auto* from = static_cast<const uint8_t*>(x.raw());
  const std::span<bool> to = y.mutable_values<bool>();
  for (size_t i = 0; i < to.size(); ++i) to[i] = test(core::float8_to_float(x.dtype(), from[i]));
}

template <class Test>
std::unique_ptr<Prepared> prepare_test(Test test) {
  return make_prepared([test](const BindContext& b) {
    const ValueFacts& x = required(b, 0, "X");
    require_dtype(x, kFloats | kFloat8s, "X");
    return make_bound(output(DType::kBool, x.shape), [test](const RunContext& r) {
      const Tensor& from = r.inputs[0];
      if (kFloat8s.has(from.dtype())) return classify_float8(from, r.outputs[0], test);
      if (from.dtype() == DType::kFloat64) return classify<double>(from, r.outputs[0], r.pool, test);
      classify<float>(from, r.outputs[0], r.pool, test);
    });
  });
}

}  // namespace

std::unique_ptr<Prepared> prepare_is_nan(const PrepareContext& /*context*/) {
  return prepare_test([](auto x) { return std::isnan(x); });
}

std::unique_ptr<Prepared> prepare_is_inf(const PrepareContext& context) {
  const bool negative = model::get_int(context.node, "detect_negative", 1) != 0;
  const bool positive = model::get_int(context.node, "detect_positive", 1) != 0;
  return prepare_test([negative, positive](auto x) { return std::isinf(x) && (x < 0 ? negative : positive); });
}

}  // namespace sardonyx::ops
