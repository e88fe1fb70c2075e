// RotaryEmbedding: input of rank 4 (batch, heads, tokens, size) or rank 3 (batch, tokens, heads * size).
#include "ops/attention/rotary.h"
#include "ops/attributes/attributes.h"
#include "ops/elements/real.h"
#include "ops/stages.h"
#include "ops/via_float/via_float.h"

namespace sardonyx::ops {
namespace {

void check_cache(const ValueFacts& cache, const kernels::RotaryShape& s, bool has_positions, std::string_view name) {
  require_dtype(cache, {DType::kFloat32}, name);
  const int64_t half = to_int(s.rotated / 2);
  const Shape& shape = cache.shape;
  const bool fits = has_positions ? shape.size() == 2 && shape[1] == half : shape == Shape{to_int(s.batch), to_int(s.tokens), half};
  if (!fits) {
    throw argument_error("{} has shape {}; it must be {}", name, to_string(shape),
                         has_positions ? fmt::format("[positions, {}]", half) : to_string(Shape{to_int(s.batch), to_int(s.tokens), half}));
  }
}

std::unique_ptr<Bound> bind_rotary(const RotarySpec& spec, const BindContext& b) {
  const ValueFacts& x = required(b, 0, "X");
  require_dtype(x, {DType::kFloat32}, "X");
  const kernels::RotaryShape shape = rotary_shape(spec, x.shape);
  const ValueFacts* positions = optional(b, 3);
  if (positions) {
    require_dtype(*positions, {DType::kInt64}, "position_ids");
    const Shape expected = {to_int(shape.batch), to_int(shape.tokens)};
    if (positions->shape != expected) {
      throw argument_error("position_ids has shape {}; it must be {}", to_string(positions->shape), to_string(expected));
    }
  }
  check_cache(required(b, 1, "cos_cache"), shape, positions != nullptr, "cos_cache");
  check_cache(required(b, 2, "sin_cache"), shape, positions != nullptr, "sin_cache");
  const int64_t rows = std::min(b.inputs[1].shape[0], b.inputs[2].shape[0]);
  return make_bound(output(x.dtype, x.shape), [shape, rows](const RunContext& r) {
    if (r.outputs[0].numel() == 0) return;
    const Tensor* ids = optional(r, 3);
    if (ids) check_positions(ids->values<int64_t>(), rows);
    kernels::rotary(shape, input_data<float>(r, 0), input_data<float>(r, 1), input_data<float>(r, 2), input_data<int64_t>(r, 3),
                    output_data<float>(r, 0), r.pool);
  });
}

std::unique_ptr<Prepared> prepare_float_rotary(const PrepareContext& context) {
  return make_prepared([spec = rotary_spec_from_node(context.node)](const BindContext& b) { return bind_rotary(spec, b); });
}

}  // namespace

RotarySpec rotary_spec_from_node(const model::Node& node) {
  return {.heads = get_count(node, "num_heads", 0, 0),
          .rotated = get_count(node, "rotary_embedding_dim", 0, 0),
          .interleaved = model::get_int(node, "interleaved", 0) != 0};
}

kernels::RotaryShape rotary_shape(const RotarySpec& spec, const Shape& x) {
  kernels::RotaryShape s{.interleaved = spec.interleaved};
  if (x.size() == 4) {
    s.batch = to_size(x[0]), s.heads = to_size(x[1]), s.tokens = to_size(x[2]), s.head_size = to_size(x[3]);
    s.token_stride = s.head_size, s.head_stride = s.tokens * s.head_size;
  } else if (x.size() == 3) {
    if (spec.heads == 0) throw argument_error("X has rank 3: attribute num_heads must tell the number of heads");
    if (x[2] % spec.heads != 0) throw argument_error("X has shape {}, which {} heads do not divide", to_string(x), spec.heads);
    s.batch = to_size(x[0]), s.tokens = to_size(x[1]), s.heads = to_size(spec.heads), s.head_size = to_size(x[2] / spec.heads);
    s.head_stride = s.head_size, s.token_stride = s.heads * s.head_size;
  } else {
    throw argument_error("X has shape {}; its rank must be 3 or 4", to_string(x));
  }
  s.batch_stride = s.tokens * s.heads * s.head_size;
  s.rotated = spec.rotated == 0 ? s.head_size : to_size(spec.rotated);
  if (s.rotated > s.head_size || s.rotated % 2 != 0) {
    throw argument_error("{} values of heads of size {} cannot turn: the number must be even and not larger", s.rotated, s.head_size);
  }
  return s;
}

void check_positions(std::span<const int64_t> positions, int64_t rows) {
  for (const int64_t position : positions) {
    if (position < 0 || position >= rows) throw argument_error("position {} is outside of the cache of {} rows", position, rows);
  }
}

std::unique_ptr<Prepared> prepare_rotary_embedding(const PrepareContext& context) { return via_float(context, prepare_float_rotary); }

}  // namespace sardonyx::ops
