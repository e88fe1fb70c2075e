// RotaryEmbedding of com.microsoft: positions are given for each token, or one for the first token of all samples.
#include "core/arena.h"
#include "ops/attention/rotary.h"
#include "ops/elements/real.h"
#include "ops/microsoft/head_attention.h"
#include "ops/stages.h"
#include "ops/via_float/via_float.h"

namespace sardonyx::ops {
namespace {

enum Input { kX, kPositions, kCosine, kSine };

struct CacheSize {
  int64_t rows, half;
};
CacheSize bind_caches(const BindContext& b) {
  const ValueFacts &cosine = required(b, kCosine, "cos_cache"), &sine = required(b, kSine, "sin_cache");
  require_float(cosine, "cos_cache");
  require_float(sine, "sin_cache");
  require_rank(cosine, 2, "cos_cache");
  require_shape(sine, cosine.shape, "sin_cache");
  return {cosine.shape[0], cosine.shape[1]};
}

// The attributes with what they leave to the caches: the size of the heads of an input of rank 3, and how much of a head turns.
RotarySpec complete_spec(RotarySpec spec, const Shape& x, const CacheSize& cache) {
  if (cache.half > (int64_t{1} << 31)) throw argument_error("cos_cache has {} columns", cache.half);
  if (spec.rotated > 0 && spec.rotated != 2 * cache.half) {
    throw argument_error("attribute rotary_embedding_dim is {}, cos_cache has {} columns; it must be half as many", spec.rotated,
                         cache.half);
  }
  const int64_t head_size = 2 * cache.half;
  if (spec.heads == 0 && x.size() == 3 && head_size > 0 && x[2] % head_size == 0) spec.heads = x[2] / head_size;
  if (spec.rotated == 0) spec.rotated = head_size;
  return spec;
}

std::unique_ptr<Bound> bind_microsoft_rotary(const RotarySpec& spec, const BindContext& b) {
  const ValueFacts &x = required(b, kX, "input"), &positions = required(b, kPositions, "position_ids");
  require_float(x, "input");
  require_dtype(positions, {DType::kInt64}, "position_ids");
  const CacheSize cache = bind_caches(b);
  const kernels::RotaryShape shape = rotary_shape(complete_spec(spec, x.shape, cache), x.shape);
  const Shape each = {to_int(shape.batch), to_int(shape.tokens)};
  const bool is_offset = positions.shape.empty() || positions.shape == Shape{1};
  if (!is_offset && positions.shape != each) {
    throw argument_error("position_ids has shape {}; it must be [1] or {}", to_string(positions.shape), to_string(each));
  }
  ValueFacts y = output(x.dtype, x.shape);
  const size_t tokens = y.shape.empty() || element_count(y.shape) == 0 ? 0 : shape.batch * shape.tokens;
  auto bound = make_bound(std::move(y), [shape, is_offset, tokens, rows = cache.rows](const RunContext& r) {
    if (tokens == 0) return;
    const auto* ids = input_data<int64_t>(r, kPositions);
    if (is_offset) {
      check_positions({ids, 1}, rows);
      auto* all = reinterpret_cast<int64_t*>(r.scratch);
      for (size_t i = 0; i < tokens; ++i) all[i] = ids[0] + to_int(i % shape.tokens);
      ids = all;
    }
    check_positions({ids, tokens}, rows);
    kernels::rotary(shape, input_data<float>(r, kX), input_data<float>(r, kCosine), input_data<float>(r, kSine), ids,
                    output_data<float>(r, 0), r.pool);
  });
  if (is_offset) bound->scratch_bytes = tokens * sizeof(int64_t);
  return bound;
}

std::unique_ptr<Prepared> prepare_float_microsoft_rotary(const PrepareContext& context) {
  const float scale = model::get_float(context.node, "scale", 1);
  if (scale != 1) throw unsupported_error("attribute scale is {}; ONNX Runtime's kernels do not read it, and only 1 is supported", scale);
  return make_prepared([spec = rotary_spec_from_node(context.node)](const BindContext& b) { return bind_microsoft_rotary(spec, b); });
}

}  // namespace

std::unique_ptr<Prepared> prepare_microsoft_rotary_embedding(const PrepareContext& context) {
  return via_float(context, prepare_float_microsoft_rotary);
}

}  // namespace sardonyx::ops
