// Attention, every version, and that of ai.sardonyx: attributes, and the sizes that follow from them and the shapes of the inputs.
//
// Attention of ai.sardonyx is softmax(scale * Q K' + mask) V as MatMul, Add, Where and Softmax compute it: batches and heads of 1 are
// broadcast, and attribute mask_value is the score that a boolean mask gives to the keys that it hides.
#pragma once

#include <limits>

#include "kernels/cpu/attention/attention.h"
#include "ops/op.h"

namespace sardonyx::ops {

struct AttentionSpec {
  float scale = 0;  // 0: 1 / sqrt(head size)
  float softcap = 0;
  bool causal = false;
  bool wide_softmax = false;
  bool broadcast = false;                                      // batches and heads of 1
  float mask_value = -std::numeric_limits<float>::infinity();  // of keys that a boolean mask hides
  int64_t query_heads = 0, key_heads = 0;                      // of inputs of rank 3
  kernels::ScoreOutput score_output = kernels::ScoreOutput::kProduct;
};

AttentionSpec attention_spec_from_node(const model::Node& node, int64_t opset);

// Sizes of (batch, heads, rows, size), or of rank 3, (batch, rows, heads * size).
struct HeadSizes {
  int64_t batch = 0, heads = 0, rows = 0, size = 0;
  bool packed = false;                       // rank 3
  bool one_batch = false, one_head = false;  // that all batches or heads of the others meet
};

struct AttentionGeometry {
  HeadSizes query, key, value, result;
  kernels::AttentionShape kernel;
  Shape out, present_key, present_value, scores;
};
// `past_key` and `past_value` are null where the node has none.
AttentionGeometry attention_geometry(const AttentionSpec& spec, const Shape& query, const Shape& key, const Shape& value,
                                     const Shape* past_key, const Shape* past_value);

// Rows of the past and then new ones, for each head: `to` is (batch, heads, past + fresh, row_bytes), contiguous, and so is `past_rows`,
// with `past` rows a head. The data of `fresh_rows` and its strides count bytes.
struct JoinedRows {
  size_t batch = 0, heads = 0, past = 0, fresh = 0, row_bytes = 0;
};
void join_rows(const JoinedRows& shape, const std::byte* past_rows, const kernels::HeadView<const std::byte>& fresh_rows, std::byte* to,
               core::ThreadPool& pool) noexcept;

}  // namespace sardonyx::ops
