#include "kernels/cpu/conv/conv.h"

#include "kernels/cpu/conv/depthwise.h"
#include "kernels/cpu/conv/winograd.h"
#include "kernels/cpu/test_support.h"

namespace sardonyx::kernels {
namespace {

struct Limits {
  size_t in = 20;
  size_t channels = 6;  // of a group
  size_t kernel = 4;
};

size_t out_extent(size_t in, size_t kernel, size_t stride, size_t dilation, size_t pads) {
  const size_t reach = (kernel - 1) * dilation + 1;
  return in + pads < reach ? 0 : (in + pads - reach) / stride + 1;
}

Window random_window(Random& random, int rank, const Limits& limits) {
  Window window;
  window.rank = rank;
  for (size_t i = 0; i < static_cast<size_t>(rank); ++i) {
    do {
      window.in[i] = random.from(1, limits.in);
      window.kernel[i] = random.from(1, limits.kernel);
      window.stride[i] = random.coin() ? 1 : random.from(1, 4);
      window.dilation[i] = random.coin() ? 1 : random.from(1, 5);
      window.pad_begin[i] = random.from(0, 4);
      window.out[i] =
          out_extent(window.in[i], window.kernel[i], window.stride[i], window.dilation[i], window.pad_begin[i] + random.from(0, 4));
    } while (window.out[i] == 0);
  }
  return window;
}

struct Case {
  Case(const ConvShape& shape_, Random& random)
      : shape(shape_),
        window(shape.window.with_three_dims()),
        x(shape.batch * shape.in_channels * window.in_size()),
        w(shape.out_channels * shape.in_channels / shape.groups * window.kernel_size()),
        bias(shape.out_channels),
        residual(shape.batch * shape.out_channels * window.out_size()) {
    for (Guarded<float>* values : {&x, &w, &bias, &residual}) random.fill(*values);
    if (random.coin()) epilogue.bias = bias.data();
    if (random.coin()) epilogue.residual = residual.data();
    if (random.coin()) epilogue.activation = random.coin() ? Activation::relu() : Activation::clip(-0.25f, 0.5f);
  }

  std::vector<float> run(core::ThreadPool& pool) const {
    Guarded<float> packed(conv_packed_weight_floats(shape));
    conv_pack_weights(shape, w.data(), packed.data(), &pool);
    Guarded<std::byte> scratch(conv_scratch_bytes(shape, pool.threads()));
    Guarded<float> y(residual.size());
    conv_run(shape, x.data(), packed.data(), epilogue, y.data(), scratch.data(), pool);
    return y.values();
  }

  std::vector<float> run_depthwise(core::ThreadPool& pool) const {
    Guarded<float> y(residual.size());
    depthwise_run(shape, x.data(), w.data(), epilogue, y.data(), pool);
    return y.values();
  }

  // The input of `channel` under a tap of an output, 0 in the padding.
  double input(size_t plane, const size_t (&out)[3], const size_t (&tap)[3]) const {
    size_t at = plane;
    for (size_t i = 0; i < 3; ++i) {
      const auto position =
          static_cast<ptrdiff_t>(out[i] * window.stride[i] + tap[i] * window.dilation[i]) - static_cast<ptrdiff_t>(window.pad_begin[i]);
      if (position < 0 || position >= static_cast<ptrdiff_t>(window.in[i])) return 0;
      at = at * window.in[i] + static_cast<size_t>(position);
    }
    return static_cast<double>(x[at]);
  }

  double expected(size_t image, size_t channel, const size_t (&out)[3]) const {
    const size_t in_group = shape.in_channels / shape.groups;
    const size_t group = channel / (shape.out_channels / shape.groups);
    size_t weight = channel * in_group * window.kernel_size();
    double sum = epilogue.bias ? static_cast<double>(bias[channel]) : 0;
    for (size_t c = 0; c < in_group; ++c) {
      const size_t plane = image * shape.in_channels + group * in_group + c;
      for (size_t d = 0; d < window.kernel[0]; ++d) {
        for (size_t h = 0; h < window.kernel[1]; ++h) {
          for (size_t v = 0; v < window.kernel[2]; ++v) sum += static_cast<double>(w[weight++]) * input(plane, out, {d, h, v});
        }
      }
    }
    return sum;
  }

  void check(const std::vector<float>& y) const {
    const double tolerance = 2e-6 * (4.0 + static_cast<double>(w.size() / shape.out_channels));
    for (size_t i = 0; i < y.size(); ++i) {
      const size_t position = i % window.out_size(), plane = i / window.out_size();
      const size_t out[3] = {position / (window.out[1] * window.out[2]), position / window.out[2] % window.out[1],
                             position % window.out[2]};
      double value = expected(plane / shape.out_channels, plane % shape.out_channels, out);
      if (epilogue.residual) value += static_cast<double>(residual[i]);
      value = std::min(std::max(value, static_cast<double>(epilogue.activation.lower)), static_cast<double>(epilogue.activation.upper));
      ASSERT_NEAR(static_cast<double>(y[i]), value, tolerance) << "output " << i;
    }
  }

  ConvShape shape;
  Window window;
  Guarded<float> x, w, bias, residual;
  ConvEpilogue epilogue;
};

void check(const ConvShape& shape, unsigned seed) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  Random random(seed);
  const Case test(shape, random);
  test.check(same_for_all_threads([&](core::ThreadPool& pool) { return test.run(pool); }));
}

ConvShape random_shape(Random& random, int rank, const Limits& limits) {
  ConvShape shape;
  shape.batch = random.from(1, 2);
  shape.groups = random.coin() ? 1 : random.from(1, 3);
  shape.in_channels = shape.groups * random.from(1, limits.channels);
  shape.out_channels = shape.groups * random.from(1, 3 * limits.channels);
  shape.window = random_window(random, rank, limits);
  return shape;
}

TEST(Conv, RandomShapes) {
  for_each_target([] {
    for (unsigned seed = 0; seed < 60 && !testing::Test::HasFailure(); ++seed) {
      Random random(seed + 500);
      const auto rank = static_cast<int>(random.from(1, 3));
      check(random_shape(random, rank, rank == 3 ? Limits{9, 3, 3} : rank == 1 ? Limits{90, 6, 5} : Limits()), seed);
    }
  });
}

TEST(Conv, SeveralTilesAndChannelBlocks) {
  for_each_target([] {
    ConvShape shape;
    shape.in_channels = 50;
    shape.out_channels = 19;
    shape.window.in = shape.window.out = {41, 67, 1};
    shape.window.kernel = {3, 3, 1};
    shape.window.pad_begin = {1, 1, 0};
    check(shape, 1);
  });
}

TEST(Conv, MoreThanOneBlockOfOutputChannels) {
  ConvShape shape;
  shape.in_channels = 5;
  shape.out_channels = 333;
  shape.window.in = shape.window.out = {7, 7, 1};
  check(shape, 1);
}

TEST(Conv, LinesLongerThanATile) {
  ConvShape shape;
  shape.in_channels = 2;
  shape.out_channels = 3;
  shape.window.rank = 1;
  shape.window.in = {2600, 1, 1};
  shape.window.kernel = {5, 1, 1};
  shape.window.pad_begin = {2, 0, 0};
  shape.window.stride = {2, 1, 1};
  shape.window.out = {1300, 1, 1};
  check(shape, 1);
}

// Scratch is bounded by the unfolded tile however far apart the taps lie.
TEST(Conv, HugeDilationNeedsLittleScratch) {
  ConvShape shape;
  shape.window.in = shape.window.out = {9, 9, 1};
  shape.window.kernel = {3, 3, 1};
  shape.window.dilation = {1'000'000, 1'000'000, 1};
  shape.window.pad_begin = {1'000'000, 1'000'000, 0};
  EXPECT_LT(conv_scratch_bytes(shape, 1), size_t{10'000});
  check(shape, 1);
}

TEST(Conv, ScratchDoesNotGrowWithTheImage) {
  ConvShape shape;
  shape.in_channels = shape.out_channels = 64;
  shape.window.kernel = {3, 3, 1};
  shape.window.pad_begin = {1, 1, 0};
  shape.window.in = shape.window.out = {4000, 4000, 1};
  EXPECT_LT(conv_scratch_bytes(shape, 1), size_t{1} << 20);
}

TEST(Conv, HugeKernelsGetSmallTiles) {
  ConvShape shape;
  shape.window.in = {700, 700, 1};
  shape.window.kernel = {600, 600, 1};
  shape.window.out = {101, 101, 1};
  EXPECT_LT(conv_scratch_bytes(shape, 1), size_t{16} << 20);
}

TEST(Conv, NothingToDo) {
  ConvShape shape;
  shape.batch = 0;
  conv_run(shape, nullptr, nullptr, ConvEpilogue(), nullptr, Guarded<std::byte>(conv_scratch_bytes(shape, 1)).data(), one_thread());
  shape.batch = 1;
  shape.window.out = {0, 5, 1};
  conv_run(shape, nullptr, nullptr, ConvEpilogue(), nullptr, Guarded<std::byte>(conv_scratch_bytes(shape, 1)).data(), one_thread());
}

TEST(Conv, ResidualMayBeTheOutput) {
  ConvShape shape;
  shape.in_channels = 90;
  shape.out_channels = 10;
  shape.window.in = shape.window.out = {12, 13, 1};
  shape.window.kernel = {3, 3, 1};
  shape.window.pad_begin = {1, 1, 0};
  Random random(3);
  Case test(shape, random);
  test.epilogue.residual = test.residual.data();
  const std::vector<float> apart = test.run(one_thread());
  Guarded<float> packed(conv_packed_weight_floats(shape));
  conv_pack_weights(shape, test.w.data(), packed.data());
  Guarded<std::byte> scratch(conv_scratch_bytes(shape, 1));
  conv_run(shape, test.x.data(), packed.data(), test.epilogue, test.residual.data(), scratch.data(), one_thread());
  EXPECT_EQ(test.residual.values(), apart);
}

ConvShape winograd_shape(size_t in_channels, size_t out_channels, Extents in, size_t pad) {
  ConvShape shape;
  shape.in_channels = in_channels;
  shape.out_channels = out_channels;
  shape.window.in = in;
  shape.window.kernel = {3, 3, 1};
  shape.window.pad_begin = {pad, pad, 0};
  for (size_t i = 0; i < 2; ++i) shape.window.out[i] = out_extent(in[i], 3, 1, 1, 2 * pad);
  shape.winograd = true;
  return shape;
}

TEST(Winograd, RandomShapes) {
  for_each_target([] {
    for (unsigned seed = 0; seed < 12 && !testing::Test::HasFailure(); ++seed) {
      Random random(seed + 900);
      ConvShape shape =
          winograd_shape(random.from(16, 40), random.from(16, 40), {random.from(3, 12), random.from(3, 70), 1}, random.from(0, 4));
      shape.batch = random.from(1, 2);
      ASSERT_EQ(winograd_refuses(shape), nullptr);
      check(shape, seed);
    }
  });
}

// Odd sizes, images of less than a tile, one line of tiles, one column of tiles.
TEST(Winograd, Edges) {
  for_each_target([] {
    unsigned seed = 0;
    for (const Extents in : {Extents{1, 1, 1}, {2, 2, 1}, {1, 130, 1}, {130, 1, 1}, {7, 7, 1}, {2, 63, 1}, {5, 66, 1}}) {
      check(winograd_shape(16, 17, in, 1), seed++);
    }
  });
}

// Bands of rows of an image, as chains run them: every row has the bits of the whole.
TEST(Winograd, RowsOfABand) {
  const ConvShape whole = winograd_shape(16, 16, {12, 40, 1}, 1);
  Random random(4);
  Case test(whole, random);
  test.epilogue = {};
  const std::vector<float> all = test.run(one_thread());
  ConvShape band = winograd_shape(16, 16, {5, 40, 1}, 0);
  band.window.pad_begin = {0, 1, 0};
  band.window.out = {3, 40, 1};
  band.distances = {whole.window.in_size(), whole.window.out_size(), 0};
  Guarded<float> packed(conv_packed_weight_floats(band)), y(all.size());
  conv_pack_weights(band, test.w.data(), packed.data());
  Guarded<std::byte> scratch(conv_scratch_bytes(band, 1));
  constexpr size_t kFirst = 2 * kWinogradRows;
  conv_run(band, test.x.data() + (kFirst - 1) * 40, packed.data(), {}, y.data() + kFirst * 40, scratch.data(), one_thread());
  for (size_t channel = 0; channel < 16; ++channel) {
    const size_t at = channel * whole.window.out_size() + kFirst * 40;
    for (size_t i = at; i < at + size_t{3} * 40; ++i) ASSERT_EQ(y[i], all[i]) << i;
  }
}

TEST(Winograd, RefusesWithAReason) {
  ConvShape shape = winograd_shape(16, 16, {9, 9, 1}, 1);
  shape.window.stride = {2, 2, 1};
  EXPECT_STREQ(winograd_refuses(shape), "the stride is not 1");
  EXPECT_STREQ(winograd_refuses(winograd_shape(3, 64, {9, 9, 1}, 1)), "it has too few channels for what the transforms cost");
  EXPECT_STREQ(winograd_refuses(winograd_shape(513, 16, {9, 9, 1}, 1)), "it has more than 512 input channels");
}

TEST(Depthwise, RandomShapes) {
  for_each_target([] {
    for (unsigned seed = 0; seed < 60 && !testing::Test::HasFailure(); ++seed) {
      SCOPED_TRACE("seed " + std::to_string(seed));
      Random random(seed);
      const auto rank = static_cast<int>(random.from(1, 3));
      ConvShape shape = random_shape(random, rank, rank == 3 ? Limits{9, 1, 3} : Limits{60, 1, 4});
      shape.groups = shape.in_channels = random.from(2, 5);
      shape.out_channels = shape.groups * random.from(1, 2);
      ASSERT_EQ(depthwise_refuses(shape), nullptr);
      const Case test(shape, random);
      test.check(same_for_all_threads([&](core::ThreadPool& pool) { return test.run_depthwise(pool); }));
    }
  });
}

// Planes of several tiles in both directions, windows greater than planes, and strides and dilations with and without a common factor.
TEST(Depthwise, Tiles) {
  struct Plane {
    Extents in, kernel, stride, dilation, pad;
  };
  const Plane planes[] = {
      {{1, 70, 600}, {1, 3, 3}, {1, 1, 1}, {1, 1, 1}, {0, 1, 1}},    {{1, 70, 600}, {1, 5, 3}, {1, 2, 2}, {1, 1, 1}, {0, 2, 1}},
      {{1, 90, 33}, {1, 7, 7}, {1, 3, 2}, {1, 2, 3}, {0, 6, 9}},     {{1, 300, 3}, {1, 2, 4}, {1, 4, 4}, {1, 4, 2}, {0, 3, 5}},
      {{1, 7, 7}, {1, 15, 15}, {1, 1, 1}, {1, 1, 1}, {0, 7, 7}},     {{1, 1, 5000}, {1, 1, 9}, {1, 1, 3}, {1, 1, 3}, {0, 0, 12}},
      {{1, 40, 40}, {1, 3, 3}, {1, 1, 1}, {1, 18, 18}, {0, 18, 18}}, {{1, 9, 9}, {1, 40, 40}, {1, 1, 1}, {1, 1, 1}, {0, 20, 20}},
      {{1, 20, 20}, {1, 2, 2}, {1, 5, 5}, {1, 1, 1}, {0, 1, 1}}};
  for_each_target([&] {
    unsigned seed = 0;
    for (const Plane& plane : planes) {
      SCOPED_TRACE("plane " + std::to_string(seed));
      ConvShape shape;
      shape.groups = shape.in_channels = shape.out_channels = 2;
      shape.window = {3, plane.in, {}, plane.kernel, plane.stride, plane.dilation, plane.pad};
      for (size_t i = 0; i < 3; ++i) {
        shape.window.out[i] = out_extent(plane.in[i], plane.kernel[i], plane.stride[i], plane.dilation[i], 2 * plane.pad[i]);
      }
      Random random(seed++);
      const Case test(shape, random);
      test.check(same_for_all_threads([&](core::ThreadPool& pool) { return test.run_depthwise(pool); }));
    }
  });
}

TEST(Depthwise, RefusesWithAReason) {
  ConvShape shape;
  shape.in_channels = 4;
  shape.groups = 2;
  EXPECT_STREQ(depthwise_refuses(shape), "a group has more than one input channel");
  shape.in_channels = shape.groups = 1;
  shape.out_channels = 8;
  EXPECT_STREQ(depthwise_refuses(shape), "one group: the product reuses the input for all output channels");
}

}  // namespace
}  // namespace sardonyx::kernels
