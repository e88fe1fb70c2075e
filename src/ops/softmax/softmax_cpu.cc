// Softmax and LogSoftmax. From opset 13 over one axis; before, over all dimensions from `axis` on (default 1), which then count as one.
#include <algorithm>
#include <cmath>

#include "core/arena.h"
#include "kernels/cpu/reduce/softmax.h"
#include "ops/facts.h"
#include "ops/movement/strided.h"
#include "ops/stages.h"
#include "ops/via_float/via_float.h"
#include "sardonyx/model.h"

namespace sardonyx::ops {
namespace {

struct SoftmaxSpec {
  int64_t axis = -1;
  bool to_the_end = false;  // all dimensions from the axis on
  bool log = false;
};

SoftmaxSpec softmax_spec_from_node(const model::Node& node, int64_t opset) {
  const bool old = opset < 13;
  return {.axis = model::get_int(node, "axis", old ? 1 : -1), .to_the_end = old, .log = node.op_type == "LogSoftmax"};
}

struct Lines {
  size_t outer = 1, size = 1, inner = 1;
};

Lines softmax_lines(const SoftmaxSpec& spec, const Shape& x) {
  const size_t rank = x.size();
  if (rank == 0) return {};
  if (spec.to_the_end) {
    const size_t axis = spec.axis == to_int(rank) ? rank : checked_axis(spec.axis, rank);
    return {span_count(x, 0, axis), span_count(x, axis, rank), 1};
  }
  const size_t axis = checked_axis(spec.axis, rank);
  return {span_count(x, 0, axis), to_size(x[axis]), span_count(x, axis + 1, rank)};
}

void softmax_double(size_t rows, size_t size, bool log, const double* x, double* y, core::ThreadPool& pool) noexcept {
  pool.for_each(rows, [&](size_t row) {
    const double* from = x + row * size;
    double* to = y + row * size;
    const double greatest = *std::max_element(from, from + size);
    double sum = 0;
    for (size_t i = 0; i < size; ++i) sum += std::exp(from[i] - greatest);
    for (size_t i = 0; i < size; ++i) to[i] = log ? from[i] - greatest - std::log(sum) : std::exp(from[i] - greatest) / sum;
  });
}

void softmax_rows(DType dtype, const Lines& lines, bool log, const void* x, void* y, core::ThreadPool& pool) noexcept {
  const size_t rows = lines.outer * lines.inner;
  if (dtype == DType::kFloat32) {
    kernels::softmax(rows, lines.size, log, static_cast<const float*>(x), static_cast<float*>(y), pool);
  } else {
    softmax_double(rows, lines.size, log, static_cast<const double*>(x), static_cast<double*>(y), pool);
  }
}

// The axis is brought to the end in scratch, and back.
std::unique_ptr<Bound> bind_transposed(ValueFacts y, const Lines& lines, bool log) {
  const Shape apart = {to_int(lines.outer), to_int(lines.inner), to_int(lines.size)};
  const auto outer = static_cast<ptrdiff_t>(lines.size * lines.inner), inner = static_cast<ptrdiff_t>(lines.inner);
  const StridedView mixed = {apart, {outer, 1, inner}, 0};
  const DType dtype = y.dtype;
  const StridedMove there(mixed, contiguous_view(apart), dtype), back(contiguous_view(apart), mixed, dtype);
  const size_t bytes = to_size(element_count(y.shape)) * element_bytes(dtype);
  auto bound = make_bound(std::move(y), [=](const RunContext& r) {
    if (r.outputs[0].numel() == 0) return;
    there.run(r.inputs[0].raw(), r.scratch, r.pool);
    softmax_rows(dtype, lines, log, r.scratch, r.scratch, r.pool);
    back.run(r.scratch, r.outputs[0].mutable_raw(), r.pool);
  });
  bound->scratch_bytes = bytes;
  return bound;
}

std::unique_ptr<Prepared> prepare_wide_softmax(const PrepareContext& context) {
  return make_prepared([spec = softmax_spec_from_node(context.node, context.opset)](const BindContext& b) {
    const ValueFacts& x = required(b, 0, "input");
    require_dtype(x, {DType::kFloat32, DType::kFloat64}, "input");
    const Lines lines = softmax_lines(spec, x.shape);
    ValueFacts y = output(x.dtype, x.shape);
    if (lines.inner > 1 && lines.size > 1) return bind_transposed(std::move(y), lines, spec.log);
    auto bound = make_bound(std::move(y), [lines, log = spec.log, dtype = x.dtype](const RunContext& r) {
      if (r.outputs[0].numel() != 0) softmax_rows(dtype, lines, log, r.inputs[0].raw(), r.outputs[0].mutable_raw(), r.pool);
    });
    bound->in_place_input = 0;
    return bound;
  });
}

}  // namespace

std::unique_ptr<Prepared> prepare_softmax(const PrepareContext& context) { return via_float(context, prepare_wide_softmax); }

}  // namespace sardonyx::ops
