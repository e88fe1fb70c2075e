// Softmax and LogSoftmax. From opset 13 over one axis; before, over all dimensions from `axis` on (default 1), which then count as one.
#include <algorithm>
#include <cmath>

#include "kernels/cpu/reduce/softmax.h"
#include "ops/facts.h"
#include "ops/lines/lines.h"
#include "ops/stages.h"
#include "ops/via_float/via_float.h"
#include "sardonyx/model.h"

namespace sardonyx::ops {
namespace {

constexpr size_t kPiece = size_t{1} << 15;  // values that are computed without asking whether the run is to end

struct SoftmaxSpec {
  int64_t axis = -1;
  bool to_the_end = false;  // all dimensions from the axis on
  bool log = false;
};

SoftmaxSpec softmax_spec_from_node(const model::Node& node, int64_t opset) {
  const bool old = opset < 13;
  return {.axis = model::get_int(node, "axis", old ? 1 : -1), .to_the_end = old, .log = node.op_type == "LogSoftmax"};
}

void softmax_double(size_t rows, size_t size, bool log, const double* x, double* y, core::ThreadPool& pool) noexcept {
  pool.for_each(rows, [&](size_t row) {
    const double* from = x + row * size;
    double* to = y + row * size;
    double greatest = from[0], sum = 0;
    core::in_pieces(size, kPiece, [&](size_t begin, size_t count) {
      greatest = std::max(greatest, *std::max_element(from + begin, from + begin + count));
    });
    core::in_pieces(size, kPiece, [&](size_t begin, size_t count) {
      for (size_t i = begin; i < begin + count; ++i) sum += std::exp(from[i] - greatest);
    });
    core::in_pieces(size, kPiece, [&](size_t begin, size_t count) {
      for (size_t i = begin; i < begin + count; ++i) to[i] = log ? from[i] - greatest - std::log(sum) : std::exp(from[i] - greatest) / sum;
    });
  });
}

RowsFunction softmax_rows(DType dtype, bool log) {
  if (dtype == DType::kFloat32) {
    return [log](size_t rows, size_t size, const void* x, void* y, core::ThreadPool& pool) {
      kernels::softmax(rows, size, log, static_cast<const float*>(x), static_cast<float*>(y), pool);
    };
  }
  return [log](size_t rows, size_t size, const void* x, void* y, core::ThreadPool& pool) {
    softmax_double(rows, size, log, static_cast<const double*>(x), static_cast<double*>(y), pool);
  };
}

std::unique_ptr<Prepared> prepare_wide_softmax(const PrepareContext& context) {
  return make_prepared([spec = softmax_spec_from_node(context.node, context.opset)](const BindContext& b) {
    const ValueFacts& x = required(b, 0, "input");
    require_dtype(x, {DType::kFloat32, DType::kFloat64}, "input");
    return bind_rows(output(x.dtype, x.shape), lines_along(x.shape, spec.axis, spec.to_the_end), softmax_rows(x.dtype, spec.log));
  });
}

}  // namespace

std::unique_ptr<Prepared> prepare_softmax(const PrepareContext& context) { return via_float(context, prepare_wide_softmax); }

}  // namespace sardonyx::ops
