#include <gmock/gmock.h>

#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

using testing::HasSubstr;

struct RowOracle {
  double epsilon = 1e-5;
  bool centered = true;
};

// Rows of `size` elements, normalised; scale and shift given for each element of the result.
std::vector<double> normalized(const RowOracle& oracle, std::vector<double> x, size_t size, const std::vector<double>& scale,
                               const std::vector<double>& shift) {
  for (size_t first = 0; first < x.size(); first += size) {
    double mean = 0, square = 0;
    for (size_t i = 0; i < size && oracle.centered; ++i) mean += x[first + i] / static_cast<double>(size);
    for (size_t i = 0; i < size; ++i) square += (x[first + i] - mean) * (x[first + i] - mean) / static_cast<double>(size);
    for (size_t i = 0; i < size; ++i) {
      x[first + i] = (x[first + i] - mean) / std::sqrt(square + oracle.epsilon) * scale[first + i] + shift[first + i];
    }
  }
  return x;
}

double tolerance_of(DType dtype) { return dtype == DType::kBFloat16 ? 0.03 : dtype == DType::kFloat16 ? 3e-3 : 1e-5; }
constexpr DType kFloatTypes[] = {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kBFloat16};

template <class Index>
std::vector<double> spread(const Tensor& parameter, size_t count, const Index& index) {
  const std::vector<double> values = doubles(parameter);
  std::vector<double> result(count);
  for (size_t i = 0; i < count; ++i) result[i] = values[index(i)];
  return result;
}

TEST(LayerNormalization, EveryAxisAndType) {
  std::mt19937 generator(3);
  for (const DType dtype : kFloatTypes) {
    for (size_t axis = 0; axis < 3; ++axis) {
      const Shape shape = {2, 3, 700};
      const Tensor x = random_tensor(generator, shape, -2, 3).to(dtype);
      const Shape own(shape.begin() + static_cast<ptrdiff_t>(axis), shape.end());
      const Tensor scale = random_tensor(generator, own).to(dtype), shift = random_tensor(generator, own).to(dtype);
      const size_t count = static_cast<size_t>(x.numel()), size = static_cast<size_t>(scale.numel());
      const auto index = [size](size_t i) { return i % size; };
      const std::vector<double> s = spread(scale, count, index), b = spread(shift, count, index);
      OpCase layer("LayerNormalization", 17), root("RMSNormalization", 23);
      layer.attribute("axis", static_cast<int64_t>(axis)).attribute("epsilon", 0.01f);
      root.attribute("axis", static_cast<int64_t>(axis) - 3);
      expect_close(layer.run({x, scale, shift}), shape, normalized({.epsilon = 0.01}, doubles(x), size, s, b), tolerance_of(dtype));
      const std::vector<double> zeros(count);
      expect_close(root.run({x, scale}), shape, normalized({.centered = false}, doubles(x), size, s, zeros), tolerance_of(dtype));
    }
  }
}

TEST(LayerNormalization, MeansThatExceedTheDeviations) {
  std::mt19937 generator(11);
  Tensor x = random_tensor(generator, {4, 300}, 0, 0.01f);
  for (float& value : x.mutable_values<float>()) value += 1000;
  OpCase node("LayerNormalization", 17);
  const std::vector<double> ones(1200, 1), zeros(1200);
  expect_close(node.attribute("epsilon", 0.0f).run({x, Tensor::ones({300})}), {4, 300},
               normalized({.epsilon = 0}, doubles(x), 300, ones, zeros), 1e-6);
}

TEST(LayerNormalization, StatisticsAndBroadcastParameters) {
  const Tensor x = floats({2, 2}, {1, 3, 2, 6}).to(DType::kFloat16);
  OpCase node("LayerNormalization", 17);
  const auto results = node.attribute("epsilon", 0.0f).outputs({"y", "mean", "inv"}).run_all({x, Tensor::ones({}, DType::kFloat16)});
  expect_close(results[0], {2, 2}, {-1, 1, -1, 1}, 1e-3);
  EXPECT_EQ(results[1].dtype(), DType::kFloat32);
  expect_close(results[1], {2, 1}, {2, 4});
  expect_close(results[2], {2, 1}, {1, 0.5});
  const Tensor wide = x.to(DType::kFloat32);
  OpCase each("LayerNormalization", 17);
  expect_close(each.attribute("epsilon", 0.0f).run({wide, floats({2, 1}, {1, 10})}), {2, 2}, {-1, 1, -10, 10});
  expect_close(each.run({wide, floats({1, 1, 2}, {1, 10}).reshape({1, 2}), floats({1}, {5})}), {2, 2}, {4, 15, 4, 15});
  EXPECT_EQ(OpCase("LayerNormalization", 17).run({Tensor({0, 2}), Tensor({2})}).shape(), (Shape{0, 2}));
  const double nan = std::nan("");
  OpCase empty("LayerNormalization", 17);
  expect_close(empty.outputs({"y", "mean", "inv"}).run_all({Tensor({2, 0}), Tensor({0})})[1], {2, 1}, {nan, nan});
}

TEST(LayerNormalization, RefusesWhatDoesNotFit) {
  const Tensor x({2, 3});
  EXPECT_THAT(OpCase("LayerNormalization", 17).error({x, Tensor({2})}).second, HasSubstr("scale of shape [2] does not broadcast"));
  EXPECT_EQ(OpCase("LayerNormalization", 17).error({x, Tensor({3}), Tensor({3}).to(DType::kFloat16)}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("LayerNormalization", 17).attribute("stash_type", 7).error({x, Tensor({3})}).first, ErrorCode::kInvalidModel);
  EXPECT_EQ(OpCase("LayerNormalization", 17).attribute("axis", 2).error({x, Tensor({3})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("RMSNormalization", 23).error({int64s({1}), Tensor({1})}).first, ErrorCode::kInvalidArgument);
}

TEST(RMSNormalization, ResultHasTheTypeOfTheScale) {
  const Tensor y =
      OpCase("RMSNormalization", 23).attribute("epsilon", 0.0f).run({floats({2}, {3, 3}).to(DType::kFloat16), Tensor::ones({2})});
  EXPECT_EQ(y.dtype(), DType::kFloat32);
  expect_close(y, {2}, {1, 1});
}

TEST(GroupNormalization, BothVersions) {
  std::mt19937 generator(4);
  for (const DType dtype : kFloatTypes) {
    for (const Shape& shape : {Shape{2, 6, 5, 70}, Shape{3, 6}, Shape{1, 6, 600}}) {
      const Tensor x = random_tensor(generator, shape).to(dtype), of_groups = random_tensor(generator, {3}).to(dtype),
                   of_channels = random_tensor(generator, {6}).to(dtype);
      const size_t count = static_cast<size_t>(x.numel()), pixels = count / static_cast<size_t>(shape[0]) / 6;
      const auto group = [&](size_t i) { return i / pixels % 6 / 2; };
      const auto channel = [&](size_t i) { return i / pixels % 6; };
      const std::vector<double> g = spread(of_groups, count, group), c = spread(of_channels, count, channel);
      OpCase old("GroupNormalization", 18), present("GroupNormalization", 21), instance("InstanceNormalization", 6);
      old.attribute("num_groups", 3), present.attribute("num_groups", 3);
      expect_close(old.run({x, of_groups, of_groups}), shape, normalized({}, doubles(x), 2 * pixels, g, g), 3 * tolerance_of(dtype));
      expect_close(present.run({x, of_channels, of_channels}), shape, normalized({}, doubles(x), 2 * pixels, c, c),
                   3 * tolerance_of(dtype));
      if (pixels == 1) continue;
      expect_close(instance.run({x, of_channels, of_channels}), shape, normalized({}, doubles(x), pixels, c, c), 3 * tolerance_of(dtype));
    }
  }
  const Tensor x({1, 4, 2}), four({4}), three({3});
  EXPECT_EQ(OpCase("GroupNormalization", 21).attribute("num_groups", 3).error({x, four, four}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("GroupNormalization", 21).error({x, four, four}).first, ErrorCode::kInvalidModel);
  EXPECT_EQ(OpCase("InstanceNormalization").error({x, three, four}).first, ErrorCode::kInvalidArgument);
}

TEST(MeanVarianceNormalization, AxesAnywhere) {
  const Tensor x = floats({2, 2}, {1, 10, 3, 30});
  for (const DType dtype : kFloatTypes) {
    OpCase columns("MeanVarianceNormalization", 13), rows("MeanVarianceNormalization", 13);
    expect_close(columns.ints("axes", {0}).run({x.to(dtype)}), {2, 2}, {-1, -1, 1, 1}, 1e-3);
    expect_close(rows.ints("axes", {-1}).run({x.to(dtype)}), {2, 2}, {-1, 1, -1, 1}, 1e-3);
  }
  EXPECT_EQ(OpCase("MeanVarianceNormalization").error({x}).first, ErrorCode::kInvalidArgument);
}

TEST(LpNormalization, BothNorms) {
  const Tensor x = floats({2, 2}, {3, 0, -4, 0});
  for (const DType dtype : kFloatTypes) {
    OpCase one("LpNormalization", 1), two("LpNormalization", 22);
    expect_close(one.attribute("p", 1).attribute("axis", 0).run({x.to(dtype)}), {2, 2}, {3.0 / 7, 0, -4.0 / 7, 0}, 3e-3);
    expect_close(two.attribute("axis", 0).run({x.to(dtype)}), {2, 2}, {0.6, 0, -0.8, 0}, 3e-3);
  }
  EXPECT_EQ(OpCase("LpNormalization").attribute("p", 3).error({x}).first, ErrorCode::kInvalidModel);
}

TEST(LRN, NeighboursOfEachChannel) {
  const Tensor x = floats({1, 4, 1}, {1, 2, 3, 4});
  const auto expected = [](double value, double squares) { return value / std::pow(2 + 0.5 / 2 * squares, 0.75); };
  for (const DType dtype : kFloatTypes) {
    OpCase node("LRN");
    node.attribute("size", 2).attribute("alpha", 0.5f).attribute("bias", 2.0f);
    expect_close(node.run({x.to(dtype)}), {1, 4, 1}, {expected(1, 5), expected(2, 13), expected(3, 25), expected(4, 16)},
                 tolerance_of(dtype));
  }
  EXPECT_EQ(OpCase("LRN").error({x}).first, ErrorCode::kInvalidModel);
  EXPECT_EQ(OpCase("LRN").attribute("size", 1).error({Tensor({3})}).first, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace sardonyx::ops
