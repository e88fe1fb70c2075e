#include "kernels/cpu/pool/pool.h"

#include <functional>
#include <limits>

#include "kernels/cpu/test_support.h"

namespace sardonyx::kernels {
namespace {

// What lies under one window: the values inside the input, and the number of taps inside the padded input.
struct Seen {
  std::vector<double> values;
  size_t padded_taps = 0;
};

using Oracle = std::function<double(const Seen&)>;

struct Case {
  explicit Case(unsigned seed) : random(seed), shape(random_shape(random)), x(shape.planes * shape.window.in_size()) { random.fill(x); }

  static PoolShape random_shape(Random& random) {
    PoolShape shape;
    shape.planes = random.from(1, 4);
    shape.window.rank = static_cast<int>(random.from(1, 3));
    for (size_t i = 0; i < static_cast<size_t>(shape.window.rank); ++i) {
      Window& w = shape.window;
      size_t room = 0;
      do {
        w.in[i] = random.from(1, shape.window.rank == 3 ? 9 : 50);
        w.kernel[i] = random.from(1, 4);
        w.stride[i] = random.from(1, 3);
        w.dilation[i] = random.coin() ? 1 : random.from(1, 3);
        w.pad_begin[i] = random.from(0, w.kernel[i] - 1);
        shape.pad_end[i] = random.from(0, w.kernel[i] - 1);
        room = w.in[i] + w.pad_begin[i] + shape.pad_end[i];
      } while (room < (w.kernel[i] - 1) * w.dilation[i] + 1);
      const size_t steps = room - (w.kernel[i] - 1) * w.dilation[i] - 1;
      // The last window may hang over the end, as with ceil_mode, if it begins inside.
      const size_t hanging = (steps + w.stride[i] - 1) / w.stride[i];
      const bool is_inside = hanging * w.stride[i] < w.in[i] + w.pad_begin[i];
      w.out[i] = (random.coin() && is_inside ? hanging : steps / w.stride[i]) + 1;
    }
    return shape;
  }

  Seen look(size_t plane, const size_t (&out)[3], const Extents& pad_end) const {
    const Window window = shape.window.with_three_dims();
    Seen seen;
    for (size_t tap = 0; tap < window.kernel_size(); ++tap) {
      const size_t taps[3] = {tap / (window.kernel[1] * window.kernel[2]), tap / window.kernel[2] % window.kernel[1],
                              tap % window.kernel[2]};
      bool is_inside = true, is_padded = true;
      size_t at = plane;
      for (size_t i = 0; i < 3; ++i) {
        const ptrdiff_t position = window.origin(i, out[i]) + static_cast<ptrdiff_t>(taps[i] * window.dilation[i]);
        const auto in = static_cast<ptrdiff_t>(window.in[i]);
        is_inside = is_inside && position >= 0 && position < in;
        is_padded = is_padded && position < in + static_cast<ptrdiff_t>(pad_end[i]);
        at = at * window.in[i] + static_cast<size_t>(position);
      }
      seen.padded_taps += is_padded ? 1 : 0;
      if (is_inside) seen.values.push_back(static_cast<double>(x[at]));
    }
    return seen;
  }

  void check(const std::vector<float>& y, const Oracle& oracle) const {
    const Window window = shape.window.with_three_dims();
    Extents pad_end = {0, 0, 0};
    for (size_t i = 0; i < static_cast<size_t>(shape.window.rank); ++i)
      pad_end[3 - static_cast<size_t>(shape.window.rank) + i] = shape.pad_end[i];
    for (size_t i = 0; i < y.size(); ++i) {
      const size_t position = i % window.out_size();
      const size_t out[3] = {position / (window.out[1] * window.out[2]), position / window.out[2] % window.out[1],
                             position % window.out[2]};
      const double value = oracle(look(i / window.out_size(), out, pad_end));
      ASSERT_TRUE(is_near(y[i], value, 1e-5)) << "output " << i << ": " << y[i] << ", expected " << value;
    }
  }

  Random random;
  PoolShape shape;
  Guarded<float> x;
};

double max_of(const Seen& seen) {
  double result = -std::numeric_limits<double>::infinity();
  for (const double v : seen.values) result = v > result || std::isnan(v) ? v : result;
  return result;
}
double sum_of(const Seen& seen) {
  double result = 0;
  for (const double v : seen.values) result += v;
  return result;
}

template <class Run>
void check_random_cases(const Run& run, const Oracle& oracle) {
  for_each_target([&] {
    for (unsigned seed = 0; seed < 50 && !testing::Test::HasFailure(); ++seed) {
      SCOPED_TRACE("seed " + std::to_string(seed));
      const Case test(seed);
      test.check(same_for_all_threads([&](core::ThreadPool& pool) {
                   Guarded<float> y(test.shape.planes * test.shape.window.out_size());
                   run(test.shape, test.x.data(), y.data(), pool);
                   return y.values();
                 }),
                 oracle);
    }
  });
}

TEST(Pool, Max) { check_random_cases(max_pool, max_of); }

TEST(Pool, Average) {
  check_random_cases(
      [](const PoolShape& shape, const float* x, float* y, core::ThreadPool& pool) { average_pool(shape, false, x, y, pool); },
      [](const Seen& seen) { return sum_of(seen) / static_cast<double>(seen.values.size()); });
}

TEST(Pool, AverageWithPadding) {
  check_random_cases(
      [](const PoolShape& shape, const float* x, float* y, core::ThreadPool& pool) { average_pool(shape, true, x, y, pool); },
      [](const Seen& seen) { return sum_of(seen) / static_cast<double>(seen.padded_taps); });
}

TEST(Pool, NanWinsTheMaximum) {
  for_each_target([] {
    PoolShape shape;
    shape.window.rank = 1;
    shape.window.in = {40, 1, 1};
    shape.window.kernel = {2, 1, 1};
    shape.window.out = {39, 1, 1};
    Guarded<float> x(40, 1.0f), y(39);
    x[20] = std::nanf("");
    max_pool(shape, x.data(), y.data(), one_thread());
    for (size_t i = 0; i < 39; ++i) EXPECT_EQ(std::isnan(y[i]), i == 19 || i == 20) << i;
  });
}

using GlobalPool = void (*)(size_t planes, size_t size, const float* x, float* y, core::ThreadPool& pool);

TEST(Pool, Global) {
  for_each_target([] {
    for (const size_t size : {1, 7, 49, 200, 5000}) {
      Random random(static_cast<unsigned>(size));
      Guarded<float> x(9 * size);
      random.fill(x);
      const auto run = [&](GlobalPool global_pool) {
        return same_for_all_threads([&](core::ThreadPool& pool) {
          Guarded<float> y(9);
          global_pool(9, size, x.data(), y.data(), pool);
          return y.values();
        });
      };
      const std::vector<float> mean = run(global_average_pool), greatest = run(global_max_pool);
      for (size_t plane = 0; plane < 9; ++plane) {
        Seen seen;
        for (size_t i = 0; i < size; ++i) seen.values.push_back(static_cast<double>(x[plane * size + i]));
        EXPECT_NEAR(static_cast<double>(mean[plane]), sum_of(seen) / static_cast<double>(size), 1e-6);
        EXPECT_EQ(static_cast<double>(greatest[plane]), max_of(seen));
      }
    }
  });
}

TEST(Pool, Adaptive) {
  for_each_target([] {
    for (unsigned seed = 0; seed < 30; ++seed) {
      SCOPED_TRACE("seed " + std::to_string(seed));
      Random random(seed);
      PoolShape shape;
      shape.planes = 3;
      shape.window.in = {random.from(1, 30), random.from(1, 30), 1};
      shape.window.out = {random.from(1, 12), random.from(1, 12), 1};
      Guarded<float> x(3 * shape.window.in_size());
      random.fill(x);
      const std::vector<float> y = same_for_all_threads([&](core::ThreadPool& pool) {
        Guarded<float> result(3 * shape.window.out_size());
        adaptive_average_pool(shape, x.data(), result.data(), pool);
        return result.values();
      });
      const auto begin = [&](size_t i, size_t o) { return o * shape.window.in[i] / shape.window.out[i]; };
      const auto end = [&](size_t i, size_t o) { return ((o + 1) * shape.window.in[i] + shape.window.out[i] - 1) / shape.window.out[i]; };
      for (size_t i = 0; i < y.size(); ++i) {
        const size_t out_w = i % shape.window.out[1], out_h = i / shape.window.out[1] % shape.window.out[0],
                     plane = i / shape.window.out_size();
        Seen seen;
        for (size_t h = begin(0, out_h); h < end(0, out_h); ++h) {
          for (size_t w = begin(1, out_w); w < end(1, out_w); ++w) {
            seen.values.push_back(static_cast<double>(x[(plane * shape.window.in[0] + h) * shape.window.in[1] + w]));
          }
        }
        ASSERT_NEAR(static_cast<double>(y[i]), sum_of(seen) / static_cast<double>(seen.values.size()), 1e-5) << i;
      }
    }
  });
}

}  // namespace
}  // namespace sardonyx::kernels
