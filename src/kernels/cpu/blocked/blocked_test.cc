#include "kernels/cpu/blocked/conv.h"
#include "kernels/cpu/blocked/pool.h"
#include "kernels/cpu/test_support.h"

namespace sardonyx::kernels {
namespace {

// A random image in both layouts.
struct Image {
  Image(const ChannelPlanes& planes, Random& random)
      : plain(planes.batch * planes.channels * planes.plane), blocked(blocked_floats(planes)) {
    random.fill(plain);
    block_channels(planes, plain.data(), blocked.data(), one_thread());
  }
  static size_t blocked_floats(const ChannelPlanes& planes) {
    return planes.batch * blocks_of(planes.channels, block_lanes()) * block_lanes() * planes.plane;
  }
  Guarded<float> plain, blocked;
};

std::vector<float> to_plain(const ChannelPlanes& planes, const Guarded<float>& blocked) {
  Guarded<float> plain(planes.batch * planes.channels * planes.plane);
  unblock_channels(planes, blocked.data(), plain.data(), one_thread());
  return plain.values();
}

TEST(BlockedLayout, EachChannelHasItsLane) {
  for_each_target([] {
    const size_t lanes = block_lanes();
    for (const ChannelPlanes& planes : {ChannelPlanes{2, lanes + 3, 37}, {1, 1, 1}, {3, 2 * lanes, 2050}}) {
      Random random(1);
      const Image image(planes, random);
      for (size_t i = 0; i < image.plain.size(); ++i) {
        const size_t pixel = i % planes.plane, channel = i / planes.plane % planes.channels, batch = i / planes.plane / planes.channels;
        const size_t block = batch * blocks_of(planes.channels, lanes) + channel / lanes;
        ASSERT_EQ(image.blocked[(block * planes.plane + pixel) * lanes + channel % lanes], image.plain[i]);
      }
      EXPECT_EQ(to_plain(planes, image.blocked), image.plain.values());
    }
  });
}

struct ConvCase {
  size_t in, out, groups, size, kernel, stride, pad;
};

ConvShape shape_of(const ConvCase& c) {
  ConvShape shape;
  shape.batch = 2;
  shape.groups = c.groups;
  shape.in_channels = c.in;
  shape.out_channels = c.out;
  const size_t out = (c.size + 2 * c.pad - c.kernel) / c.stride + 1;
  shape.window.in = {c.size, c.size + 1, 1};
  shape.window.out = {out, (c.size + 1 + 2 * c.pad - c.kernel) / c.stride + 1, 1};
  shape.window.kernel = {c.kernel, c.kernel, 1};
  shape.window.stride = {c.stride, c.stride, 1};
  shape.window.pad_begin = {c.pad, c.pad, 0};
  return shape;
}

// The same with the plain kernel, whose sums run in another order.
void check(const ConvCase& c, bool plain_input) {
  SCOPED_TRACE(std::to_string(c.in) + " to " + std::to_string(c.out) + ", kernel " + std::to_string(c.kernel));
  const BlockedConvShape blocked{shape_of(c), plain_input};
  const ConvShape& shape = blocked.conv;
  ASSERT_EQ(blocked_conv_refuses(blocked), nullptr);
  Random random(static_cast<unsigned>(c.in + c.size));
  const ChannelPlanes out = {shape.batch, shape.out_channels, shape.window.out_size()};
  const Image x({shape.batch, shape.in_channels, shape.window.in_size()}, random), z(out, random);
  Guarded<float> w(shape.out_channels * (shape.in_channels / shape.groups) * shape.window.kernel_size()), bias(shape.out_channels);
  random.fill(w), random.fill(bias);
  Guarded<float> packed(blocked_conv_packed_floats(blocked)), plain_packed(conv_packed_weight_floats(shape));
  blocked_conv_pack(blocked, w.data(), packed.data());
  conv_pack_weights(shape, w.data(), plain_packed.data());
  Guarded<float> expected(out.batch * out.channels * out.plane);
  std::vector<std::byte> plain_scratch(conv_scratch_bytes(shape, 1) + 64);
  conv_run(shape, x.plain.data(), plain_packed.data(), {bias.data(), z.plain.data(), Activation::relu()}, expected.data(),
           plain_scratch.data(), one_thread());
  const std::vector<float> actual = same_for_all_threads([&](core::ThreadPool& pool) {
    Guarded<float> y(Image::blocked_floats(out), NAN);
    std::vector<std::byte> scratch(blocked_conv_scratch_bytes(blocked, pool.threads()));
    blocked_conv_run(blocked, plain_input ? x.plain.data() : x.blocked.data(), packed.data(),
                     {bias.data(), z.blocked.data(), Activation::relu()}, y.data(), scratch.data(), pool);
    return to_plain(out, y);
  });
  for (size_t i = 0; i < actual.size(); ++i) {
    ASSERT_TRUE(is_near(actual[i], static_cast<double>(expected[i]), 1e-4)) << i << ": " << actual[i] << ", not " << expected[i];
  }
}

TEST(BlockedConv, AgreesWithThePlainKernelForAnyNumberOfThreads) {
  for_each_target([] {
    const size_t lanes = block_lanes();
    const ConvCase cases[] = {{32, 64, 1, 14, 3, 1, 1},
                              {5, 7, 1, 9, 2, 2, 0},
                              {48, 33, 1, 20, 1, 1, 0},
                              {40, 40, 40, 15, 3, 2, 1},
                              {3 * lanes, 5 * lanes, 1, 7, 3, 1, 1},
                              {2 * lanes, 4 * lanes, 2, 8, 3, 1, 1}};
    for (const ConvCase& c : cases) {
      if (lanes > 1 || c.groups == 1) check(c, false);
    }
    check({3, 70, 1, 40, 7, 2, 3}, true);
  });
}

TEST(BlockedPool, AgreesWithThePlainKernelForAnyNumberOfThreads) {
  for_each_target([] {
    Random random(4);
    const ChannelPlanes in = {2, 21, 15 * 16}, out = {2, 21, 8 * 8};
    const Image x(in, random);
    PoolShape shape;
    shape.window.in = {15, 16, 1}, shape.window.out = {8, 8, 1}, shape.window.kernel = {3, 3, 1}, shape.window.stride = {2, 2, 1};
    shape.window.pad_begin = {1, 1, 0}, shape.pad_end = {1, 0, 0};
    PoolShape plain = shape, blocked = shape;
    plain.planes = in.batch * in.channels, blocked.planes = in.batch * blocks_of(in.channels, block_lanes());
    const auto run = [&](auto kernel) {
      return same_for_all_threads([&](core::ThreadPool& pool) {
        Guarded<float> y(Image::blocked_floats(out), NAN);
        kernel(x.blocked.data(), y.data(), pool);
        return to_plain(out, y);
      });
    };
    Guarded<float> expected(plain.planes * out.plane);
    max_pool(plain, x.plain.data(), expected.data(), one_thread());
    EXPECT_EQ(run([&](const float* from, float* to, core::ThreadPool& pool) { blocked_max_pool(blocked, from, to, pool); }),
              expected.values());
    for (const bool include_pad : {false, true}) {
      average_pool(plain, include_pad, x.plain.data(), expected.data(), one_thread());
      const auto means =
          run([&](const float* from, float* to, core::ThreadPool& pool) { blocked_average_pool(blocked, include_pad, from, to, pool); });
      for (size_t i = 0; i < means.size(); ++i) ASSERT_NEAR(means[i], expected[i], 1e-6) << i;
    }
  });
}

}  // namespace
}  // namespace sardonyx::kernels
