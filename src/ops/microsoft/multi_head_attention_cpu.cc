// MultiHeadAttention of com.microsoft: Q, K and V apart (K and V possibly with heads first), K and V packed, or all three packed.
#include "core/arena.h"
#include "ops/attention/attention.h"
#include "ops/elements/real.h"
#include "ops/microsoft/head_attention.h"
#include "ops/stages.h"
#include "ops/via_float/via_float.h"

namespace sardonyx::ops {
namespace {

enum Input { kQuery, kKey, kValue, kBias, kMask, kScoreBias, kPastKey, kPastValue, kPastLength, kCacheIndirection };
enum Output { kOut, kPresentKey, kPresentValue, kScores };

// Where the heads of one operand lie: in which input, from which element on, and with which strides.
struct Operand {
  size_t input = 0, offset = 0;
  size_t rows = 0, size = 0;
  kernels::HeadView<const float> strides;  // without data
  bool head_first = false;

  kernels::HeadView<const float> view(const RunContext& r) const noexcept {
    kernels::HeadView<const float> result = strides;
    if (const float* data = input_data<float>(r, input)) result.data = data + offset;
    return result;
  }
};

// (batch, rows, heads * size).
Operand plain_operand(const ValueFacts& facts, size_t input, int64_t batch, int64_t heads, std::string_view name) {
  require_float(facts, name);
  const Shape& shape = facts.shape;
  if (shape.size() != 3 || shape[0] != batch || shape[2] % heads != 0) {
    throw argument_error("{} has shape {}; it must be [{}, rows, {} * head size]", name, to_string(shape), batch, heads);
  }
  Operand operand{.input = input, .rows = to_size(shape[1]), .size = to_size(shape[2] / heads), .strides = {}};
  operand.strides = row_major<const float>(nullptr, operand.rows, operand.size, to_size(shape[2]));
  return operand;
}

// (batch, heads, rows, size).
Operand head_first_operand(const ValueFacts& facts, size_t input, int64_t batch, int64_t heads, std::string_view name) {
  require_float(facts, name);
  const Shape& shape = facts.shape;
  if (shape.size() != 4 || shape[0] != batch || shape[1] != heads) {
    throw argument_error("{} has shape {}; it must be [{}, {}, rows, head size]", name, to_string(shape), batch, heads);
  }
  Operand operand{.input = input, .rows = to_size(shape[2]), .size = to_size(shape[3]), .strides = {}, .head_first = true};
  operand.strides = head_major<const float>(nullptr, to_size(heads), operand.rows, operand.size);
  return operand;
}

// Part `part` of (batch, rows, heads, parts, size).
Operand packed_operand(const ValueFacts& facts, size_t input, int64_t heads, int64_t parts, int64_t part, std::string_view name) {
  require_float(facts, name);
  const Shape& shape = facts.shape;
  if (shape.size() != 5 || shape[2] != heads || shape[3] != parts) {
    throw argument_error("{} has shape {}; it must be [batch, rows, {}, {}, head size]", name, to_string(shape), heads, parts);
  }
  Operand operand{.input = input, .offset = to_size(part * shape[4]), .rows = to_size(shape[1]), .size = to_size(shape[4]), .strides = {}};
  const size_t of_head = to_size(parts) * operand.size, row = to_size(heads) * of_head;
  operand.strides = {nullptr, operand.rows * row, of_head, row};
  return operand;
}

struct Operands {
  Operand query, key, value;
};

Operands bind_operands(const BindContext& b, int64_t heads) {
  const ValueFacts& query = required(b, kQuery, "query");
  const ValueFacts *key = optional(b, kKey), *value = optional(b, kValue);
  if (query.shape.empty()) throw argument_error("query has shape {}; its rank must be 3 or 5", to_string(query.shape));
  const int64_t batch = query.shape[0];
  if (!key) {
    if (value) throw argument_error("value is given without key");
    const auto part = [&](int64_t i) { return packed_operand(query, kQuery, heads, 3, i, "query, which holds Q, K and V,"); };
    return {part(0), part(1), part(2)};
  }
  const Operand q = plain_operand(query, kQuery, batch, heads, "query");
  if (!value) {
    if (key->shape.empty() || key->shape[0] != batch)
      throw argument_error("key has shape {}, query has batch {}", to_string(key->shape), batch);
    const auto part = [&](int64_t i) { return packed_operand(*key, kKey, heads, 2, i, "key, which holds K and V,"); };
    return {q, part(0), part(1)};
  }
  const auto bind = key->shape.size() == 4 ? head_first_operand : plain_operand;
  return {q, bind(*key, kKey, batch, heads, "key"), bind(*value, kValue, batch, heads, "value")};
}

struct MultiHeadStep {
  HeadAttention attention;
  Operands operands;
  bool has_bias = false;

  void run(const RunContext& r) const {
    if (const Tensor* mask = optional(r, kMask)) check_padding_mask(attention.mask, *mask, attention.sizes.batch, "key_padding_mask");
    std::byte* memory = r.scratch;
    const size_t hidden = to_size(attention.sizes.heads * attention.sizes.head_size);
    const kernels::AttentionShape s = attention.shape();
    const float *past_key = input_data<float>(r, kPastKey), *past_value = input_data<float>(r, kPastValue);
    const HeadAttention::Values values = {.query = with_bias(r, operands.query, 0, memory),
                                          .past_key = head_major(past_key, s.query_heads, s.past, s.head_size),
                                          .past_value = head_major(past_value, s.query_heads, s.past, s.value_size),
                                          .key = with_bias(r, operands.key, hidden, memory),
                                          .value = with_bias(r, operands.value, 2 * hidden, memory),
                                          .out = output_data<float>(r, kOut),
                                          .mask = input_data<int32_t>(r, kMask),
                                          .bias = input_data<float>(r, kScoreBias),
                                          .scores = output_data<float>(r, kScores)};
    join(r, kPresentKey, past_key, values.key, s.head_size);
    join(r, kPresentValue, past_value, values.value, s.value_size);
    if (values.out && r.outputs[kOut].numel() > 0) attention.run(values, memory, r.pool);
  }

  size_t scratch_bytes(int threads) const {
    size_t bytes = element_count(Shape{attention.sizes.batch, attention.sizes.queries}) == 0 ? 0 : attention.scratch_bytes(threads);
    if (has_bias) bytes += biased_bytes(operands.query) + biased_bytes(operands.key) + biased_bytes(operands.value);
    return bytes;
  }

 private:
  size_t biased_bytes(const Operand& o) const {
    return core::align_up(to_size(attention.sizes.batch * attention.sizes.heads) * o.rows * o.size * sizeof(float));
  }

  // The operand's heads plus their part of the bias, from element `first` on, as (batch, rows, heads * size) in `memory`.
  kernels::HeadView<const float> with_bias(const RunContext& r, const Operand& o, size_t first, std::byte*& memory) const {
    const kernels::HeadView<const float> from = o.view(r);
    if (!has_bias) return from;
    auto* to = reinterpret_cast<float*>(memory);
    memory += biased_bytes(o);
    const float* bias = input_data<float>(r, kBias) + first;
    const size_t heads = to_size(attention.sizes.heads);
    r.pool.for_each(to_size(attention.sizes.batch) * o.rows, [&](size_t i) {
      float* row = to + i * heads * o.size;
      for (size_t h = 0; h < heads; ++h) {
        const float* values = from.at(i / o.rows, h) + i % o.rows * from.row_stride;
        for (size_t j = 0; j < o.size; ++j) row[h * o.size + j] = values[j] + bias[h * o.size + j];
      }
    });
    return row_major<const float>(to, o.rows, o.size, heads * o.size);
  }

  void join(const RunContext& r, size_t to, const float* past, const kernels::HeadView<const float>& fresh, size_t size) const {
    auto* target = output_data<std::byte>(r, to);
    if (!target || r.outputs[to].numel() == 0) return;
    const kernels::AttentionShape s = attention.shape();
    join_rows({s.batch, s.query_heads, s.past, s.fresh, size * sizeof(float)}, reinterpret_cast<const std::byte*>(past), as_bytes(fresh),
              target, r.pool);
  }
};

void bind_past(HeadAttentionSizes& s, const BindContext& b) {
  const ValueFacts *key = optional(b, kPastKey), *value = optional(b, kPastValue);
  if ((key == nullptr) != (value == nullptr)) throw argument_error("past_key and past_value must be given together");
  if (!key) return;
  require_float(*key, "past_key");
  require_float(*value, "past_value");
  if (key->shape.size() != 4) throw argument_error("past_key has shape {}; its rank must be 4", to_string(key->shape));
  s.past = key->shape[2];
  require_shape(*key, {s.batch, s.heads, s.past, s.head_size}, "past_key");
  require_shape(*value, {s.batch, s.heads, s.past, s.value_size}, "past_value");
}

HeadAttentionSizes bind_sizes(const Operands& o, int64_t batch, int64_t heads) {
  if (o.key.size != o.query.size) throw argument_error("heads of query have size {}, those of key {}", o.query.size, o.key.size);
  if (o.value.rows != o.key.rows) throw argument_error("key has {} rows, value has {}", o.key.rows, o.value.rows);
  return {.batch = batch,
          .heads = heads,
          .queries = to_int(o.query.rows),
          .fresh = to_int(o.key.rows),
          .head_size = to_int(o.query.size),
          .value_size = to_int(o.value.size)};
}

void refuse_shared_buffers(const BindContext& b) {
  if (optional(b, kPastLength) || optional(b, kCacheIndirection)) {
    throw unsupported_error(
        "inputs past_sequence_length and cache_indirection belong to buffers that past and present share, which are not supported on the "
        "CPU; "
        "leave them out and give past_key and past_value of their true length");
  }
}

std::unique_ptr<Bound> bind_multi_head(const HeadAttentionSpec& spec, const std::vector<bool>& wanted, const BindContext& b) {
  refuse_shared_buffers(b);
  MultiHeadStep step;
  step.operands = bind_operands(b, spec.heads);
  step.attention.spec = spec;
  HeadAttentionSizes& s = step.attention.sizes;
  s = bind_sizes(step.operands, b.inputs[kQuery].shape[0], spec.heads);
  const bool heads_first = step.operands.key.head_first;
  if (heads_first && optional(b, kPastKey)) throw argument_error("past_key cannot be used together with a key of rank 4");
  bind_past(s, b);
  const Shape scores = {s.batch, s.heads, s.queries, s.keys()};
  std::vector<ValueFacts> facts =
      keep_wanted({output(DType::kFloat32, {s.batch, s.queries, s.heads * s.value_size}),
                   output(DType::kFloat32, {s.batch, s.heads, s.keys(), s.head_size}),
                   output(DType::kFloat32, {s.batch, s.heads, s.keys(), s.value_size}), output(DType::kFloat32, scores)},
                  wanted);
  if (const ValueFacts* mask = optional(b, kMask)) step.attention.mask = bind_padding_mask(*mask, s, "key_padding_mask");
  if (const ValueFacts* bias = optional(b, kScoreBias)) step.attention.bias = bind_score_bias(*bias, scores, "attention_bias");
  if (const ValueFacts* bias = optional(b, kBias)) {
    if (heads_first) throw argument_error("bias cannot be used together with a key of rank 4");
    require_float(*bias, "bias");
    require_shape(*bias, {s.heads * (2 * s.head_size + s.value_size)}, "bias");
    step.has_bias = true;
  }
  const size_t scratch = step.scratch_bytes(b.threads);
  const double flops = step.attention.flops();
  auto bound = make_bound(std::move(facts), [step = std::move(step)](const RunContext& r) { step.run(r); });
  bound->scratch_bytes = scratch;
  bound->flops = flops;
  return bound;
}

std::unique_ptr<Prepared> prepare_wide_multi_head(const PrepareContext& context) {
  return make_prepared([spec = head_attention_spec_from_node(context.node), wanted = wanted_outputs(context.node)](const BindContext& b) {
    return bind_multi_head(spec, wanted, b);
  });
}

}  // namespace

std::unique_ptr<Prepared> prepare_multi_head_attention(const PrepareContext& context) {
  return via_float(context, prepare_wide_multi_head);
}

}  // namespace sardonyx::ops
