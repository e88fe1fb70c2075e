// RandomUniform, RandomNormal and their Like forms, Bernoulli, Multinomial.
#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "kernels/cpu/random/philox.h"
#include "ops/elements/elements.h"
#include "ops/facts.h"
#include "ops/random/random.h"
#include "ops/stages.h"

namespace sardonyx::ops {
namespace {

constexpr size_t kGrain = 16 * kRunLength;

// Elements 2 i and 2 i + 1 are pair(block i).
template <class Pair>
void fill_pairs(uint64_t key, Tensor& y, core::ThreadPool& pool, const Pair& pair) {
  const StoreRun<double> store = store_run<double>(y.dtype());
  const size_t bytes = element_bytes(y.dtype());
  auto* to = static_cast<std::byte*>(y.mutable_raw());
  pool.for_ranges(to_size(y.numel()), kGrain, [&](size_t begin, size_t end) {
    double values[kRunLength];
    for (size_t first = begin; first < end; first += kRunLength) {
      const size_t count = std::min(kRunLength, end - first);
      for (size_t i = 0; i < count; i += 2) {
        const std::array<double, 2> two = pair(kernels::philox(key, (first + i) / 2));
        values[i] = two[0];
        if (i + 1 < count) values[i + 1] = two[1];
      }
      store(values, count, to + first * bytes);
    }
  });
}

struct Distribution {
  bool normal = false;
  double offset = 0, scale = 1;

  void fill(uint64_t key, Tensor& y, core::ThreadPool& pool) const {
    fill_pairs(key, y, pool, [this](const kernels::PhiloxBlock& block) {
      const auto [a, b] = normal ? kernels::normal_pair(block) : kernels::uniform_pair(block);
      return std::array{offset + scale * a, offset + scale * b};
    });
  }
};

Distribution distribution_from_node(const model::Node& node) {
  const auto number = [&](const char* name, float fallback) { return static_cast<double>(model::get_float(node, name, fallback)); };
  if (node.op_type.starts_with("RandomNormal")) return {true, number("mean", 0), number("scale", 1)};
  const double low = number("low", 0);
  return {false, low, number("high", 1) - low};
}

std::optional<DType> dtype_from_node(const model::Node& node, DTypeSet allowed) {
  if (!node.find_attribute("dtype")) return std::nullopt;
  const int64_t number = model::get_int(node, "dtype", 0);
  if (number > 0 && number < kDTypeCount && allowed.has(static_cast<DType>(number))) return static_cast<DType>(number);
  throw model_error("attribute dtype is {}, which is no element type that {} gives", number, node.op_type);
}

std::unique_ptr<Bound> bind_random(ValueFacts y, const Distribution& distribution, const SeedSource& seeds) {
  return make_bound(std::move(y), [distribution, seeds](const RunContext& r) { distribution.fill(seeds.next(), r.outputs[0], r.pool); });
}

template <class Acc>
void run_bernoulli(uint64_t key, const Tensor& x, Tensor& y, core::ThreadPool& pool) {
  const LoadRun<Acc> load = load_run<Acc>(x.dtype());
  const StoreRun<int64_t> store = store_run<int64_t>(y.dtype());
  const size_t x_bytes = element_bytes(x.dtype()), y_bytes = element_bytes(y.dtype());
  const auto* from = static_cast<const std::byte*>(x.raw());
  auto* to = static_cast<std::byte*>(y.mutable_raw());
  pool.for_ranges(to_size(x.numel()), kGrain, [&](size_t begin, size_t end) {
    Acc chances[kRunLength];
    int64_t draws[kRunLength];
    for (size_t first = begin; first < end; first += kRunLength) {
      const size_t count = std::min(kRunLength, end - first);
      load(from + first * x_bytes, 1, count, chances);
      for (size_t i = 0; i < count; ++i) draws[i] = uniform_at(key, first + i) < static_cast<double>(chances[i]) ? 1 : 0;
      store(draws, count, to + first * y_bytes);
    }
  });
}

// Rows of logarithms of probabilities, up to a constant each: draws by where a uniform number falls in the running sum.
struct MultinomialStep {
  size_t classes, samples;

  void run(uint64_t key, const RunContext& r) const {
    const Tensor& x = r.inputs[0];
    auto* sums = reinterpret_cast<double*>(r.scratch);
    const size_t rows = to_size(x.numel()) / classes;
    const StoreRun<int64_t> store = store_run<int64_t>(r.outputs[0].dtype());
    const size_t bytes = element_bytes(r.outputs[0].dtype());
    auto* to = static_cast<std::byte*>(r.outputs[0].mutable_raw());
    load_run<double>(x.dtype())(x.raw(), 1, rows * classes, sums);
    for (size_t row = 0; row < rows; ++row) running_sums(row, sums + row * classes);
    r.pool.for_ranges(rows * samples, kGrain, [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) {
        const double* first = sums + i / samples * classes;
        const double wanted = uniform_at(key, i) * first[classes - 1];
        const int64_t drawn = std::upper_bound(first, first + classes - 1, wanted) - first;
        store(&drawn, 1, to + i * bytes);
      }
    });
  }

 private:
  void running_sums(size_t row, double* values) const {
    const double greatest = *std::max_element(values, values + classes);
    double sum = 0;
    for (size_t c = 0; c < classes; ++c) {
      sum += std::exp(values[c] - greatest);
      values[c] = sum;
    }
    if (!std::isfinite(sum)) throw argument_error("row {} of the input holds no log-probabilities: its sum is not finite", row);
  }
};

}  // namespace

std::unique_ptr<Prepared> prepare_random(const PrepareContext& context) {
  const Shape shape = model::get_ints(context.node, "shape");
  const DType dtype = dtype_from_node(context.node, kFloats).value_or(DType::kFloat32);
  if (!context.node.find_attribute("shape")) throw model_error("attribute shape is missing");
  return make_prepared([shape, dtype, distribution = distribution_from_node(context.node), seeds = SeedSource(context.node)](
                           const BindContext&) { return bind_random(output(dtype, shape), distribution, seeds); });
}

std::unique_ptr<Prepared> prepare_random_like(const PrepareContext& context) {
  return make_prepared([dtype = dtype_from_node(context.node, kFloats), distribution = distribution_from_node(context.node),
                        seeds = SeedSource(context.node)](const BindContext& b) {
    const ValueFacts& x = required(b, 0, "input");
    ValueFacts y = output(dtype.value_or(x.dtype), x.shape);
    if (!kFloats.has(y.dtype))
      throw argument_error("the input has type {}; name a floating-point type in the attribute dtype", type_string(x.dtype));
    return bind_random(std::move(y), distribution, seeds);
  });
}

std::unique_ptr<Prepared> prepare_bernoulli(const PrepareContext& context) {
  return make_prepared(
      [dtype = dtype_from_node(context.node, kNumbers | DTypeSet{DType::kBool}), seeds = SeedSource(context.node)](const BindContext& b) {
        const ValueFacts& x = required(b, 0, "input");
        require_dtype(x, kFloats, "input");
        return make_bound(output(dtype.value_or(x.dtype), x.shape), [seeds](const RunContext& r) {
          const bool wide = r.inputs[0].dtype() == DType::kFloat64;
          wide ? run_bernoulli<double>(seeds.next(), r.inputs[0], r.outputs[0], r.pool)
               : run_bernoulli<float>(seeds.next(), r.inputs[0], r.outputs[0], r.pool);
        });
      });
}

std::unique_ptr<Prepared> prepare_multinomial(const PrepareContext& context) {
  const int64_t samples = model::get_int(context.node, "sample_size", 1);
  if (samples < 0) throw model_error("attribute sample_size is {}; it must be at least 0", samples);
  const DType dtype = dtype_from_node(context.node, {DType::kInt32, DType::kInt64}).value_or(DType::kInt32);
  return make_prepared([samples, dtype, seeds = SeedSource(context.node)](const BindContext& b) {
    const ValueFacts& x = required(b, 0, "input");
    require_dtype(x, kFloats, "input");
    require_rank(x, 2, "input");
    if (x.shape[1] == 0) throw argument_error("the input of shape {} has no classes to draw", to_string(x.shape));
    const MultinomialStep step = {to_size(x.shape[1]), to_size(samples)};
    auto bound = make_bound(output(dtype, {x.shape[0], samples}), [step, seeds](const RunContext& r) {
      if (r.outputs[0].numel() != 0) step.run(seeds.next(), r);
    });
    bound->scratch_bytes = to_size(element_count(x.shape)) * sizeof(double);
    return bound;
  });
}

}  // namespace sardonyx::ops
