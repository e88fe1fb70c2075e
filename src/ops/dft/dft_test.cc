#include <gmock/gmock.h>

#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

using testing::HasSubstr;

TEST(Dft, OfSmallSignals) {
  const Tensor x = floats({1, 4, 1}, {1, 2, 3, 4});
  expect_close(OpCase("DFT", 17).run({x}), {1, 4, 2}, {10, 0, -2, 2, -2, 0, -2, -2});
  expect_close(OpCase("DFT", 20).attribute("onesided", 1).run({x}), {1, 3, 2}, {10, 0, -2, 2, -2, 0});
  expect_close(OpCase("DFT", 20).run({x, int64s({2}).reshape({})}), {1, 2, 2}, {3, 0, -1, 0});
  expect_close(OpCase("DFT", 20).run({x.reshape({1, 2, 2, 1}), Tensor(), int64s({1}).reshape({})}), {1, 2, 2, 2},
               {4, 0, 6, 0, -2, 0, -2, 0});
}

TEST(Dft, InverseGivesTheSignalBack) {
  std::mt19937 generator(10);
  for (const int64_t size : {1, 2, 5, 8, 30}) {
    const Tensor x = random_tensor(generator, {3, size, 2, 2}), real = random_tensor(generator, {3, size, 1});
    for (const DType dtype : {DType::kFloat32, DType::kFloat64, DType::kFloat16}) {
      const Tensor spectrum = OpCase("DFT", 17).run({x.to(dtype)});
      EXPECT_EQ(spectrum.dtype(), dtype);
      expect_close(OpCase("DFT", 17).attribute("inverse", 1).run({spectrum}), x.shape(), doubles(x),
                   dtype == DType::kFloat16 ? 2e-2 : 1e-5);
    }
    const Tensor half = OpCase("DFT", 20).attribute("onesided", 1).run({real});
    expect_close(OpCase("DFT", 20).attribute("onesided", 1).attribute("inverse", 1).run({half, int64s({size}).reshape({})}), real.shape(),
                 doubles(real));
  }
}

TEST(Dft, OfRealSignalsIsThatOfComplexOnesWithoutImaginaryParts) {
  std::mt19937 generator(12);
  for (const int64_t size : {1, 2, 7, 10, 16, 15}) {
    const Tensor x = random_tensor(generator, {2, size, 3, 1}).to(DType::kFloat64);
    const Tensor complex = OpCase("Concat", 13).attribute("axis", -1).run({x, Tensor(x.shape(), DType::kFloat64)});
    const Tensor padded = int64s({size + 3}).reshape({}), axis = int64s({1}).reshape({});
    for (const int inverse : {0, 1}) {
      const auto run = [&](const Tensor& input) { return OpCase("DFT", 20).attribute("inverse", inverse).run({input, padded, axis}); };
      const Tensor expected = run(complex);
      expect_close(run(x), expected.shape(), doubles(expected), 1e-13);
    }
  }
}

TEST(Stft, FramesAreTransformedOneByOne) {
  std::mt19937 generator(11);
  const Tensor x = random_tensor(generator, {2, 11, 1}), window = random_tensor(generator, {5});
  const Tensor y = OpCase("STFT", 17).run({x, int64s({3}).reshape({}), window});
  ASSERT_EQ(y.shape(), (Shape{2, 3, 3, 2}));
  for (const int64_t frame : {0, 1, 2}) {
    const Tensor samples = OpCase("Slice").run({x, int64s({3 * frame}), int64s({3 * frame + 5}), int64s({1})});
    const Tensor expected = OpCase("DFT", 20).attribute("onesided", 1).run({OpCase("Mul").run({samples, window.reshape({5, 1})})});
    const Tensor part = OpCase("Slice").run({y, int64s({frame}), int64s({frame + 1}), int64s({1})});
    expect_close(part, {2, 1, 3, 2}, doubles(expected));
  }
  EXPECT_EQ(OpCase("STFT", 17).attribute("onesided", 0).run({x, int64s({4}).reshape({}), Tensor(), int64s({4}).reshape({})}).shape(),
            (Shape{2, 2, 4, 2}));
}

TEST(Dft, RefusesWhatMakesNoSense) {
  const Tensor x({1, 4, 1}), complex({1, 4, 2});
  const auto scalar = [](int64_t value) { return int64s({value}).reshape({}); };
  EXPECT_THAT(OpCase("DFT", 20).error({x, Tensor(), scalar(-1)}).second, HasSubstr("last axis"));
  EXPECT_THAT(OpCase("DFT", 20).error({x, scalar(0)}).second, HasSubstr("dft_length is 0"));
  EXPECT_THAT(OpCase("DFT", 20).error({x, scalar(int64_t{1} << 60)}).second, HasSubstr("dft_length"));
  EXPECT_THAT(OpCase("DFT", 20).attribute("onesided", 1).error({complex}).second, HasSubstr("real input"));
  EXPECT_THAT(OpCase("DFT", 20).error({Tensor({4, 3})}).second, HasSubstr("last size must be 1 (real) or 2 (complex)"));
  EXPECT_THAT(OpCase("STFT", 17).error({x, scalar(1)}).second, HasSubstr("neither window nor frame_length"));
  EXPECT_THAT(OpCase("STFT", 17).error({x, scalar(1), Tensor(), scalar(5)}).second, HasSubstr("signal has 4"));
}

TEST(MelWeightMatrix, Triangles) {
  const auto scalar = [](int64_t value) { return Tensor::scalar(value); };
  const auto run = [&](float lower, float upper) {
    return OpCase("MelWeightMatrix", 17).run({scalar(4), scalar(64), scalar(8000), Tensor::scalar(lower), Tensor::scalar(upper)});
  };
  const Tensor y = run(0, 4000);
  ASSERT_EQ(y.shape(), (Shape{33, 4}));
  const Tensor peaks = OpCase("ReduceMax", 18).attribute("keepdims", 0).run({y, int64s({0})});
  expect_close(peaks, {4}, {1, 1, 1, 1});
  for (const double value : doubles(y)) EXPECT_TRUE(value >= 0 && value <= 1);
  EXPECT_THAT(OpCase("MelWeightMatrix", 17).error({scalar(4), scalar(64), scalar(0), Tensor::scalar(0.0f), Tensor::scalar(1.0f)}).second,
              HasSubstr("sample rate"));
  EXPECT_THAT(OpCase("MelWeightMatrix", 17).error({scalar(0), scalar(64), scalar(1), Tensor::scalar(0.0f), Tensor::scalar(1.0f)}).second,
              HasSubstr("0 mel bands"));
}

}  // namespace
}  // namespace sardonyx::ops
