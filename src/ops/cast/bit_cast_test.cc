#include <gmock/gmock.h>

#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

using testing::ElementsAre;

TEST(BitCast, KeepsTheBits) {
  const auto cast = [](DType to) {
    OpCase node("BitCast", 26);
    node.attribute("to", static_cast<int64_t>(to));
    return node;
  };
  EXPECT_EQ(cast(DType::kUInt32).run({floats({1}, {1})}).item<uint32_t>(), 0x3F800000u);
  EXPECT_EQ(cast(DType::kFloat64).run({int64s({0x3FF0000000000000})}).item<double>(), 1.0);
  EXPECT_EQ(cast(DType::kFloat32).run({floats({1}, {2})}).item<float>(), 2.0f);
  EXPECT_THAT(cast(DType::kBool).run({Tensor::of<uint8_t>({3}, {0, 1, 2})}).values<bool>(), ElementsAre(false, true, true));
  EXPECT_EQ(cast(DType::kInt16).error({floats({1}, {1})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(cast(DType::kString).error({floats({1}, {1})}).first, ErrorCode::kInvalidModel);
}

}  // namespace
}  // namespace sardonyx::ops
