#include <algorithm>

#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

// The definition: where each element of the deep tensor (batch 1) goes in the wide one.
std::vector<float> depth_to_space_oracle(const Tensor& x, int64_t block, bool crd) {
  const int64_t channels = x.shape()[1] / (block * block), height = x.shape()[2], width = x.shape()[3];
  std::vector<float> y(static_cast<size_t>(x.numel()));
  for (int64_t c = 0; c < channels; ++c)
    for (int64_t by = 0; by < block; ++by)
      for (int64_t bx = 0; bx < block; ++bx)
        for (int64_t h = 0; h < height; ++h)
          for (int64_t w = 0; w < width; ++w) {
            const int64_t deep = crd ? (c * block + by) * block + bx : (by * block + bx) * channels + c;
            const int64_t from = (deep * height + h) * width + w;
            const int64_t to = (c * height * block + h * block + by) * width * block + w * block + bx;
            y[static_cast<size_t>(to)] = x.values<float>()[static_cast<size_t>(from)];
          }
  return y;
}

TEST(DepthToSpace, BothModesAndBack) {
  std::mt19937 generator(11);
  for (const int64_t block : {1, 2, 3}) {
    const Tensor x = random_tensor(generator, {1, 2 * block * block, 3, 5});
    for (const bool crd : {false, true}) {
      const Tensor y = OpCase("DepthToSpace").attribute("blocksize", block).attribute("mode", crd ? "CRD" : "DCR").run({x});
      ASSERT_EQ(y.shape(), (Shape{1, 2, 3 * block, 5 * block}));
      const std::vector<float> expected = depth_to_space_oracle(x, block, crd);
      EXPECT_TRUE(std::ranges::equal(y.values<float>(), expected));
      if (crd) continue;
      const Tensor back = OpCase("SpaceToDepth").attribute("blocksize", block).run({y});
      EXPECT_EQ(back.shape(), x.shape());
      EXPECT_TRUE(std::ranges::equal(back.values<float>(), x.values<float>()));
    }
  }
}

TEST(DepthToSpace, AnyElementSize) {
  for (const DType dtype : {DType::kUInt8, DType::kFloat16, DType::kInt64}) {
    const Tensor x = floats({1, 4, 1, 1}, {1, 2, 3, 4}).to(dtype);
    const Tensor y = OpCase("DepthToSpace", 1).attribute("blocksize", 2).run({x});
    EXPECT_EQ(doubles(y), (std::vector<double>{1, 2, 3, 4}));
    EXPECT_EQ(y.dtype(), dtype);
  }
}

TEST(DepthToSpace, Strings) {
  std::mt19937 generator(12);
  const Tensor x = random_tensor(generator, {2, 8, 2, 3});
  const auto as_text = [](const Tensor& numbers) { return OpCase("Cast").attribute("to", 8).run({numbers}); };
  for (const char* mode : {"DCR", "CRD"}) {
    const auto run = [&](const Tensor& input) {
      return OpCase("DepthToSpace").attribute("blocksize", 2).attribute("mode", mode).run({input});
    };
    EXPECT_TRUE(std::ranges::equal(run(as_text(x)).strings(), as_text(run(x)).strings()));
  }
  const auto back = [](const Tensor& input) { return OpCase("SpaceToDepth").attribute("blocksize", 2).run({input}); };
  const Tensor wide = x.reshape({2, 2, 4, 6});
  EXPECT_TRUE(std::ranges::equal(back(as_text(wide)).strings(), as_text(back(wide)).strings()));
}

TEST(DepthToSpace, RefusesWhatDoesNotFit) {
  const Tensor x({1, 6, 4, 4});
  EXPECT_EQ(OpCase("DepthToSpace").attribute("blocksize", 2).error({x}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("DepthToSpace").error({x}).first, ErrorCode::kInvalidModel);
  EXPECT_EQ(OpCase("DepthToSpace").attribute("blocksize", -1).error({x}).first, ErrorCode::kInvalidModel);
  EXPECT_EQ(OpCase("DepthToSpace").attribute("blocksize", int64_t{1} << 62).error({x}).first, ErrorCode::kInvalidModel);
  EXPECT_EQ(OpCase("DepthToSpace").attribute("blocksize", 2).attribute("mode", "XYZ").error({x}).first, ErrorCode::kInvalidModel);
  EXPECT_EQ(OpCase("DepthToSpace").attribute("blocksize", 2).error({Tensor({8, 2})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("SpaceToDepth").attribute("blocksize", 3).error({x}).first, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace sardonyx::ops
