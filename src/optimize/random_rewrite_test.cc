// Random expressions made of what the fusions look for, mostly a little off: operands swapped, other constants and axes, values read twice.
// The optimised model must agree with the given one.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "optimize/rule_testing.h"

namespace sardonyx::optimize {
namespace {

class RandomExpression {
 public:
  explicit RandomExpression(uint32_t seed) : engine_(seed), builder_(pick<int64_t>({12, 13, 17, 18, 20, 24})) {
    builder_.input("x", {"n", 3, 4}).input("z", {"n", 3, 4});
    builder_.constant("w", random_tensor({4, 4}, 11)).constant("scale", random_tensor({4}, 12)).constant("shift", random_tensor({4}, 13));
    const int steps = 1 + static_cast<int>(below(3));
    std::string value = below(4) == 0 ? "z" : "x";
    for (int i = 0; i < steps; ++i) value = pattern(value);
    node("Neg", {value}, "y");
    builder_.output("y");
    if (below(3) == 0 && !made_.empty()) builder_.output(made_[below(made_.size())]);
  }
  model::Model build() const { return builder_.build(); }

 private:
  uint32_t below(size_t bound) { return static_cast<uint32_t>(engine_() % bound); }
  template <class T>
  T pick(std::initializer_list<T> values) {
    return values.begin()[below(values.size())];
  }
  int64_t opset() const { return builder_.build().opset_version(); }

  std::string node(const char* op_type, std::vector<std::string> inputs, std::string output = "",
                   std::vector<model::Attribute> attributes = {}) {
    if (output.empty()) output = "v" + std::to_string(next_++);
    if (output != "y") made_.push_back(output);
    builder_.node(op_type, std::move(inputs), {output}, std::move(attributes));
    return output;
  }
  // Of two operands in either order.
  std::string both(const char* op_type, std::string a, std::string b) {
    if (below(2) == 0) std::swap(a, b);
    return node(op_type, {std::move(a), std::move(b)});
  }
  // A constant near the right one, now and then another, of rank 0 or more.
  std::string number(float value) {
    if (below(12) == 0) value = pick({value * 1.5f, -value, 0.25f});
    const std::string name = "c" + std::to_string(next_++);
    const Shape shape = below(6) > 0 ? Shape{} : pick<Shape>({{1}, {1, 1, 1}, {1, 1, 1, 1}});
    builder_.constant(name, Tensor::full(shape, static_cast<double>(value)));
    return name;
  }
  // The value, now and then another of its shape.
  std::string same(const std::string& value) { return below(15) == 0 ? "z" : value; }
  std::string mean(const std::string& value) {
    const int64_t axis = below(8) == 0 ? pick<int64_t>({1, -2, 0}) : pick<int64_t>({-1, 2});
    std::vector<model::Attribute> attributes = {model::Attribute::of("keepdims", 1)};
    if (opset() < 18) {
      attributes.push_back(model::Attribute::of("axes", std::vector<int64_t>{axis}));
      return node("ReduceMean", {value}, "", std::move(attributes));
    }
    const std::string name = "axes" + std::to_string(next_++);
    builder_.constant(name, Tensor::of<int64_t>({1}, {axis}));
    return node("ReduceMean", {value, name}, "", std::move(attributes));
  }
  std::string transpose(const std::string& value, std::vector<int64_t> perm) {
    if (below(15) == 0) std::swap(perm[0], perm[1]);
    return node("Transpose", {value}, "", {model::Attribute::of("perm", std::move(perm))});
  }

  std::string pattern(const std::string& x) {
    switch (below(8)) {
      case 0:
        return gelu(x);
      case 1:
        return swish(x);
      case 2:
        return norm(x);
      case 3:
        return attention(x);
      case 4:
        return product(x);
      case 5:
        return mish(x);
      case 6:
        return moved(x);
      default:
        return hard_swish(x);
    }
  }
  std::string gelu(const std::string& x) {
    std::string inner;
    if (below(2) == 0) {
      inner = node("Erf", {below(2) == 0 ? node("Div", {x, number(1.41421356f)}) : both("Mul", x, number(0.70710678f))});
    } else {
      const std::string cube = below(2) == 0 ? node("Pow", {x, number(3)}) : both("Mul", both("Mul", x, x), same(x));
      inner = node("Tanh", {both("Mul", number(0.79788456f), both("Add", x, both("Mul", cube, number(0.044715f))))});
    }
    const std::string sum = both("Add", inner, number(1));
    if (below(2) == 0) return both("Mul", both("Mul", same(x), number(0.5f)), sum);
    return below(2) == 0 ? both("Mul", x, both("Mul", sum, number(0.5f))) : node("Div", {both("Mul", x, sum), number(2)});
  }
  std::string swish(const std::string& x) {
    return both("Mul", same(x), node("Sigmoid", {below(2) == 0 ? x : both("Mul", x, number(1.702f))}));
  }
  std::string mish(const std::string& x) { return both("Mul", same(x), node("Tanh", {node("Softplus", {x})})); }
  std::string hard_swish(const std::string& x) {
    const std::string clip = node("Clip", {both("Add", x, number(3)), bound(0), bound(6)});
    if (below(3) == 0) return node("Div", {clip, number(6)});
    return below(2) == 0 ? node("Div", {both("Mul", x, clip), number(6)}) : both("Mul", same(x), both("Mul", clip, number(1.0f / 6)));
  }
  std::string bound(float value) {
    const std::string name = "b" + std::to_string(next_++);
    builder_.constant(name, Tensor::scalar(below(12) == 0 ? value + 1 : value));
    return name;
  }
  std::string norm(const std::string& x) {
    const bool centered = below(3) > 0;
    const std::string difference = centered ? node("Sub", {x, mean(same(x))}) : x;
    const std::string square = below(2) == 0 ? node("Pow", {difference, number(2)}) : both("Mul", difference, same(difference));
    const std::string sum = both("Add", mean(square), number(1e-3f));
    std::string result;
    switch (below(3)) {
      case 0:
        result = node("Div", {difference, node("Sqrt", {sum})});
        break;
      case 1:
        result = both("Mul", difference, node("Reciprocal", {node("Sqrt", {sum})}));
        break;
      default:
        result = both("Mul", difference, node("Pow", {node("Abs", {sum}), number(-0.5f)}));
    }
    if (below(2) == 0) result = both("Mul", result, "scale");
    return below(2) == 0 ? both("Add", result, "shift") : result;
  }
  std::string attention(const std::string& x) {
    const std::string q = below(2) == 0 ? node("MatMul", {x, "w"}) : x;
    std::string scores = node("MatMul", {below(4) == 0 ? both("Mul", q, number(0.7f)) : q, transpose(same(x), {0, 2, 1})});
    if (below(2) == 0) scores = node("Div", {scores, number(2)});
    if (below(2) == 0) {
      const std::string name = "m" + std::to_string(next_++);
      builder_.constant(name, random_tensor(pick<Shape>({{3}, {3, 3}, {1, 3, 3}, {3, 1}, {1, 1, 3}}), next_));
      scores = both("Add", scores, name);
    } else if (below(2) == 0) {
      const std::string name = "m" + std::to_string(next_++);
      builder_.constant(name, Tensor::of<bool>({3, 3}, {true, false, false, true, true, false, true, true, pick({true, false})}));
      scores = below(2) == 0 ? node("Where", {name, scores, number(-3e38f)}) : node("Where", {name, number(-100), scores});
    }
    const std::string chosen = node("Softmax", {scores}, "", {model::Attribute::of("axis", below(10) == 0 ? 1 : 2)});
    return node("MatMul", {chosen, below(2) == 0 ? same(x) : node("MatMul", {x, "w"})});
  }
  std::string product(const std::string& x) {
    std::string result;
    if (below(2) == 0) {
      result = node("MatMul", {x, "w"});
    } else {
      const std::string square = node("MatMul", {x, transpose(x, {0, 2, 1})});
      result = node("MatMul", {below(2) == 0 ? both("Mul", square, number(0.5f)) : square, x});
    }
    if (below(2) == 0) result = both("Mul", result, number(0.5f));
    return below(2) == 0 ? both("Add", result, "shift") : result;
  }
  std::string moved(const std::string& x) {
    const std::string turned = transpose(transpose(x, {2, 0, 1}), {1, 2, 0});
    const std::string shape = node("Shape", {x});
    return node("Reshape", {node("Flatten", {turned}), shape});
  }

  std::mt19937 engine_;
  ModelBuilder builder_;
  std::vector<std::string> made_;
  uint32_t next_ = 0;
};

// NaN meets NaN, infinities meet themselves, and numbers agree to `tolerance` of the greater one or absolutely. With `limits`, a number
// may be where the expression has NaN: of minus infinity, Gelu and its kin are 0, and their spellings infinity times 0.
void expect_agreement(const Tensor& expected, const Tensor& actual, float tolerance, bool limits) {
  ASSERT_EQ(expected.shape(), actual.shape());
  ASSERT_EQ(expected.dtype(), actual.dtype());
  if (expected.dtype() != DType::kFloat32) return;
  for (size_t i = 0; i < expected.values<float>().size(); ++i) {
    const float a = expected.values<float>()[i], b = actual.values<float>()[i];
    if (limits && std::isnan(a)) continue;
    if (std::isnan(a) || std::isinf(a)) {
      ASSERT_TRUE(std::isnan(a) ? std::isnan(b) : a == b) << "element " << i << ": " << a << " became " << b;
    } else {
      ASSERT_NEAR(a, b, tolerance * std::max(1.0f, std::abs(a))) << "element " << i;
    }
  }
}

TEST(RandomRewrite, Agrees) {
  size_t fused = 0;
  for (uint32_t seed = 0; seed < 2000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const model::Model model = RandomExpression(seed).build();
    Feeds feeds = {{"x", random_tensor({2, 3, 4}, seed)}, {"z", random_tensor({2, 3, 4}, seed + 1)}};
    const bool infinite = seed % 16 == 0;
    if (seed % 8 == 0) {
      const std::span<float> values = feeds[0].second.mutable_values<float>();
      const float infinity = std::numeric_limits<float>::infinity();
      values[seed / 8 % values.size()] = infinite ? infinity : std::nanf("");
      if (infinite) values[seed / 3 % values.size()] = -infinity;
    }
    std::vector<Tensor> expected;
    try {
      expected = reference_outputs(model, feeds);
    } catch (const Error&) {
      continue;  // sizes that do not fit
    }
    for (const auto level : {GraphOptimizationLevel::kBasic, GraphOptimizationLevel::kAll}) {
      model::Model after = model;
      const auto reports = optimize(after, level);
      for (const PassReport& report : reports) fused += report.name.starts_with("fuse_") ? report.rewrites : 0;
      const std::vector<Tensor> actual = reference_outputs(after, feeds);
      for (size_t i = 0; i < expected.size(); ++i) {
        expect_agreement(expected[i], actual.at(i), level == GraphOptimizationLevel::kBasic ? 0 : 1e-4f,
                         infinite && level > GraphOptimizationLevel::kBasic);
        if (testing::Test::HasFatalFailure()) return;
      }
    }
  }
  EXPECT_GT(fused, 500U);
}

}  // namespace
}  // namespace sardonyx::optimize
