#include "ops/microsoft/projected_attention.h"

#include <cmath>

#include "kernels/cpu/attention/rotary.h"
#include "ops/attention/attention.h"
#include "ops/attributes/attributes.h"
#include "ops/elements/real.h"

namespace sardonyx::ops {

ProjectedSpec projected_spec_from_node(const model::Node& node) {
  ProjectedSpec spec{.attention = head_attention_spec_from_node(node),
                     .hidden_sizes = model::get_ints(node, "qkv_hidden_sizes"),
                     .rotated = get_count(node, "rotary_embedding_dim", 0, 0),
                     .rotary = model::get_int(node, "do_rotary", 0) == 1,
                     .shared_buffer = model::get_int(node, "past_present_share_buffer", 0) == 1};
  if (spec.shared_buffer) {
    throw unsupported_error(
        "attribute past_present_share_buffer is 1: past and present in one buffer are not supported on the CPU; set it to 0");
  }
  if (spec.hidden_sizes.empty()) return spec;
  if (spec.hidden_sizes.size() != 3) {
    throw model_error("attribute qkv_hidden_sizes has {} numbers; it must have 3", spec.hidden_sizes.size());
  }
  for (const int64_t size : spec.hidden_sizes) {
    if (size < 1 || size > (int64_t{1} << 31) || size % spec.attention.heads != 0) {
      throw model_error("attribute qkv_hidden_sizes holds {}, which is no multiple of num_heads, {}", size, spec.attention.heads);
    }
  }
  if (spec.hidden_sizes[0] != spec.hidden_sizes[1]) {
    throw model_error("attribute qkv_hidden_sizes tells {} for Q and {} for K; they must be equal", spec.hidden_sizes[0],
                      spec.hidden_sizes[1]);
  }
  return spec;
}

ProjectedAttention::ProjectedAttention(const ProjectedSpec& spec, const ProjectedPlaces& places, const BindContext& b, const Shape& input,
                                       const Shape& weights, bool wants_present)
    : places_(places) {
  bind_sizes(spec, input, weights);
  HeadAttentionSizes& sizes = attention_.sizes;
  if (const ValueFacts* past = optional(b, places.past)) bind_past(*past);
  if (wants_present && sizes.head_size != sizes.value_size) {
    throw argument_error("heads of K have size {}, those of V {}: present holds both, so they must be equal", sizes.head_size,
                         sizes.value_size);
  }
  if (const ValueFacts* mask = optional(b, places.mask)) attention_.mask = bind_padding_mask(*mask, sizes, "mask_index");
  if (const ValueFacts* bias = optional(b, places.bias)) {
    attention_.bias = bind_score_bias(*bias, {sizes.batch, sizes.heads, sizes.queries, sizes.keys()}, "attention_bias");
  }
  if (spec.rotary) make_rotation(spec);
}

void ProjectedAttention::bind_sizes(const ProjectedSpec& spec, const Shape& input, const Shape& weights) {
  if (input.size() != 3) throw argument_error("input has shape {}; its rank must be 3", to_string(input));
  if (weights.size() != 2 || weights[0] != input[2]) {
    throw argument_error("weights has shape {}; with an input of {} values it must be [{}, columns]", to_string(weights), input[2],
                         input[2]);
  }
  const int64_t heads = spec.attention.heads, columns = weights[1];
  std::vector<int64_t> hidden = spec.hidden_sizes;
  if (hidden.empty()) hidden.assign(3, columns / 3);
  if (columns < 1 || hidden[0] + hidden[1] + hidden[2] != columns || hidden[0] % heads != 0) {
    throw argument_error("weights has {} columns, which are not Q, K and V of {} heads", columns, heads);
  }
  attention_.spec = spec.attention;
  attention_.sizes = {.batch = input[0],
                      .heads = heads,
                      .queries = input[1],
                      .fresh = input[1],
                      .head_size = hidden[0] / heads,
                      .value_size = hidden[2] / heads};
  output(DType::kFloat32, out());  // refuses absurd sizes
  columns_ = to_size(columns);
  input_size_ = to_size(input[2]);
}

void ProjectedAttention::bind_past(const ValueFacts& past) {
  require_float(past, "past");
  HeadAttentionSizes& s = attention_.sizes;
  const Shape& shape = past.shape;
  if (shape.size() != 5 || shape != Shape{2, s.batch, s.heads, shape[3], s.head_size} || s.head_size != s.value_size) {
    throw argument_error("past has shape {}; it must be [2, {}, {}, past length, {}], with heads of K and V of one size", to_string(shape),
                         s.batch, s.heads, s.head_size);
  }
  s.past = shape[3];
}

// Angles of the position p: p / 10000^(2 i / rotated) for the pair i, as in RoFormer (Su et al., 2021), with pairs half a turn apart.
void ProjectedAttention::make_rotation(const ProjectedSpec& spec) {
  const HeadAttentionSizes& s = attention_.sizes;
  auto rotation = std::make_shared<Rotation>();
  rotation->rotated = to_size(spec.rotated == 0 ? s.head_size : spec.rotated);
  if (rotation->rotated > to_size(s.head_size) || rotation->rotated % 2 != 0) {
    throw argument_error("{} values of heads of size {} cannot turn: the number must be even and not larger", rotation->rotated,
                         s.head_size);
  }
  const size_t half = rotation->rotated / 2;
  output(DType::kFloat32, {s.keys(), to_int(half)});  // refuses absurd sizes
  for (int64_t p = 0; p < s.keys(); ++p) {
    for (size_t i = 0; i < half; ++i) {
      const double angle = static_cast<double>(p) / std::pow(10000.0, 2 * static_cast<double>(i) / static_cast<double>(rotation->rotated));
      rotation->cosine.push_back(static_cast<float>(std::cos(angle)));
      rotation->sine.push_back(static_cast<float>(std::sin(angle)));
    }
  }
  for (int64_t i = 0; i < s.batch * s.queries; ++i) rotation->positions.push_back(s.past + i % s.queries);
  rotation_ = std::move(rotation);
}

Shape ProjectedAttention::out() const {
  const HeadAttentionSizes& s = attention_.sizes;
  return {s.batch, s.queries, s.heads * s.value_size};
}
Shape ProjectedAttention::present() const {
  const HeadAttentionSizes& s = attention_.sizes;
  return {2, s.batch, s.heads, s.keys(), s.head_size};
}

double ProjectedAttention::flops() const noexcept {
  return attention_.flops() + 2.0 * static_cast<double>(rows()) * static_cast<double>(input_size_) * static_cast<double>(columns_);
}

void ProjectedAttention::check(const RunContext& r) const {
  if (const Tensor* mask = optional(r, places_.mask)) check_padding_mask(attention_.mask, *mask, attention_.sizes.batch, "mask_index");
}

void ProjectedAttention::turn(float* rows, core::ThreadPool& pool) const {
  const kernels::AttentionShape s = attention_.shape();
  const kernels::RotaryShape shape = {.batch = s.batch,
                                      .tokens = s.queries,
                                      .heads = s.query_heads,
                                      .head_size = s.head_size,
                                      .rotated = rotation_->rotated,
                                      .batch_stride = s.queries * columns_,
                                      .token_stride = columns_,
                                      .head_stride = s.head_size};
  kernels::rotary(shape, rows, rotation_->cosine.data(), rotation_->sine.data(), rotation_->positions.data(), rows, pool);
}

void ProjectedAttention::join(const RunContext& r, const HeadAttention::Values& values) const {
  auto* present = output_data<std::byte>(r, 1);
  if (!present) return;
  const kernels::AttentionShape s = attention_.shape();
  const JoinedRows rows = {s.batch, s.query_heads, s.past, s.fresh, s.head_size * sizeof(float)};
  join_rows(rows, reinterpret_cast<const std::byte*>(values.past_key.data), as_bytes(values.key), present, r.pool);
  join_rows(rows, reinterpret_cast<const std::byte*>(values.past_value.data), as_bytes(values.value),
            present + s.batch * s.query_heads * s.keys() * rows.row_bytes, r.pool);
}

void ProjectedAttention::run(const RunContext& r, float* projected, void* scratch) const {
  const kernels::AttentionShape s = attention_.shape();
  const size_t hidden = s.query_heads * s.head_size;
  const auto part = [&](size_t i) { return projected ? projected + i * hidden : nullptr; };  // null: there are no rows
  if (rotation_) {
    turn(part(0), r.pool);
    turn(part(1), r.pool);
  }
  const float* past = input_data<float>(r, places_.past);
  const float* past_value = past ? past + s.batch * s.query_heads * s.past * s.head_size : nullptr;
  const HeadAttention::Values values = {.query = row_major<const float>(part(0), s.queries, s.head_size, columns_),
                                        .past_key = head_major(past, s.query_heads, s.past, s.head_size),
                                        .past_value = head_major(past_value, s.query_heads, s.past, s.value_size),
                                        .key = row_major<const float>(part(1), s.fresh, s.head_size, columns_),
                                        .value = row_major<const float>(part(2), s.fresh, s.value_size, columns_),
                                        .out = output_data<float>(r, 0),
                                        .mask = input_data<int32_t>(r, places_.mask),
                                        .bias = input_data<float>(r, places_.bias)};
  join(r, values);
  if (values.out && rows() > 0) attention_.run(values, scratch, r.pool);
}

}  // namespace sardonyx::ops
