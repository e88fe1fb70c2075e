#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "ops/elementwise/binary.h"
#include "ops/elementwise/unary.h"
#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

template <class T>
std::vector<T> values(const Tensor& tensor) {
  const auto span = tensor.values<T>();
  return {span.begin(), span.end()};
}

// Every function of the table, in every floating-point type, against its definition in double.
TEST(Unary, AgreesWithTheDefinition) {
  const Tensor points = floats({16}, {-8, -3.5f, -2.5f, -1, -0.5f, -0.1f, 0, 0.1f, 0.25f, 0.5f, 1, 1.5f, 2.5f, 3.3f, 6, 9});
  for (const Operator& row : all_operators()) {
    const auto rows = kernels::unary_rows();
    const auto function = std::ranges::find(rows, row.op_type, &kernels::UnaryRow::name);
    if (function == rows.end() || row.op_type == "Clip") continue;
    SCOPED_TRACE(row.op_type);
    model::Node node;
    node.op_type = std::string(row.op_type);
    const kernels::UnaryParams params = unary_spec_from_node(node, 22).params;
    for (const DType dtype : {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kBFloat16}) {
      const Tensor x = points.to(dtype);
      std::vector<double> expected = doubles(x);
      for (double& value : expected) value = function->oracle(value, params);
      const double unit = dtype == DType::kBFloat16 ? 1.0 / 256 : dtype == DType::kFloat16 ? 1.0 / 2048 : 1e-6;
      expect_close(OpCase(std::string(row.op_type), std::max(row.since, 22)).run({x}), {16}, expected, 1.01 * unit);
    }
  }
}

TEST(Unary, AttributesReachTheFunction) {
  const Tensor x = floats({3}, {-2, 0, 3});
  EXPECT_THAT(values<float>(OpCase("LeakyRelu").run({x})), ElementsAre(-0.02f, 0, 3));
  EXPECT_THAT(values<float>(OpCase("LeakyRelu").attribute("alpha", 0.5f).run({x})), ElementsAre(-1, 0, 3));
  EXPECT_THAT(values<float>(OpCase("HardSigmoid").attribute("alpha", 0.5f).attribute("beta", 0.25f).run({x})), ElementsAre(0, 0.25f, 1));
}

TEST(Unary, AttributesOfTheRarerFunctions) {
  const Tensor x = floats({4}, {-2, -0.25f, 0.25f, 2});
  expect_close(OpCase("Shrink").attribute("lambd", 1.0f).attribute("bias", 0.5f).run({x}), {4}, {-1.5, 0, 0, 1.5});
  expect_close(OpCase("ThresholdedRelu").attribute("alpha", 0.25f).run({x}), {4}, {0, 0, 0, 2});
  expect_close(OpCase("Celu").attribute("alpha", 2.0f).run({x}), {4}, {2 * std::expm1(-1.0), 2 * std::expm1(-0.125), 0.25, 2});
  expect_close(OpCase("Selu").attribute("alpha", 2.0f).attribute("gamma", 3.0f).run({x}), {4},
               {6 * std::expm1(-2.0), 6 * std::expm1(-0.25), 0.75, 6});
  expect_close(OpCase("Selu", 1).run({floats({1}, {-1})}), {1}, {1.0507f * 1.6732f * std::expm1(-1.0)}, 1e-7);
  expect_close(OpCase("Swish", 24).attribute("alpha", -1.0f).run({floats({1}, {2})}), {1}, {2 / (1 + std::exp(2.0))});
  const auto tanh_gelu = [](double v) { return 0.5 * v * (1 + std::tanh(std::sqrt(2 / M_PI) * (v + 0.044715 * v * v * v))); };
  expect_close(OpCase("Gelu").attribute("approximate", "tanh").run({x}), {4},
               {tanh_gelu(-2), tanh_gelu(-0.25), tanh_gelu(0.25), tanh_gelu(2)}, 1e-6);
  EXPECT_EQ(OpCase("Gelu").attribute("approximate", "odd").error({x}).first, ErrorCode::kInvalidModel);
}

TEST(Unary, BitsSignsAndShrunkIntegers) {
  const Tensor whole = Tensor::of<int8_t>({4}, {-128, -1, 0, 100});
  EXPECT_THAT(values<int8_t>(OpCase("BitwiseNot").run({whole})), ElementsAre(127, 0, -1, -101));
  EXPECT_THAT(values<int8_t>(OpCase("Sign").run({whole})), ElementsAre(-1, -1, 0, 1));
  EXPECT_THAT(values<int8_t>(OpCase("Shrink").attribute("bias", 1.0f).run({whole})), ElementsAre(-127, 0, 0, 99));
  EXPECT_THAT(values<uint8_t>(OpCase("BitwiseNot").run({Tensor::of<uint8_t>({2}, {0, 200})})), ElementsAre(255, 55));
  EXPECT_THAT(values<uint64_t>(OpCase("Sign").run({Tensor::of<uint64_t>({2}, {0, ~uint64_t{0}})})), ElementsAre(0u, 1u));
  EXPECT_EQ(OpCase("BitwiseNot").error({floats({1}, {1})}).first, ErrorCode::kInvalidArgument);
}

TEST(Classify, NanAndInfinities) {
  const Tensor x = floats({5}, {-kInfinity, -1, kNan, 1, kInfinity});
  for (const DType dtype : {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kBFloat16}) {
    EXPECT_THAT(values<bool>(OpCase("IsNaN").run({x.to(dtype)})), ElementsAre(false, false, true, false, false));
    EXPECT_THAT(values<bool>(OpCase("IsInf").run({x.to(dtype)})), ElementsAre(true, false, false, false, true));
    EXPECT_THAT(values<bool>(OpCase("IsInf").attribute("detect_negative", 0).run({x.to(dtype)})),
                ElementsAre(false, false, false, false, true));
    EXPECT_THAT(values<bool>(OpCase("IsInf").attribute("detect_positive", 0).run({x.to(dtype)})),
                ElementsAre(true, false, false, false, false));
  }
  OpCase cast("Cast");
  const Tensor small = cast.attribute("to", static_cast<int64_t>(DType::kFloat8E5M2)).attribute("saturate", 0).run({x});
  EXPECT_THAT(values<bool>(OpCase("IsNaN").run({small})), ElementsAre(false, false, true, false, false));
  EXPECT_THAT(values<bool>(OpCase("IsInf").run({small})), ElementsAre(true, false, false, false, true));
  EXPECT_EQ(OpCase("IsNaN").error({int64s({1})}).first, ErrorCode::kInvalidArgument);
}

TEST(Unary, OddFunctionsKeepTheSignOfZero) {
  const Tensor x = floats({2}, {-0.0f, 0.0f});
  for (const char* op :
       {"Asin", "Asinh", "Atan", "Atanh", "Ceil", "Erf", "Floor", "Neg", "Round", "Sin", "Sinh", "Softsign", "Sqrt", "Tan", "Tanh"}) {
    SCOPED_TRACE(op);
    const bool is_negated = std::string(op) == "Neg";
    const auto y = values<float>(OpCase(op).run({x}));
    EXPECT_EQ(y[0], 0);
    EXPECT_EQ(std::signbit(y[0]), !is_negated);
    EXPECT_EQ(std::signbit(y[1]), is_negated);
  }
}

TEST(Unary, IntegersAreExact) {
  const int64_t least = std::numeric_limits<int64_t>::min(), most = std::numeric_limits<int64_t>::max();
  const Tensor x = int64s({least, -3, 0, most});
  EXPECT_THAT(values<int64_t>(OpCase("Abs").run({x})), ElementsAre(least, 3, 0, most));
  EXPECT_THAT(values<int64_t>(OpCase("Neg").run({x})), ElementsAre(least, 3, 0, -most));
  EXPECT_THAT(values<int64_t>(OpCase("Relu").run({x})), ElementsAre(0, 0, 0, most));
  const Tensor wide = Tensor::of<uint64_t>({2}, {std::numeric_limits<uint64_t>::max(), 5});
  EXPECT_THAT(values<uint64_t>(OpCase("Abs").run({wide})), ElementsAre(std::numeric_limits<uint64_t>::max(), 5u));
  EXPECT_EQ(OpCase("Neg").error({wide}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("Exp").error({x}).first, ErrorCode::kInvalidArgument);
}

TEST(Unary, ManyElements) {
  Tensor x = Tensor::empty({100003}, DType::kFloat16);
  for (size_t i = 0; i < 100003; ++i) x.mutable_values<Float16>()[i] = Float16::from_float(static_cast<float>(i % 17) - 8);
  const Tensor y = OpCase("Abs").run({x}), exact = OpCase("Abs").run({x.to(DType::kFloat64)});
  EXPECT_EQ(doubles(y), doubles(exact));
}

TEST(Clip, EveryVersion) {
  const Tensor x = floats({4}, {-2, -1, 1, kNan});
  const std::vector<double> expected = {-1.5, -1, 0.5, kNan};
  expect_close(OpCase("Clip", 6).attribute("min", -1.5f).attribute("max", 0.5f).run({x}), {4}, expected);
  expect_close(OpCase("Clip", 13).run({x, floats({}, {-1.5f}), floats({}, {0.5f})}), {4}, expected);
  expect_close(OpCase("Clip", 13).run({x, Tensor(), floats({}, {0})}), {4}, {-2, -1, 0, kNan});
  expect_close(OpCase("Clip", 6).attribute("min", 0.0f).run({x}), {4}, {0, 0, 1, kNan});
  const Tensor whole = Tensor::of<int8_t>({3}, {-128, 3, 127});
  EXPECT_THAT(values<int8_t>(OpCase("Clip", 13).run({whole, Tensor::scalar<int8_t>(-5)})), ElementsAre(-5, 3, 127));
  EXPECT_EQ(OpCase("Clip", 13).error({whole, floats({}, {1})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("Clip", 13).error({x, floats({2}, {1, 2})}).first, ErrorCode::kInvalidArgument);
}

TEST(Not, Inverts) {
  EXPECT_THAT(values<bool>(OpCase("Not").run({Tensor::of<bool>({2}, {true, false})})), ElementsAre(false, true));
  EXPECT_EQ(OpCase("Not").error({floats({1}, {1})}).first, ErrorCode::kInvalidArgument);
}

double oracle(const BinaryRow& row, double a, double b) {
  const std::string_view op = row.op_type;
  if (op == "Mod") return std::fmod(a, b);  // of positive numbers
  if (op == "Mean") return (a + b) / 2;
  if (op == "BitwiseAnd") return static_cast<double>(static_cast<int>(a) & static_cast<int>(b));
  if (op == "BitwiseOr") return static_cast<double>(static_cast<int>(a) | static_cast<int>(b));
  if (op == "BitwiseXor") return static_cast<double>(static_cast<int>(a) ^ static_cast<int>(b));
  if (op == "BitShift") return std::floor(std::ldexp(a, static_cast<int>(row.variant == "LEFT" ? b : -b)));
  if (op == "Add" || op == "Sum") return a + b;
  if (op == "Sub") return a - b;
  if (op == "Mul") return a * b;
  if (op == "Div") return a / b;
  if (op == "Min") return std::min(a, b);
  if (op == "Max") return std::max(a, b);
  if (op == "Pow") return std::pow(a, b);
  if (op == "PRelu") return a < 0 ? a * b : a;
  if (op == "Equal") return a == b;
  if (op == "Less") return a < b;
  if (op == "LessOrEqual") return a <= b;
  if (op == "Greater") return a > b;
  if (op == "GreaterOrEqual") return a >= b;
  if (op == "And") return a != 0 && b != 0;
  if (op == "Or") return a != 0 || b != 0;
  return (a != 0) != (b != 0);  // Xor
}

// The number of the element of an operand of shape `from` that meets element `number` of the result of shape `out`.
size_t source_of(size_t number, const Shape& from, const Shape& out) {
  size_t result = 0, step = 1;
  for (size_t i = out.size(); i-- > 0;) {
    const size_t index = number % static_cast<size_t>(out[i]);
    number /= static_cast<size_t>(out[i]);
    if (i + from.size() < out.size()) continue;
    const auto size = static_cast<size_t>(from[i + from.size() - out.size()]);
    if (size != 1) result += index * step;
    step *= size;
  }
  return result;
}

struct Shapes {
  Shape a, b, out;
};
const Shapes kShapes[] = {
    {{2, 3}, {2, 3}, {2, 3}},
    {{2, 3}, {3}, {2, 3}},
    {{2, 1, 4}, {3, 1}, {2, 3, 4}},
    {{}, {5}, {5}},
    {{}, {}, {}},
    {{4, 1, 600}, {1, 2, 1}, {4, 2, 600}},
    {{0, 3}, {1, 3}, {0, 3}},
    {{7, 1}, {1, 1100}, {7, 1100}},
};

// Small positive whole numbers, so that every type holds them and every result.
Tensor small_numbers(std::mt19937& generator, const Shape& shape, int least) {
  Tensor result = Tensor::empty(shape);
  std::uniform_int_distribution<int> distribution(least, least + 2);
  for (float& value : result.mutable_values<float>()) value = static_cast<float>(distribution(generator));
  return result;
}

TEST(Binary, EveryRowEveryTypeEveryBroadcast) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 generator(seed);
  for (const BinaryRow& row : binary_rows()) {
    for (int type = 1; type < kDTypeCount; ++type) {
      const auto dtype = static_cast<DType>(type);
      if (!row.types.has(dtype)) continue;
      for (const Shapes& shapes : kShapes) {
        SCOPED_TRACE(std::string(row.op_type) + " " + type_string(dtype) + " " + to_string(shapes.a) + " " + to_string(shapes.b));
        const int least = row.op_type == "Sub" ? 3 : 1;  // unsigned differences stay positive
        const Tensor a = small_numbers(generator, shapes.a, least).to(dtype), b = small_numbers(generator, shapes.b, 1).to(dtype);
        const std::vector<double> left = doubles(a), right = doubles(b);
        std::vector<double> expected(static_cast<size_t>(element_count(shapes.out)));
        for (size_t i = 0; i < expected.size(); ++i) {
          const double y = oracle(row, left[source_of(i, shapes.a, shapes.out)], right[source_of(i, shapes.b, shapes.out)]);
          expected[i] = is_integral(dtype) ? std::trunc(y) : y;
        }
        OpCase node = OpCase(std::string(row.op_type));
        if (row.op_type == "BitShift") node.attribute("direction", std::string(row.variant));
        if (row.variant == "fmod") node.attribute("fmod", 1);
        const Tensor y = node.run({a, b});
        EXPECT_EQ(y.dtype(), row.gives_bool ? DType::kBool : dtype);
        expect_close(y, shapes.out, expected, dtype == DType::kBFloat16 ? 1.0 / 256 : 1.0 / 2048);
      }
    }
  }
}

TEST(Binary, IntegersWrapAround) {
  const int64_t least = std::numeric_limits<int64_t>::min(), most = std::numeric_limits<int64_t>::max();
  EXPECT_THAT(values<int64_t>(OpCase("Add").run({int64s({most}), int64s({1})})), ElementsAre(least));
  EXPECT_THAT(values<int64_t>(OpCase("Div").run({int64s({least, -7, 7}), int64s({-1, 2, -2})})), ElementsAre(least, -3, -3));
  EXPECT_THAT(values<int8_t>(OpCase("Div").run({Tensor::of<int8_t>({1}, {-128}), Tensor::of<int8_t>({1}, {-1})})), ElementsAre(-128));
  EXPECT_THAT(values<uint8_t>(OpCase("Sub").run({Tensor::of<uint8_t>({1}, {3}), Tensor::of<uint8_t>({1}, {5})})), ElementsAre(254));
}

TEST(Binary, IntegerDivisionByZeroIsAnError) {
  const auto [code, text] = OpCase("Div").error({int64s({1, 2}), int64s({3, 0})});
  EXPECT_EQ(code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(text, HasSubstr("node 'n' (Div, opset "));
  EXPECT_THAT(text, HasSubstr("element 1"));
  EXPECT_EQ(values<float>(OpCase("Div").run({floats({1}, {1}), floats({1}, {0})}))[0], kInfinity);
}

TEST(Binary, ModTakesEitherSign) {
  const Tensor a = int64s({-7, 7, -7, 7, std::numeric_limits<int64_t>::min()}), b = int64s({3, -3, -3, 3, -1});
  EXPECT_THAT(values<int64_t>(OpCase("Mod").run({a, b})), ElementsAre(2, -2, -1, 1, 0));
  EXPECT_THAT(values<int64_t>(OpCase("Mod").attribute("fmod", 1).run({a, b})), ElementsAre(-1, 1, -1, 1, 0));
  expect_close(OpCase("Mod").attribute("fmod", 1).run({floats({2}, {-4.3f, 5}), floats({2}, {2.1f, 0})}), {2}, {-0.1, kNan}, 1e-6);
  EXPECT_THAT(OpCase("Mod").error({int64s({1}), int64s({0})}).second, HasSubstr("division by zero"));
  EXPECT_THAT(OpCase("Mod").error({floats({1}, {1}), floats({1}, {1})}).second, HasSubstr("fmod = 1"));
  const uint64_t most = ~uint64_t{0};
  EXPECT_THAT(values<uint64_t>(OpCase("Mod").run({Tensor::of<uint64_t>({1}, {most}), Tensor::of<uint64_t>({1}, {most - 1})})),
              ElementsAre(1u));
}

TEST(Binary, ShiftsBeyondTheWidthGiveZero) {
  const Tensor a = Tensor::of<uint8_t>({3}, {255, 255, 255}), b = Tensor::of<uint8_t>({3}, {4, 8, 200});
  EXPECT_THAT(values<uint8_t>(OpCase("BitShift").attribute("direction", "LEFT").run({a, b})), ElementsAre(240, 0, 0));
  EXPECT_THAT(values<uint8_t>(OpCase("BitShift").attribute("direction", "RIGHT").run({a, b})), ElementsAre(15, 0, 0));
  EXPECT_EQ(OpCase("BitShift").error({a, b}).first, ErrorCode::kInvalidModel);
}

TEST(Binary, MeanOfAnyNumber) {
  const Tensor a = floats({2, 1}, {1, 5}), b = floats({3}, {2, 4, 6});
  expect_close(OpCase("Mean").run({a, b}), {2, 3}, {1.5, 2.5, 3.5, 3.5, 4.5, 5.5});
  expect_close(OpCase("Mean").run({b}), {3}, {2, 4, 6});
  expect_close(OpCase("Mean").run({b.to(DType::kFloat16), b.to(DType::kFloat16), Tensor::zeros({}, DType::kFloat16)}), {3},
               {4.0 / 3, 8.0 / 3, 4}, 1e-3);
}

TEST(Binary, NanWinsInMinAndMax) {
  for (const char* op : {"Min", "Max"}) {
    for (const DType dtype : {DType::kFloat32, DType::kFloat64, DType::kFloat16}) {
      const Tensor y = OpCase(op).run({floats({2}, {kNan, 1}).to(dtype), floats({2}, {1, kNan}).to(dtype)});
      for (const double value : doubles(y)) EXPECT_TRUE(std::isnan(value)) << op << type_string(dtype);
    }
  }
}

TEST(Binary, PowOfMixedTypes) {
  EXPECT_THAT(values<float>(OpCase("Pow").run({floats({3}, {2, 3, 4}), int64s({3, 2, -1})})), ElementsAre(8, 9, 0.25f));
  EXPECT_THAT(values<int64_t>(OpCase("Pow").run({int64s({2, 9}), floats({2}, {10, 0.5f})})), ElementsAre(1024, 3));
  EXPECT_THAT(values<int32_t>(OpCase("Pow").run({Tensor::of<int32_t>({3}, {3, -1, 2}), int64s({4, -3, -1})})), ElementsAre(81, -1, 0));
}

TEST(Binary, AnyNumberOfOperands) {
  const Tensor a = floats({2, 1}, {1, 5}), b = floats({3}, {2, 4, 6}), c = floats({}, {3});
  EXPECT_THAT(values<float>(OpCase("Max").run({a, b, c})), ElementsAre(3, 4, 6, 5, 5, 6));
  EXPECT_THAT(values<float>(OpCase("Min").run({c, b, a})), ElementsAre(1, 1, 1, 2, 3, 3));
  EXPECT_THAT(values<float>(OpCase("Sum").run({c, a, b, b})), ElementsAre(8, 12, 16, 12, 16, 20));
  EXPECT_THAT(values<float>(OpCase("Max").run({b})), ElementsAre(2, 4, 6));
  EXPECT_EQ(OpCase("Max").error({a, b.to(DType::kFloat64)}).first, ErrorCode::kInvalidArgument);
}

TEST(Binary, OldBroadcasting) {
  const Tensor a = floats({2, 3, 2}, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}), b = floats({3}, {1, 2, 3});
  const Tensor y = OpCase("Add", 6).attribute("broadcast", 1).attribute("axis", 1).run({a, b});
  EXPECT_THAT(values<float>(y), ElementsAre(1, 1, 2, 2, 3, 3, 1, 1, 2, 2, 3, 3));
  EXPECT_EQ(OpCase("Add", 6).error({a, b}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("Add", 6).attribute("broadcast", 1).attribute("axis", 2).error({a, floats({2, 2}, {1, 2, 3, 4})}).first,
            ErrorCode::kInvalidArgument);
}

TEST(Binary, StringsCompare) {
  const Tensor a = Tensor::of_strings({2, 1}, {"x", "y"}), b = Tensor::of_strings({2}, {"x", "z"});
  EXPECT_THAT(values<bool>(OpCase("Equal").run({a, b})), ElementsAre(true, false, false, false));
  EXPECT_EQ(OpCase("Less").error({a, b}).first, ErrorCode::kInvalidArgument);
}

TEST(Binary, RefusesWhatDoesNotFit) {
  EXPECT_THAT(OpCase("Add").error({floats({2}, {1, 2}), floats({3}, {1, 2, 3})}).second, HasSubstr("[2] and [3] do not broadcast"));
  EXPECT_EQ(OpCase("Add").error({floats({1}, {1}), int64s({1})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("And").error({floats({1}, {1}), floats({1}, {1})}).first, ErrorCode::kInvalidArgument);
  const Tensor wide = Tensor({1 << 20, 1}, DType::kUInt8), high = Tensor({1, 1, 1 << 20, 1, 1}, DType::kUInt8);
  EXPECT_EQ(OpCase("Add").error({wide, high}).first, ErrorCode::kResourceLimit);
}

TEST(Binary, MayComputeInPlace) {
  const std::vector<const Tensor*> none(2);
  model::Node node;
  node.op_type = "Add";
  node.input = {"a", "b"};
  node.output = {"y"};
  const auto in_place = [&](const Shape& a, const Shape& b) {
    const std::vector<ValueFacts> facts = {{DType::kFloat32, a, nullptr}, {DType::kFloat32, b, nullptr}};
    return prepare({node, 22, none})->bind({facts, 1})->in_place_input;
  };
  EXPECT_EQ(in_place({2, 3}, {3}), 0);
  EXPECT_EQ(in_place({3}, {2, 3}), 1);
  EXPECT_EQ(in_place({2, 1}, {1, 3}), -1);
}

}  // namespace
}  // namespace sardonyx::ops
