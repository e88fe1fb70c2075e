#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

constexpr DType kTypes[] = {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kInt8, DType::kInt64, DType::kUInt64};

TEST(Trilu, BothTrianglesAnyDiagonal) {
  const Tensor x = floats({2, 3}, {1, 2, 3, 4, 5, 6});
  const int64_t least = std::numeric_limits<int64_t>::min(), most = std::numeric_limits<int64_t>::max();
  for (const DType dtype : kTypes) {
    const auto triangle = [&](int64_t upper, int64_t k) {
      OpCase node("Trilu");
      return node.attribute("upper", upper).run({x.to(dtype), Tensor::scalar(k)});
    };
    expect_close(OpCase("Trilu").run({x.to(dtype)}), {2, 3}, {1, 2, 3, 0, 5, 6});
    expect_close(triangle(1, 1), {2, 3}, {0, 2, 3, 0, 0, 6});
    expect_close(triangle(1, most), {2, 3}, {0, 0, 0, 0, 0, 0});
    expect_close(triangle(1, least), {2, 3}, {1, 2, 3, 4, 5, 6});
    expect_close(triangle(0, 0), {2, 3}, {1, 0, 0, 4, 5, 0});
    expect_close(triangle(0, -1), {2, 3}, {0, 0, 0, 4, 0, 0});
    expect_close(triangle(0, most), {2, 3}, {1, 2, 3, 4, 5, 6});
    expect_close(triangle(0, least), {2, 3}, {0, 0, 0, 0, 0, 0});
  }
  EXPECT_EQ(OpCase("Trilu").error({floats({1}, {1})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("Trilu").error({x, int64s({1, 2})}).first, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace sardonyx::ops
