// LRN: normalisation by the squares of neighbouring channels.
#include "kernels/cpu/norm/lrn.h"
#include "ops/facts.h"
#include "ops/stages.h"
#include "ops/via_float/via_float.h"
#include "sardonyx/model.h"

namespace sardonyx::ops {
namespace {

template <class T>
void run_lrn(const kernels::LrnShape& shape, const kernels::LrnFactors& factors, const RunContext& r) {
  kernels::lrn(shape, factors, static_cast<const T*>(r.inputs[0].raw()), static_cast<T*>(r.outputs[0].mutable_raw()), r.pool);
}

std::unique_ptr<Prepared> prepare_wide_lrn(const PrepareContext& context) {
  const model::Node& node = context.node;
  const int64_t size = model::get_int(node, "size", 0);
  if (size < 1) throw model_error("attribute size is {}; it must be at least 1", size);
  const kernels::LrnFactors factors = {.bias = static_cast<double>(model::get_float(node, "bias", 1.0f)),
                                       .alpha = static_cast<double>(model::get_float(node, "alpha", 1e-4f)) / static_cast<double>(size),
                                       .beta = static_cast<double>(model::get_float(node, "beta", 0.75f))};
  return make_prepared([size, factors](const BindContext& b) {
    const ValueFacts& x = required(b, 0, "X");
    require_dtype(x, {DType::kFloat32, DType::kFloat64}, "X");
    if (x.shape.size() < 2) throw argument_error("X has shape {}; it must be (batch, channels, ...)", to_string(x.shape));
    const size_t channels = to_size(x.shape[1]), others = to_size(size - 1);
    const kernels::LrnShape shape = {.batch = to_size(x.shape[0]),
                                     .channels = channels,
                                     .inner = span_count(x.shape, 2, x.shape.size()),
                                     .before = std::min(others / 2, channels),
                                     .after = std::min(others - others / 2, channels)};
    return make_bound(output(x.dtype, x.shape), [shape, factors, dtype = x.dtype](const RunContext& r) {
      if (r.outputs[0].numel() == 0) return;
      dtype == DType::kFloat32 ? run_lrn<float>(shape, factors, r) : run_lrn<double>(shape, factors, r);
    });
  });
}

}  // namespace

std::unique_ptr<Prepared> prepare_lrn(const PrepareContext& context) { return via_float(context, prepare_wide_lrn); }

}  // namespace sardonyx::ops
