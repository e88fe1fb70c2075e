#include <array>
#include <cmath>

#include "ops/attention/attention.h"
#include "ops/attributes/attributes.h"

namespace sardonyx::ops {
namespace {

HeadSizes head_sizes(const Shape& shape, int64_t heads, std::string_view name, std::string_view attribute) {
  if (shape.size() == 4) return {shape[0], shape[1], shape[2], shape[3], false};
  if (shape.size() != 3) throw argument_error("{} has shape {}; its rank must be 3 or 4", name, to_string(shape));
  if (heads == 0) throw argument_error("{} has rank 3: attribute {} must tell the number of heads", name, attribute);
  if (shape[2] % heads != 0) throw argument_error("{} has shape {}, which {} heads do not divide", name, to_string(shape), heads);
  return {shape[0], heads, shape[1], shape[2] / heads, true};
}

void check_past(const Shape& past, const HeadSizes& sizes, std::string_view name) {
  if (past.size() == 4 && past[0] == sizes.batch && past[1] == sizes.heads && past[3] == sizes.size) return;
  throw argument_error("{} has shape {}; it must be [{}, {}, past length, {}]", name, to_string(past), sizes.batch, sizes.heads,
                       sizes.size);
}

void check_fit(const HeadSizes& q, const HeadSizes& k, const HeadSizes& v) {
  if (k.batch != q.batch || v.batch != q.batch) throw argument_error("Q, K and V have batches of {}, {} and {}", q.batch, k.batch, v.batch);
  if (k.heads < 1 || q.heads % k.heads != 0 || v.heads != k.heads) {
    throw argument_error("Q, K and V have {}, {} and {} heads; those of K and V must be equal and divide those of Q", q.heads, k.heads,
                         v.heads);
  }
  if (k.size != q.size) throw argument_error("heads of Q have size {}, those of K {}", q.size, k.size);
  if (v.rows != k.rows) throw argument_error("K has {} positions, V has {}", k.rows, v.rows);
  if (q.packed != k.packed || q.packed != v.packed) throw argument_error("Q, K and V must have the same rank");
}

// The size that all have but those that are 1; those are marked.
void common_size(std::array<HeadSizes*, 3> operands, int64_t HeadSizes::*size, bool HeadSizes::*is_one, std::string_view name) {
  int64_t common = 1;
  for (const HeadSizes* operand : operands) common = operand->*size == 1 ? common : operand->*size;
  for (HeadSizes* operand : operands) {
    operand->*is_one = operand->*size == 1 && common != 1;
    if (operand->*size == 1 || operand->*size == common) continue;
    throw argument_error("Q, K and V have {}, {} and {} {}; those that are not 1 must be equal", operands[0]->*size, operands[1]->*size,
                         operands[2]->*size, name);
  }
  for (HeadSizes* operand : operands) operand->*size = common;
}

}  // namespace

AttentionSpec attention_spec_from_node(const model::Node& node, int64_t /*opset*/) {
  using kernels::ScoreOutput;
  AttentionSpec spec{.scale = model::get_float(node, "scale", 0),
                     .softcap = model::get_float(node, "softcap", 0),
                     .causal = model::get_int(node, "is_causal", 0) != 0,
                     .query_heads = get_count(node, "q_num_heads", 0, 0),
                     .key_heads = get_count(node, "kv_num_heads", 0, 0)};
  spec.broadcast = node.domain == "ai.sardonyx";
  if (spec.broadcast) spec.mask_value = model::get_float(node, "mask_value", spec.mask_value);
  const int64_t mode = model::get_int(node, "qk_matmul_output_mode", 0);
  if (mode < 0 || mode > 3) throw model_error("attribute qk_matmul_output_mode is {}; it must be 0, 1, 2 or 3", mode);
  spec.score_output = static_cast<ScoreOutput>(mode);
  spec.wide_softmax = get_dtype(node, "softmax_precision", kFloats) == DType::kFloat64;
  if (!std::isfinite(spec.scale) || !std::isfinite(spec.softcap) || spec.softcap < 0) {
    throw model_error("attributes scale ({}) and softcap ({}) must be finite, softcap not negative", spec.scale, spec.softcap);
  }
  return spec;
}

AttentionGeometry attention_geometry(const AttentionSpec& spec, const Shape& query, const Shape& key, const Shape& value,
                                     const Shape* past_key, const Shape* past_value) {
  AttentionGeometry g;
  g.query = head_sizes(query, spec.query_heads, "Q", "q_num_heads");
  g.key = head_sizes(key, spec.key_heads, "K", "kv_num_heads");
  g.value = head_sizes(value, spec.key_heads, "V", "kv_num_heads");
  if (spec.broadcast) {
    const std::array<HeadSizes*, 3> operands = {&g.query, &g.key, &g.value};
    common_size(operands, &HeadSizes::batch, &HeadSizes::one_batch, "batches");
    common_size(operands, &HeadSizes::heads, &HeadSizes::one_head, "heads");
  }
  check_fit(g.query, g.key, g.value);
  if ((past_key == nullptr) != (past_value == nullptr)) throw argument_error("past_key and past_value must be given together");
  int64_t past = 0;
  if (past_key) {
    check_past(*past_key, g.key, "past_key");
    check_past(*past_value, g.value, "past_value");
    past = (*past_key)[2];
    if ((*past_value)[2] != past) throw argument_error("past_key has {} positions, past_value has {}", past, (*past_value)[2]);
  }
  g.kernel = {.batch = to_size(g.query.batch),
              .query_heads = to_size(g.query.heads),
              .key_heads = to_size(g.key.heads),
              .queries = to_size(g.query.rows),
              .past = to_size(past),
              .fresh = to_size(g.key.rows),
              .head_size = to_size(g.query.size),
              .value_size = to_size(g.value.size)};
  g.result = {g.query.batch, g.query.heads, g.query.rows, g.value.size, g.query.packed};
  const int64_t total = past + g.key.rows;
  g.out = g.query.packed ? Shape{g.query.batch, g.query.rows, g.query.heads * g.value.size}
                         : Shape{g.query.batch, g.query.heads, g.query.rows, g.value.size};
  g.present_key = {g.key.batch, g.key.heads, total, g.key.size};
  g.present_value = {g.value.batch, g.value.heads, total, g.value.size};
  g.scores = {g.query.batch, g.query.heads, g.query.rows, total};
  return g;
}

}  // namespace sardonyx::ops
