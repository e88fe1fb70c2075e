// LinearAttention: the recurrences linear, gated, delta and gated_delta.
#include <cmath>

#include "kernels/cpu/attention/recurrent.h"
#include "ops/attributes/attributes.h"
#include "ops/elements/real.h"
#include "ops/stages.h"
#include "ops/via_float/via_float.h"

namespace sardonyx::ops {
namespace {

enum Input { kQuery, kKey, kValue, kPast, kDecay, kBeta };

enum class UpdateRule { kLinear = 0, kGated = 1, kDelta = 2, kGatedDelta = 3 };

struct LinearAttentionSpec {
  int64_t query_heads = 0, key_heads = 0;
  float scale = 0;  // 0: 1 / sqrt(key size)
  bool gated = false, corrected = false;
};

LinearAttentionSpec spec_from_node(const model::Node& node) {
  const auto rule = get_choice<UpdateRule>(node, "update_rule", "gated_delta",
                                           {{"linear", UpdateRule::kLinear},
                                            {"gated", UpdateRule::kGated},
                                            {"delta", UpdateRule::kDelta},
                                            {"gated_delta", UpdateRule::kGatedDelta}});
  const LinearAttentionSpec spec = {.query_heads = get_count(node, "q_num_heads", 0, 1),
                                    .key_heads = get_count(node, "kv_num_heads", 0, 1),
                                    .scale = model::get_float(node, "scale", 0),
                                    .gated = rule == UpdateRule::kGated || rule == UpdateRule::kGatedDelta,
                                    .corrected = rule == UpdateRule::kDelta || rule == UpdateRule::kGatedDelta};
  if (spec.query_heads % spec.key_heads != 0) {
    throw model_error("q_num_heads {} must be a multiple of kv_num_heads {}", spec.query_heads, spec.key_heads);
  }
  return spec;
}

const Shape& packed_input(const BindContext& b, size_t index, std::string_view name, int64_t batch, int64_t tokens) {
  const ValueFacts& facts = required(b, index, name);
  require_dtype(facts, {DType::kFloat32}, name);
  require_rank(facts, 3, name);
  if (facts.shape[0] != batch || facts.shape[1] != tokens) {
    throw argument_error("{} has shape {}; it must be [{}, {}, ...] as query", name, to_string(facts.shape), batch, tokens);
  }
  return facts.shape;
}

size_t head_size(const Shape& shape, int64_t heads, std::string_view name) {
  if (shape[2] % heads != 0) throw argument_error("{} has shape {}, which {} heads do not divide", name, to_string(shape), heads);
  return to_size(shape[2] / heads);
}

// An input that the update rule needs or forbids; null where it is forbidden.
const Shape* rule_input(const BindContext& b, size_t index, std::string_view name, bool wanted, const kernels::RecurrentAttention& job) {
  if (wanted) return &packed_input(b, index, name, to_int(job.batch), to_int(job.tokens));
  if (optional(b, index)) throw argument_error("the attribute update_rule forbids input {}", name);
  return nullptr;
}

kernels::RecurrentAttention recurrence(const LinearAttentionSpec& spec, const BindContext& b) {
  const ValueFacts& query = required(b, kQuery, "query");
  require_rank(query, 3, "query");
  const int64_t batch = query.shape[0], tokens = query.shape[1];
  kernels::RecurrentAttention job;
  job.batch = to_size(batch), job.tokens = to_size(tokens);
  job.query_heads = to_size(spec.query_heads), job.key_heads = to_size(spec.key_heads);
  job.key_size = head_size(packed_input(b, kQuery, "query", batch, tokens), spec.query_heads, "query");
  if (head_size(packed_input(b, kKey, "key", batch, tokens), spec.key_heads, "key") != job.key_size) {
    throw argument_error("heads of query and key differ in size: shapes {} and {}", to_string(query.shape),
                         to_string(b.inputs[kKey].shape));
  }
  job.value_size = head_size(packed_input(b, kValue, "value", batch, tokens), spec.key_heads, "value");
  if (const Shape* decay = rule_input(b, kDecay, "decay", spec.gated, job)) {
    job.decay_size = head_size(*decay, spec.key_heads, "decay");
    if (job.decay_size != 1 && job.decay_size != job.key_size) {
      throw argument_error("decay has shape {}; it must give one value or {} to each of {} heads", to_string(*decay), job.key_size,
                           spec.key_heads);
    }
  }
  if (const Shape* beta = rule_input(b, kBeta, "beta", spec.corrected, job)) {
    if ((*beta)[2] != 1 && (*beta)[2] != spec.key_heads) {
      throw argument_error("beta has shape {}; its last size must be 1 or {}", to_string(*beta), spec.key_heads);
    }
    job.beta_heads = to_size((*beta)[2]);
  }
  job.scale = spec.scale != 0 || job.key_size == 0 ? spec.scale : static_cast<float>(1 / std::sqrt(static_cast<double>(job.key_size)));
  return job;
}

void run_recurrence(kernels::RecurrentAttention job, const RunContext& r, bool keeps_state) {
  const size_t states = job.batch * job.key_heads * job.key_size * job.value_size;
  auto* scratch = reinterpret_cast<float*>(r.scratch);
  float* state = keeps_state ? output_data<float>(r, 1) : scratch;
  if (const auto* past = input_data<float>(r, kPast)) {
    std::copy(past, past + states, state);
  } else {
    std::fill(state, state + states, 0.0f);
  }
  job.query = input_data<float>(r, kQuery), job.key = input_data<float>(r, kKey), job.value = input_data<float>(r, kValue);
  job.decay = input_data<float>(r, kDecay), job.beta = input_data<float>(r, kBeta);
  kernels::recurrent_attention(job, state, output_data<float>(r, 0), scratch + (keeps_state ? 0 : states), r.pool);
}

std::unique_ptr<Bound> bind_linear_attention(const LinearAttentionSpec& spec, const std::vector<bool>& wanted, const BindContext& b) {
  const kernels::RecurrentAttention job = recurrence(spec, b);
  const Shape state = {to_int(job.batch), spec.key_heads, to_int(job.key_size), to_int(job.value_size)};
  if (const ValueFacts* past = optional(b, kPast)) {
    require_dtype(*past, {DType::kFloat32}, "past_state");
    if (past->shape != state) throw argument_error("past_state has shape {}; it must be {}", to_string(past->shape), to_string(state));
  }
  const Shape& query = b.inputs[kQuery].shape;
  const ValueFacts states = output(DType::kFloat32, state);
  std::vector<ValueFacts> facts =
      keep_wanted({output(DType::kFloat32, {query[0], query[1], spec.query_heads * to_int(job.value_size)}), states}, wanted);
  if (!facts[0].present()) throw argument_error("output 'output' is missing");
  const bool keeps_state = facts.size() > 1 && facts[1].present();
  auto bound = make_bound(std::move(facts), [job, keeps_state](const RunContext& r) { run_recurrence(job, r, keeps_state); });
  bound->scratch_bytes = kernels::recurrent_attention_scratch_floats(job) * static_cast<size_t>(b.threads) * sizeof(float);
  if (!keeps_state) bound->scratch_bytes += to_size(element_count(state)) * sizeof(float);
  return bound;
}

std::unique_ptr<Prepared> prepare_float_linear_attention(const PrepareContext& context) {
  return make_prepared([spec = spec_from_node(context.node), wanted = wanted_outputs(context.node)](const BindContext& b) {
    return bind_linear_attention(spec, wanted, b);
  });
}

std::vector<DType> linear_attention_types(const BindContext& b) {
  const ValueFacts* past = optional(b, kPast);
  return {b.inputs[kQuery].dtype, past ? past->dtype : b.inputs[kQuery].dtype};
}

}  // namespace

std::unique_ptr<Prepared> prepare_linear_attention(const PrepareContext& context) {
  return via_float(context, prepare_float_linear_attention, linear_attention_types);
}

}  // namespace sardonyx::ops
