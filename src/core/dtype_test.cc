#include "sardonyx/dtype.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "core/float8.h"

namespace sardonyx {
namespace {

TEST(DType, NamesAreReversible) {
  for (int i = 1; i < kDTypeCount; ++i) {
    const auto dtype = static_cast<DType>(i);
    EXPECT_TRUE(is_valid(dtype));
    EXPECT_EQ(dtype_from_string(to_string(dtype)), dtype);
  }
  EXPECT_FALSE(is_valid(DType::kUndefined));
  EXPECT_FALSE(is_valid(static_cast<DType>(-3)));
  EXPECT_FALSE(is_valid(static_cast<DType>(kDTypeCount)));
  EXPECT_EQ(type_string(DType::kFloat64), "tensor(double)");
}

TEST(Float16, EveryValueSurvivesTheWayThroughFloat) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const Float16 half{static_cast<uint16_t>(bits)};
    const float value = half.to_float();
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(Float16::from_float(value).to_float()));
    } else {
      ASSERT_EQ(Float16::from_float(value).bits, bits);
    }
  }
}

// Oracle: the nearest of the two neighbouring float16 values, the even one where both are as near.
TEST(Float16, RoundsToNearestEven) {
  for (uint32_t bits = 0; bits < 0x7bff; ++bits) {
    const double low = Float16{static_cast<uint16_t>(bits)}.to_float();
    const double high = Float16{static_cast<uint16_t>(bits + 1)}.to_float();
    const auto middle = static_cast<float>((low + high) / 2);
    ASSERT_EQ(Float16::from_float(middle).bits, bits % 2 == 0 ? bits : bits + 1);
    ASSERT_EQ(Float16::from_float(std::nextafter(middle, 0.0f)).bits, bits);
    ASSERT_EQ(Float16::from_float(std::nextafter(middle, 1e9f)).bits, bits + 1);
  }
  EXPECT_EQ(Float16::from_float(65519.99f).bits, 0x7bff);
  EXPECT_EQ(Float16::from_float(65520.0f).bits, 0x7c00);
  EXPECT_EQ(Float16::from_float(-std::numeric_limits<float>::infinity()).bits, 0xfc00);
}

TEST(BFloat16, RoundsToNearestEven) {
  EXPECT_EQ(BFloat16::from_float(1.0f).bits, 0x3f80);
  EXPECT_EQ(BFloat16::from_float(std::bit_cast<float>(0x3f808000u)).bits, 0x3f80);  // a tie, to even
  EXPECT_EQ(BFloat16::from_float(std::bit_cast<float>(0x3f818000u)).bits, 0x3f82);
  EXPECT_EQ(BFloat16::from_float(std::bit_cast<float>(0x3f808001u)).bits, 0x3f81);
  EXPECT_TRUE(std::isnan(BFloat16::from_float(std::bit_cast<float>(0x7f800001u)).to_float()));
}

class Float8Kind : public testing::TestWithParam<DType> {};
INSTANTIATE_TEST_SUITE_P(All, Float8Kind,
                         testing::Values(DType::kFloat8E4M3FN, DType::kFloat8E4M3FNUZ, DType::kFloat8E5M2, DType::kFloat8E5M2FNUZ),
                         [](const auto& kind) { return std::string(to_string(kind.param)); });

TEST_P(Float8Kind, EveryValueSurvivesTheWayThroughFloat) {
  for (int bits = 0; bits < 256; ++bits) {
    const float value = core::float8_to_float(GetParam(), static_cast<uint8_t>(bits));
    const uint8_t back = core::float_to_float8(GetParam(), value, core::Overflow::kInfinity);
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(core::float8_to_float(GetParam(), back)));
    } else {
      EXPECT_EQ(back, bits) << value;
    }
  }
}

TEST_P(Float8Kind, RoundsToNearestEven) {
  for (int bits = 0; bits < 0x7e; ++bits) {
    const float low = core::float8_to_float(GetParam(), static_cast<uint8_t>(bits));
    const float high = core::float8_to_float(GetParam(), static_cast<uint8_t>(bits + 1));
    if (!std::isfinite(high)) break;
    const float middle = (low + high) / 2;
    EXPECT_EQ(core::float_to_float8(GetParam(), middle), bits % 2 == 0 ? bits : bits + 1);
    EXPECT_EQ(core::float_to_float8(GetParam(), std::nextafter(middle, 0.0f)), bits);
    EXPECT_EQ(core::float_to_float8(GetParam(), std::nextafter(middle, 1e9f)), bits + 1);
  }
}

// The table of the ONNX specification's float8 page: saturation and its absence.
TEST(Float8, OverflowFollowsTheSpecification) {
  using core::float_to_float8;
  using core::Overflow;
  constexpr float kInf = std::numeric_limits<float>::infinity();
  EXPECT_EQ(float_to_float8(DType::kFloat8E4M3FN, 1000.0f), 0x7e);
  EXPECT_EQ(float_to_float8(DType::kFloat8E4M3FN, kInf), 0x7e);
  EXPECT_EQ(float_to_float8(DType::kFloat8E4M3FN, -kInf, Overflow::kInfinity), 0xff);
  EXPECT_EQ(float_to_float8(DType::kFloat8E4M3FNUZ, kInf, Overflow::kInfinity), 0x80);
  EXPECT_EQ(float_to_float8(DType::kFloat8E5M2, 1e6f), 0x7b);
  EXPECT_EQ(float_to_float8(DType::kFloat8E5M2, 1e6f, Overflow::kInfinity), 0x7c);
  EXPECT_EQ(float_to_float8(DType::kFloat8E5M2FNUZ, -1e6f), 0xff);
  EXPECT_EQ(float_to_float8(DType::kFloat8E5M2FNUZ, -0.0f), 0x00);
  EXPECT_EQ(float_to_float8(DType::kFloat8E4M3FN, -0.0f), 0x80);
  EXPECT_EQ(core::float8_to_float(DType::kFloat8E4M3FN, 0x7e), 448.0f);
  EXPECT_EQ(core::float8_to_float(DType::kFloat8E4M3FNUZ, 0x7f), 240.0f);
  EXPECT_EQ(core::float8_to_float(DType::kFloat8E5M2, 0x7b), 57344.0f);
}

TEST(Float8E8M0, IsAPowerOfTwo) {
  using core::float_to_e8m0;
  using core::ScaleRounding;
  for (int bits = 0; bits < 255; ++bits) EXPECT_EQ(float_to_e8m0(core::e8m0_to_float(static_cast<uint8_t>(bits))), bits);
  EXPECT_EQ(float_to_e8m0(3.0f, ScaleRounding::kUp), 129);
  EXPECT_EQ(float_to_e8m0(3.0f, ScaleRounding::kDown), 128);
  EXPECT_EQ(float_to_e8m0(2.9f, ScaleRounding::kNearest), 128);
  EXPECT_EQ(float_to_e8m0(3.0f, ScaleRounding::kNearest), 129);
  EXPECT_TRUE(std::isnan(core::e8m0_to_float(float_to_e8m0(NAN))));
}

TEST(Float4, HasEightMagnitudes) {
  const float values[] = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6};
  for (uint8_t bits = 0; bits < 8; ++bits) {
    EXPECT_EQ(core::float4_to_float(bits), values[bits]);
    EXPECT_EQ(core::float_to_float4(values[bits]), bits);
    EXPECT_EQ(core::float4_to_float(bits | 8), -values[bits]);
  }
  EXPECT_EQ(core::float_to_float4(5.0f), 6);  // a tie between 4 and 6, to even
  EXPECT_EQ(core::float_to_float4(100.0f), 7);
  EXPECT_EQ(core::float_to_float4(-0.2f), 8);
  EXPECT_EQ(core::float_to_float4(NAN), 8);
  EXPECT_EQ(core::float_to_float4(-INFINITY), 15);
}

TEST(Packed, ElementsAreIndependent) {
  std::mt19937 random(7);
  for (const int width : {2, 4}) {
    uint8_t data[8] = {};
    uint8_t expected[32] = {};
    const size_t count = 64 / static_cast<size_t>(width);
    for (int step = 0; step < 500; ++step) {
      const size_t index = random() % count;
      expected[index] = static_cast<uint8_t>(random() % (1u << width));
      core::packed_set(data, width, index, expected[index]);
      for (size_t i = 0; i < count; ++i) ASSERT_EQ(core::packed_get(data, width, i), expected[i]);
    }
  }
}

}  // namespace
}  // namespace sardonyx
