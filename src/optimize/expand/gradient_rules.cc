#include "optimize/expand/gradient_rules.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "optimize/pass.h"

namespace sardonyx::optimize {
namespace {

using model::Attribute;

// The operators of domain ai.sardonyx stand in src/ops/like.
std::string filled(const Backward& s, const std::string& like, float value) {
  return s.writer.own("FilledLike", {like}, {Attribute::of("value", value)});
}
std::string sum_like(const Backward& s, const std::string& x, const std::string& like, std::vector<Attribute> attributes = {}) {
  return s.writer.own("SumLike", {x, like}, std::move(attributes));
}
std::string mul(const Backward& s, const std::string& a, const std::string& b) { return s.writer.onnx("Mul", {a, b}); }
std::string neg(const Backward& s, const std::string& x) { return s.writer.onnx("Neg", {x}); }

// Adds `x`, of the output's shape, to the gradient of an input that may have been broadcast.
void give_broadcast(const Backward& s, size_t index, const std::string& x) { s.gives(index, sum_like(s, x, s.input(index))); }

std::vector<Attribute> attributes_of(const Backward& s, std::initializer_list<std::string_view> names) {
  std::vector<Attribute> attributes;
  for (const std::string_view name : names) {
    if (const Attribute* attribute = s.node.find_attribute(name)) attributes.push_back(*attribute);
  }
  return attributes;
}

void identity(const Backward& s) { s.gives(0, s.gradient); }
void negation(const Backward& s) { s.gives(0, neg(s, s.gradient)); }
void sum(const Backward& s) {
  for (size_t i = 0; i < s.node.input.size(); ++i) {
    if (s.wants(i)) give_broadcast(s, i, s.gradient);
  }
}
void subtraction(const Backward& s) {
  if (s.wants(0)) give_broadcast(s, 0, s.gradient);
  if (s.wants(1)) give_broadcast(s, 1, neg(s, s.gradient));
}
void product(const Backward& s) {
  if (s.wants(0)) give_broadcast(s, 0, mul(s, s.gradient, s.input(1)));
  if (s.wants(1)) give_broadcast(s, 1, mul(s, s.gradient, s.input(0)));
}
void quotient(const Backward& s) {
  const std::string part = s.writer.onnx("Div", {s.gradient, s.input(1)});
  if (s.wants(0)) give_broadcast(s, 0, part);
  if (s.wants(1)) give_broadcast(s, 1, neg(s, mul(s, part, s.output())));
}
void exponential(const Backward& s) { s.gives(0, mul(s, s.gradient, s.output())); }
void logarithm(const Backward& s) { s.gives(0, s.writer.onnx("Div", {s.gradient, s.input(0)})); }
void square_root(const Backward& s) { s.gives(0, s.writer.onnx("Div", {s.gradient, s.writer.onnx("Add", {s.output(), s.output()})})); }

// x^e: e x^(e-1), which is 0 for e = 0 whatever x is, and x^e log(x), which is 0 at x = 0.
void power(const Backward& s) {
  const std::string& x = s.input(0);
  const std::string e = s.writer.own("CastLike", {s.input(1), x});
  if (s.wants(0)) {
    const std::string zero = filled(s, e, 0), lower = s.writer.onnx("Sub", {e, filled(s, e, 1)});
    const std::string slope = mul(s, e, s.writer.onnx("Pow", {x, lower}));
    give_broadcast(s, 0, s.writer.onnx("Where", {s.writer.onnx("Equal", {e, zero}), zero, mul(s, s.gradient, slope)}));
  }
  if (s.wants(1)) {
    const std::string zero = filled(s, x, 0), slope = mul(s, s.output(), s.writer.onnx("Log", {x}));
    const std::string part = s.writer.onnx("Where", {s.writer.onnx("Equal", {x, zero}), zero, mul(s, s.gradient, slope)});
    s.gives(1, s.writer.own("CastLike", {sum_like(s, part, s.input(1)), s.input(1)}));
  }
}

void relu(const Backward& s) {
  const std::string zero = filled(s, s.input(0), 0);
  s.gives(0, s.writer.onnx("Where", {s.writer.onnx("Greater", {s.input(0), zero}), s.gradient, zero}));
}
// y (1 - y)
void sigmoid(const Backward& s) {
  const std::string rest = s.writer.onnx("Sub", {filled(s, s.output(), 1), s.output()});
  s.gives(0, mul(s, s.gradient, mul(s, s.output(), rest)));
}
// 1 - y^2
void tanh_rule(const Backward& s) {
  const std::string square = mul(s, s.output(), s.output());
  s.gives(0, mul(s, s.gradient, s.writer.onnx("Sub", {filled(s, s.output(), 1), square})));
}

void where(const Backward& s) {
  const std::string zero = filled(s, s.gradient, 0);
  if (s.wants(1)) give_broadcast(s, 1, s.writer.onnx("Where", {s.input(0), s.gradient, zero}));
  if (s.wants(2)) give_broadcast(s, 2, s.writer.onnx("Where", {s.input(0), zero, s.gradient}));
}

void cast(const Backward& s) {
  if (s.wants(0)) s.gives(0, s.writer.own("CastLike", {s.gradient, s.input(0)}));
}

void reshaped(const Backward& s) {
  if (s.wants(0)) s.gives(0, s.writer.own("ReshapeLike", {s.gradient, s.input(0)}));
}

void transpose(const Backward& s) {
  const std::vector<int64_t> perm = model::get_ints(s.node, "perm");
  std::vector<int64_t> inverse(perm.size());
  for (size_t i = 0; i < perm.size(); ++i) {
    if (perm[i] < 0 || static_cast<size_t>(perm[i]) >= perm.size())
      throw Error(ErrorCode::kInvalidModel, "attribute perm is no permutation");
    inverse[static_cast<size_t>(perm[i])] = static_cast<int64_t>(i);
  }
  std::vector<Attribute> attributes;
  if (!perm.empty()) attributes.push_back(Attribute::of("perm", inverse));
  s.gives(0, s.writer.onnx("Transpose", {s.gradient}, std::move(attributes)));
}
void swap_last(const Backward& s) { s.gives(0, s.writer.own("SwapLast", {s.gradient})); }

void reduction(const Backward& s, bool mean) {
  if (!s.wants(0)) return;
  std::string kept = s.gradient;
  if (model::get_int(s.node, "keepdims", 1) == 0) {
    std::vector<std::string> inputs = {kept, s.input(0)};
    if (s.node.input.size() > 1 && !s.input(1).empty()) inputs.push_back(s.input(1));
    kept = s.writer.own("KeepDimsLike", std::move(inputs), attributes_of(s, {"axes", "noop_with_empty_axes"}));
  }
  s.gives(0, s.writer.own("ExpandLike", {kept, s.input(0)}, {Attribute::of("mean", mean ? 1 : 0)}));
}
void reduce_sum(const Backward& s) { reduction(s, false); }
void reduce_mean(const Backward& s) { reduction(s, true); }

void sum_like_rule(const Backward& s) {
  if (s.wants(0)) s.gives(0, s.writer.own("ExpandLike", {s.gradient, s.input(0)}, attributes_of(s, {"scale", "mean"})));
}
void expand_like_rule(const Backward& s) {
  if (s.wants(0)) s.gives(0, sum_like(s, s.gradient, s.input(0), attributes_of(s, {"scale", "mean"})));
}
void expand(const Backward& s) {
  if (s.wants(0)) give_broadcast(s, 0, s.gradient);
}

void matmul(const Backward& s) {
  const std::string a = s.writer.own("MatrixOperand", {s.input(0)}, {Attribute::of("side", 0)});
  const std::string b = s.writer.own("MatrixOperand", {s.input(1)}, {Attribute::of("side", 1)});
  const std::string g = s.writer.own("MatrixResult", {s.gradient, s.input(0), s.input(1)});
  const auto give = [&](size_t index, const std::string& left, const std::string& right, const std::string& like) {
    const std::string part = sum_like(s, s.writer.onnx("MatMul", {left, right}), like);
    s.gives(index, s.writer.own("ReshapeLike", {part, s.input(index)}));
  };
  if (s.wants(0)) give(0, g, s.writer.own("SwapLast", {b}), a);
  if (s.wants(1)) give(1, s.writer.own("SwapLast", {a}), g, b);
}

// y = alpha A' B' + beta C, A' and B' transposed or not.
void gemm(const Backward& s) {
  const int64_t trans_a = model::get_int(s.node, "transA", 0) != 0 ? 1 : 0, trans_b = model::get_int(s.node, "transB", 0) != 0 ? 1 : 0;
  const float alpha = model::get_float(s.node, "alpha", 1), beta = model::get_float(s.node, "beta", 1);
  const auto times = [&](const std::string& left, int64_t trans_left, const std::string& right, int64_t trans_right) {
    return s.writer.onnx("Gemm", {left, right},
                         {Attribute::of("alpha", alpha), Attribute::of("transA", trans_left), Attribute::of("transB", trans_right)});
  };
  const std::string &a = s.input(0), &b = s.input(1), &g = s.gradient;
  if (s.wants(0)) s.gives(0, trans_a != 0 ? times(b, trans_b, g, 1) : times(g, 0, b, 1 - trans_b));
  if (s.wants(1)) s.gives(1, trans_b != 0 ? times(g, 1, a, trans_a) : times(a, 1 - trans_a, g, 0));
  if (s.node.input.size() > 2 && !s.input(2).empty() && s.wants(2)) s.gives(2, sum_like(s, g, s.input(2), {Attribute::of("scale", beta)}));
}

struct Row {
  std::string_view op_type;
  GradientRule rule;
};
constexpr Row kOnnxRules[] = {
    {"Add", sum},
    {"Cast", cast},
    {"CastLike", cast},
    {"Div", quotient},
    {"Exp", exponential},
    {"Expand", expand},
    {"Flatten", reshaped},
    {"Gemm", gemm},
    {"Identity", identity},
    {"Log", logarithm},
    {"MatMul", matmul},
    {"Mul", product},
    {"Neg", negation},
    {"Pow", power},
    {"ReduceMean", reduce_mean},
    {"ReduceSum", reduce_sum},
    {"Relu", relu},
    {"Reshape", reshaped},
    {"Sigmoid", sigmoid},
    {"Sqrt", square_root},
    {"Squeeze", reshaped},
    {"Sub", subtraction},
    {"Sum", sum},
    {"Tanh", tanh_rule},
    {"Transpose", transpose},
    {"Unsqueeze", reshaped},
    {"Where", where},
};
// Those of gradients, so that they can be differentiated again.
constexpr Row kOwnRules[] = {
    {"CastLike", cast},         {"ExpandLike", expand_like_rule}, {"KeepDimsLike", reshaped}, {"MatrixOperand", reshaped},
    {"MatrixResult", reshaped}, {"ReshapeLike", reshaped},        {"SumLike", sum_like_rule}, {"SwapLast", swap_last},
};
constexpr std::string_view kConstantOperators[] = {
    "And",   "ArgMax",     "ArgMin", "Ceil",        "ConstantOfShape",
    "Equal", "FilledLike", "Floor",  "Greater",     "GreaterOrEqual",
    "IsInf", "IsNaN",      "Less",   "LessOrEqual", "Not",
    "Or",    "Round",      "Shape",  "Sign",        "Size",
    "Xor",
};

}  // namespace

GradientRule gradient_rule(const model::Node& node) {
  const auto find = [&](const auto& rows) -> GradientRule {
    const auto* found = std::ranges::find(rows, node.op_type, &Row::op_type);
    return found == std::end(rows) ? nullptr : found->rule;
  };
  if (is_onnx_domain(node.domain)) return find(kOnnxRules);
  return node.domain == kFusedDomain ? find(kOwnRules) : nullptr;
}

bool is_piecewise_constant(const model::Node& node) {
  return (is_onnx_domain(node.domain) || node.domain == kFusedDomain) &&
         std::ranges::find(kConstantOperators, node.op_type) != std::end(kConstantOperators);
}

std::string differentiable_operators() {
  std::string names;
  for (const Row& row : kOnnxRules) names += (names.empty() ? "" : ", ") + std::string(row.op_type);
  return names;
}

}  // namespace sardonyx::optimize
