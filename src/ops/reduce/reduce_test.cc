#include <gmock/gmock.h>

#include <limits>

#include "ops/op_case.h"
#include "ops/reduce/reduce_any.h"

namespace sardonyx::ops {
namespace {

using testing::ElementsAre;

double reduce_oracle(std::string_view op, const std::vector<double>& v) {
  const auto sum = [&](auto f) {
    double total = 0;
    for (const double x : v) total += f(x);
    return total;
  };
  const auto itself = [](double x) { return x; };
  const auto square = [](double x) { return x * x; };
  if (op == "ReduceL1") return sum([](double x) { return std::abs(x); });
  if (op == "ReduceL2") return std::sqrt(sum(square));
  if (op == "ReduceLogSum") return std::log(sum(itself));
  if (op == "ReduceLogSumExp") return std::log(sum([](double x) { return std::exp(x); }));
  if (op == "ReduceMean") return sum(itself) / static_cast<double>(v.size());
  if (op == "ReduceSum") return sum(itself);
  if (op == "ReduceSumSquare") return sum(square);
  double result = op == "ReduceProd" ? 1 : v[0];
  for (const double x : v) result = op == "ReduceProd" ? result * x : op == "ReduceMax" ? std::max(result, x) : std::min(result, x);
  return result;
}

constexpr const char* kReductions[] = {"ReduceL1",   "ReduceL2",  "ReduceLogSum", "ReduceLogSumExp", "ReduceMax",
                                       "ReduceMean", "ReduceMin", "ReduceProd",   "ReduceSum",       "ReduceSumSquare"};

// All sets of axes of a tensor of four dimensions, in float (by the kernel), in double and in int32 (by the general path).
TEST(Reduce, EverySetOfAxes) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 generator(seed);
  const Shape shape = {3, 1, 4, 5};
  Tensor x = random_tensor(generator, shape, 1, 3);
  for (float& value : x.mutable_values<float>()) value = std::floor(value);  // 1 or 2, so that sums of integers are exact
  const std::vector<double> all = doubles(x);
  for (const char* op : kReductions) {
    for (unsigned set = 1; set < 16; ++set) {
      SCOPED_TRACE(std::string(op) + " of set " + std::to_string(set));
      std::vector<int64_t> axes;
      Shape kept, squeezed;
      for (size_t i = 0; i < 4; ++i) {
        const bool reduced = (set >> i & 1) != 0;
        if (reduced) axes.push_back(static_cast<int64_t>(i) - (i % 2 == 0 ? 4 : 0));
        kept.push_back(reduced ? 1 : shape[i]);
        if (!reduced) squeezed.push_back(shape[i]);
      }
      const StridedView to = broadcast_view(kept, shape);
      std::vector<std::vector<double>> groups(static_cast<size_t>(element_count(kept)));
      for (size_t i = 0; i < all.size(); ++i) groups[static_cast<size_t>(to.offset(i))].push_back(all[i]);
      std::vector<double> expected, whole;
      for (const auto& group : groups) {
        expected.push_back(reduce_oracle(op, group));
        whole.push_back(std::trunc(expected.back()));
      }
      const Tensor axes_input = Tensor::of<int64_t>({static_cast<int64_t>(axes.size())}, axes);
      expect_close(OpCase(op, 18).run({x, axes_input}), kept, expected, 1e-5);
      expect_close(OpCase(op, 18).attribute("keepdims", 0).run({x, axes_input}), squeezed, expected, 1e-5);
      expect_close(OpCase(op, 11).ints("axes", axes).run({x}), kept, expected, 1e-5);
      expect_close(OpCase(op, 11).ints("axes", axes).run({x.to(DType::kFloat64)}), kept, expected, 1e-12);
      if ((set | 2) == 15 && std::string_view(op) == "ReduceProd") continue;  // beyond int32
      expect_close(OpCase(op, 11).ints("axes", axes).run({x.to(DType::kInt32)}), kept, whole, 0);
    }
  }
}

TEST(Reduce, WithoutAxes) {
  const Tensor x = floats({2, 2}, {1, -2, 3, -4});
  expect_close(OpCase("ReduceSum").run({x}), {1, 1}, {-2});
  expect_close(OpCase("ReduceSum").run({x, int64s({})}), {1, 1}, {-2});
  expect_close(OpCase("ReduceSum").attribute("noop_with_empty_axes", 1).run({x, int64s({})}), {2, 2}, {1, -2, 3, -4});
  expect_close(OpCase("ReduceSumSquare").attribute("noop_with_empty_axes", 1).run({x}), {2, 2}, {1, 4, 9, 16});
}

TEST(Reduce, OfNothing) {
  const Tensor x({0, 3});
  const double infinity = std::numeric_limits<double>::infinity();
  const auto reduce = [&](const char* op) { return OpCase(op).run({x, int64s({0})}); };
  expect_close(reduce("ReduceSum"), {1, 3}, {0, 0, 0});
  expect_close(reduce("ReduceProd"), {1, 3}, {1, 1, 1});
  expect_close(reduce("ReduceMax"), {1, 3}, {-infinity, -infinity, -infinity});
  expect_close(reduce("ReduceLogSumExp"), {1, 3}, {-infinity, -infinity, -infinity});
  EXPECT_EQ(OpCase("ReduceMax").run({Tensor({0}, DType::kInt8)}).item<int8_t>(), -128);
  EXPECT_EQ(OpCase("ReduceMin").run({Tensor({0}, DType::kUInt64)}).item<uint64_t>(), std::numeric_limits<uint64_t>::max());
}

TEST(Reduce, LargeExponentsDoNotOverflow) {
  expect_close(OpCase("ReduceLogSumExp").run({floats({2}, {1000, 1000})}), {1}, {1000 + std::log(2.0)});
}

TEST(Reduce, RefusesWhatDoesNotFit) {
  const Tensor x({2, 3});
  EXPECT_EQ(OpCase("ReduceSum").error({x, int64s({2})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("ReduceSum").error({x, int64s({0, -2})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("ReduceSum").error({x, floats({1}, {0})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("ReduceSum").error({x, floats({1}, {0}).to(DType::kFloat16)}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("ReduceSum").error({Tensor({2}, DType::kString)}).first, ErrorCode::kInvalidArgument);
}

TEST(Arg, FirstOrLastOfEquals) {
  const Tensor x = floats({2, 3}, {1, 5, 5, 7, 2, 2});
  EXPECT_THAT(OpCase("ArgMax").attribute("axis", 1).run({x}).values<int64_t>(), ElementsAre(1, 0));
  EXPECT_THAT(OpCase("ArgMax").attribute("axis", -1).attribute("select_last_index", 1).run({x}).values<int64_t>(), ElementsAre(2, 0));
  EXPECT_THAT(OpCase("ArgMin").attribute("axis", 1).run({x}).values<int64_t>(), ElementsAre(0, 1));
  const Tensor y = OpCase("ArgMin").attribute("keepdims", 0).run({x.to(DType::kInt8)});
  EXPECT_EQ(y.shape(), (Shape{3}));
  EXPECT_THAT(y.values<int64_t>(), ElementsAre(0, 1, 1));
}

TEST(Arg, LongAxisAndNan) {
  Tensor x = Tensor::zeros({2000, 2});
  x.mutable_values<float>()[2 * 1500] = 3;
  x.mutable_values<float>()[2 * 700 + 1] = std::numeric_limits<float>::quiet_NaN();
  x.mutable_values<float>()[2 * 800 + 1] = 9;
  EXPECT_THAT(OpCase("ArgMax").run({x}).values<int64_t>(), ElementsAre(1500, 700));
  EXPECT_EQ(OpCase("ArgMax").error({Tensor({0, 2})}).first, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace sardonyx::ops
