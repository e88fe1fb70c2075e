#include <algorithm>
#include <array>
#include <optional>

#include "core/arena.h"
#include "kernels/cpu/math/unary.h"
#include "kernels/cpu/reduce/reduce.h"
#include "ops/facts.h"
#include "ops/reduce/reduce_any.h"
#include "ops/stages.h"
#include "ops/via_float/via_float.h"

namespace sardonyx::ops {
namespace {

// A reduction of float32 as passes of the kernel: the first over one block of neighbouring axes, the next over the results of the first,
// and a function of the last results.
struct FloatRow {
  ReduceKind kind;
  kernels::ReduceOp first, next;
  std::optional<kernels::UnaryOp> last;
};
using enum kernels::ReduceOp;
constexpr FloatRow kFloatRows[] = {
    {ReduceKind::kL1, kSumAbs, kSum, std::nullopt},
    {ReduceKind::kL2, kSumSquare, kSum, kernels::UnaryOp::kSqrt},
    {ReduceKind::kLogSum, kSum, kSum, kernels::UnaryOp::kLog},
    {ReduceKind::kMax, kMax, kMax, std::nullopt},
    {ReduceKind::kMean, kMean, kMean, std::nullopt},
    {ReduceKind::kMin, kMin, kMin, std::nullopt},
    {ReduceKind::kProd, kProd, kProd, std::nullopt},
    {ReduceKind::kSum, kSum, kSum, std::nullopt},
    {ReduceKind::kSumSquare, kSumSquare, kSum, std::nullopt},
};

struct Pass {
  size_t outer, axis, inner;
  size_t size() const noexcept { return outer * inner; }
};

// One pass for each block of reduced axes, the last block first. Dimensions of 1 belong to any block.
std::vector<Pass> make_passes(const Shape& x, const std::vector<bool>& reduced) {
  std::vector<Pass> passes;
  size_t inner = 1;
  for (size_t end = x.size(); end > 0;) {
    size_t begin = end - 1;
    while (begin > 0 && (reduced[begin - 1] == reduced[end - 1] || x[begin - 1] == 1)) --begin;
    const size_t block = span_count(x, begin, end);
    if (!reduced[end - 1]) {
      inner *= block;
    } else if (block != 1) {
      passes.push_back({span_count(x, 0, begin), block, inner});
    }
    end = begin;
  }
  // Nothing to reduce: each element is a sum of one.
  if (passes.empty()) passes.push_back({span_count(x, 0, x.size()), 1, 1});
  return passes;
}

std::unique_ptr<Bound> bind_passes(ValueFacts y, const FloatRow& row, const std::vector<Pass>& passes) {
  // Results of all passes but the last, in two buffers by turns; the first pass gives the most.
  const size_t buffer = passes.size() > 1 ? core::align_up(std::max<size_t>(1, passes[0].size()) * sizeof(float)) : 0;
  auto bound = make_bound(std::move(y), [row, passes, buffer](const RunContext& r) {
    const size_t count = to_size(r.outputs[0].numel());
    if (count == 0) return;
    auto* result = static_cast<float*>(r.outputs[0].mutable_raw());
    const auto* from = static_cast<const float*>(r.inputs[0].raw());
    for (size_t i = 0; i < passes.size(); ++i) {
      float* to = i + 1 == passes.size() ? result : reinterpret_cast<float*>(r.scratch + i % 2 * buffer);
      kernels::reduce(i == 0 ? row.first : row.next, passes[i].outer, passes[i].axis, passes[i].inner, from, to, r.pool);
      from = to;
    }
    if (row.last) kernels::unary(*row.last, {}, result, result, count, r.pool);
  });
  bound->scratch_bytes = 2 * buffer;
  bound->kernel = "passes";
  return bound;
}

std::unique_ptr<Bound> bind_reduce(const BindContext& context, const ReduceSpec& spec) {
  const ValueFacts& x = required(context, 0, "data");
  require_dtype(x, kNumbers | DTypeSet{DType::kBool}, "data");
  std::vector<int64_t> axes = spec.axes;
  if (const ValueFacts* facts = optional(context, 1)) axes = integer_values(*facts, "axes");
  const std::vector<bool> reduced = reduced_axes(spec, axes, x.shape.size());
  ValueFacts y = output(x.dtype, reduced_shape(x.shape, reduced, spec.keep_dims));
  const auto* row = std::ranges::find(kFloatRows, spec.kind, &FloatRow::kind);
  if (x.dtype == DType::kFloat32 && row != std::end(kFloatRows)) return bind_passes(std::move(y), *row, make_passes(x.shape, reduced));
  auto bound = make_bound(std::move(y), [kind = spec.kind, views = reduce_views(x.shape, reduced)](const RunContext& r) {
    reduce_any(kind, views, r.inputs[0], r.outputs[0], r.pool);
  });
  bound->kernel = "any";
  bound->refusals.emplace_back(x.dtype == DType::kFloat32 ? "passes: there is none of this reduction"
                                                          : "passes: the elements are no floats");
  return bound;
}

std::unique_ptr<Prepared> prepare_wide_reduce(const PrepareContext& context) {
  return make_prepared([spec = reduce_spec_from_node(context.node, context.opset)](const BindContext& b) { return bind_reduce(b, spec); });
}

}  // namespace

std::unique_ptr<Prepared> prepare_reduce(const PrepareContext& context) {
  return make_value_driven(via_float(context, prepare_wide_reduce), {.value_inputs = 1U << 1, .output_types = {}});
}

}  // namespace sardonyx::ops
