#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include "ops/attention/attention.h"
#include "ops/elements/elements.h"
#include "ops/elements/real.h"
#include "ops/movement/strided.h"
#include "ops/stages.h"
#include "ops/via_float/via_double.h"

namespace sardonyx::ops {
namespace {

enum Input { kQuery, kKey, kValue, kMask, kPastKey, kPastValue, kValidKeys };
enum Output { kOut, kPresentKey, kPresentValue, kScores };

// The mask as rows that broadcast over batches, heads and queries. Keys behind its last column are hidden.
struct MaskView {
  DType dtype = DType::kUndefined;
  std::array<size_t, 3> strides = {};  // elements; 0 where broadcast
  size_t columns = 0;
  float hidden = -std::numeric_limits<float>::infinity();  // the score that a boolean mask gives

  template <class T>
  void add(const std::byte* data, size_t batch, size_t head, size_t row, size_t first, size_t last, T* scores) const noexcept {
    constexpr T kHidden = -std::numeric_limits<T>::infinity();
    const size_t bytes = static_cast<size_t>(bit_width(dtype)) / 8, end = std::min(last, columns);
    const std::byte* from = data + (batch * strides[0] + head * strides[1] + row * strides[2]) * bytes;
    T bias[kRunLength];
    for (size_t i = first; i < end; i += kRunLength) {
      const size_t count = std::min(kRunLength, end - i);
      load_run<T>(dtype)(from + i * bytes, 1, count, bias);
      for (size_t j = 0; j < count; ++j) {
        if (dtype != DType::kBool) {
          scores[i + j] += bias[j];
        } else if (bias[j] == T{0}) {
          scores[i + j] = static_cast<T>(hidden);
        }
      }
    }
    std::fill(scores + std::max(first, end), scores + last, kHidden);
  }
};

MaskView bind_mask(const ValueFacts& facts, const AttentionGeometry& g) {
  constexpr DTypeSet kMasks = kNumbers | DTypeSet{DType::kBool};
  require_dtype(facts, kMasks, "attn_mask");
  const Shape& mask = facts.shape;
  if (mask.empty() || mask.size() > 4 || mask.back() > g.scores[3]) {
    throw argument_error("attn_mask has shape {}; it must broadcast to {}", to_string(mask), to_string(g.scores));
  }
  MaskView view{.dtype = facts.dtype, .columns = to_size(mask.back())};
  size_t stride = view.columns;
  for (size_t i = 0; i + 1 < mask.size(); ++i) {  // from the last but one
    const int64_t size = mask[mask.size() - 2 - i];
    if (size != 1 && size != g.scores[2 - i]) {
      throw argument_error("attn_mask has shape {}; it must broadcast to {}", to_string(mask), to_string(g.scores));
    }
    view.strides[2 - i] = size == 1 ? 0 : stride;
    stride *= to_size(size);
  }
  return view;
}

template <class T, class View>
View view_of(T* data, const HeadSizes& s) {
  const size_t rows = to_size(s.rows), size = to_size(s.size), heads = to_size(s.heads);
  const size_t own_heads = s.one_head ? 1 : heads;
  View view =
      s.packed ? View{data, rows * own_heads * size, size, own_heads * size} : View{data, own_heads * rows * size, rows * size, size};
  if (s.one_batch) view.batch_stride = 0;
  if (s.one_head) view.head_stride = 0;
  return view;
}
template <class T>
kernels::HeadView<const T> input_view(const RunContext& r, size_t index, const HeadSizes& sizes) {
  return view_of<const T, kernels::HeadView<const T>>(input_data<T>(r, index), sizes);
}

struct AttentionStep {
  AttentionSpec spec;
  AttentionGeometry geometry;
  MaskView mask;
  DType dtype;
  double scale;

  void run(const RunContext& r) const {
    check_valid_keys(r);
    with_real(dtype, [&]<class T>() { run_typed<T>(r); });
    join_past(r, kPresentKey, kPastKey, kKey, geometry.key);
    join_past(r, kPresentValue, kPastValue, kValue, geometry.value);
  }

 private:
  template <class T>
  struct Bias {
    const MaskView* view;
    const std::byte* data;
    static void add(const void* self, size_t batch, size_t head, size_t row, size_t first, size_t last, T* scores) noexcept {
      const auto* bias = static_cast<const Bias*>(self);
      bias->view->add(bias->data, batch, head, row, first, last, scores);
    }
  };

  void check_valid_keys(const RunContext& r) const {
    const Tensor* lengths = optional(r, kValidKeys);
    if (!lengths) return;
    for (const int64_t length : lengths->values<int64_t>()) {
      if (length < 0 || length > geometry.scores[3]) {
        throw argument_error("nonpad_kv_seqlen holds {}; there are {} keys", length, geometry.scores[3]);
      }
    }
  }

  template <class T>
  void run_typed(const RunContext& r) const {
    if (r.outputs[kOut].numel() == 0) return;
    HeadSizes past_key = geometry.key, past_value = geometry.value;
    past_key.packed = past_value.packed = false;
    past_key.rows = past_value.rows = to_int(geometry.kernel.past);
    const Bias<T> bias = {&mask, input_data<std::byte>(r, kMask)};
    const kernels::AttentionJob<T> job = {.shape = geometry.kernel,
                                          .scale = static_cast<T>(scale),
                                          .softcap = static_cast<T>(spec.softcap),
                                          .causal = spec.causal,
                                          .wide_softmax = spec.wide_softmax,
                                          .query = input_view<T>(r, kQuery, geometry.query),
                                          .past_key = input_view<T>(r, kPastKey, past_key),
                                          .past_value = input_view<T>(r, kPastValue, past_value),
                                          .key = input_view<T>(r, kKey, geometry.key),
                                          .value = input_view<T>(r, kValue, geometry.value),
                                          .out = view_of<T, kernels::HeadView<T>>(output_data<T>(r, kOut), geometry.result),
                                          .add_bias = bias.data ? &Bias<T>::add : nullptr,
                                          .bias_context = &bias,
                                          .valid_keys = input_data<int64_t>(r, kValidKeys),
                                          .scores = output_data<T>(r, kScores),
                                          .score_output = spec.score_output};
    kernels::attention<T>(job, r.scratch, r.pool);
  }

  // The past and then the new rows of each head.
  void join_past(const RunContext& r, size_t to, size_t past_input, size_t input, const HeadSizes& s) const {
    auto* target = output_data<std::byte>(r, to);
    if (!target || r.outputs[to].numel() == 0) return;
    const size_t bytes = element_bytes(dtype);
    auto fresh = view_of<const std::byte, kernels::HeadView<const std::byte>>(input_data<std::byte>(r, input), s);
    fresh.batch_stride *= bytes, fresh.head_stride *= bytes, fresh.row_stride *= bytes;
    join_rows({to_size(s.batch), to_size(s.heads), geometry.kernel.past, to_size(s.rows), to_size(s.size) * bytes},
              input_data<std::byte>(r, past_input), fresh, target, r.pool);
  }
};

// Q and K have type T1, V has T2, and the past is like the new.
void check_types(const BindContext& b) {
  const ValueFacts &query = required(b, kQuery, "Q"), &value = required(b, kValue, "V");
  require_dtype(query, kFloats, "Q");
  require_dtype(value, kFloats, "V");
  require_same_dtype(query, required(b, kKey, "K"), "Q", "K");
  if (const ValueFacts* past = optional(b, kPastKey)) require_same_dtype(query, *past, "Q", "past_key");
  if (const ValueFacts* past = optional(b, kPastValue)) require_same_dtype(value, *past, "V", "past_value");
}

// All of Q, K, V and the past have one type, float32 or float64.
std::unique_ptr<Bound> bind_attention(const AttentionSpec& spec, const std::vector<bool>& wanted, const BindContext& b) {
  const auto shape_of = [&](size_t index) { return optional(b, index) ? &b.inputs[index].shape : nullptr; };
  const DType dtype = b.inputs[kQuery].dtype;
  AttentionStep step{.spec = spec,
                     .geometry = attention_geometry(spec, b.inputs[kQuery].shape, b.inputs[kKey].shape, b.inputs[kValue].shape,
                                                    shape_of(kPastKey), shape_of(kPastValue)),
                     .mask = {},
                     .dtype = dtype,
                     .scale = static_cast<double>(spec.scale)};
  const AttentionGeometry& g = step.geometry;
  if (spec.scale == 0 && g.query.size > 0) step.scale = 1 / std::sqrt(static_cast<double>(g.query.size));
  std::vector<ValueFacts> facts =
      keep_wanted({output(dtype, g.out), output(dtype, g.present_key), output(dtype, g.present_value), output(dtype, g.scores)}, wanted);
  if (const ValueFacts* mask = optional(b, kMask)) step.mask = bind_mask(*mask, g);
  step.mask.hidden = spec.mask_value;
  if (const ValueFacts* lengths = optional(b, kValidKeys)) {
    require_dtype(*lengths, {DType::kInt64}, "nonpad_kv_seqlen");
    if (lengths->shape != Shape{g.query.batch})
      throw argument_error("nonpad_kv_seqlen has shape {}; it must be [{}]", to_string(lengths->shape), g.query.batch);
    if (g.kernel.past > 0) throw argument_error("nonpad_kv_seqlen cannot be used together with past_key");
  }
  if (!facts[kOut].present()) throw argument_error("output Y is missing");
  auto bound = make_bound(std::move(facts), [step](const RunContext& r) { step.run(r); });
  if (element_count(g.out) > 0) {
    bound->scratch_bytes = with_real(dtype, [&]<class T>() { return kernels::attention_scratch_bytes<T>(g.kernel, b.threads); });
  }
  bound->flops = 2.0 * static_cast<double>(element_count(g.scores)) * static_cast<double>(g.query.size + g.value.size);
  return bound;
}

std::unique_ptr<Prepared> prepare_wide_attention(const PrepareContext& context) {
  return make_prepared([spec = attention_spec_from_node(context.node, context.opset),
                        wanted = wanted_outputs(context.node)](const BindContext& b) { return bind_attention(spec, wanted, b); });
}

std::vector<DType> attention_types(const BindContext& b) {
  check_types(b);
  return {b.inputs[kQuery].dtype, b.inputs[kKey].dtype, b.inputs[kValue].dtype, b.inputs[kQuery].dtype};
}

}  // namespace

void join_rows(const JoinedRows& s, const std::byte* past_rows, const kernels::HeadView<const std::byte>& fresh_rows, std::byte* to,
               core::ThreadPool& pool) noexcept {
  const size_t past = s.past * s.row_bytes;
  pool.for_each(s.batch * s.heads, [&](size_t i) {
    std::byte* at = to + i * (past + s.fresh * s.row_bytes);
    if (past > 0) std::memcpy(at, past_rows + i * past, past);
    const std::byte* from = fresh_rows.at(i / s.heads, i % s.heads);
    for (size_t j = 0; s.row_bytes > 0 && j < s.fresh; ++j) {
      std::memcpy(at + past + j * s.row_bytes, from + j * fresh_rows.row_stride, s.row_bytes);
    }
  });
}

std::unique_ptr<Prepared> prepare_attention(const PrepareContext& context) {
  return via_float_or_double(context, prepare_wide_attention, attention_types);
}

}  // namespace sardonyx::ops
