#include "kernels/cpu/line_tasks.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "kernels/cpu/conv/depthwise.h"
#include "kernels/cpu/pool/pool.h"

namespace sardonyx::kernels {
namespace {

Window plane_window(const Extents& out, const Extents& kernel) {
  Window window;
  window.rank = 3;
  window.out = out;
  window.kernel = kernel;
  return window;
}

TEST(LineTasks, CoverEachOutputOnce) {
  const Extents outs[] = {{1, 1, 5000000}, {2, 3, 700001}, {1, 500, 300}, {4, 1, 1}, {0, 3, 5}, {1, 1, 0}};
  const Extents kernels[] = {{1, 1, 1}, {1, 3, 3}, {1, 1, 2000000}, {7, 7, 7}};
  for (const Extents& out : outs) {
    for (const Extents& kernel : kernels) {
      const Window window = plane_window(out, kernel);
      const LineTasks tasks(window, 2);
      size_t outputs = 0, next = 0;
      for (size_t task = 0; task < tasks.count(); ++task) {
        const LineRange range = tasks.range(task);
        if (task == tasks.count() / 2) next = 0;
        ASSERT_EQ(tasks.plane(task), task / (tasks.count() / 2));
        ASSERT_EQ(range.first_line * out[2] + range.first_column, next) << "tasks follow each other";
        next = (range.last_line - 1) * out[2] + range.last_column;
        const size_t count = (range.last_line - range.first_line) * (range.last_column - range.first_column);
        outputs += count;
        const bool is_short = count <= 1024 || count * kernel[0] * kernel[1] * kernel[2] <= size_t{1} << 20;
        ASSERT_TRUE(is_short);
      }
      EXPECT_EQ(outputs, 2 * out[0] * out[1] * out[2]);
    }
  }
}

// A line of so many outputs, for a kernel of five, and the one that begins at output `first`.
constexpr size_t kLong = 600000, kTaps = 5;

Window line_window(size_t outputs) {
  Window window;
  window.rank = 1;
  window.in[0] = outputs + kTaps - 1;
  window.out[0] = outputs;
  window.kernel[0] = kTaps;
  return window;
}

std::vector<float> values() {
  std::vector<float> x(kLong + kTaps - 1);
  uint32_t state = 1;
  for (float& value : x) value = static_cast<float>((state = state * 1664525 + 1013904223) >> 8) * 1e-6F - 8.0F;
  return x;
}

// compute(outputs, x, y, pool) on the whole line gives the bits that it gives on pieces of it.
template <class Compute>
void expect_same_in_pieces(const Compute& compute) {
  const std::vector<float> x = values();
  std::vector<float> whole(kLong), part(kLong);
  core::ThreadPool one(1), three(3);
  compute(kLong, x.data(), part.data(), three);
  compute(kLong, x.data(), whole.data(), one);
  EXPECT_EQ(std::memcmp(whole.data(), part.data(), kLong * sizeof(float)), 0) << "threads";
  for (const size_t first : {size_t{0}, size_t{1}, size_t{209713}, kLong - 1000}) {
    const size_t count = std::min<size_t>(1000, kLong - first);
    compute(count, x.data() + first, part.data(), one);
    EXPECT_EQ(std::memcmp(whole.data() + first, part.data(), count * sizeof(float)), 0) << "from output " << first;
  }
}

TEST(LineTasks, LongLinesHaveTheBitsOfShortOnes) {
  expect_same_in_pieces([](size_t outputs, const float* x, float* y, core::ThreadPool& pool) {
    const float weights[kTaps] = {0.5F, -1.25F, 3.0F, 0.1F, 7.0F}, bias = 0.3F;
    ConvShape shape;
    shape.window = line_window(outputs);
    depthwise_run(shape, x, weights, {.bias = &bias, .residual = nullptr, .activation = {}}, y, pool);
  });
  const auto pool_shape = [](size_t outputs) {
    PoolShape shape;
    shape.planes = 1;
    shape.window = line_window(outputs);
    return shape;
  };
  expect_same_in_pieces(
      [&](size_t outputs, const float* x, float* y, core::ThreadPool& pool) { max_pool(pool_shape(outputs), x, y, pool); });
  expect_same_in_pieces(
      [&](size_t outputs, const float* x, float* y, core::ThreadPool& pool) { average_pool(pool_shape(outputs), true, x, y, pool); });
}

}  // namespace
}  // namespace sardonyx::kernels
