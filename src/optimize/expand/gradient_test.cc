#include <gmock/gmock.h>

#include <functional>

#include "core/expect_error.h"
#include "optimize/expand/expand.h"
#include "optimize/rule_testing.h"

namespace sardonyx::optimize {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kTraining = "ai.onnx.preview.training";

ModelBuilder builder(int64_t opset = 17) {
  ModelBuilder result(opset);
  result.import(std::string(kTraining), 1);
  return result;
}

void add_gradient(ModelBuilder& b, const std::vector<std::string>& xs, const std::string& y, const std::vector<std::string>& inputs,
                  const std::vector<std::string>& outputs, const std::vector<std::string>& zs = {}) {
  std::vector<model::Attribute> attributes = {model::Attribute::of("xs", xs), model::Attribute::of("y", y)};
  if (!zs.empty()) attributes.push_back(model::Attribute::of("zs", zs));
  b.node("Gradient", inputs, outputs, attributes, std::string(kTraining));
}

std::vector<Tensor> expanded_outputs(model::Model model, const Feeds& feeds) {
  expand_composites(model);
  return reference_outputs(model, feeds);
}

double sum_of(const Tensor& tensor) {
  double sum = 0;
  for (const double value : tensor.to(DType::kFloat64).values<double>()) sum += value;
  return sum;
}

// In [0.5, 1.5), away from where functions bend or end.
Tensor doubles(Shape shape, uint32_t seed) {
  Tensor result = random_tensor(std::move(shape), seed).to(DType::kFloat64);
  for (double& v : result.mutable_values<double>()) v = 1 + v / 2;
  return result;
}

// Adds nodes that make 'y' of 'a' and 'b'.
using Formula = std::function<void(ModelBuilder&)>;

// What Gradient gives for the sum of y, against central differences.
void expect_gradients(const Formula& formula, const Shape& a, const Shape& b, int64_t opset = 17) {
  const auto start = [&] {
    ModelBuilder result = builder(opset);
    result.input("a", {a.begin(), a.end()}, DType::kFloat64).input("b", {b.begin(), b.end()}, DType::kFloat64);
    formula(result);
    return result;
  };
  ModelBuilder plain = start(), derived = start();
  plain.output("y", DType::kFloat64);
  add_gradient(derived, {"a", "b"}, "y", {"a", "b"}, {"da", "db"});
  derived.output("da", DType::kFloat64).output("db", DType::kFloat64);
  const Feeds feeds = {{"a", doubles(a, 1)}, {"b", doubles(b, 2)}};
  const std::vector<Tensor> gradients = expanded_outputs(derived.build(), feeds);
  const auto at = [&](size_t input, size_t element, double step) {
    Feeds moved = {{"a", feeds[0].second.clone()}, {"b", feeds[1].second.clone()}};
    moved[input].second.mutable_values<double>()[element] += step;
    return sum_of(reference_outputs(plain.build(), moved)[0]);
  };
  for (size_t input = 0; input < 2; ++input) {
    ASSERT_EQ(gradients[input].shape(), feeds[input].second.shape());
    for (size_t i = 0; i < gradients[input].values<double>().size(); ++i) {
      const double expected = (at(input, i, 1e-5) - at(input, i, -1e-5)) / 2e-5;
      EXPECT_NEAR(gradients[input].values<double>()[i], expected, 1e-6 * std::max(1.0, std::abs(expected)))
          << "input " << input << " element " << i;
    }
  }
}

TEST(Gradient, OfBinaryOperatorsUndoesBroadcasting) {
  for (const char* op : {"Add", "Sub", "Mul", "Div", "Pow", "Sum"}) {
    SCOPED_TRACE(op);
    const Formula formula = [&](ModelBuilder& m) { m.node(op, {"a", "b"}, {"y"}); };
    expect_gradients(formula, {2, 3}, {2, 3});
    expect_gradients(formula, {2, 3}, {3});
    expect_gradients(formula, {2, 1}, {4, 1, 3});
    expect_gradients(formula, {}, {2});
  }
}

TEST(Gradient, OfUnaryOperators) {
  for (const char* op : {"Neg", "Exp", "Log", "Sqrt", "Relu", "Sigmoid", "Tanh", "Identity"}) {
    SCOPED_TRACE(op);
    expect_gradients(
        [&](ModelBuilder& m) {
          m.node("Sub", {"a", "b"}, {"d"}).node("Mul", {"d", "d"}, {"s"}).node(op, {"s"}, {"y"});
        },
        {2, 3}, {3});
  }
}

TEST(Gradient, OfMatrixProducts) {
  const Formula product = [](ModelBuilder& m) { m.node("MatMul", {"a", "b"}, {"p"}).node("Mul", {"p", "p"}, {"y"}); };
  expect_gradients(product, {2, 3}, {3, 4});
  expect_gradients(product, {3}, {3});
  expect_gradients(product, {3}, {3, 4});
  expect_gradients(product, {2, 3}, {3});
  expect_gradients(product, {5, 2, 3}, {3, 2});
  expect_gradients(product, {2, 1, 2, 3}, {4, 3, 2});
  expect_gradients(product, {3}, {2, 3, 2});
  for (const int trans_a : {0, 1}) {
    for (const int trans_b : {0, 1}) {
      expect_gradients(
          [&](ModelBuilder& m) {
            m.node("ReduceSum", {"b"}, {"c"}, {model::Attribute::of("keepdims", 0)});
            m.node("Gemm", {"a", "b", "c"}, {"p"},
                   {model::Attribute::of("alpha", 0.5F), model::Attribute::of("beta", 2.0F), model::Attribute::of("transA", trans_a),
                    model::Attribute::of("transB", trans_b)});
            m.node("Mul", {"p", "p"}, {"y"});
          },
          trans_a != 0 ? Shape{3, 2} : Shape{2, 3}, trans_b != 0 ? Shape{4, 3} : Shape{3, 4});
    }
  }
}

TEST(Gradient, OfShapesAndSums) {
  const std::vector<int64_t> axes = {0, -1};
  for (const char* op : {"ReduceSum", "ReduceMean"}) {
    for (const int keep : {0, 1}) {
      SCOPED_TRACE(op);
      expect_gradients(
          [&](ModelBuilder& m) {
            m.node("Mul", {"a", "b"}, {"p"});
            m.node(op, {"p"}, {"r"}, {model::Attribute::of("axes", axes), model::Attribute::of("keepdims", keep)})
                .node("Mul", {"r", "r"}, {"y"});
          },
          {2, 3, 4}, {3, 1}, 11);
    }
  }
  expect_gradients(
      [](ModelBuilder& m) {
        m.constant("axis", Tensor::of<int64_t>({1}, {1})).constant("shape", Tensor::of<int64_t>({2}, {-1, 2}));
        m.node("Transpose", {"a"}, {"t"}, {model::Attribute::of("perm", std::vector<int64_t>{2, 0, 1})})
            .node("Reshape", {"t", "shape"}, {"r"});
        m.node("ReduceSum", {"r", "axis"}, {"s"}, {model::Attribute::of("keepdims", 0)})
            .node("MatMul", {"s", "b"}, {"p"})
            .node("Exp", {"p"}, {"y"});
      },
      {2, 3, 2}, {6});
}

TEST(Gradient, OfValuesThatAreUsedTwiceAddsUp) {
  expect_gradients(
      [](ModelBuilder& m) {
        m.node("Mul", {"a", "b"}, {"p"}).node("Add", {"p", "a"}, {"q"}).node("Mul", {"q", "p"}, {"y"});
      },
      {2}, {2});
}

// y = a^2 b; the second derivative by a is 2 b.
TEST(Gradient, CanBeDifferentiatedAgain) {
  ModelBuilder b = builder();
  b.input("a", {2}).input("b", {2}).output("dda").output("ddb");
  add_gradient(b, {"a", "b"}, "da", {"a", "b"}, {"dda", "ddb"});  // before what it reads
  add_gradient(b, {"a"}, "y", {"a"}, {"da"});
  b.node("Mul", {"a", "a"}, {"s"}).node("Mul", {"s", "b"}, {"y"});
  const auto results = expanded_outputs(b.build(), {{"a", Tensor::of<float>({2}, {3, 4})}, {"b", Tensor::of<float>({2}, {5, 6})}});
  EXPECT_THAT(results[0].values<float>(), ElementsAre(10, 12));
  EXPECT_THAT(results[1].values<float>(), ElementsAre(6, 8));
}

// The nodes are those of y = a b + c; the values are c and c.
TEST(Gradient, IsTakenAtTheValuesThatAreGiven) {
  ModelBuilder b = builder();
  b.input("a", {1}).input("b", {1}).input("c", {1}).output("y").output("da").output("db");
  b.node("Mul", {"a", "b"}, {"p"}).node("Add", {"p", "c"}, {"y"});
  add_gradient(b, {"a", "b"}, "y", {"c", "c"}, {"da", "db"});
  const auto one = [](float v) { return Tensor::of<float>({1}, {v}); };
  const auto results = expanded_outputs(b.build(), {{"a", one(2)}, {"b", one(3)}, {"c", one(7)}});
  EXPECT_EQ(results[0].item<float>(), 13);
  EXPECT_EQ(results[1].item<float>(), 7);
  EXPECT_EQ(results[2].item<float>(), 7);
}

TEST(Gradient, IsZeroWhereNothingDepends) {
  ModelBuilder b = builder();
  b.input("a", {2}).input("b", {2}).output("da").output("db");
  b.node("Floor", {"a"}, {"f"}).node("Mul", {"f", "f"}, {"y"});
  add_gradient(b, {"a", "b"}, "y", {"a", "b"}, {"da", "db"});
  for (const Tensor& result : expanded_outputs(b.build(), {{"a", Tensor::ones({2})}, {"b", Tensor::ones({2})}})) {
    EXPECT_THAT(result.values<float>(), ElementsAre(0, 0));
  }
}

TEST(Gradient, OfPowersIsDefinedAtZero) {
  ModelBuilder b = builder();
  b.input("a", {2}).input("b", {2}).output("da").output("db");
  b.node("Pow", {"a", "b"}, {"y"});
  add_gradient(b, {"a", "b"}, "y", {"a", "b"}, {"da", "db"});
  const auto results = expanded_outputs(b.build(), {{"a", Tensor::zeros({2})}, {"b", Tensor::of<float>({2}, {0, 2})}});
  EXPECT_THAT(results[0].values<float>(), ElementsAre(0, 0));
  EXPECT_THAT(results[1].values<float>(), ElementsAre(0, 0));
}

std::string refusal(const std::function<void(ModelBuilder&)>& fill, ErrorCode code = ErrorCode::kInvalidModel, int64_t opset = 17) {
  ModelBuilder b = builder(opset);
  b.input("a", {2}).output("da").node("Erf", {"a"}, {"y"});
  fill(b);
  model::Model model = b.build();
  return error_of([&] { expand_composites(model); }, code);
}

TEST(Gradient, RefusesWhatItCannotDo) {
  const auto gradient = [](std::vector<std::string> xs, std::string y, std::vector<std::string> inputs) {
    return [=](ModelBuilder& b) { add_gradient(b, xs, y, inputs, {"da"}); };
  };
  EXPECT_THAT(
      refusal(gradient({"a"}, "y", {"a"}), ErrorCode::kUnsupported),
      AllOf(HasSubstr("node 'node_da' (Gradient)"), HasSubstr("node 'node_y' (Erf) cannot be differentiated"), HasSubstr("Sigmoid")));
  EXPECT_THAT(refusal(gradient({"a"}, "y", {"a"}), ErrorCode::kUnsupported, 8), HasSubstr("opset 8"));
  EXPECT_THAT(refusal(gradient({"a"}, "z", {"a"})), HasSubstr("y names 'z'"));
  EXPECT_THAT(refusal(gradient({"b"}, "y", {"a"})), HasSubstr("names 'b'"));
  EXPECT_THAT(refusal(gradient({"a", "a"}, "y", {"a", "a"})), HasSubstr("twice"));
  EXPECT_THAT(refusal(gradient({"a"}, "y", {})), HasSubstr("0 inputs"));
  EXPECT_THAT(refusal(gradient({}, "y", {})), HasSubstr("xs and y"));
  EXPECT_THAT(refusal(gradient({"a"}, "da", {"a"})), HasSubstr("its own outputs"));
  EXPECT_THAT(refusal([](ModelBuilder& b) {
                b.node("Neg", {"v"}, {"u"}).node("Neg", {"u"}, {"v"});
                add_gradient(b, {"a"}, "u", {"a"}, {"da"});
              }),
              HasSubstr("depends on itself"));
}

}  // namespace
}  // namespace sardonyx::optimize
