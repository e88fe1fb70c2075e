#define HWY_WANT_AVX3_DL  // integer_gemm.cc has it
#include <limits>

#include "kernels/cpu/quant/integer_conv.h"
#include "kernels/cpu/quant/integer_gemm.h"
#include "kernels/cpu/quant/requantize.h"
#include "kernels/cpu/test_support.h"

namespace sardonyx::kernels {
namespace {

template <class T>
void fill_integers(Random& random, Guarded<T>& values) {
  constexpr int kLeast = std::numeric_limits<T>::min(), kMost = std::numeric_limits<T>::max();
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<T>(kLeast + static_cast<int>(random.from(0, kMost - kLeast)));
}

// Lines with zero points, of any layout.
template <class T>
struct Lines {
  Lines(Random& random, size_t count_, size_t depth_) : count(count_), depth(depth_), data(count_ * depth_), zero(count_) {
    fill_integers(random, data);
    fill_integers(random, zero);
    by_lines = random.coin();
    zeros = random.from(0, 2);
  }
  IntegerLines view() const {
    return {.data = data.data(),
            .kind = kKind,
            .line_stride = by_lines ? static_cast<ptrdiff_t>(depth) : 1,
            .depth_stride = by_lines ? 1 : static_cast<ptrdiff_t>(count),
            .zero = zeros == 0 ? nullptr : zero.data(),
            .zero_line_stride = zeros == 2 ? 1 : 0};
  }
  // As the 16-bit number that is packed.
  int16_t at(size_t line, size_t k) const {
    const int offset = zeros == 0 ? 0 : zero[zeros == 2 ? line : 0];
    return static_cast<int16_t>(data[by_lines ? line * depth + k : k * count + line] - offset);
  }

  static constexpr IntegerKind kKind = sizeof(T) == 2        ? IntegerKind::kInt16
                                       : std::is_signed_v<T> ? IntegerKind::kInt8
                                                             : IntegerKind::kUint8;
  size_t count, depth, zeros = 0;
  bool by_lines = false;
  Guarded<T> data, zero;
};

template <class A, class B>
void check_product(unsigned seed, size_t m, size_t n, size_t k) {
  SCOPED_TRACE(testing::Message() << "seed " << seed << ": " << m << " x " << n << " x " << k);
  Random random(seed);
  const Lines<A> a(random, m, k);
  const Lines<B> b(random, n, k);
  const auto sums = same_for_all_threads([&](core::ThreadPool& pool) {
    const IntegerTile tile = integer_tile();
    Guarded<int16_t> left(packed_integers(m, k, tile.rows)), right(packed_integers(n, k, tile.columns));
    pack_integers(a.view(), m, k, tile.rows, left.data(), pool);
    pack_integers(b.view(), n, k, tile.columns, right.data(), pool);
    core::Arena scratch(integer_gemm_scratch_bytes(pool.threads()));
    Guarded<int32_t> c(m * n, -1);
    integer_gemm(
        {m, n, k}, 1, [&](size_t) { return left.data(); }, [&](size_t) { return right.data(); }, scratch.data(), pool,
        [&](size_t, size_t row, size_t column, size_t columns, const int32_t* from) {
          std::copy_n(from, columns, c.data() + row * n + column);
        });
    return c.values();
  });
  for (size_t i = 0; i < m; ++i) {
    for (size_t j = 0; j < n; ++j) {
      uint32_t expected = 0;
      for (size_t p = 0; p < k; ++p) expected += static_cast<uint32_t>(int32_t{a.at(i, p)} * b.at(j, p));
      ASSERT_EQ(sums[i * n + j], static_cast<int32_t>(expected)) << i << ", " << j;
    }
  }
}

TEST(IntegerGemm, IsExact) {
  const unsigned seed = std::random_device()();
  for_each_target([&] {
    Random random(seed);
    const size_t shapes[][3] = {{1, 1, 1}, {1, 300, 3}, {100, 1, 1100}, {13, 33, 2}, {5, 7, 0}};
    for (const auto& s : shapes) {
      check_product<uint8_t, int8_t>(seed, s[0], s[1], s[2]);
      check_product<int8_t, uint8_t>(seed + 1, s[0], s[1], s[2]);
      check_product<int16_t, int16_t>(seed + 2, s[0], s[1], s[2]);
    }
    check_product<uint8_t, int8_t>(seed, 75, 260, 515);  // several blocks in every direction
    for (unsigned i = 0; i < 8; ++i) check_product<uint8_t, uint8_t>(seed + i, random.from(1, 90), random.from(1, 90), random.from(0, 90));
  });
}

// Sums that no float holds.
TEST(IntegerGemm, ReachesAllOf32Bits) {
  constexpr size_t kDepth = 33000;
  const std::vector<uint8_t> ones(kDepth, 255);
  const IntegerTile tile = integer_tile();
  std::vector<int16_t> a(packed_integers(1, kDepth, tile.rows)), b(packed_integers(1, kDepth, tile.columns));
  const IntegerLines line = {.data = ones.data(), .line_stride = kDepth};
  pack_integers(line, 1, kDepth, tile.rows, a.data(), one_thread());
  pack_integers(line, 1, kDepth, tile.columns, b.data(), one_thread());
  core::Arena scratch(integer_gemm_scratch_bytes(1));
  integer_gemm(
      {1, 1, kDepth}, 1, [&](size_t) { return a.data(); }, [&](size_t) { return b.data(); }, scratch.data(), one_thread(),
      [&](size_t, size_t, size_t, size_t, const int32_t* sums) { EXPECT_EQ(sums[0], 2145825000); });
}

struct ConvCase {
  ConvShape shape;
  bool channels_last;
};

// Sum under the window of output `o`, tap by tap.
int32_t conv_oracle(const ConvShape& s, const Guarded<int16_t>& x, const Guarded<int8_t>& w, size_t image, size_t channel, size_t o) {
  const Window v = s.window.with_three_dims();
  const size_t channels = s.in_channels / s.groups, group = channel / (s.out_channels / s.groups);
  int32_t sum = 0;
  for (size_t c = 0; c < channels; ++c) {
    for (size_t tap = 0; tap < v.kernel_size(); ++tap) {
      const size_t taps[3] = {tap / (v.kernel[1] * v.kernel[2]), tap / v.kernel[2] % v.kernel[1], tap % v.kernel[2]};
      const size_t outs[3] = {o / (v.out[1] * v.out[2]), o / v.out[2] % v.out[1], o % v.out[2]};
      size_t at = 0;
      bool inside = true;
      for (size_t i = 0; i < 3; ++i) {
        const ptrdiff_t p = v.origin(i, outs[i]) + static_cast<ptrdiff_t>(taps[i] * v.dilation[i]);
        inside = inside && p >= 0 && p < static_cast<ptrdiff_t>(v.in[i]);
        at = at * v.in[i] + static_cast<size_t>(p);
      }
      if (!inside) continue;
      sum += x[(image * s.in_channels + group * channels + c) * v.in_size() + at] * w[(channel * channels + c) * v.kernel_size() + tap];
    }
  }
  return sum;
}

void check_conv(unsigned seed, const ConvCase& test) {
  Random random(seed);
  const ConvShape& s = test.shape;
  const IntegerConv conv = {s, test.channels_last};
  Guarded<int16_t> x(s.batch * s.in_channels * s.window.in_size());
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<int16_t>(static_cast<int>(random.from(0, 510)) - 255);
  Guarded<int8_t> w(s.out_channels * conv.depth());
  fill_integers(random, w);
  const size_t outputs = s.window.out_size();
  const auto y = same_for_all_threads([&](core::ThreadPool& pool) {
    Guarded<int16_t> packed(s.groups * conv.packed_group());
    pack_integer_weights(conv, {.data = w.data(), .kind = IntegerKind::kInt8, .line_stride = static_cast<ptrdiff_t>(conv.depth())},
                         packed.data(), pool);
    core::Arena scratch(integer_conv_scratch_bytes(pool.threads()));
    Guarded<int32_t> sums(s.batch * s.out_channels * outputs, -1);
    integer_conv(conv, x.data(), packed.data(), scratch.data(), pool, [&](const IntegerConvTile& tile) {
      for (size_t c = 0; c < tile.channels; ++c) {
        for (size_t o = 0; o < tile.outputs; ++o) {
          sums[(tile.image * s.out_channels + tile.first_channel + c) * outputs + tile.first_output + o] =
              conv.outputs_are_rows() ? tile.sums[o * tile.stride + c] : tile.sums[c * tile.stride + o];
        }
      }
    });
    return sums.values();
  });
  for (size_t i = 0; i < y.size(); ++i) {
    ASSERT_EQ(y[i], conv_oracle(s, x, w, i / outputs / s.out_channels, i / outputs % s.out_channels, i % outputs)) << i;
  }
}

TEST(IntegerConv, IsExactInBothLayouts) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(seed);
  const auto window = [](Extents in, Extents kernel, Extents stride, Extents dilation, Extents pad) {
    Window w{.rank = 2, .in = in, .kernel = kernel, .stride = stride, .dilation = dilation, .pad_begin = pad};
    for (size_t i = 0; i < 2; ++i) w.out[i] = (in[i] + 2 * pad[i] - (kernel[i] - 1) * dilation[i] - 1) / stride[i] + 1;
    return w;
  };
  const ConvShape shapes[] = {
      {2, 2, 6, 8, window({9, 11, 1}, {3, 2, 1}, {2, 1, 1}, {1, 2, 1}, {1, 2, 0})},
      {1, 1, 58, 270, window({4, 5, 1}, {3, 3, 1}, {1, 1, 1}, {1, 1, 1}, {1, 1, 0})},  // several blocks in depth and of channels
      {2, 1, 5, 7, window({20, 17, 1}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {0, 0, 0})},
      {1, 1, 3, 2, window({20, 17, 1}, {1, 1, 1}, {3, 2, 1}, {1, 1, 1}, {2, 1, 0})},
      {1, 10, 10, 10, window({7, 30, 1}, {3, 5, 1}, {1, 3, 1}, {1, 1, 1}, {1, 2, 0})}};
  for_each_target([&] {
    for (const ConvShape& shape : shapes) {
      for (const bool last : {false, true}) check_conv(seed, {shape, last});
    }
  });
}

template <class T>
void check_requantize(Random& random, size_t count) {
  Guarded<int32_t> sums(count), zero(count), bias(count);
  Guarded<float> scale(count);
  for (size_t i = 0; i < count; ++i) {
    const int most = random.coin() ? 20000 : 200000000;
    sums[i] = static_cast<int32_t>(random.from(0, 2 * most)) - most;
    zero[i] = static_cast<int32_t>(random.from(0, 127));
    bias[i] = static_cast<int32_t>(random.from(0, 2000)) - 1000;
    scale[i] = random.number() * 0.02f;
  }
  scale[0] = std::numeric_limits<float>::quiet_NaN();
  const bool each = random.coin();
  const Requantizer to = {.scale = scale.data() + (each ? 0 : count - 1),
                          .scale_step = each ? size_t{1} : 0,
                          .zero = zero.data(),
                          .zero_step = each ? size_t{1} : 0,
                          .bias = random.coin() ? bias.data() : nullptr,
                          .bias_step = 1};
  Guarded<T> y(count);
  requantize(to, sums.data(), count, y.data());
  for (size_t i = 0; i < count; ++i) {
    const float factor = scale[each ? i : count - 1], sum = static_cast<float>(sums[i] + (to.bias ? bias[i] : 0));
    const float rounded = std::isnan(factor) ? 0.0f : std::nearbyint(sum * factor);
    const float expected = std::min(std::max(rounded + static_cast<float>(zero[each ? i : 0]), float{std::numeric_limits<T>::min()}),
                                    float{std::numeric_limits<T>::max()});
    ASSERT_EQ(static_cast<float>(y[i]), expected) << i;
  }
}

template <class T>
void check_floats(Random& random, size_t count) {
  Guarded<float> x(count), back(count), scaled(count);
  for (size_t i = 0; i < count; ++i) x[i] = std::nearbyint(random.number() * 800) / 4;
  x[0] = std::numeric_limits<float>::infinity();
  Guarded<T> y(count), z(count);
  quantize_floats(x.data(), count, 0.5f, 3, y.data());
  round_floats(x.data(), count, 2.0f, 3.0f, z.data());
  dequantize_bytes(y.data(), count, 0.5f, 3, back.data());
  const auto saturated = [](float v) {
    return std::min(std::max(v, float{std::numeric_limits<T>::min()}), float{std::numeric_limits<T>::max()});
  };
  for (size_t i = 0; i < count; ++i) {
    ASSERT_EQ(static_cast<float>(y[i]), saturated(std::nearbyint(x[i] / 0.5f) + 3)) << x[i];
    ASSERT_EQ(static_cast<float>(z[i]), saturated(std::nearbyint(x[i] * 2 + 3))) << x[i];
    ASSERT_EQ(back[i], static_cast<float>(y[i] - 3) * 0.5f);
  }
  Guarded<int32_t> sums(count, 10), bias(count, -3);
  Guarded<float> scale(count, 0.5f), addend(count, 1.0f);
  scale_sums({.scale = scale.data(), .scale_step = 1, .bias = bias.data(), .bias_step = 1}, sums.data(), count, addend.data(),
             scaled.data());
  EXPECT_EQ(scaled.values(), std::vector<float>(count, 4.5f));
}

TEST(Requantize, FloatsAndBack) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(seed);
  for_each_target([&] {
    Random random(seed);
    for (size_t count = 1; count < 70; ++count) {
      check_floats<uint8_t>(random, count);
      check_floats<int8_t>(random, count);
    }
  });
}

TEST(Requantize, RoundsAndSaturates) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(seed);
  for_each_target([&] {
    Random random(seed);
    for (size_t count = 1; count < 70; ++count) {
      check_requantize<uint8_t>(random, count);
      check_requantize<int8_t>(random, count);
    }
  });
}

}  // namespace
}  // namespace sardonyx::kernels
