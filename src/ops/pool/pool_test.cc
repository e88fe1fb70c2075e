#include <gmock/gmock.h>

#include <limits>

#include "ops/low_bits.h"
#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

using testing::ElementsAre;

struct Case {
  int64_t size, kernel, stride, dilation, pad_begin, pad_end;
  bool ceil;
};

// One dimension by the definition: for each output the positions of its taps, some of which may be outside.
std::vector<std::vector<int64_t>> taps(const Case& c) {
  const int64_t extent = (c.kernel - 1) * c.dilation + 1, slack = c.size + c.pad_begin + c.pad_end - extent;
  int64_t count = slack / c.stride + 1;
  if (c.ceil && slack % c.stride != 0 && count * c.stride < c.size + c.pad_begin) ++count;
  std::vector<std::vector<int64_t>> result;
  for (int64_t o = 0; o < count; ++o) {
    result.emplace_back();
    for (int64_t t = 0; t < c.kernel; ++t) result.back().push_back(o * c.stride + t * c.dilation - c.pad_begin);
  }
  return result;
}

const Case kCases[] = {
    {7, 2, 2, 1, 0, 0, false}, {7, 2, 2, 1, 0, 0, true}, {8, 3, 2, 1, 1, 1, false}, {8, 3, 2, 1, 1, 1, true},
    {9, 3, 1, 2, 0, 0, false}, {9, 2, 3, 2, 1, 0, true}, {5, 5, 1, 1, 0, 0, false}, {10, 3, 4, 1, 0, 2, true},
};

OpCase pool_node(const char* op, const Case& h, const Case& w) {
  OpCase node(op, 19);
  node.ints("kernel_shape", {h.kernel, w.kernel}).ints("strides", {h.stride, w.stride}).ints("dilations", {h.dilation, w.dilation});
  node.ints("pads", {h.pad_begin, w.pad_begin, h.pad_end, w.pad_end}).attribute("ceil_mode", int{h.ceil});
  return node;
}

// Calls visit(value) for the taps of one output that lie inside the plane, and counts those inside the padded plane.
template <class Visit>
int64_t visit_taps(const Case& h, const Case& w, const std::vector<int64_t>& rows, const std::vector<int64_t>& columns,
                   const Visit& visit) {
  int64_t padded = 0;
  for (const int64_t row : rows) {
    for (const int64_t column : columns) {
      if (row < h.size + h.pad_end && column < w.size + w.pad_end) ++padded;
      if (row >= 0 && row < h.size && column >= 0 && column < w.size) visit(row * w.size + column);
    }
  }
  return padded;
}

TEST(Pool, MaxAndAverageAgreeWithTheDefinition) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 generator(seed);
  for (const Case& h : kCases) {
    for (const Case& w : kCases) {
      if (h.ceil != w.ceil) continue;
      SCOPED_TRACE(std::to_string(h.size) + "/" + std::to_string(h.stride) + " " + std::to_string(w.size) + "/" + std::to_string(w.stride));
      const Tensor x = random_tensor(generator, {1, 2, h.size, w.size}), fine = with_low_bits(x);
      const auto rows = taps(h), columns = taps(w);
      std::vector<double> greatest, mean, mean_with_pads, fine_mean, fine_mean_with_pads;
      std::vector<int64_t> indices;
      for (int64_t plane = 0; plane < 2; ++plane) {
        for (const auto& r : rows) {
          for (const auto& c : columns) {
            double sum = 0, fine_sum = 0, best = -std::numeric_limits<double>::infinity();
            int64_t count = 0, where = 0;
            const int64_t padded = visit_taps(h, w, r, c, [&](int64_t at) {
              const int64_t number = plane * h.size * w.size + at;
              const double value = x.values<float>()[static_cast<size_t>(number)];
              fine_sum += fine.values<double>()[static_cast<size_t>(number)];
              if (value > best) where = number;
              best = std::max(best, value);
              sum += value;
              ++count;
            });
            greatest.push_back(best);
            indices.push_back(where);
            mean.push_back(sum / static_cast<double>(count));
            mean_with_pads.push_back(sum / static_cast<double>(padded));
            fine_mean.push_back(fine_sum / static_cast<double>(count));
            fine_mean_with_pads.push_back(fine_sum / static_cast<double>(padded));
          }
        }
      }
      const Shape out = {1, 2, static_cast<int64_t>(rows.size()), static_cast<int64_t>(columns.size())};
      expect_close(pool_node("MaxPool", h, w).run({x}), out, greatest, 0);
      expect_close(pool_node("AveragePool", h, w).run({x}), out, mean);
      expect_close(pool_node("AveragePool", h, w).attribute("count_include_pad", 1).run({x}), out, mean_with_pads);
      expect_close(pool_node("AveragePool", h, w).run({fine}), out, fine_mean, 1e-14);
      expect_close(pool_node("AveragePool", h, w).attribute("count_include_pad", 1).run({fine}), out, fine_mean_with_pads, 1e-14);
      const std::vector<Tensor> both = pool_node("MaxPool", h, w).outputs({"y", "indices"}).run_all({x});
      expect_close(both.at(0), out, greatest, 0);
      EXPECT_TRUE(std::ranges::equal(both.at(1).values<int64_t>(), indices));
    }
  }
}

TEST(MaxPool, ColumnMajorIndices) {
  const Tensor x = floats({1, 2, 2, 3}, {0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0});
  OpCase node("MaxPool");
  node.ints("kernel_shape", {2, 3}).outputs({"y", "indices"});
  const Tensor rows = node.run_all({x}).at(1);
  const Tensor columns = node.attribute("storage_order", 1).run_all({x}).at(1);
  EXPECT_THAT(rows.values<int64_t>(), ElementsAre(2, 6 + 3));
  EXPECT_THAT(columns.values<int64_t>(), ElementsAre(4, 6 + 1));
}

TEST(MaxPool, OtherTypes) {
  const Tensor x = floats({1, 1, 4}, {-3, -1, -4, -2});
  for (const DType dtype : {DType::kFloat64, DType::kFloat16, DType::kBFloat16, DType::kInt8}) {
    const Tensor y = OpCase("MaxPool").ints("kernel_shape", {2}).ints("strides", {2}).run({x.to(dtype)});
    EXPECT_EQ(y.dtype(), dtype);
    EXPECT_EQ(doubles(y), (std::vector<double>{-1, -2}));
  }
  EXPECT_EQ(OpCase("MaxPool").ints("kernel_shape", {2}).error({x.to(DType::kInt32)}).first, ErrorCode::kUnsupported);
}

TEST(Pool, ThreeDimensionsAndOne) {
  const Tensor cube = Tensor::full({1, 1, 4, 4, 4}, 2);
  expect_close(OpCase("AveragePool").ints("kernel_shape", {2, 2, 2}).ints("strides", {2, 2, 2}).run({cube}), {1, 1, 2, 2, 2},
               std::vector<double>(8, 2));
  const std::vector<Tensor> both =
      OpCase("MaxPool").ints("kernel_shape", {3}).outputs({"y", "i"}).run_all({floats({1, 1, 4}, {1, 5, 2, 7})});
  EXPECT_EQ(doubles(both.at(0)), (std::vector<double>{5, 7}));
  EXPECT_EQ(doubles(both.at(1)), (std::vector<double>{1, 3}));
}

TEST(Pool, Global) {
  const Tensor x = floats({1, 2, 2, 2}, {1, 2, 3, 4, -1, -2, -3, -8});
  expect_close(OpCase("GlobalAveragePool").run({x}), {1, 2, 1, 1}, {2.5, -3.5});
  expect_close(OpCase("GlobalMaxPool").run({x}), {1, 2, 1, 1}, {4, -1});
  expect_close(OpCase("GlobalAveragePool").run({x.to(DType::kFloat16)}), {1, 2, 1, 1}, {2.5, -3.5});
  EXPECT_EQ(OpCase("GlobalMaxPool").error({Tensor({1, 2, 0, 2})}).first, ErrorCode::kInvalidArgument);
}

TEST(Pool, DoubleIsNotRounded) {
  std::mt19937 generator(5);
  const Tensor x = with_low_bits(random_tensor(generator, {2, 3, 13, 17}));
  std::vector<double> mean, greatest;
  for (size_t plane = 0; plane < 6; ++plane) {
    const auto values = x.values<double>().subspan(plane * 221, 221);
    long double sum = 0;
    for (const double value : values) sum += value;
    mean.push_back(static_cast<double>(sum / 221));
    greatest.push_back(*std::ranges::max_element(values));
  }
  expect_close(OpCase("GlobalAveragePool").run({x}), {2, 3, 1, 1}, mean, 1e-14);
  expect_close(OpCase("GlobalMaxPool").run({x}), {2, 3, 1, 1}, greatest, 0);
  EXPECT_EQ(OpCase("GlobalMaxPool").run({x}).dtype(), DType::kFloat64);
  expect_close(OpCase("AdaptiveAveragePool", 1, "ai.sardonyx").ints("output_size", {1, 1}).run({x}), {2, 3, 1, 1}, mean, 1e-14);
  expect_close(OpCase("AveragePool").ints("kernel_shape", {13, 17}).run({x}), {2, 3, 1, 1}, mean, 1e-14);
  const Tensor special = Tensor::of<double>({1, 2, 3}, {1, std::nan(""), 2, -HUGE_VAL, -HUGE_VAL, -HUGE_VAL});
  expect_close(OpCase("GlobalMaxPool").run({special}), {1, 2, 1}, {std::nan(""), -HUGE_VAL});
}

TEST(Pool, DoubleInOneAndThreeDimensionsAndAutoPad) {
  std::mt19937 generator(6);
  const Tensor line = with_low_bits(random_tensor(generator, {2, 2, 11})), cube = with_low_bits(random_tensor(generator, {1, 2, 4, 5, 6}));
  for (const char* mode : {"SAME_UPPER", "SAME_LOWER", "VALID"}) {
    for (const int include : {0, 1}) {
      const auto pool = [&](const Tensor& x, std::vector<int64_t> kernel, std::vector<int64_t> strides) {
        OpCase node("AveragePool", 19);
        node.ints("kernel_shape", std::move(kernel)).ints("strides", std::move(strides));
        return node.attribute("auto_pad", mode).attribute("count_include_pad", include).run({x});
      };
      const Tensor flat = pool(line, {3}, {2}), solid = pool(cube, {2, 3, 3}, {2, 1, 2});
      EXPECT_EQ(flat.dtype(), DType::kFloat64);
      const Tensor rough_flat = pool(line.to(DType::kFloat32), {3}, {2}),
                   rough_solid = pool(cube.to(DType::kFloat32), {2, 3, 3}, {2, 1, 2});
      expect_close(flat, rough_flat.shape(), doubles(rough_flat), 1e-6);
      expect_close(solid, rough_solid.shape(), doubles(rough_solid), 1e-6);
      // The same values as a plane of height 1.
      expect_close(pool(line.reshape({2, 2, 1, 11}), {1, 3}, {1, 2}), {2, 2, 1, flat.size(2)}, doubles(flat), 0);
    }
  }
  EXPECT_EQ(OpCase("AveragePool").ints("kernel_shape", {2}).run({Tensor({0, 2, 3}, DType::kFloat64)}).shape(), (Shape{0, 2, 2}));
  EXPECT_EQ(OpCase("GlobalAveragePool").error({Tensor({1, 2, 0}, DType::kFloat64)}).first, ErrorCode::kInvalidArgument);
}

TEST(Pool, Adaptive) {
  const Tensor x = floats({1, 1, 5}, {1, 2, 3, 4, 5});
  // Each output o of 3 covers [floor(5 o / 3), ceil(5 (o + 1) / 3)).
  expect_close(OpCase("AdaptiveAveragePool", 1, "ai.sardonyx").ints("output_size", {3}).run({x}), {1, 1, 3}, {1.5, 3, 4.5});
  EXPECT_EQ(OpCase("AdaptiveAveragePool", 1, "ai.sardonyx").ints("output_size", {0}).error({x}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("AdaptiveAveragePool", 1, "ai.sardonyx").error({x}).first, ErrorCode::kInvalidArgument);
}

TEST(Pool, AutoPad) {
  const Tensor x = floats({1, 1, 5}, {1, 2, 3, 4, 5});
  const auto pool = [&](const char* mode) {
    return doubles(OpCase("MaxPool").ints("kernel_shape", {2}).ints("strides", {2}).attribute("auto_pad", mode).run({x}));
  };
  EXPECT_EQ(pool("SAME_UPPER"), (std::vector<double>{2, 4, 5}));
  EXPECT_EQ(pool("SAME_LOWER"), (std::vector<double>{1, 3, 5}));
  EXPECT_EQ(pool("VALID"), (std::vector<double>{2, 4}));
}

TEST(Pool, RefusesWhatDoesNotFit) {
  const Tensor x({1, 1, 4, 4});
  EXPECT_EQ(OpCase("MaxPool").error({x}).first, ErrorCode::kInvalidModel);
  EXPECT_EQ(OpCase("MaxPool").ints("kernel_shape", {2}).error({x}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("MaxPool").ints("kernel_shape", {5, 5}).error({x}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("MaxPool").ints("kernel_shape", {0, 2}).error({x}).first, ErrorCode::kInvalidModel);
  EXPECT_EQ(OpCase("AveragePool").ints("kernel_shape", {2, 2}).error({x.to(DType::kInt8)}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("MaxPool").ints("kernel_shape", {2}).error({Tensor({4})}).first, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace sardonyx::ops
