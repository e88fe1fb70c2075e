#include "ops/conv/conv.h"

#include <gmock/gmock.h>

#include "ops/low_bits.h"
#include "ops/op_case.h"
#include "ops/rows.h"

namespace sardonyx::ops {
namespace {

using testing::HasSubstr;

struct Case {
  Shape x, w;
  std::vector<int64_t> strides, dilations, pads;
  int64_t groups = 1;
};

// The definition, element by element, in double; three spatial dimensions at most.
struct Oracle {
  Shape out;
  std::vector<double> y;

  Oracle(const Case& c, const Tensor& x, const Tensor& w, const Tensor& bias) {
    const size_t rank = c.x.size() - 2;
    const auto at = [&](const Shape& s, size_t i) { return i < 3 - rank ? int64_t{1} : s[2 + i - (3 - rank)]; };
    const auto list = [&](const std::vector<int64_t>& v, size_t i, size_t offset, int64_t none) {
      return i < 3 - rank || v.empty() ? none : v[offset + i - (3 - rank)];
    };
    int64_t o[3];
    out = {c.x[0], c.w[0]};
    for (size_t i = 0; i < 3; ++i) {
      const int64_t extent = (at(c.w, i) - 1) * list(c.dilations, i, 0, 1) + 1;
      o[i] = (at(c.x, i) + list(c.pads, i, 0, 0) + list(c.pads, i, rank, 0) - extent) / list(c.strides, i, 0, 1) + 1;
      if (i >= 3 - rank) out.push_back(o[i]);
    }
    const int64_t per_group_in = c.w[1], per_group_out = c.w[0] / c.groups;
    const std::vector<double> xs = doubles(x), ws = doubles(w), bs = bias.defined() ? doubles(bias) : std::vector<double>();
    for (int64_t n = 0; n < c.x[0]; ++n)
      for (int64_t m = 0; m < c.w[0]; ++m)
        for (int64_t p = 0; p < o[0] * o[1] * o[2]; ++p) {
          const int64_t position[3] = {p / (o[1] * o[2]), p / o[2] % o[1], p % o[2]};
          double sum = bias.defined() ? bs[static_cast<size_t>(m)] : 0.0;
          for (int64_t k = 0; k < per_group_in; ++k)
            for (int64_t t = 0; t < at(c.w, 0) * at(c.w, 1) * at(c.w, 2); ++t) {
              const int64_t tap[3] = {t / (at(c.w, 1) * at(c.w, 2)), t / at(c.w, 2) % at(c.w, 1), t % at(c.w, 2)};
              int64_t source = n * c.x[1] + m / per_group_out * per_group_in + k;
              bool inside = true;
              for (size_t i = 0; i < 3; ++i) {
                const int64_t z = position[i] * list(c.strides, i, 0, 1) + tap[i] * list(c.dilations, i, 0, 1) - list(c.pads, i, 0, 0);
                inside = inside && z >= 0 && z < at(c.x, i);
                source = source * at(c.x, i) + z;
              }
              const int64_t weight = (m * per_group_in + k) * at(c.w, 0) * at(c.w, 1) * at(c.w, 2) + t;
              if (inside) sum += xs[static_cast<size_t>(source)] * ws[static_cast<size_t>(weight)];
            }
          y.push_back(sum);
        }
  }
};

OpCase node_of(const Case& c, const char* op = "Conv", const char* domain = "") {
  OpCase node(op, 1, domain);
  node.attribute("group", c.groups);
  if (!c.strides.empty()) node.ints("strides", c.strides);
  if (!c.dilations.empty()) node.ints("dilations", c.dilations);
  if (!c.pads.empty()) node.ints("pads", c.pads);
  return node;
}

const Case kCases[] = {
    {{1, 1, 5, 5}, {1, 1, 3, 3}, {}, {}, {1, 1, 1, 1}},
    {{2, 3, 9, 7}, {5, 3, 3, 3}, {2, 1}, {}, {1, 0, 0, 2}},
    {{1, 4, 11, 10}, {6, 2, 3, 2}, {1, 2}, {2, 1}, {2, 1, 2, 1}, 2},
    {{1, 8, 12, 13}, {8, 1, 3, 3}, {}, {}, {1, 1, 1, 1}, 8},    // depthwise
    {{1, 4, 6, 6}, {8, 1, 5, 5}, {2, 2}, {}, {2, 2, 2, 2}, 4},  // depthwise with multiplier
    {{2, 3, 17}, {4, 3, 5}, {2}, {2}, {4, 4}},
    {{1, 2, 5, 6, 7}, {3, 2, 2, 3, 3}, {1, 2, 1}, {}, {1, 1, 1, 0, 1, 1}},
    {{1, 16, 8, 8}, {32, 16, 1, 1}, {}, {}, {}},
};

TEST(Conv, AgreesWithTheDefinition) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 generator(seed);
  for (const Case& c : kCases) {
    SCOPED_TRACE(to_string(c.x) + " with " + to_string(c.w));
    const Tensor x = random_tensor(generator, c.x), w = random_tensor(generator, c.w), b = random_tensor(generator, {c.w[0]});
    const Oracle with_bias(c, x, w, b), without(c, x, w, Tensor());
    OpCase node = node_of(c);
    expect_close(node.run({x, w, b}), with_bias.out, with_bias.y);
    expect_close(node.run({x, w}), without.out, without.y);
    expect_close(node.run_with_constants({x, w, b}, 0b110), with_bias.out, with_bias.y);
  }
}

TEST(Conv, DoubleIsNotRounded) {
  std::vector<Case> cases(std::begin(kCases), std::end(kCases));
  cases.push_back({{2, 2, 40, 50}, {70, 1, 3, 2}, {1, 1}, {2, 3}, {2, 3, 2, 0}, 2});  // several tiles, and rows of two groups
  cases.push_back({{1, 60, 17, 17}, {65, 60, 3, 3}, {}, {}, {1, 1, 1, 1}});  // two blocks of rows, and tiles that end within a line
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 generator(seed);
  for (const Case& c : cases) {
    SCOPED_TRACE(to_string(c.x) + " with " + to_string(c.w));
    const auto make = [&](const Shape& shape) { return with_low_bits(random_tensor(generator, shape)); };
    const Tensor x = make(c.x), w = make(c.w), b = make({c.w[0]});
    const Oracle with_bias(c, x, w, b), without(c, x, w, Tensor());
    OpCase node = node_of(c);
    EXPECT_EQ(node.run({x, w, b}).dtype(), DType::kFloat64);
    expect_close(node.run({x, w, b}), with_bias.out, with_bias.y, 1e-12);
    expect_close(node.run({x, w}), without.out, without.y, 1e-12);
    expect_close(node.run_with_constants({x, w, b}, 0b110), with_bias.out, with_bias.y, 1e-12);
  }
}

TEST(Conv, DoubleDoesNotMixWithOthers) {
  const Tensor x({1, 2, 4, 4}), w({3, 2, 2, 2}), b({3});
  const Tensor wide_x = x.to(DType::kFloat64), wide_w = w.to(DType::kFloat64);
  EXPECT_EQ(OpCase("Conv").error({wide_x, w}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("Conv").error({x, wide_w}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("Conv").error({wide_x, wide_w, b}).first, ErrorCode::kInvalidArgument);
  EXPECT_THROW(OpCase("Conv").run_with_constants({x, wide_w}, 0b10), Error);
  EXPECT_THROW(OpCase("Conv").run_with_constants({wide_x, w}, 0b10), Error);
  const int64_t huge = 2147483647;
  EXPECT_EQ(OpCase("Conv").ints("pads", {huge, huge, huge, huge}).error({wide_x, wide_w}).first, ErrorCode::kResourceLimit);
  EXPECT_EQ(OpCase("Conv").run({Tensor({0, 2, 4, 4}, DType::kFloat64), wide_w}).shape(), (Shape{0, 3, 3, 3}));
}

TEST(Conv, FusedInDouble) {
  const Case c{{1, 3, 6, 6}, {4, 3, 3, 3}, {}, {}, {1, 1, 1, 1}};
  std::mt19937 generator(8);
  const Tensor x = with_low_bits(random_tensor(generator, c.x)), w = with_low_bits(random_tensor(generator, c.w)),
               z = with_low_bits(random_tensor(generator, {1, 4, 6, 6}));
  const Oracle plain(c, x, w, Tensor());
  std::vector<double> relu, clipped, large;
  for (size_t i = 0; i < plain.y.size(); ++i) {
    relu.push_back(std::max(plain.y[i] + z.values<double>()[i], 0.0));
    clipped.push_back(std::clamp(plain.y[i], -0.25, 0.5));
    large.push_back(plain.y[i] * 1e100);
  }
  const auto fused = [&] { return node_of(c, "FusedConv", "ai.sardonyx"); };
  expect_close(fused().attribute("activation", "Relu").run({x, w, Tensor(), z}), plain.out, relu, 1e-12);
  expect_close(fused().attribute("activation", "Clip").attribute("activation_params", std::vector<float>{-0.25f, 0.5f}).run({x, w}),
               plain.out, clipped, 1e-12);
  // The bounds of a Clip without bounds, as floats.
  Tensor scaled = w.clone();
  for (double& value : scaled.mutable_values<double>()) value *= 1e100;
  const float greatest = std::numeric_limits<float>::max();
  expect_close(
      fused().attribute("activation", "Clip").attribute("activation_params", std::vector<float>{-greatest, greatest}).run({x, scaled}),
      plain.out, large, 1e-10);
}

TEST(Conv, FusedActivationAndResidual) {
  const Case c{{1, 3, 6, 6}, {4, 3, 3, 3}, {}, {}, {1, 1, 1, 1}};
  std::mt19937 generator(7);
  const Tensor x = random_tensor(generator, c.x), w = random_tensor(generator, c.w), z = random_tensor(generator, {1, 4, 6, 6});
  Oracle plain(c, x, w, Tensor());
  std::vector<double> relu, clipped;
  for (size_t i = 0; i < plain.y.size(); ++i) {
    relu.push_back(std::max(plain.y[i] + z.values<float>()[i], 0.0));
    clipped.push_back(std::clamp(plain.y[i], -0.25, 0.5));
  }
  expect_close(node_of(c, "FusedConv", "ai.sardonyx").attribute("activation", "Relu").run({x, w, Tensor(), z}), plain.out, relu);
  OpCase clip = node_of(c, "FusedConv", "ai.sardonyx");
  clip.attribute("activation", "Clip").attribute("activation_params", std::vector<float>{-0.25f, 0.5f});
  expect_close(clip.run({x, w}), plain.out, clipped);
}

TEST(Conv, HalfPrecisionIsRoundedOnce) {
  const Case c{{1, 8, 6, 6}, {4, 8, 3, 3}, {}, {}, {}};
  std::mt19937 generator(3);
  for (const DType half : {DType::kFloat16, DType::kBFloat16}) {
    const Tensor x = random_tensor(generator, c.x).to(half), w = random_tensor(generator, c.w).to(half);
    const Oracle oracle(c, x.to(DType::kFloat32), w.to(DType::kFloat32), Tensor());
    const double unit = half == DType::kFloat16 ? 1.0 / 2048 : 1.0 / 256;
    OpCase node = node_of(c);
    EXPECT_EQ(node.run({x, w}).dtype(), half);
    expect_close(node.run({x, w}), oracle.out, oracle.y, 1.01 * unit);
    expect_close(node.run_with_constants({x, w}, 0b10), oracle.out, oracle.y, 1.01 * unit);
  }
}

TEST(Conv, AutoPad) {
  const Tensor x = Tensor::ones({1, 1, 5, 5}), w = Tensor::ones({1, 1, 2, 2});
  const auto corner = [&](const char* mode) { return OpCase("Conv", 11).attribute("auto_pad", mode).run({x, w}); };
  const Tensor upper = corner("SAME_UPPER"), lower = corner("SAME_LOWER");
  EXPECT_EQ(upper.shape(), (Shape{1, 1, 5, 5}));
  EXPECT_EQ(upper.values<float>()[0], 4);  // the padding is at the end
  EXPECT_EQ(upper.values<float>()[24], 1);
  EXPECT_EQ(lower.values<float>()[0], 1);
  EXPECT_EQ(lower.values<float>()[24], 4);
  EXPECT_EQ(corner("VALID").shape(), (Shape{1, 1, 4, 4}));
  EXPECT_EQ(OpCase("Conv", 11).attribute("auto_pad", "SAME_UPPER").ints("strides", {2, 2}).run({x, w}).shape(), (Shape{1, 1, 3, 3}));
}

TEST(Conv, EmptyBatch) { EXPECT_EQ(OpCase("Conv").run({Tensor({0, 2, 4, 4}), Tensor({3, 2, 3, 3})}).shape(), (Shape{0, 3, 2, 2})); }

TEST(Conv, RefusesWhatDoesNotFit) {
  const Tensor x({1, 4, 5, 5}), w({2, 3, 3, 3});
  EXPECT_EQ(OpCase("Conv").error({x, w}).first, ErrorCode::kInvalidArgument);
  EXPECT_THAT(OpCase("Conv").error({x, w}).second, HasSubstr("4 channels"));
  const Tensor good({2, 4, 3, 3});
  EXPECT_EQ(OpCase("Conv").error({Tensor({1, 0, 5, 5}), Tensor({2, 0, 3, 3})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("Conv").error({x, Tensor({2, 4, 7, 7})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("Conv").error({x, good, Tensor({3})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("Conv").error({Tensor({4}), good}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("Conv").error({x, good.to(DType::kFloat64)}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("Conv").ints("strides", {0, 1}).error({x, good}).first, ErrorCode::kInvalidModel);
  EXPECT_EQ(OpCase("Conv").ints("strides", {1}).error({x, good}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("Conv").ints("kernel_shape", {5, 5}).error({x, good}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpCase("Conv").attribute("group", 0).error({x, good}).first, ErrorCode::kInvalidModel);
  EXPECT_EQ(OpCase("Conv").attribute("auto_pad", "SOME").error({x, good}).first, ErrorCode::kInvalidModel);
  EXPECT_EQ(OpCase("Conv").error({Tensor({1, 1, 2, 2, 2, 2}), Tensor({1, 1, 1, 1, 1, 1})}).first, ErrorCode::kUnsupported);
}

TEST(Conv, AbsurdPadsAreRefusedBeforeAnythingIsAllocated) {
  const int64_t huge = 2147483647;
  EXPECT_EQ(OpCase("Conv").ints("pads", {huge, huge, huge, huge}).error({Tensor({1, 1, 3, 3}), Tensor({1, 1, 3, 3})}).first,
            ErrorCode::kResourceLimit);
}

TEST(Conv, TellsItsKernelAndWhyNotTheOther) {
  model::Node node;
  node.op_type = "Conv";
  node.input = {"x", "w"};
  node.output = {"y"};
  const std::vector<const Tensor*> none(2);
  const auto prepared = prepare({node, 22, none});
  const std::vector<ValueFacts> facts = {{DType::kFloat32, {1, 3, 8, 8}, nullptr}, {DType::kFloat32, {4, 3, 3, 3}, nullptr}};
  const auto bound = prepared->bind({facts, 1});
  EXPECT_STREQ(bound->kernel, "implicit_gemm_packing");
  ASSERT_EQ(bound->refusals.size(), 3u);
  EXPECT_THAT(bound->refusals[0], HasSubstr("depthwise: "));
  EXPECT_THAT(bound->refusals[1], HasSubstr("winograd: the pass is off"));
  EXPECT_THAT(bound->refusals[2], HasSubstr("implicit_gemm: the weights are no constant"));
  EXPECT_EQ(row_kernel(*bound), nullptr);
  EXPECT_THAT(row_refusal(*bound), HasSubstr("weights are no constant"));
  EXPECT_EQ(bound->flops, 2.0 * 27 * 4 * 36);
}

}  // namespace
}  // namespace sardonyx::ops
