#include <gmock/gmock.h>

#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

using testing::HasSubstr;

constexpr DType kTypes[] = {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kInt8, DType::kInt64, DType::kUInt64};

TEST(ReverseSequence, EitherAxisFirst) {
  const Tensor x = floats({3, 2}, {0, 1, 2, 3, 4, 5});
  for (const DType dtype : kTypes) {
    expect_close(OpCase("ReverseSequence").run({x.to(dtype), int64s({3, 2})}), {3, 2}, {4, 3, 2, 1, 0, 5});
    OpCase batch_first("ReverseSequence");
    batch_first.attribute("batch_axis", 0).attribute("time_axis", 1);
    expect_close(batch_first.run({x.to(dtype), int64s({2, 0, 1})}), {3, 2}, {1, 0, 2, 3, 4, 5});
  }
  EXPECT_THAT(OpCase("ReverseSequence").error({x, int64s({4, 0})}).second, HasSubstr("length 4 of sequence 0"));
  EXPECT_EQ(OpCase("ReverseSequence").error({x, int64s({1})}).first, ErrorCode::kInvalidArgument);
  for (const int64_t axis : {int64_t{0}, int64_t{2}, std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::min()}) {
    EXPECT_EQ(OpCase("ReverseSequence").attribute("batch_axis", axis).error({x, int64s({1})}).first, ErrorCode::kInvalidModel);
  }
}

}  // namespace
}  // namespace sardonyx::ops
