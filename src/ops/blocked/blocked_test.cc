#include "ops/blocked/blocked.h"

#include <gmock/gmock.h>

#include <limits>

#include "kernels/cpu/test_support.h"
#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

using kernels::for_each_target;
using testing::HasSubstr;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Bound anew each time, as the number of lanes changes with the SIMD target.
Tensor run(OpCase node, const std::vector<Tensor>& inputs) { return node.run_with_constants(inputs, 0); }

Tensor blocked(const Tensor& plain) { return run(OpCase("BlockChannels", 1, "ai.sardonyx"), {plain}); }
Tensor unblocked(const Tensor& image, int64_t channels) {
  return run(OpCase("UnblockChannels", 1, "ai.sardonyx").attribute("channels", channels), {image});
}

// Sets the lanes behind the last channel, which no operator may let reach a channel.
Tensor with_rubbish(const Tensor& image, int64_t channels) {
  Tensor result = image.clone();
  const auto lanes = static_cast<size_t>(image.shape()[4]), plane = span_count(image.shape(), 2, 4);
  const auto blocks = static_cast<size_t>(image.shape()[1]);
  const std::span<float> values = result.mutable_values<float>();
  const float rubbish[] = {std::numeric_limits<float>::quiet_NaN(), kInfinity, -kInfinity};
  for (size_t i = 0; i < values.size(); ++i) {
    const size_t channel = i / lanes / plane % blocks * lanes + i % lanes;
    if (channel >= static_cast<size_t>(channels)) values[i] = rubbish[i % 3];
  }
  return result;
}

void expect_same(const Tensor& expected, const Tensor& actual) {
  ASSERT_EQ(expected.shape(), actual.shape());
  for (int64_t i = 0; i < expected.numel(); ++i) {
    const float wanted = expected.values<float>()[static_cast<size_t>(i)], got = actual.values<float>()[static_cast<size_t>(i)];
    ASSERT_TRUE(wanted == got || (std::isnan(wanted) && std::isnan(got))) << "element " << i << ": " << got << ", not " << wanted;
  }
}

TEST(BlockChannels, ThereAndBack) {
  std::mt19937 generator(1);
  for_each_target([&] {
    for (const Shape& shape :
         {Shape{1, 16, 4, 5}, {2, 3, 7, 5}, {1, 35, 1, 1}, {3, 40, 33, 40}, {0, 3, 4, 4}, {1, 0, 4, 4}, {2, 5, 0, 3}}) {
      SCOPED_TRACE(to_string(shape));
      const Tensor x = random_tensor(generator, shape);
      const Tensor y = blocked(x);
      EXPECT_EQ(y.shape()[1], channel_blocks(shape[1]));
      expect_same(x, unblocked(y, shape[1]));
      if (x.numel() > 0) expect_same(x, unblocked(with_rubbish(y, shape[1]), shape[1]));
    }
  });
}

TEST(BlockChannels, LanesBehindTheLastChannelAreZero) {
  const Tensor y = blocked(Tensor::ones({1, 1, 2, 2}));
  float sum = 0;
  for (const float value : y.values<float>()) sum += value;
  EXPECT_EQ(sum, 4);
}

TEST(BlockChannels, RefusesWhatDoesNotFit) {
  EXPECT_EQ(OpCase("BlockChannels", 1, "ai.sardonyx").error({Tensor({1, 2, 3})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("BlockChannels", 1, "ai.sardonyx").error({Tensor({1, 2, 3, 4}, DType::kFloat64)}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("UnblockChannels", 1, "ai.sardonyx").error({blocked(Tensor({1, 2, 3, 4}))}).first, ErrorCode::kInvalidModel);
  const auto error = [](const Tensor& x, int64_t channels) {
    return OpCase("UnblockChannels", 1, "ai.sardonyx").attribute("channels", channels).error({x});
  };
  EXPECT_THAT(error(blocked(Tensor({1, 2, 3, 4})), 1000).second, HasSubstr("channels is 1000"));
  EXPECT_THAT(error(blocked(Tensor({1, 2, 3, 4})), std::numeric_limits<int64_t>::max()).second, HasSubstr("channels"));
  EXPECT_THAT(error(Tensor({1, 1, 3, 4, 7}), 2).second, HasSubstr("the blocks of this machine"));
}

struct Case {
  Shape x, w;
  std::vector<int64_t> strides = {}, dilations = {}, pads = {};
  int64_t groups = 1;
};

OpCase node_of(const Case& c, const char* op) {
  OpCase node(op, 1, "ai.sardonyx");
  node.attribute("group", c.groups);
  if (!c.strides.empty()) node.ints("strides", c.strides);
  if (!c.dilations.empty()) node.ints("dilations", c.dilations);
  if (!c.pads.empty()) node.ints("pads", c.pads);
  return node;
}

void expect_near_plain(const Tensor& expected, const Tensor& actual, double terms) {
  ASSERT_EQ(expected.shape(), actual.shape());
  for (size_t i = 0; i < expected.values<float>().size(); ++i) {
    ASSERT_NEAR(expected.values<float>()[i], actual.values<float>()[i], 2e-7 * (terms + 8)) << "element " << i;
  }
}

// Blocked, from rubbish behind the channels, against the plain operator.
void check(const Case& c, std::mt19937& generator) {
  SCOPED_TRACE(to_string(c.x) + " with " + to_string(c.w) + " pads " + to_string(c.pads) + " strides " + to_string(c.strides) +
               " dilations " + to_string(c.dilations) + " groups " + std::to_string(c.groups));
  const Tensor x = random_tensor(generator, c.x), w = random_tensor(generator, c.w), b = random_tensor(generator, {c.w[0]});
  const double terms = static_cast<double>(span_count(c.w, 1, 4));
  OpCase plain = node_of(c, "FusedConv"), fast = node_of(c, "BlockedConv");
  const Tensor image = c.x[1] == 0 ? blocked(x) : with_rubbish(blocked(x), c.x[1]);
  const Tensor expected = plain.run({x, w, b});
  expect_near_plain(expected, unblocked(run(fast, {image, w, b}), c.w[0]), terms);
  expect_near_plain(plain.run({x, w}), unblocked(fast.run_with_constants({image, w}, 0b10), c.w[0]), terms);
  if (c.groups == 1) expect_near_plain(expected, unblocked(fast.run_with_constants({x, w, b}, 0b110), c.w[0]), terms);
  const Tensor z = random_tensor(generator, expected.shape());
  for (const char* activation : {"Relu", "HardSwish"}) {
    OpCase plain_node = plain, fast_node = fast;
    plain_node.attribute("activation", activation), fast_node.attribute("activation", activation);
    const Tensor residual = expected.numel() == 0 ? blocked(z) : with_rubbish(blocked(z), c.w[0]);
    expect_near_plain(plain_node.run({x, w, b, z}), unblocked(fast_node.run_with_constants({image, w, b, residual}, 0b110), c.w[0]), terms);
  }
}

TEST(BlockedConv, AgreesWithConv) {
  const Case cases[] = {
      {{1, 16, 5, 5}, {16, 16, 3, 3}, {}, {}, {1, 1, 1, 1}},
      {{2, 3, 9, 7}, {5, 3, 3, 3}, {2, 1}, {}, {1, 0, 0, 2}},
      {{1, 37, 11, 10}, {70, 37, 3, 2}, {1, 2}, {2, 1}, {2, 1, 2, 1}},
      {{1, 64, 7, 7}, {200, 64, 1, 1}},
      {{3, 20, 14, 14}, {33, 20, 1, 1}, {2, 2}},
      {{1, 40, 12, 13}, {40, 1, 3, 3}, {}, {}, {1, 1, 1, 1}, 40},
      {{2, 19, 12, 13}, {19, 1, 5, 4}, {2, 3}, {2, 1}, {4, 2, 3, 3}, 19},
      {{1, 7, 2, 2}, {7, 1, 5, 5}, {}, {}, {4, 4, 4, 4}, 7},  // no output whose taps all lie inside
      {{2, 64, 6, 5}, {96, 32, 3, 3}, {}, {}, {1, 1, 1, 1}, 2},
      {{1, 3, 40, 37}, {70, 3, 7, 7}, {2, 2}, {}, {3, 3, 3, 3}},
      {{1, 130, 20, 20}, {20, 130, 3, 3}, {}, {}, {1, 1, 1, 1}},  // several stages
      {{1, 4, 3, 3}, {4, 4, 3, 3}, {5, 5}, {}, {9, 9, 9, 9}},     // windows that lie wholly in the padding
      {{0, 4, 3, 3}, {4, 4, 3, 3}},
      {{1, 4, 3, 3}, {0, 4, 3, 3}},
  };
  std::mt19937 generator(3);
  for_each_target([&] {
    for (const Case& c : cases) check(c, generator);
  });
}

TEST(BlockedConv, AgreesWithConvInRandomCases) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 generator(seed);
  const auto from = [&](int64_t low, int64_t high) { return std::uniform_int_distribution<int64_t>(low, high)(generator); };
  for_each_target([&] {
    for (int i = 0; i < 25; ++i) {
      Case c;
      const bool is_depthwise = from(0, 2) == 0;
      const int64_t channels = from(1, 50), kh = from(1, 4), kw = from(1, 4);
      c.x = {from(1, 2), channels, from(4, 20), from(4, 20)};
      c.groups = is_depthwise ? channels : 1;
      c.w = {is_depthwise ? channels : from(1, 80), channels / c.groups, kh, kw};
      c.strides = {from(1, 3), from(1, 3)};
      c.dilations = {from(1, 2), from(1, 2)};
      c.pads = {from(0, 3), from(0, 3), from(0, 3), from(0, 3)};
      if (c.x[2] + c.pads[0] + c.pads[2] < (kh - 1) * c.dilations[0] + 1 ||
          c.x[3] + c.pads[1] + c.pads[3] < (kw - 1) * c.dilations[1] + 1) {
        continue;
      }
      check(c, generator);
    }
  });
}

TEST(BlockedConv, RefusesWhatDoesNotFit) {
  const Tensor x = blocked(Tensor({1, 20, 4, 4})), w({8, 20, 3, 3});
  const auto error = [&](std::vector<Tensor> inputs, int64_t groups = 1) {
    return OpCase("BlockedConv", 1, "ai.sardonyx").attribute("group", groups).error(inputs);
  };
  EXPECT_EQ(error({x, Tensor({8, 300, 3, 3})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(error({x, Tensor({8, 20, 3})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(error({x, Tensor({8, 20, 3, 3}, DType::kFloat64)}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(error({x, Tensor({8, 10, 3, 3})}, 2).first, ErrorCode::kUnsupported);
  EXPECT_EQ(error({x, Tensor({40, 1, 3, 3})}, 20).first, ErrorCode::kUnsupported);
  EXPECT_EQ(error({x, w}, std::numeric_limits<int64_t>::max()).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(error({x, w, Tensor({7})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(error({x, w, Tensor(), Tensor({1, 8, 2, 2})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(error({Tensor({1, 20, 4}), w}).first, ErrorCode::kInvalidArgument);
  const int64_t huge = int64_t{1} << 30;
  OpCase far("BlockedConv", 1, "ai.sardonyx");
  far.ints("pads", {huge, huge, huge, huge}).ints("strides", {huge, huge});
  EXPECT_EQ(far.error({Tensor({1, 3, 4, 4}), Tensor({8, 3, 1, 1})}).first, ErrorCode::kResourceLimit);
}

OpCase pool_of(const char* op, const char* domain, int64_t opset, const Case& c, bool include_pad, bool ceil) {
  OpCase node(op, opset, domain);
  node.ints("kernel_shape", c.w).ints("strides", c.strides).ints("pads", c.pads).ints("dilations", c.dilations);
  node.attribute("ceil_mode", int64_t{ceil});
  if (include_pad) node.attribute("count_include_pad", int64_t{1});
  return node;
}

TEST(BlockedPool, AgreesWithPool) {
  std::mt19937 generator(5);
  const Case cases[] = {{{1, 20, 9, 8}, {3, 3}, {2, 2}, {1, 1}, {1, 1, 1, 1}},
                        {{2, 33, 13, 7}, {2, 3}, {1, 2}, {2, 1}, {0, 1, 1, 0}},
                        {{1, 16, 30, 30}, {5, 5}, {1, 1}, {1, 1}, {2, 2, 2, 2}},
                        {{0, 16, 30, 30}, {5, 5}, {1, 1}, {1, 1}, {2, 2, 2, 2}}};
  for_each_target([&] {
    for (const Case& c : cases) {
      SCOPED_TRACE(to_string(c.x) + " under " + to_string(c.w));
      Tensor x = random_tensor(generator, c.x);
      if (x.numel() > 200) x.mutable_values<float>()[100] = std::numeric_limits<float>::quiet_NaN();
      const Tensor image = x.numel() == 0 ? blocked(x) : with_rubbish(blocked(x), c.x[1]);
      for (const bool ceil : {false, true}) {
        expect_same(pool_of("MaxPool", "", 22, c, false, ceil).run({x}),
                    unblocked(run(pool_of("BlockedMaxPool", "ai.sardonyx", 1, c, false, ceil), {image}), c.x[1]));
      }
      const Tensor finite = random_tensor(generator, c.x);
      const Tensor finite_image = x.numel() == 0 ? blocked(x) : with_rubbish(blocked(finite), c.x[1]);
      for (const bool include_pad : {false, true}) {
        expect_near_plain(pool_of("AveragePool", "", 22, c, include_pad, true).run({finite}),
                          unblocked(run(pool_of("BlockedAveragePool", "ai.sardonyx", 1, c, include_pad, true), {finite_image}), c.x[1]), 1);
      }
      expect_near_plain(OpCase("GlobalAveragePool").run({finite}),
                        unblocked(run(OpCase("BlockedGlobalAveragePool", 1, "ai.sardonyx"), {finite_image}), c.x[1]), 1);
    }
  });
  EXPECT_EQ(OpCase("BlockedGlobalAveragePool", 1, "ai.sardonyx").error({blocked(Tensor({1, 2, 0, 3}))}).first, ErrorCode::kInvalidArgument);
}

TEST(BlockedScale, AgreesWithMul) {
  std::mt19937 generator(6);
  for_each_target([&] {
    for (const Shape& shape : {Shape{2, 21, 5, 7}, {1, 40, 130, 70}, {0, 3, 2, 2}, {1, 5, 0, 2}}) {
      const Tensor x = random_tensor(generator, shape), factors = random_tensor(generator, {shape[0], shape[1], 1, 1});
      const Tensor image = x.numel() == 0 ? blocked(x) : with_rubbish(blocked(x), shape[1]);
      expect_same(OpCase("Mul").run({x, factors}),
                  unblocked(run(OpCase("BlockedScale", 1, "ai.sardonyx"), {image, blocked(factors)}), shape[1]));
    }
  });
  EXPECT_EQ(OpCase("BlockedScale", 1, "ai.sardonyx").error({blocked(Tensor({1, 2, 3, 3})), blocked(Tensor({1, 2, 1, 3}))}).first,
            ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace sardonyx::ops
