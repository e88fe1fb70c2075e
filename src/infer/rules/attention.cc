#include <fmt/format.h>

#include "infer/rules.h"
#include "infer/rules/unify.h"

namespace sardonyx::infer {

namespace {
// Query, keys or values in either layout, [batch, heads, length, size] or [batch, length, heads * size].
struct Heads {
  Dim batch, heads, length, size;
  size_t rank = 0;  // 0: not known
};

Dim heads_attribute(const NodeContext& context, std::string_view name) {
  const int64_t heads = model::get_int(context.node(), name, 0);
  return heads > 0 ? Dim(heads) : Dim();
}

Heads read_heads(const NodeContext& context, size_t input, std::string_view name, std::string_view attribute) {
  const Dims* shape = context.shape(input);
  if (shape == nullptr) return {};
  const Dims& dims = *shape;
  if (dims.size() == 4) return {dims[0], dims[1], dims[2], dims[3], 4};
  if (dims.size() != 3) {
    context.fail(fmt::format("input {} ('{}') must have rank 3 or 4, its shape is {}", input, name, context.symbols().show(dims)));
  }
  const Dim heads = heads_attribute(context, attribute);
  return {dims[0], heads, dims[1], divide_floor(dims[2], heads), 3};
}

// Keys or values with those of earlier calls in front: [batch, heads, length, size]. `length` gets their joint length.
Dims present(const NodeContext& context, size_t past_input, std::string_view name, const Heads& now, Dim* length) {
  *length = now.length;
  Dims dims = {now.batch, now.heads, now.length, now.size};
  if (!context.has_input(past_input)) return dims;
  context.expect_rank(past_input, 4, name);
  const Dims* past = context.shape(past_input);
  *length = past == nullptr ? Dim() : add((*past)[2], now.length);
  for (size_t i = 0; past != nullptr && i < dims.size(); ++i) dims[i] = better_known((*past)[i], dims[i]);
  dims[2] = *length;
  return dims;
}
}  // namespace

// Attention, all versions.
void infer_attention(NodeContext& context) {
  const Heads query = read_heads(context, 0, "Q", "q_num_heads");
  if (query.rank == 3 && (context.attribute("q_num_heads") == nullptr || context.attribute("kv_num_heads") == nullptr)) {
    context.fail("inputs of rank 3 need the attributes q_num_heads and kv_num_heads");
  }
  if (query.rank == 3 && model::get_int(context.node(), "q_num_heads", 0) <= 0) context.fail("attribute q_num_heads must be positive");
  const Heads keys = read_heads(context, 1, "K", "kv_num_heads"), values = read_heads(context, 2, "V", "kv_num_heads");
  const auto differs = [&](const Heads& other) { return query.rank != 0 && other.rank != 0 && query.rank != other.rank; };
  if (differs(keys) || differs(values)) context.fail("inputs Q, K and V must have the same rank");
  if (keys.length.is_known() && values.length.is_known() && keys.length != values.length) {
    context.fail(fmt::format("K has {} entries, V has {}", keys.length.value(), values.length.value()));
  }
  Dim total, total_values;
  const Dims present_key = present(context, 4, "past_key", keys, &total);
  const Dims present_value = present(context, 5, "past_value", values, &total_values);
  if (query.rank == 4) {
    context.set_shape(0, {query.batch, query.heads, query.length, better_known(values.size, present_value[3])});
  } else if (query.rank == 3) {
    context.set_shape(0, {query.batch, query.length, multiply(query.heads, better_known(values.size, present_value[3]))});
  }
  context.set_shape(1, present_key);
  context.set_shape(2, present_value);
  context.set_shape(3, {query.batch, query.heads, query.length, better_known(total, total_values)});
}

// RotaryEmbedding: the shape stays.
void infer_rotary_embedding(NodeContext& context) {
  const Dims* x = context.shape(0);
  if (x == nullptr) return;
  if (x->size() != 3 && x->size() != 4) {
    context.fail(fmt::format("input 0 ('X') must have rank 3 or 4, its shape is {}", context.symbols().show(*x)));
  }
  if (x->size() == 3 && context.attribute("num_heads") == nullptr) context.fail("an input of rank 3 needs the attribute num_heads");
  context.copy_shape(0, 0);
}

namespace {
// Which of the inputs decay and beta each update rule takes.
void check_update_rule(const NodeContext& context) {
  const std::string rule = model::get_string(context.node(), "update_rule", "gated_delta");
  if (rule != "linear" && rule != "gated" && rule != "delta" && rule != "gated_delta") {
    context.fail(fmt::format("attribute update_rule is '{}', it must be linear, gated, delta or gated_delta", rule));
  }
  const auto check = [&](size_t input, std::string_view name, bool is_needed) {
    if (context.has_input(input) != is_needed) {
      context.fail(fmt::format("update_rule '{}' {} the input {}", rule, is_needed ? "needs" : "does not take", name));
    }
  };
  check(4, "decay", rule.starts_with("gated"));
  check(5, "beta", rule.ends_with("delta"));
}

// The size of one head of a packed dimension.
Dim head_size(const NodeContext& context, Dim packed, int64_t heads, std::string_view name) {
  if (packed.is_known() && packed.value() % heads != 0) {
    context.fail(fmt::format("the last dimension of {} is {}, no multiple of its {} heads", name, packed.value(), heads));
  }
  return divide_floor(packed, heads);
}

// The last dimensions of decay and beta: one number per head, for decay also one per key element, for beta also one for all.
void check_gates(const NodeContext& context, Dim decay, Dim beta, Dim heads, Dim key_size) {
  const Dim all_keys = multiply(heads, key_size);
  const bool fits = all_keys.is_known() ? decay == all_keys : decay.is_known() && decay.value() % heads.value() == 0;
  if (decay.is_known() && decay != heads && !fits) {
    context.fail(fmt::format("the last dimension of decay is {}, it must be the number of heads ({}) or that of all their key elements",
                             decay.value(), heads.value()));
  }
  if (beta.is_known() && beta != heads && !beta.is(1)) {
    context.fail(fmt::format("the last dimension of beta is {}, it must be 1 or the number of heads ({})", beta.value(), heads.value()));
  }
}
}  // namespace

// LinearAttention: query, key and value [batch, length, heads * size], and a state [batch, heads, key size, value size].
void infer_linear_attention(NodeContext& context) {
  const int64_t query_heads = model::get_int(context.node(), "q_num_heads", 0), heads = model::get_int(context.node(), "kv_num_heads", 0);
  if (query_heads <= 0 || heads <= 0 || query_heads % heads != 0) {
    context.fail(fmt::format("q_num_heads is {} and kv_num_heads {}: both must be positive, the first a multiple of the second",
                             query_heads, heads));
  }
  check_update_rule(context);
  Dim batch, length, queries, keys, values, state_heads = heads, key_size, value_size, decay, beta;
  unify(context, 0, "query", {&batch, &length, &queries});
  unify(context, 1, "key", {&batch, &length, &keys});
  unify(context, 2, "value", {&batch, &length, &values});
  unify(context, 3, "past_state", {&batch, &state_heads, &key_size, &value_size});
  unify(context, 4, "decay", {&batch, &length, &decay});
  unify(context, 5, "beta", {&batch, &length, &beta});
  key_size = merge(context, key_size, head_size(context, queries, query_heads, "query"), "the size of a head of query and key");
  key_size = merge(context, key_size, head_size(context, keys, heads, "key"), "the size of a head of query and key");
  value_size = merge(context, value_size, head_size(context, values, heads, "value"), "the size of a head of the state and value");
  check_gates(context, decay, beta, heads, key_size);
  context.set_shape(0, {batch, length, multiply(value_size, query_heads)});
  if (!context.has_input(3)) context.set_dtype(1, context.dtype(0));
  context.set_shape(1, {batch, heads, key_size, value_size});
}

namespace {
DType softmax_dtype(const NodeContext& context) {
  if (context.attribute("softmax_precision") == nullptr) {
    return context.dtype(0) == DType::kFloat64 ? DType::kFloat64 : DType::kFloat32;
  }
  const int64_t number = model::get_int(context.node(), "softmax_precision", 0);
  for (const DType dtype : {DType::kFloat32, DType::kFloat16, DType::kBFloat16, DType::kFloat64}) {
    if (number == static_cast<int64_t>(dtype)) return dtype;
  }
  context.fail(fmt::format("attribute softmax_precision is {}, it must name a floating-point type", number));
}

// A body that changes scores or probabilities [batch, heads, queries, keys] one by one.
void check_modifier(const NodeContext& context, std::string_view name, DType dtype) {
  const model::Attribute* attribute = context.attribute(name);
  if (attribute == nullptr) return;
  if (attribute->g == nullptr) context.fail(fmt::format("attribute {} must be a graph", name));
  const model::Graph& body = *attribute->g;
  if (body.input.size() != 1 || body.output.size() != 1) {
    context.fail(fmt::format("{} has {} inputs and {} outputs, it must have one of each", name, body.input.size(), body.output.size()));
  }
  Dims dims(4);
  for (const model::ValueInfo* value : {&body.input.front(), &body.output.front()}) {
    const ValueType type = from_model(value->type, context.symbols());
    if (!type.is_known()) continue;
    if (!type.is_tensor() || type.dtype != dtype || (type.has_rank && type.dims.size() != dims.size())) {
      context.fail(fmt::format("'{}' of {} must be a tensor of rank 4 and type {}", value->name, name, to_string(dtype)));
    }
    if (type.has_rank) dims = merge(context, dims, type.dims, fmt::format("input and output of {}", name));
  }
}
}  // namespace

// FlexAttention: Q [batch, heads, length, size], K and V [batch, groups of heads, other length, sizes].
void infer_flex_attention(NodeContext& context) {
  Dim batch, heads, length, size, groups, keys, value_size;
  unify(context, 0, "Q", {&batch, &heads, &length, &size});
  unify(context, 1, "K", {&batch, &groups, &keys, &size});
  unify(context, 2, "V", {&batch, &groups, &keys, &value_size});
  if (heads.is_known() && groups.is_known() && heads != groups && (groups.value() <= 0 || heads.value() % groups.value() != 0)) {
    context.fail(fmt::format("Q has {} heads, which is no multiple of the {} of K and V", heads.value(), groups.value()));
  }
  context.set_shape(0, {batch, heads, length, value_size});
  const DType dtype = softmax_dtype(context);
  check_modifier(context, "score_mod", dtype);
  check_modifier(context, "prob_mod", dtype);
}

}  // namespace sardonyx::infer
