// Broadcasting: by the attributes `broadcast` and `axis` before opset 7, as in numpy since; none at all for Max, Min, Sum, Mean before 8.
#include <fmt/format.h>

#include <algorithm>

#include "convert/adapters.h"

namespace sardonyx::convert {

namespace {
using model::Attribute;

// Whether the older operators stretch `part` to `whole`: as the end of its shape, or as a single element.
bool is_suffix(const std::vector<int64_t>& part, const std::vector<int64_t>& whole) {
  if (part.size() > whole.size()) return false;
  const bool is_single = std::all_of(part.begin(), part.end(), [](int64_t size) { return size == 1; });
  return is_single || std::equal(part.rbegin(), part.rend(), whole.rbegin());
}

bool commutes(std::string_view op_type) {
  return op_type != "Sub" && op_type != "Div" && op_type != "Pow" && op_type != "Greater" && op_type != "Less";
}

// `value` with `count` axes of size 1 behind its own. Only for opsets below 13, where axes are an attribute.
std::string with_trailing_ones(Rewriter& rewriter, const std::string& value, int64_t rank, int64_t count) {
  std::vector<int64_t> axes;
  for (int64_t i = 0; i < count; ++i) axes.push_back(rank + i);
  return rewriter.emit("Unsqueeze", {value}, {Attribute::of("axes", axes)});
}

// The result of `op_type` over all inputs, two at a time; the last one makes `output`.
template <class Join>
void chain(Rewriter& rewriter, const Join& join) {
  std::string value = rewriter.input(0);
  for (size_t i = 1; i < rewriter.node.input.size(); ++i) value = join(value, rewriter.input(i));
  rewriter.emit_as("Identity", {value}, {rewriter.output(0)});
  rewriter.drop();
}

bool all_alike(const Rewriter& rewriter) {
  const auto first = rewriter.shape(rewriter.input(0));
  return first && std::all_of(rewriter.node.input.begin(), rewriter.node.input.end(),
                              [&](const std::string& input) { return rewriter.shape(input) == first; });
}
}  // namespace

void broadcast_7_up(Rewriter& rewriter) {
  rewriter.erase_attribute("consumed_inputs");
  const bool broadcasts = rewriter.take_int("broadcast", 0) != 0;
  const bool from_axis = rewriter.has_attribute("axis");
  const int64_t axis = rewriter.take_int("axis", 0);
  if (broadcasts && from_axis) {
    const int64_t rank = rewriter.need_rank(rewriter.input(0)), small = rewriter.need_rank(rewriter.input(1));
    const int64_t missing = rank - rewriter.front_axis(axis, rank) - small;
    if (missing < 0) rewriter.refuse("axis and the shape of its second input do not fit");
    if (missing > 0 && small > 0) rewriter.set_input(1, with_trailing_ones(rewriter, rewriter.input(1), small, missing));
  }
  rewriter.finish();
}

void broadcast_7_down(Rewriter& rewriter) {
  auto a = rewriter.need_shape(rewriter.input(0)), b = rewriter.need_shape(rewriter.input(1));
  if (a != b && !is_suffix(b, a) && is_suffix(a, b) && commutes(rewriter.node.op_type)) {
    std::swap(rewriter.node.input[0], rewriter.node.input[1]);
    std::swap(a, b);
  }
  if (!is_suffix(b, a)) rewriter.refuse("the shape of one input is not the end of the other's");
  if (a != b) rewriter.set(Attribute::of("broadcast", 1));
  rewriter.finish();
}

void gemm_7_up(Rewriter& rewriter) {
  rewriter.erase_attribute("broadcast");
  rewriter.finish();
}

void gemm_7_down(Rewriter& rewriter) {
  rewriter.set(Attribute::of("broadcast", 1));
  rewriter.finish();
}

void gemm_11_down(Rewriter& rewriter) {
  if (!rewriter.has_input(2)) rewriter.set_input(2, rewriter.scalar_like(0, rewriter.input(0)));
  rewriter.finish();
}

// One slope for each channel, which is axis 1.
void prelu_7_up(Rewriter& rewriter) {
  const int64_t rank = rewriter.need_rank(rewriter.input(0)), slopes = rewriter.need_rank(rewriter.input(1));
  if (slopes == 1 && rank > 2 && rewriter.dim(rewriter.input(1), 0) != 1) {
    rewriter.set_input(1, with_trailing_ones(rewriter, rewriter.input(1), 1, rank - 2));
  }
  rewriter.finish();
}

void prelu_7_down(Rewriter& rewriter) {
  const auto slope = rewriter.need_shape(rewriter.input(1));
  const int64_t count = element_count(slope);
  const bool channels = rewriter.dim(rewriter.input(0), std::min<int64_t>(1, rewriter.need_rank(rewriter.input(0)) - 1)) == count;
  const auto rank = static_cast<size_t>(rewriter.need_rank(rewriter.input(0)));
  const bool in_place = channels && slope.size() + 1 >= rank && slope.at(slope.size() + 1 - rank) == count;
  if (count != 1 && !in_place) rewriter.refuse("its slope is neither one number nor one for each channel");
  if (slope.size() != 1) rewriter.set_input(1, rewriter.emit("Reshape", {rewriter.input(1), rewriter.ints({-1})}));
  rewriter.finish();
}

void sum_8_down(Rewriter& rewriter) {
  if (all_alike(rewriter)) return rewriter.finish();
  chain(rewriter, [&](const std::string& a, const std::string& b) { return rewriter.emit("Add", {a, b}); });
}

void mean_8_down(Rewriter& rewriter) {
  if (all_alike(rewriter)) return rewriter.finish();
  std::string sum = rewriter.input(0);
  for (size_t i = 1; i < rewriter.node.input.size(); ++i) sum = rewriter.emit("Add", {sum, rewriter.input(i)});
  rewriter.emit_as("Div", {sum, rewriter.scalar_like(static_cast<double>(rewriter.node.input.size()), rewriter.input(0))},
                   {rewriter.output(0)});
  rewriter.drop();
}

void extremum_8_down(Rewriter& rewriter) {
  if (rewriter.node.input.size() > 1 && !all_alike(rewriter))
    rewriter.refuse("its inputs do not have one known shape, and it does not broadcast there");
  rewriter.finish();
}

// Integers are compared and chosen, which older operators can.
void extremum_12_down(Rewriter& rewriter) {
  if (!is_integral(rewriter.dtype(rewriter.input(0)))) return rewriter.finish();
  const std::string_view compare = rewriter.node.op_type == "Max" ? "Greater" : "Less";
  chain(rewriter, [&](const std::string& a, const std::string& b) {
    return rewriter.emit("Where", {rewriter.emit(compare, {a, b}), a, b});
  });
}

void relu_14_down(Rewriter& rewriter) {
  if (!is_integral(rewriter.dtype(rewriter.input(0)))) return rewriter.finish();
  rewriter.set_input(1, rewriter.scalar_like(0, rewriter.input(0)));
  rewriter.node.op_type = "Max";
  rewriter.finish();
}

// Floats are equal where neither is less; a number is one that is less than 1 or greater than 0.
void equal_11_down(Rewriter& rewriter) {
  if (!is_floating_point(rewriter.dtype(rewriter.input(0)))) {
    settle_types(rewriter, Types::kCast);
    return rewriter.finish();
  }
  expand(rewriter, R"((A, B) => (C) {
    zero = Like <v = 0.0> (A)  one = Like <v = 1.0> (A)
    less = Less (A, B)  greater = Greater (A, B)  differ = Or (less, greater)  alike = Not (differ)
    a1 = Less (A, one)  a0 = Greater (A, zero)  a = Or (a1, a0)
    b1 = Less (B, one)  b0 = Greater (B, zero)  b = Or (b1, b0)
    numbers = And (a, b)  C = And (alike, numbers) })");
}

// Before opset 12 both inputs are of one type.
void pow_12_down(Rewriter& rewriter) {
  const DType base = rewriter.dtype(rewriter.input(0)), exponent = rewriter.dtype(rewriter.input(1));
  if (base == exponent && is_floating_point(base)) return rewriter.finish();
  if (base == DType::kUndefined || exponent == DType::kUndefined) rewriter.refuse("the types of its inputs are not known");
  if (is_floating_point(base)) {
    rewriter.set_input(1, rewriter.cast(rewriter.input(1), base));
    return rewriter.finish();
  }
  if (base == DType::kInt64) rewriter.refuse("powers of int64 are not exact in float64");
  const DType wide = DType::kFloat64;
  rewriter.set_input(0, rewriter.cast(rewriter.input(0), wide));
  rewriter.set_input(1, rewriter.cast(rewriter.input(1), wide));
  const std::string result = rewriter.finish_with(0);
  rewriter.emit_as("Cast", {result}, {rewriter.output(0)}, {Attribute::of("to", static_cast<int64_t>(base))});
}

}  // namespace sardonyx::convert
