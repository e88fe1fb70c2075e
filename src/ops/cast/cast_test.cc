#include <gmock/gmock.h>

#include <limits>

#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Tensor cast(const Tensor& x, DType to, bool saturate = true) {
  return OpCase("Cast").attribute("to", static_cast<int64_t>(to)).attribute("saturate", int{saturate}).run({x});
}

// Small whole numbers survive the way through every pair of types that hold them.
TEST(Cast, EveryPairOfTypes) {
  const Tensor x = floats({5}, {0, 1, 1, 0, 1});
  for (int from = 1; from < kDTypeCount; ++from) {
    for (int to = 1; to < kDTypeCount; ++to) {
      const auto a = static_cast<DType>(from), b = static_cast<DType>(to);
      const auto lacks = [](DType type) { return type == DType::kComplex64 || type == DType::kComplex128; };
      if (lacks(a) || lacks(b)) continue;
      if (a == DType::kFloat8E8M0 || b == DType::kFloat8E8M0) continue;  // has no zero
      SCOPED_TRACE(type_string(a) + " to " + type_string(b));
      const Tensor y = cast(cast(x, a), b);
      EXPECT_EQ(y.dtype(), b);
      EXPECT_THAT(doubles(cast(y, DType::kFloat64)), ElementsAre(0, 1, 1, 0, 1));
    }
  }
}

TEST(Cast, FloatsToIntegersTruncateAndSaturate) {
  const float infinity = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  const Tensor x = floats({7}, {-1.9f, 1.9f, 300, -300, infinity, -infinity, nan});
  EXPECT_THAT(cast(x, DType::kInt8).values<int8_t>(), ElementsAre(-1, 1, 127, -128, 127, -128, 0));
  EXPECT_THAT(cast(x, DType::kUInt8).values<uint8_t>(), ElementsAre(0, 1, 255, 0, 255, 0, 0));
  const int64_t most = std::numeric_limits<int64_t>::max();
  EXPECT_THAT(cast(floats({2}, {1e30f, -1e30f}), DType::kInt64).values<int64_t>(), ElementsAre(most, -most - 1));
  EXPECT_THAT(doubles(cast(x, DType::kBool)), ElementsAre(1, 1, 1, 1, 1, 1, 1));
}

TEST(Cast, IntegersKeepTheirLowBits) {
  EXPECT_THAT(cast(int64s({200, -129, 256}), DType::kInt8).values<int8_t>(), ElementsAre(-56, 127, 0));
  const Tensor wide = Tensor::of<uint64_t>({1}, {std::numeric_limits<uint64_t>::max()});
  EXPECT_EQ(cast(wide, DType::kInt64).item<int64_t>(), -1);
  EXPECT_EQ(cast(wide, DType::kFloat64).item<double>(), 18446744073709551616.0);
  EXPECT_THAT(doubles(cast(cast(int64s({9, -8, 7}), DType::kInt4), DType::kInt32)), ElementsAre(-7, -8, 7));
  EXPECT_THAT(doubles(cast(cast(int64s({9, -1, 17}), DType::kUInt4), DType::kInt32)), ElementsAre(9, 15, 1));
  EXPECT_THAT(doubles(cast(cast(int64s({1, -2, 2, 3, -1}), DType::kInt2), DType::kInt8)), ElementsAre(1, -2, -2, -1, -1));
}

TEST(Cast, DoublesAreRoundedToHalfOnce) {
  // Just above the middle of two halves: by way of float it would be taken for the middle, and go down to the even one.
  const double middle = 1 + std::ldexp(1.0, -11);
  const Tensor x = Tensor::of<double>({3}, {middle, middle + std::ldexp(1.0, -40), -middle - std::ldexp(1.0, -40)});
  const double next = 1 + std::ldexp(1.0, -10);
  EXPECT_THAT(doubles(cast(x, DType::kFloat16)), ElementsAre(1, next, -next));
}

TEST(Cast, SmallFloats) {
  const Tensor x = floats({4}, {0.5f, -1.5f, 1000, 1e6f});
  EXPECT_THAT(doubles(cast(cast(x, DType::kFloat8E4M3FN), DType::kFloat32)), ElementsAre(0.5, -1.5, 448, 448));
  EXPECT_TRUE(std::isnan(doubles(cast(cast(x, DType::kFloat8E4M3FN, false), DType::kFloat32))[3]));
  EXPECT_THAT(doubles(cast(cast(x, DType::kFloat8E5M2), DType::kFloat32)), ElementsAre(0.5, -1.5, 1024, 57344));
  EXPECT_THAT(doubles(cast(cast(x, DType::kFloat4E2M1), DType::kFloat32)), ElementsAre(0.5, -1.5, 6, 6));
  EXPECT_THAT(doubles(cast(cast(floats({2}, {0.25f, 8}), DType::kFloat8E8M0), DType::kFloat32)), ElementsAre(0.25, 8));
}

TEST(Cast, Strings) {
  const Tensor text = Tensor::of_strings({5}, {"1.5", "-2e3", "INF", "+4", "nan"});
  expect_close(cast(text, DType::kFloat32), {5},
               {1.5, -2000, std::numeric_limits<double>::infinity(), 4, std::numeric_limits<double>::quiet_NaN()});
  EXPECT_EQ(cast(Tensor::of_strings({1}, {"9007199254740993"}), DType::kInt64).item<int64_t>(), 9007199254740993);
  EXPECT_EQ(cast(Tensor::of_strings({1}, {"18446744073709551615"}), DType::kUInt64).item<uint64_t>(), std::numeric_limits<uint64_t>::max());
  EXPECT_THAT(cast(int64s({-3, 12}), DType::kString).strings(), ElementsAre("-3", "12"));
  EXPECT_THAT(cast(floats({3}, {0.1f, -std::numeric_limits<float>::infinity(), 1e-7f}), DType::kString).strings(),
              ElementsAre("0.1", "-INF", "1e-07"));
  const Tensor bad = Tensor::of_strings({2}, {"1", "two"});
  const auto [code, message] = OpCase("Cast").attribute("to", 1).error({bad});
  EXPECT_EQ(code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(message, HasSubstr("element 1 is \"two\""));
  EXPECT_EQ(OpCase("Cast").attribute("to", 1).error({Tensor::of_strings({1}, {""})}).first, ErrorCode::kInvalidArgument);
}

TEST(Cast, OldTypeNamesAndCastLike) {
  EXPECT_EQ(OpCase("Cast", 1).attribute("to", "INT32").run({floats({1}, {2})}).item<int32_t>(), 2);
  EXPECT_EQ(OpCase("CastLike").run({floats({1}, {2}), int64s({})}).item<int64_t>(), 2);
}

TEST(Cast, RefusesUnknownTypes) {
  EXPECT_EQ(OpCase("Cast").error({Tensor({1})}).first, ErrorCode::kInvalidModel);
  EXPECT_EQ(OpCase("Cast").attribute("to", 99).error({Tensor({1})}).first, ErrorCode::kInvalidModel);
  EXPECT_EQ(OpCase("Cast").attribute("to", 14).error({Tensor({1})}).first, ErrorCode::kUnsupported);
  EXPECT_EQ(OpCase("Cast").attribute("to", 1).attribute("round_mode", "away").error({Tensor({1})}).first, ErrorCode::kInvalidModel);
}

}  // namespace
}  // namespace sardonyx::ops
