// Operators whose output has the shape of an input, or that to which the inputs broadcast.
#include "infer/rules.h"
#include "infer/rules/operands.h"
#include "infer/rules/propagation.h"

namespace sardonyx::infer {

namespace {
constexpr int kFirstWithBroadcasting = 7;  // of two inputs; before, A gives the shape
constexpr int kFirstNaryBroadcasting = 8;  // of any number

// Before general broadcasting the output has A's shape, and B too unless the attribute `broadcast` is set.
void broadcast_pair(NodeContext& context) {
  if (context.version() >= kFirstWithBroadcasting) {
    if (std::optional<Dims> dims = broadcast_inputs(context, 0, 2)) context.set_shape(0, std::move(*dims));
    return;
  }
  const bool same_shapes = model::get_int(context.node(), "broadcast", 0) == 0;
  context.copy_shape(context.shape(0) == nullptr && same_shapes ? 1 : 0, 0);
}

void binary(NodeContext& context, BinaryElement function) {
  broadcast_pair(context);
  if (context.version() >= kFirstWithBroadcasting) propagate_nary(context, function);
}

void nary(NodeContext& context, BinaryElement function) {
  if (context.version() >= kFirstNaryBroadcasting) {
    if (std::optional<Dims> dims = broadcast_inputs(context, 0, context.inputs())) context.set_shape(0, std::move(*dims));
    if (function != nullptr) propagate_nary(context, function);
    return;
  }
  for (size_t i = 0; i < context.inputs(); ++i) {
    if (context.shape(i) == nullptr) continue;
    context.copy_shape(i, 0);
    return;
  }
}

void logical(NodeContext& context, BinaryElement function) {
  context.set_dtype(0, DType::kBool);
  binary(context, function);
}

void unary(NodeContext& context, UnaryElement function) {
  context.copy_shape(0, 0);
  propagate_unary(context, function);
}

Dim divide_whole(Dim a, Dim b) {  // rounds towards 0
  if (b.is(1)) return a;
  if (!a.is_known() || !b.is_known() || b.is(0)) return {};
  return b.is(-1) ? subtract(0, a) : Dim(a.value() / b.value());
}

Dim divide_exactly(Dim a, Dim b) {
  if (b.is(1)) return a;
  if (!a.is_known() || !b.is_known() || b.is(0) || b.is(-1)) return {};
  return a.value() % b.value() == 0 ? Dim(a.value() / b.value()) : Dim();
}

Dim remainder(Dim a, Dim b) {  // the sign of a
  if (b.is(1) || b.is(-1)) return a.is_unknown() ? Dim() : Dim(0);
  return a.is_known() && b.is_known() && !b.is(0) ? Dim(a.value() % b.value()) : Dim();
}

Dim modulo(Dim a, Dim b) {  // the sign of b
  const Dim rest = remainder(a, b);
  if (!rest.is_known() || !b.is_known() || rest.is(0)) return rest;
  return (rest.value() < 0) != (b.value() < 0) ? add(rest, b) : rest;
}

Dim power(Dim base, Dim exponent) {
  if (exponent.is(1)) return base;
  if (exponent.is(0)) return 1;
  if (!base.is_known() || !exponent.is_known() || exponent.value() < 0) return {};
  if (base.is(0) || base.is(1)) return base;
  if (exponent.value() > 63) return {};
  Dim result = 1;
  for (int64_t i = 0; i < exponent.value(); ++i) result = multiply(result, base);
  return result;
}

// Symbols are sizes, so at least 0.
Dim is_less(Dim a, Dim b) {
  if (same(a, b)) return 0;
  if (a.is_known() && b.is_known()) return a.value() < b.value() ? 1 : 0;
  if (a.is_symbol() && b.is_known() && b.value() <= 0) return 0;
  if (a.is_known() && b.is_symbol() && a.value() < 0) return 1;
  return {};
}
Dim is_equal(Dim a, Dim b) {
  if (same(a, b)) return 1;
  if (a.is_known() && b.is_known()) return 0;
  const bool differs = (a.is_symbol() && b.is_known() && b.value() < 0) || (b.is_symbol() && a.is_known() && a.value() < 0);
  return differs ? Dim(0) : Dim();
}
Dim negation(Dim a) { return a.is_known() ? Dim(a.is(0) ? 1 : 0) : Dim(); }
Dim conjunction(Dim a, Dim b) {
  if (a.is(0) || b.is(0)) return 0;
  return a.is_known() && b.is_known() ? Dim(1) : Dim();
}
Dim exclusive_or(Dim a, Dim b) { return a.is_known() && b.is_known() ? Dim(a == b ? 0 : 1) : Dim(); }

Dim minimum(Dim a, Dim b) {
  const Dim less = is_less(a, b);
  if (less.is_known()) return less.is(1) ? a : b;
  const Dim greater = is_less(b, a);
  if (greater.is_unknown()) return {};
  return greater.is(1) ? b : a;
}
Dim maximum(Dim a, Dim b) {
  const Dim least = minimum(a, b);
  if (least.is_unknown()) return {};
  return least == a ? b : a;
}

Dim absolute(Dim a) { return a.is_known() ? maximum(a, subtract(0, a)) : (a.is_symbol() ? a : Dim()); }
Dim sign(Dim a) { return a.is_known() ? Dim((a.value() > 0 ? 1 : 0) - (a.value() < 0 ? 1 : 0)) : Dim(); }

Dim square_root(Dim a) {
  if (!a.is_known() || a.value() < 0) return {};
  constexpr int64_t kLargestRoot = 3037000499;  // its square is the greatest in int64
  int64_t low = 0, high = kLargestRoot;
  while (low < high) {
    const int64_t middle = (low + high + 1) / 2;
    if (middle * middle <= a.value()) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low * low == a.value() ? Dim(low) : Dim();
}
}  // namespace

void infer_same_shape(NodeContext& context) { context.copy_shape(0, 0); }
void infer_boolean_same_shape(NodeContext& context) {
  context.set_dtype(0, DType::kBool);
  context.copy_shape(0, 0);
}
void infer_broadcast_pair(NodeContext& context) { broadcast_pair(context); }

// Whole numbers stay what they are (Floor, Ceil, Round).
void infer_rounding(NodeContext& context) {
  unary(context, [](Dim a) { return a; });
}
void infer_relu(NodeContext& context) {
  unary(context, [](Dim a) { return maximum(a, 0); });
}
void infer_abs(NodeContext& context) { unary(context, absolute); }
void infer_neg(NodeContext& context) {
  unary(context, [](Dim a) { return subtract(0, a); });
}
void infer_sign(NodeContext& context) { unary(context, sign); }
void infer_sqrt(NodeContext& context) { unary(context, square_root); }
void infer_not(NodeContext& context) {
  context.set_dtype(0, DType::kBool);
  unary(context, negation);
}

void infer_add(NodeContext& context) { binary(context, add); }
void infer_sub(NodeContext& context) { binary(context, subtract); }
void infer_mul(NodeContext& context) { binary(context, multiply); }
void infer_div(NodeContext& context) { binary(context, is_integral(context.dtype(0)) ? divide_whole : divide_exactly); }
void infer_mod(NodeContext& context) { binary(context, model::get_int(context.node(), "fmod", 0) == 0 ? modulo : remainder); }
void infer_pow(NodeContext& context) { binary(context, power); }

void infer_equal(NodeContext& context) { logical(context, is_equal); }
void infer_less(NodeContext& context) { logical(context, is_less); }
void infer_greater(NodeContext& context) {
  logical(context, [](Dim a, Dim b) { return is_less(b, a); });
}
void infer_less_or_equal(NodeContext& context) {
  logical(context, [](Dim a, Dim b) { return negation(is_less(b, a)); });
}
void infer_greater_or_equal(NodeContext& context) {
  logical(context, [](Dim a, Dim b) { return negation(is_less(a, b)); });
}
void infer_and(NodeContext& context) { logical(context, conjunction); }
void infer_or(NodeContext& context) {
  logical(context, [](Dim a, Dim b) { return negation(conjunction(negation(a), negation(b))); });
}
void infer_xor(NodeContext& context) { logical(context, exclusive_or); }

void infer_sum(NodeContext& context) { nary(context, add); }
void infer_max(NodeContext& context) { nary(context, maximum); }
void infer_min(NodeContext& context) { nary(context, minimum); }
void infer_mean(NodeContext& context) { nary(context, nullptr); }

// Clip: bounds are attributes before version 11, then optional inputs.
void infer_clip(NodeContext& context) {
  context.copy_shape(0, 0);
  constexpr int kBoundsAreInputs = 11;
  std::optional<Dims> elements = elements_of(context, 0);
  if (context.version() < kBoundsAreInputs || !elements) return;
  const auto bound = [&](size_t input, BinaryElement function) {
    if (!context.has_input(input)) return;
    const std::optional<Dims> limit = elements_of(context, input);
    for (Dim& element : *elements) element = limit && limit->size() == 1 ? function(element, limit->front()) : Dim();
  };
  bound(1, maximum);
  bound(2, minimum);
  put_elements(context, 0, std::move(*elements));
}

// Where: all three broadcast; an element is known where the choice is, or where both choices are the same.
void infer_where(NodeContext& context) {
  if (std::optional<Dims> dims = broadcast_inputs(context, 0, 3)) context.set_shape(0, std::move(*dims));
  std::vector<Dims> lists;
  for (size_t i = 0; i < 3; ++i) {
    std::optional<Dims> elements = i == 0 ? elements_or_unknown(context, i) : elements_of(context, i);
    if (!elements) return;
    lists.push_back(std::move(*elements));
  }
  const std::optional<size_t> count = broadcast_count(lists);
  if (!count) return;
  Dims result(*count);
  for (size_t i = 0; i < *count; ++i) {
    const Dim condition = broadcast_element(lists[0], i), yes = broadcast_element(lists[1], i), no = broadcast_element(lists[2], i);
    if (condition.is_known()) {
      result[i] = condition.is(0) ? no : yes;
    } else if (same(yes, no)) {
      result[i] = yes;
    }
  }
  put_elements(context, 0, std::move(result));
}

// Dropout: the mask is of bool since version 10, of the data's type before; ratio and training_mode are scalars.
void infer_dropout(NodeContext& context) {
  context.copy_shape(0, 0);
  context.expect_rank(1, 0, "ratio");
  context.expect_rank(2, 0, "training_mode");
  if (context.outputs() < 2) return;
  constexpr int kBooleanMask = 10;
  if (context.version() >= kBooleanMask) context.set_dtype(1, DType::kBool);
  context.copy_shape(0, 1);
}

// Identity: any value, all that is known of it.
void infer_identity(NodeContext& context) {
  if (context.outputs() == 0 || !context.type(0).is_known()) return;
  context.results()[0] = context.input(0);
}

// CumSum; CumProd has the same shape only.
void infer_cumulative_sum(NodeContext& context) {
  context.copy_shape(0, 0);
  std::optional<Dims> elements = elements_of(context, 0);
  const Dims* shape = context.shape(0);
  if (!elements || shape == nullptr || shape->size() != 1) return;
  const bool reverse = model::get_int(context.node(), "reverse", 0) != 0;
  const bool exclusive = model::get_int(context.node(), "exclusive", 0) != 0;
  const DType dtype = context.dtype(0);
  Dim sum = 0;
  for (size_t i = 0; i < elements->size(); ++i) {
    Dim& element = (*elements)[reverse ? elements->size() - 1 - i : i];
    const Dim before = sum;
    sum = fit(add(sum, element), dtype);
    element = exclusive ? before : sum;
  }
  put_elements(context, 0, std::move(*elements));
}

}  // namespace sardonyx::infer
