// Attention, QAttention, MultiHeadAttention, GroupQueryAttention and MatMulNBits of com.microsoft.
#include <fmt/format.h>

#include <algorithm>

#include "infer/rules.h"
#include "infer/rules/operands.h"
#include "infer/rules/unify.h"

namespace sardonyx::infer {

namespace {
// A number of heads; fails where it is not positive.
int64_t heads_of(const NodeContext& context, std::string_view attribute) {
  const int64_t heads = model::get_int(context.node(), attribute, 0);
  if (heads <= 0) context.fail(fmt::format("attribute {} is {}, it must be positive", attribute, heads));
  return heads;
}

Dim per_head(const NodeContext& context, Dim all, int64_t heads, std::string_view what) {
  if (all.is_known() && all.value() % heads != 0) {
    context.fail(fmt::format("the size of {} is {}, no multiple of {} heads", what, all.value(), heads));
  }
  return divide_floor(all, heads);
}

// The projection of input 0 by the weights, and the keys and values of earlier calls in input `past`.
void infer_projected(NodeContext& context, size_t past, DType dtype) {
  const int64_t heads = heads_of(context, "num_heads");
  Dim batch, length, width, columns, two = 2, count = heads, earlier, size;
  unify(context, 0, "input", {&batch, &length, &width});
  unify(context, 1, "weights", {&width, &columns});
  Dim key_size = divide_floor(columns, 3), value_size = key_size;
  if (const auto sizes = context.ints_attribute("qkv_hidden_sizes"); sizes && !sizes->empty()) {
    if (sizes->size() != 3) context.fail(fmt::format("attribute qkv_hidden_sizes has {} numbers, it must have 3", sizes->size()));
    key_size = (*sizes)[1];
    value_size = (*sizes)[2];
  }
  size = per_head(context, key_size, heads, "the keys");
  unify(context, past, "past", {&two, &batch, &count, &earlier, &size});
  if (!context.has_input(past)) earlier = 0;
  const bool is_shared = model::get_int(context.node(), "past_present_share_buffer", 0) != 0;
  for (size_t i = 0; i < 2; ++i) context.set_dtype(i, dtype);
  context.set_shape(0, {batch, length, value_size});
  context.set_shape(1, {two, batch, count, is_shared ? earlier : add(earlier, length), size});
}
}  // namespace

void infer_microsoft_attention(NodeContext& context) { infer_projected(context, 4, context.dtype(0)); }
void infer_qattention(NodeContext& context) { infer_projected(context, 8, context.dtype(2)); }

// Query [b, s, heads * size] with key and value of rank 3, of rank 4 with heads first, or packed, [b, l, heads, 2, size]; or all three
// packed, [b, s, heads, 3, size].
void infer_multi_head_attention(NodeContext& context) {
  const int64_t heads = heads_of(context, "num_heads");
  Dim batch, length, keys, all, size, values, count = heads, earlier = 0, key_size;
  const Dims* key = context.shape(1);
  if (!context.has_input(1)) {
    Dim three = 3;
    unify(context, 0, "query", {&batch, &length, &count, &three, &size});
    keys = length, values = size, key_size = size;
  } else {
    unify(context, 0, "query", {&batch, &length, &all});
    key_size = per_head(context, all, heads, "query");
    if (key != nullptr && key->size() == 5) {
      Dim two = 2;
      unify(context, 1, "key", {&batch, &keys, &count, &two, &key_size});
      values = key_size;
    } else if (key != nullptr && key->size() == 4) {
      unify(context, 1, "key", {&batch, &count, &keys, &key_size});
      unify(context, 2, "value", {&batch, &count, &keys, &values});
    } else {
      Dim value_all;
      unify(context, 1, "key", {&batch, &keys, &all});
      unify(context, 2, "value", {&batch, &keys, &value_all});
      values = per_head(context, value_all, heads, "value");
    }
  }
  if (context.has_input(6)) {
    earlier = Dim();
    unify(context, 6, "past_key", {&batch, &count, &earlier, &key_size});
    unify(context, 7, "past_value", {&batch, &count, &earlier, &values});
  }
  const Dim total = context.has_input(8) ? Dim() : add(earlier, keys);
  for (size_t i = 0; i < 4; ++i) context.set_dtype(i, context.dtype(0));
  context.set_shape(0, {batch, length, multiply(values, heads)});
  context.set_shape(1, {batch, count, total, key_size});
  context.set_shape(2, {batch, count, total, values});
  context.set_shape(3, {batch, count, length, total});
}

// Query [b, s, heads * size], or with key and value left out, all three side by side; caches [b, key heads, length, size], as long as the
// past ones or as input 6 tells, whichever is longer.
void infer_group_query_attention(NodeContext& context) {
  constexpr size_t kPastKey = 3, kTotal = 6;
  const int64_t heads = heads_of(context, "num_heads"), key_heads = heads_of(context, "kv_num_heads");
  const bool is_packed = !context.has_input(1);
  Dim batch, length, all, count = key_heads, earlier, size;
  unify(context, 0, "query", {&batch, &length, &all});
  size = per_head(context, all, is_packed ? heads + 2 * key_heads : heads, "query");
  for (const size_t i : {kPastKey, kPastKey + 1}) unify(context, i, "past", {&batch, &count, &earlier, &size});
  const Dim total = scalar_operand(context, kTotal);
  Dim present;
  if (total.is_known()) {
    present = !context.has_input(kPastKey) ? total : earlier.is_known() ? Dim(std::max(total.value(), earlier.value())) : Dim();
  }
  const DType cache = context.has_input(kPastKey) ? context.dtype(kPastKey) : context.dtype(0);
  context.set_dtype(0, context.dtype(0));
  context.set_shape(0, {batch, length, multiply(size, heads)});
  for (const size_t i : {size_t{1}, size_t{2}}) {
    context.set_dtype(i, cache);
    context.set_shape(i, {batch, count, present, size});
  }
  context.set_dtype(3, context.dtype(0));
  context.set_shape(3, {batch, heads, length, total});
}

// MatMulNBits: the last size becomes N.
void infer_matmul_nbits(NodeContext& context) {
  const int64_t depth = model::get_int(context.node(), "K", 0), columns = model::get_int(context.node(), "N", 0);
  const Dims* a = context.shape(0);
  if (a == nullptr) return;
  if (a->empty()) context.fail("input 0 ('A') is a scalar");
  merge(context, a->back(), depth, "the last dimension of A and attribute K");
  Dims out = *a;
  out.back() = columns;
  context.set_shape(0, out);
}

}  // namespace sardonyx::infer
