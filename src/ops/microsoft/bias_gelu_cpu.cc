// BiasGelu and FastGelu of com.microsoft: Gelu, exact or by tanh, of X + bias, the bias running along the last dimension.
#include <algorithm>

#include "ops/elements/elements.h"
#include "ops/elementwise/unary.h"
#include "ops/facts.h"
#include "ops/stages.h"

namespace sardonyx::ops {
namespace {

constexpr size_t kGrain = 16 * kRunLength;

// y = function(x + bias), through runs of elements widened to Acc; `bias` holds `width` values.
template <class Acc>
struct BiasedRuns {
  const UnarySpec& function;
  DType dtype;
  const Acc* bias;
  size_t width;

  void run(const Tensor& x, Tensor& y, core::ThreadPool& pool) const {
    constexpr DType kAcc = sizeof(Acc) == sizeof(float) ? DType::kFloat32 : DType::kFloat64;
    const LoadRun<Acc> load = load_run<Acc>(dtype);
    const StoreRun<Acc> store = store_run<Acc>(dtype);
    const size_t bytes = element_bytes(dtype);
    const auto* from = static_cast<const std::byte*>(x.raw());
    auto* to = static_cast<std::byte*>(y.mutable_raw());
    pool.for_ranges(to_size(y.numel()), kGrain, [&](size_t begin, size_t end) {
      Acc values[kRunLength];
      for (size_t i = begin; i < end; i += kRunLength) {
        const size_t count = std::min(kRunLength, end - i);
        load(from + i * bytes, 1, count, values);
        add_bias(i, count, values);
        run_unary(function, kAcc, values, values, count, pool);
        store(values, count, to + i * bytes);
      }
    });
  }

 private:
  // The bias of elements `first` and following, which begins anew in each row.
  void add_bias(size_t first, size_t count, Acc* values) const noexcept {
    for (size_t i = 0; i < count;) {
      const size_t column = (first + i) % width, run = std::min(count - i, width - column);
      for (size_t k = 0; k < run; ++k) values[i + k] += bias[column + k];
      i += run;
    }
  }
};

std::unique_ptr<Bound> bind_biased(const UnarySpec& function, const BindContext& b) {
  const ValueFacts &x = required(b, 0, "X"), &bias = required(b, 1, "bias");
  require_dtype(x, kFloats, "X");
  require_same_dtype(x, bias, "X", "bias");
  if (x.shape.empty() || bias.shape != Shape{x.shape.back()}) {
    throw argument_error("bias has shape {}; X of shape {} needs one value for each element of its last dimension", to_string(bias.shape),
                         to_string(x.shape));
  }
  auto bound = make_bound(output(x.dtype, x.shape), [function, dtype = x.dtype](const RunContext& r) {
    if (r.outputs[0].numel() == 0) return;
    with_accumulator(dtype, [&]<class Acc>() {
      if constexpr (std::is_floating_point_v<Acc>) {
        const size_t width = to_size(r.inputs[1].numel());
        auto* values = reinterpret_cast<Acc*>(r.scratch);
        load_run<Acc>(dtype)(r.inputs[1].raw(), 1, width, values);
        BiasedRuns<Acc>{function, dtype, values, width}.run(r.inputs[0], r.outputs[0], r.pool);
      }
    });
  });
  bound->scratch_bytes = to_size(element_count(bias.shape)) * sizeof(double);
  bound->in_place_input = 0;
  bound->flops = 2 * static_cast<double>(element_count(x.shape));
  return bound;
}

}  // namespace

std::unique_ptr<Prepared> prepare_bias_gelu(const PrepareContext& /*context*/) {
  model::Node gelu;
  gelu.op_type = "Gelu";
  return make_prepared([function = unary_spec_from_node(gelu, 20)](const BindContext& b) { return bind_biased(function, b); });
}

std::unique_ptr<Prepared> prepare_fast_gelu(const PrepareContext& context) {
  const bool has_bias = context.node.input.size() > 1 && !context.node.input[1].empty();
  if (!has_bias) return prepare_unary(context);
  return make_prepared(
      [function = unary_spec_from_node(context.node, context.opset)](const BindContext& b) { return bind_biased(function, b); });
}

}  // namespace sardonyx::ops
