// The operands of FlexAttention (ai.onnx.preview, since 1): FlexQuery and FlexHeads of domain ai.sardonyx. What lies between them is
// made of ONNX's own operators when the model is loaded.
#include <cmath>
#include <cstring>

#include "core/arena.h"
#include "ops/attributes/attributes.h"
#include "ops/like/inner_step.h"
#include "ops/stages.h"

namespace sardonyx::ops {
namespace {

// The type in which scores are computed.
DType precision_of(DType asked, const ValueFacts& x, std::string_view name) {
  require_dtype(x, kFloats, name);
  require_rank(x, 4, name);
  if (asked != DType::kUndefined) return asked;
  return x.dtype == DType::kFloat64 ? DType::kFloat64 : DType::kFloat32;
}

InnerStep cast_step(const ValueFacts& x, DType to, int threads) {
  return {"Cast", 13, {model::Attribute::of("to", static_cast<int64_t>(to))}, {x}, threads};
}

// Each block of `bytes` follows itself `times` times.
void repeat_blocks(const std::byte* from, std::byte* to, size_t blocks, size_t bytes, size_t times) noexcept {
  for (size_t i = 0; i < blocks * times; ++i) std::memcpy(to + i * bytes, from + i / times * bytes, bytes);
}

std::unique_ptr<Bound> bind_heads(DType asked, const BindContext& b) {
  const ValueFacts &x = required(b, 0, "X"), &query = required(b, 1, "Q");
  const DType to = precision_of(asked, query, "Q");
  precision_of(asked, x, "X");
  const int64_t heads = x.shape[1], query_heads = query.shape[1];
  if (x.shape[0] != query.shape[0] || heads < 1 || query_heads % heads != 0) {
    throw argument_error("keys or values of shape {} do not go with queries of shape {}: the batch must be the same, the heads a divisor",
                         to_string(x.shape), to_string(query.shape));
  }
  const InnerStep cast = cast_step(x, to, b.threads);
  const size_t times = to_size(query_heads / heads);
  if (times == 1 && x.dtype == to) return make_alias(output(to, x.shape));
  Shape shape = x.shape;
  shape[1] = query_heads;
  const ValueFacts out = output(to, std::move(shape));
  const size_t blocks = to_size(x.shape[0] * heads), bytes = storage_bytes(to, x.shape[2] * x.shape[3]);
  const size_t buffer = core::align_up(std::max<size_t>(1, blocks * bytes));
  auto bound = make_bound(out, [cast, shape = x.shape, to, times, blocks, bytes, buffer](const RunContext& r) {
    Tensor narrow = times == 1 ? r.outputs[0] : Tensor::from_blob(r.scratch, shape, to);
    cast.run(r.inputs.first(1), narrow, r.scratch + buffer, r.pool);
    if (times == 1) return;
    repeat_blocks(static_cast<const std::byte*>(narrow.raw()), static_cast<std::byte*>(r.outputs[0].mutable_raw()), blocks, bytes, times);
  });
  bound->scratch_bytes = buffer + cast.scratch_bytes();
  return bound;
}

std::unique_ptr<Bound> bind_query(DType asked, std::optional<float> scale, const BindContext& b) {
  const ValueFacts& x = required(b, 0, "Q");
  const InnerStep cast = cast_step(x, precision_of(asked, x, "Q"), b.threads);
  if (!scale && x.shape[3] < 1) throw argument_error("Q has shape {}: its heads have no size to take the scale from", to_string(x.shape));
  const double factor = scale ? double{*scale} : 1 / std::sqrt(static_cast<double>(x.shape[3]));
  auto bound = make_bound(output(cast.facts().dtype, x.shape), [cast, factor](const RunContext& r) {
    cast.run(r.inputs, r.outputs[0], r.scratch, r.pool);
    scale_elements(r.outputs[0], factor);
  });
  bound->scratch_bytes = cast.scratch_bytes();
  return bound;
}

}  // namespace

// FlexQuery(Q) {scale, softmax_precision}: Q in the precision of the scores, times the scale (1 / sqrt(head size) if there is none).
std::unique_ptr<Prepared> prepare_flex_query(const PrepareContext& context) {
  const DType precision = get_dtype(context.node, "softmax_precision", kFloats);
  std::optional<float> scale;
  if (context.node.find_attribute("scale") != nullptr) scale = model::get_float(context.node, "scale", 1);
  return make_prepared([precision, scale](const BindContext& b) { return bind_query(precision, scale, b); });
}

// FlexHeads(X, Q) {softmax_precision}: keys or values in the precision of the scores, each head repeated for the queries' heads that it
// serves.
std::unique_ptr<Prepared> prepare_flex_heads(const PrepareContext& context) {
  const DType precision = get_dtype(context.node, "softmax_precision", kFloats);
  return make_prepared([precision](const BindContext& b) { return bind_heads(precision, b); });
}

}  // namespace sardonyx::ops
