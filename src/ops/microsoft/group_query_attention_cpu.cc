// GroupQueryAttention of com.microsoft: causal attention with a cache of keys and values that is filled to a different length for each
// sample, rotary positions, windows and attention sinks.
//
// With T = seqlens_k + 1 keys of a sample and Q new ones among them, its queries stand at the positions from P = T - Q on; a first prompt
// (total_sequence_length = number of queries) begins at P = 0. The caches hold heads first and are as long as total_sequence_length, or as
// the past ones if those are longer.
#include <cmath>
#include <cstring>

#include "core/arena.h"
#include "ops/attention/rotary.h"
#include "ops/attributes/attributes.h"
#include "ops/elements/real.h"
#include "ops/microsoft/head_attention.h"
#include "ops/stages.h"
#include "ops/via_float/via_float.h"

namespace sardonyx::ops {
namespace {

enum Input {
  kQuery,
  kKey,
  kValue,
  kPastKey,
  kPastValue,
  kLengths,
  kTotal,
  kCosine,
  kSine,
  kPositions,
  kScoreBias,
  kSink,
  kKeyScale,
  kValueScale,
  kQueryNorm,
  kKeyNorm,
  kQueryLengths
};
enum Output { kOut, kPresentKey, kPresentValue, kScores };

struct GroupSpec {
  int64_t heads = 0, key_heads = 0;
  float scale = 0, softcap = 0;
  bool causal = true, rotary = false, interleaved = false, smooth = false;
  int64_t window = 0;     // 0: none
  int64_t qk_output = 0;  // 1: what enters the softmax; 2: what it gives
};

void refuse_quantized_cache(const model::Node& node) {
  for (const char* name : {"k_quant_type", "v_quant_type"}) {
    const std::string kind = model::get_string(node, name, "NONE");
    if (kind != "NONE") throw unsupported_error("attribute {} is '{}': only caches in the type of query are supported", name, kind);
  }
  if (model::get_int(node, "sliding_window_cache", 0) != 0) {
    throw unsupported_error("attribute sliding_window_cache is not supported; set it to 0 and give caches of the whole length");
  }
}

GroupSpec group_spec_from_node(const model::Node& node) {
  refuse_quantized_cache(node);
  GroupSpec spec = {.heads = get_count(node, "num_heads", 0, 1),
                    .key_heads = get_count(node, "kv_num_heads", 0, 1),
                    .scale = model::get_float(node, "scale", 0),
                    .softcap = model::get_float(node, "softcap", 0),
                    .causal = model::get_int(node, "causal", 1) != 0,
                    .rotary = model::get_int(node, "do_rotary", 0) == 1,
                    .interleaved = model::get_int(node, "rotary_interleaved", 0) == 1,
                    .smooth = model::get_int(node, "smooth_softmax", -1) == 1,
                    .qk_output = model::get_int(node, "qk_output", 0)};
  if (spec.heads % spec.key_heads != 0) {
    throw model_error("attribute num_heads is {}, kv_num_heads {}, which does not divide it", spec.heads, spec.key_heads);
  }
  const int64_t window = model::get_int(node, "local_window_size", -1);
  if (window != -1 && (window < 1 || window > (int64_t{1} << 31) || !spec.causal)) {
    throw model_error("attribute local_window_size is {}; it must be -1 or, for causal attention, at least 1", window);
  }
  spec.window = window == -1 ? 0 : window;
  if (!std::isfinite(spec.scale) || !std::isfinite(spec.softcap) || spec.softcap < 0) {
    throw model_error("attributes scale ({}) and softcap ({}) must be finite, softcap not negative", spec.scale, spec.softcap);
  }
  if (spec.qk_output < 0 || spec.qk_output > 2) throw model_error("attribute qk_output is {}; it must be 0, 1 or 2", spec.qk_output);
  return spec;
}

struct GroupSizes {
  int64_t batch = 0, queries = 0, head_size = 0;
  int64_t past = 0, present = 0, total = 0;  // rows of the caches; keys at most
  bool packed = false;                       // query holds Q, K and V
};

// What one sample adds and sees.
struct Sample {
  int64_t first = 0;  // position of its first query
  int64_t fresh = 0;  // new keys, which go to the rows of the cache from `first` on
  int64_t seen = 0;   // keys
};

struct GroupStep {
  GroupSpec spec;
  GroupSizes sizes;
  ScoreBias bias;
  size_t rotated = 0;
  int64_t cache_rows = 0;
  bool keeps_key = false, keeps_value = false;  // present_key and present_value are outputs
  bool has_sinks = false;

  size_t scratch_bytes(int threads) const noexcept {
    return Memory(*this, nullptr).bytes + kernels::attention_scratch_bytes<float>(shape(), threads);
  }

  kernels::AttentionShape shape() const noexcept {
    return {.batch = to_size(sizes.batch),
            .query_heads = to_size(spec.heads),
            .key_heads = to_size(spec.key_heads),
            .queries = to_size(sizes.queries),
            .fresh = to_size(sizes.total),
            .head_size = to_size(sizes.head_size),
            .value_size = to_size(sizes.head_size)};
  }

  void run(const RunContext& r) const {
    const std::vector<Sample> samples = read_samples(r);
    if (sizes.batch == 0) return;
    const Memory memory(*this, r.scratch);
    float* key = keeps_key ? output_data<float>(r, kPresentKey) : memory.key;
    float* value = keeps_value ? output_data<float>(r, kPresentValue) : memory.value;
    fill_cache(r, samples, input_data<float>(r, kPastKey), key_rows(r, kKey), key);
    fill_cache(r, samples, input_data<float>(r, kPastValue), key_rows(r, kValue), value);
    if (spec.rotary) turn(r, samples, memory, key);
    attend(r, samples, memory, key, value);
  }

 private:
  // Scratch.
  struct Memory {
    int64_t *positions, *first, *seen;
    float *sinks, *query, *key, *value;
    std::byte* rest;
    size_t bytes = 0;

    // Without memory, how much it takes.
    Memory(const GroupStep& s, std::byte* memory) noexcept {
      const auto take = [&]<class T>(T*& pointer, bool needed, int64_t count) {
        pointer = memory ? reinterpret_cast<T*>(memory + bytes) : nullptr;
        if (needed) bytes += core::align_up(to_size(count) * sizeof(T));
      };
      const int64_t rows = s.sizes.batch * s.sizes.queries, cache = s.sizes.batch * s.spec.key_heads * s.sizes.present * s.sizes.head_size;
      take(positions, s.spec.rotary, rows);
      take(first, true, s.sizes.batch);
      take(seen, true, s.sizes.batch);
      take(sinks, s.has_sinks, s.spec.heads);
      take(query, s.spec.rotary, rows * s.spec.heads * s.sizes.head_size);
      take(key, !s.keeps_key, cache);
      take(value, !s.keeps_value, cache);
      rest = memory ? memory + bytes : nullptr;
    }
  };

  bool is_prompt(const RunContext& r) const noexcept { return sizes.queries == sizes.total && !optional(r, kQueryLengths); }

  std::vector<Sample> read_samples(const RunContext& r) const {
    const std::span<const int32_t> lengths = r.inputs[kLengths].values<int32_t>();
    const Tensor* fresh = optional(r, kQueryLengths);
    std::vector<Sample> samples;
    for (size_t b = 0; b < to_size(sizes.batch); ++b) {
      const int64_t keys = int64_t{lengths[b]} + 1, all = sizes.queries;
      Sample sample = {.first = is_prompt(r) ? 0 : keys - all, .fresh = all, .seen = keys};
      if (fresh) {
        sample.fresh = fresh->values<int32_t>()[b];
        sample.first = keys - sample.fresh;
        if (sample.fresh < 0 || sample.fresh > all) throw argument_error("query_seqlens holds {}; there are {} queries", sample.fresh, all);
      }
      const bool fits = keys >= 1 && keys <= sizes.total && sample.first >= 0 && (sample.first == 0 || sample.first <= sizes.past) &&
                        sample.first + sample.fresh <= sizes.present;
      if (!fits) {
        throw argument_error("seqlens_k holds {}, which with {} new keys does not fit a past of {} and {} keys in all", lengths[b],
                             sample.fresh, sizes.past, sizes.total);
      }
      samples.push_back(sample);
    }
    return samples;
  }

  size_t row_size(bool of_query) const noexcept {
    const int64_t heads = sizes.packed ? spec.heads + 2 * spec.key_heads : of_query ? spec.heads : spec.key_heads;
    return to_size(heads * sizes.head_size);
  }
  kernels::HeadView<const float> query_rows(const RunContext& r) const noexcept {
    return row_major(input_data<float>(r, kQuery), to_size(sizes.queries), to_size(sizes.head_size), row_size(true));
  }
  // New rows of keys or values.
  kernels::HeadView<const float> key_rows(const RunContext& r, size_t input) const noexcept {
    const float* data = input_data<float>(r, sizes.packed ? size_t{kQuery} : input);
    if (sizes.packed) data += (input == kValue ? spec.heads + spec.key_heads : spec.heads) * sizes.head_size;
    return row_major(data, to_size(sizes.queries), to_size(sizes.head_size), row_size(false));
  }
  size_t cache_matrix() const noexcept { return to_size(sizes.present * sizes.head_size); }

  // The past, the new rows behind it, and zeros.
  void fill_cache(const RunContext& r, const std::vector<Sample>& samples, const float* past, const kernels::HeadView<const float>& fresh,
                  float* cache) const noexcept {
    const size_t heads = to_size(spec.key_heads), size = to_size(sizes.head_size), past_matrix = to_size(sizes.past) * size;
    r.pool.for_each(samples.size() * heads, [&](size_t i) {
      const Sample& sample = samples[i / heads];
      float* to = cache + i * cache_matrix();
      if (sample.first > 0) std::memcpy(to, past + i * past_matrix, to_size(sample.first) * size * sizeof(float));
      const float* from = fresh.at(i / heads, i % heads);
      for (size_t j = 0; size > 0 && j < to_size(sample.fresh); ++j) {
        std::memcpy(to + (to_size(sample.first) + j) * size, from + j * fresh.row_stride, size * sizeof(float));
      }
      std::fill(to + to_size(sample.first + sample.fresh) * size, to + cache_matrix(), 0.0f);
    });
  }

  // Positions of all queries: given, or counted from each sample's first one. Of those given for a first prompt, the first one counts
  // alone, for all samples. Padding keeps to the angles that there are.
  void read_positions(const RunContext& r, const std::vector<Sample>& samples, int64_t* positions) const {
    const auto* given = input_data<int64_t>(r, kPositions);
    const bool counts_from_given = given && is_prompt(r);
    if (counts_from_given) check_positions({given, 1}, cache_rows);
    for (size_t b = 0; b < samples.size(); ++b) {
      for (int64_t s = 0; s < sizes.queries; ++s) {
        const size_t i = b * to_size(sizes.queries) + to_size(s);
        const int64_t counted = samples[b].first + s;
        if (given) {
          positions[i] = counts_from_given ? given[0] + s : given[i];
        } else {
          positions[i] = counted < samples[b].seen ? counted : std::min<int64_t>(1, cache_rows - 1);
        }
      }
    }
    check_positions({positions, to_size(sizes.batch * sizes.queries)}, cache_rows);
  }

  void turn(const RunContext& r, const std::vector<Sample>& samples, const Memory& memory, float* key) const {
    read_positions(r, samples, memory.positions);
    const size_t heads = to_size(spec.heads), size = to_size(sizes.head_size), queries = to_size(sizes.queries);
    const kernels::HeadView<const float> rows = query_rows(r);
    r.pool.for_each(samples.size() * queries, [&](size_t i) {
      std::memcpy(memory.query + i * heads * size, rows.at(i / queries, 0) + i % queries * rows.row_stride, heads * size * sizeof(float));
    });
    kernels::RotaryShape shape = {.batch = samples.size(),
                                  .tokens = queries,
                                  .heads = heads,
                                  .head_size = size,
                                  .rotated = rotated,
                                  .interleaved = spec.interleaved,
                                  .batch_stride = queries * heads * size,
                                  .token_stride = heads * size,
                                  .head_stride = size};
    const float *cosine = input_data<float>(r, kCosine), *sine = input_data<float>(r, kSine);
    kernels::rotary(shape, memory.query, cosine, sine, memory.positions, memory.query, r.pool);
    shape.batch = 1, shape.heads = to_size(spec.key_heads);
    shape.token_stride = size, shape.head_stride = cache_matrix(), shape.batch_stride = shape.heads * cache_matrix();
    for (size_t b = 0; b < samples.size(); ++b) {
      shape.tokens = to_size(samples[b].fresh);
      float* first = key + b * shape.batch_stride + to_size(samples[b].first) * size;
      kernels::rotary(shape, first, cosine, sine, memory.positions + b * queries, first, r.pool);
    }
  }

  struct BiasContext {
    const ScoreBias& strides;
    const float* data;
    static void add(const void* self, size_t batch, size_t head, size_t row, size_t first, size_t last, float* scores) noexcept {
      const auto* bias = static_cast<const BiasContext*>(self);
      bias->strides.add(bias->data, batch, head, row, first, last, scores);
    }
  };

  void attend(const RunContext& r, const std::vector<Sample>& samples, const Memory& memory, const float* key, const float* value) const {
    const bool is_padded = optional(r, kQueryLengths) != nullptr;
    for (size_t b = 0; b < samples.size(); ++b) {
      memory.first[b] = samples[b].first;
      memory.seen[b] = spec.causal && !is_padded ? sizes.total : samples[b].seen;
    }
    const kernels::AttentionShape s = shape();
    if (has_sinks) {
      const float* sinks = input_data<float>(r, kSink);
      for (size_t h = 0; h < s.query_heads; ++h) memory.sinks[h] = sinks ? sinks[h] : 0;
    }
    const BiasContext context = {bias, input_data<float>(r, kScoreBias)};
    const kernels::HeadView<const float> query =
        spec.rotary ? row_major<const float>(memory.query, s.queries, s.head_size, s.query_heads * s.head_size) : query_rows(r);
    const kernels::AttentionJob<float> job = {
        .shape = s,
        .scale = spec.scale != 0 ? spec.scale : 1 / std::sqrt(static_cast<float>(sizes.head_size)),
        .softcap = spec.softcap,
        .causal = spec.causal,
        .window = to_size(spec.window),
        .query = query,
        .past_key = {},
        .past_value = {},
        .key = head_major(key, s.key_heads, to_size(sizes.present), s.head_size),
        .value = head_major(value, s.key_heads, to_size(sizes.present), s.head_size),
        .out = row_major(output_data<float>(r, kOut), s.queries, s.head_size, s.query_heads * s.head_size),
        .add_bias = context.data ? &BiasContext::add : nullptr,
        .bias_context = &context,
        .valid_keys = memory.seen,
        .first_position = memory.first,
        .sinks = has_sinks ? memory.sinks : nullptr,
        .scores = output_data<float>(r, kScores),
        .score_output = spec.qk_output == 2 ? kernels::ScoreOutput::kProbability : kernels::ScoreOutput::kMasked,
        .hidden = 0};
    if (job.out.data) kernels::attention<float>(job, memory.rest, r.pool);
  }
};

void refuse_inputs(const BindContext& b) {
  constexpr std::pair<size_t, const char*> kRefused[] = {
      {kKeyScale, "k_scale"}, {kValueScale, "v_scale"}, {kQueryNorm, "q_norm_weight"}, {kKeyNorm, "k_norm_weight"}};
  for (const auto& [input, name] : kRefused) {
    if (optional(b, input)) throw unsupported_error("input {} is not supported on the CPU", name);
  }
}

GroupSizes bind_sizes(const GroupSpec& spec, const BindContext& b) {
  const ValueFacts& query = required(b, kQuery, "query");
  require_float(query, "query");
  require_rank(query, 3, "query");
  const ValueFacts *key = optional(b, kKey), *value = optional(b, kValue);
  if ((key == nullptr) != (value == nullptr)) throw argument_error("key and value must be given together");
  GroupSizes s{.batch = query.shape[0], .queries = query.shape[1], .packed = key == nullptr};
  const int64_t heads = s.packed ? spec.heads + 2 * spec.key_heads : spec.heads;
  if (query.shape[2] % heads != 0) throw argument_error("query has shape {}, which {} heads do not divide", to_string(query.shape), heads);
  s.head_size = query.shape[2] / heads;
  if (!s.packed) {
    require_float(*key, "key");
    require_float(*value, "value");
    require_shape(*key, {s.batch, s.queries, spec.key_heads * s.head_size}, "key");
    require_shape(*value, key->shape, "value");
  }
  return s;
}

void bind_caches(GroupSizes& s, const GroupSpec& spec, const BindContext& b) {
  const ValueFacts *key = optional(b, kPastKey), *value = optional(b, kPastValue);
  if ((key == nullptr) != (value == nullptr)) throw argument_error("past_key and past_value must be given together");
  if (key) {
    require_float(*key, "past_key");
    require_float(*value, "past_value");
    require_rank(*key, 4, "past_key");
    s.past = key->shape[2];
    require_shape(*key, {s.batch, spec.key_heads, s.past, s.head_size}, "past_key");
    require_shape(*value, key->shape, "past_value");
  }
  const ValueFacts& lengths = required(b, kLengths, "seqlens_k");
  require_dtype(lengths, {DType::kInt32}, "seqlens_k");
  if (element_count(lengths.shape) != s.batch) {
    throw argument_error("seqlens_k has shape {}; it must be [{}]", to_string(lengths.shape), s.batch);
  }
  const ValueFacts& total = required(b, kTotal, "total_sequence_length");
  require_dtype(total, {DType::kInt32}, "total_sequence_length");
  const std::vector<int64_t> totals = integer_values(total, "total_sequence_length");
  if (totals.size() != 1 || totals[0] < s.queries) {
    throw argument_error("total_sequence_length must be one number, at least that of the queries, {}", s.queries);
  }
  s.total = totals[0];
  s.present = std::max(s.total, s.past);
}

void bind_rotation(GroupStep& step, const BindContext& b) {
  if (!step.spec.rotary) return;
  const ValueFacts &cosine = required(b, kCosine, "cos_cache"), &sine = required(b, kSine, "sin_cache");
  require_float(cosine, "cos_cache");
  require_float(sine, "sin_cache");
  require_rank(cosine, 2, "cos_cache");
  require_shape(sine, cosine.shape, "sin_cache");
  if (cosine.shape[1] > step.sizes.head_size / 2) {
    throw argument_error("cos_cache has shape {}; heads have size {}, half of which may turn", to_string(cosine.shape),
                         step.sizes.head_size);
  }
  step.rotated = to_size(2 * cosine.shape[1]);
  step.cache_rows = cosine.shape[0];
  if (const ValueFacts* positions = optional(b, kPositions)) {
    require_dtype(*positions, {DType::kInt64}, "position_ids");
    require_shape(*positions, {step.sizes.batch, step.sizes.queries}, "position_ids");
  }
}

void bind_extras(GroupStep& step, const BindContext& b, const Shape& scores) {
  if (const ValueFacts* bias = optional(b, kScoreBias)) step.bias = bind_score_bias(*bias, scores, "attention_bias");
  if (const ValueFacts* sink = optional(b, kSink)) {
    require_float(*sink, "head_sink");
    require_shape(*sink, {step.spec.heads}, "head_sink");
  }
  step.has_sinks = step.spec.smooth || optional(b, kSink);
  if (const ValueFacts* lengths = optional(b, kQueryLengths)) {
    require_dtype(*lengths, {DType::kInt32}, "query_seqlens");
    require_shape(*lengths, {step.sizes.batch}, "query_seqlens");
    if (!step.spec.causal) throw argument_error("query_seqlens is for causal attention");
  }
}

std::unique_ptr<Bound> bind_group_query(const GroupSpec& spec, const std::vector<bool>& wanted, const BindContext& b) {
  refuse_inputs(b);
  GroupStep step{.spec = spec, .sizes = bind_sizes(spec, b), .bias = {}};
  GroupSizes& s = step.sizes;
  bind_caches(s, spec, b);
  bind_rotation(step, b);
  const Shape scores = {s.batch, spec.heads, s.queries, s.total};
  bind_extras(step, b, scores);
  const ValueFacts cache = output(DType::kFloat32, {s.batch, spec.key_heads, s.present, s.head_size});
  const ValueFacts out = output(DType::kFloat32, {s.batch, s.queries, spec.heads * s.head_size});
  std::vector<ValueFacts> facts = keep_wanted({out, cache, cache, output(DType::kFloat32, scores)}, wanted);
  if (facts.size() > kScores && facts[kScores].present() && spec.qk_output == 0) {
    throw model_error("output output_qk is asked for, but attribute qk_output does not tell which values; it must be 1 or 2");
  }
  step.keeps_key = facts.size() > kPresentKey && facts[kPresentKey].present();
  step.keeps_value = facts.size() > kPresentValue && facts[kPresentValue].present();
  auto bound = make_bound(std::move(facts), [step](const RunContext& r) { step.run(r); });
  if (s.batch > 0) bound->scratch_bytes = step.scratch_bytes(b.threads);
  bound->flops = 4.0 * static_cast<double>(element_count(scores)) * static_cast<double>(s.head_size);
  return bound;
}

std::unique_ptr<Prepared> prepare_wide_group_query(const PrepareContext& context) {
  return make_prepared([spec = group_spec_from_node(context.node), wanted = wanted_outputs(context.node)](const BindContext& b) {
    return bind_group_query(spec, wanted, b);
  });
}

}  // namespace

std::unique_ptr<Prepared> prepare_group_query_attention(const PrepareContext& context) {
  const auto types = [wanted = wanted_outputs(context.node)](const BindContext& b) {
    std::vector<DType> result;
    for (const bool is_wanted : wanted) result.push_back(is_wanted ? required(b, kQuery, "query").dtype : DType::kUndefined);
    return result;
  };
  return make_value_driven(via_float(context, prepare_wide_group_query), {.value_inputs = 1u << kTotal, .output_types = types});
}

}  // namespace sardonyx::ops
