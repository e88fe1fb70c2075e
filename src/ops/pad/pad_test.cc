#include "ops/pad/pad.h"

#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

TEST(Pad, EveryModeOnALine) {
  const Tensor x = floats({3}, {1, 2, 3});
  const auto pad = [&](const char* mode, int64_t before, int64_t after) {
    return doubles(OpCase("Pad", 19).attribute("mode", mode).run({x, int64s({before, after})}));
  };
  EXPECT_EQ(pad("constant", 1, 2), (std::vector<double>{0, 1, 2, 3, 0, 0}));
  EXPECT_EQ(pad("edge", 1, 2), (std::vector<double>{1, 1, 2, 3, 3, 3}));
  EXPECT_EQ(pad("reflect", 4, 3), (std::vector<double>{1, 2, 3, 2, 1, 2, 3, 2, 1, 2}));
  EXPECT_EQ(pad("wrap", 4, 3), (std::vector<double>{3, 1, 2, 3, 1, 2, 3, 1, 2, 3}));
  EXPECT_EQ(pad("constant", -1, 1), (std::vector<double>{2, 3, 0}));
  EXPECT_EQ(pad("constant", 1, -2), (std::vector<double>{0, 1}));
  EXPECT_EQ(pad("edge", -1, -1), (std::vector<double>{2}));
}

TEST(Pad, EveryVersion) {
  const Tensor x = floats({2, 2}, {1, 2, 3, 4});
  const std::vector<double> expected = {9, 1, 2, 9, 3, 4, 9, 9, 9};
  const std::vector<int64_t> pads = {0, 1, 1, 0};
  expect_close(OpCase("Pad", 1).ints("paddings", pads).attribute("value", 9.0f).run({x}), {3, 3}, expected);
  expect_close(OpCase("Pad", 2).ints("pads", pads).attribute("value", 9.0f).run({x}), {3, 3}, expected);
  const Tensor input = Tensor::of<int64_t>({4}, pads);
  for (const DType dtype : {DType::kFloat32, DType::kInt32, DType::kFloat16, DType::kUInt8, DType::kInt64}) {
    expect_close(OpCase("Pad", 13).run({x.to(dtype), input, floats({}, {9}).to(dtype)}), {3, 3}, expected);
  }
  expect_close(OpCase("Pad", 18).run({x, int64s({1, 0}), Tensor(), int64s({-1})}), {2, 3}, {0, 1, 2, 0, 3, 4});
  EXPECT_EQ(OpCase("Pad", 18).run({Tensor::of_strings({1}, {"a"}), int64s({1, 0}), Tensor::of_strings({}, {"b"})}).strings()[0], "b");
}

TEST(Pad, SeveralDimensionsAgainstTheDefinition) {
  std::mt19937 generator(4);
  const Tensor x = random_tensor(generator, {2, 3, 4});
  const Shape out = {4, 4, 9};
  const int64_t before[3] = {1, -1, 2};
  for (const auto& [name, mode] :
       {std::pair{"constant", PadMode::kConstant}, {"edge", PadMode::kEdge}, {"reflect", PadMode::kReflect}, {"wrap", PadMode::kWrap}}) {
    const Tensor y = OpCase("Pad", 19).attribute("mode", name).run({x, int64s({1, -1, 2, 1, 2, 3})});
    ASSERT_EQ(y.shape(), out);
    for (int64_t i = 0; i < 4 * 4 * 9; ++i) {
      const int64_t at[3] = {i / 36, i / 9 % 4, i % 9};
      int64_t source = 0;
      for (size_t d = 0; d < 3 && source >= 0; ++d) {
        const int64_t position = at[d] - before[d], size = x.shape()[d];
        const int64_t index = position >= 0 && position < size ? position : pad_source(mode, position, size);
        source = index < 0 ? -1 : source * size + index;
      }
      const float expected = source < 0 ? 0 : x.values<float>()[static_cast<size_t>(source)];
      ASSERT_EQ(y.values<float>()[static_cast<size_t>(i)], expected) << name << " element " << i;
    }
  }
}

TEST(Pad, RefusesWhatDoesNotFit) {
  const Tensor x({2, 2});
  EXPECT_EQ(OpCase("Pad").error({x, int64s({1, 1})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("Pad").error({x, int64s({-3, 0, 0, 0})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("Pad").error({x, int64s({-3, 0, 5, 0})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("Pad").error({x, int64s({0, 0, 0, 0}), floats({2}, {1, 2})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("Pad").error({x, int64s({1, 1}), Tensor(), int64s({2})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("Pad").attribute("mode", "mirror").error({x, int64s({0, 0, 0, 0})}).first, ErrorCode::kInvalidModel);
  EXPECT_EQ(OpCase("Pad").attribute("mode", "edge").error({Tensor({0}), int64s({1, 0})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("Pad").error({x, int64s({int64_t{1} << 50, 0, 0, 0})}).first, ErrorCode::kResourceLimit);
  EXPECT_EQ(OpCase("Pad").error({x, int64s({std::numeric_limits<int64_t>::max(), 0, 5, 0})}).first, ErrorCode::kResourceLimit);
}

}  // namespace
}  // namespace sardonyx::ops
