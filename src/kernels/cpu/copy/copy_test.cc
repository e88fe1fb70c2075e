#include <algorithm>
#include <numeric>

#include "core/float8.h"
#include "kernels/cpu/copy/depth_to_space.h"
#include "kernels/cpu/copy/gather.h"
#include "kernels/cpu/copy/packed_elements.h"
#include "kernels/cpu/copy/strided_copy.h"
#include "kernels/cpu/test_support.h"

namespace sardonyx::kernels {
namespace {

// Calls visit(source index, destination index) for each element, indices relative to the base pointers.
template <class Visit>
void for_each_element(const StridedCopy& copy, const Visit& visit) {
  size_t count = 1;
  for (size_t i = 0; i < static_cast<size_t>(copy.rank); ++i) count *= copy.extent[i];
  for (size_t flat = 0; flat < count; ++flat) {
    ptrdiff_t src = 0, dst = 0;
    size_t rest = flat;
    for (size_t i = static_cast<size_t>(copy.rank); i-- > 0; rest /= copy.extent[i]) {
      src += static_cast<ptrdiff_t>(rest % copy.extent[i]) * copy.src_stride[i];
      dst += static_cast<ptrdiff_t>(rest % copy.extent[i]) * copy.dst_stride[i];
    }
    visit(src, dst);
  }
}

// Copies bytes that count up, and compares with element by element.
void check(const StridedCopy& copy, size_t element_bytes) {
  ptrdiff_t src_low = 0, src_high = -1, dst_low = 0, dst_high = -1;
  for_each_element(copy, [&](ptrdiff_t src, ptrdiff_t dst) {
    src_low = std::min(src_low, src), src_high = std::max(src_high, src);
    dst_low = std::min(dst_low, dst), dst_high = std::max(dst_high, dst);
  });
  Guarded<uint8_t> from(static_cast<size_t>(src_high - src_low + 1) * element_bytes);
  for (size_t i = 0; i < from.size(); ++i) from[i] = static_cast<uint8_t>(i * 131 + i / 251);
  const size_t dst_bytes = static_cast<size_t>(dst_high - dst_low + 1) * element_bytes;
  const auto bytes = static_cast<ptrdiff_t>(element_bytes);
  std::vector<uint8_t> expected(dst_bytes, 0x5A);
  for_each_element(copy, [&](ptrdiff_t src, ptrdiff_t dst) {
    std::memcpy(expected.data() + (dst - dst_low) * bytes, from.data() + (src - src_low) * bytes, element_bytes);
  });
  const std::vector<uint8_t> actual = same_for_all_threads([&](core::ThreadPool& pool) {
    Guarded<uint8_t> to(dst_bytes, 0x5A);
    strided_copy(copy, element_bytes, from.data() - src_low * bytes, to.data() - dst_low * bytes, pool);
    return to.values();
  });
  EXPECT_EQ(actual, expected);
}

constexpr size_t kSizes[] = {1, 2, 4, 8, 16};

// A copy between two contiguous tensors with permuted dimensions, each possibly a part of a larger one.
StridedCopy random_copy(Random& random) {
  StridedCopy copy;
  copy.rank = static_cast<int>(random.from(0, 5));
  std::vector<size_t> order(static_cast<size_t>(copy.rank));
  std::iota(order.begin(), order.end(), size_t{0});
  for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.from(0, i - 1)]);
  ptrdiff_t src = 1, dst = 1;
  for (size_t i = order.size(); i-- > 0;) copy.extent[i] = random.from(0, 4) == 0 ? random.from(5, 40) : random.from(1, 4);
  for (size_t i = order.size(); i-- > 0;) {
    copy.dst_stride[i] = dst;
    dst *= static_cast<ptrdiff_t>(copy.extent[i] + (random.from(0, 3) == 0 ? 2 : 0));
    const size_t at = order[i];
    copy.src_stride[at] = random.from(0, 7) == 0 ? 0 : random.from(0, 5) == 0 ? -src : src;
    src *= static_cast<ptrdiff_t>(copy.extent[at] + (random.from(0, 3) == 0 ? 3 : 0));
  }
  return copy;
}

TEST(StridedCopy, RandomShapes) {
  for_each_target([] {
    for (unsigned seed = 0; seed < 80 && !testing::Test::HasFailure(); ++seed) {
      SCOPED_TRACE("seed " + std::to_string(seed));
      Random random(seed);
      const StridedCopy copy = random_copy(random);
      for (const size_t bytes : kSizes) check(copy, bytes);
    }
  });
}

TEST(StridedCopy, LargeTransposesAndLines) {
  for_each_target([] {
    StridedCopy transpose;
    transpose.rank = 2;
    transpose.extent = {130, 215};
    transpose.src_stride = {1, 130};
    transpose.dst_stride = {215, 1};
    StridedCopy line;
    line.rank = 1;
    line.extent = {20'000};
    line.src_stride = line.dst_stride = {1};
    StridedCopy fill = line;
    fill.src_stride = {0};
    StridedCopy reversed = line;
    reversed.src_stride = {-1};
    for (const size_t bytes : kSizes) {
      for (const StridedCopy& copy : {transpose, line, fill, reversed}) check(copy, bytes);
    }
  });
}

TEST(StridedCopy, NothingToCopy) {
  StridedCopy copy;
  copy.rank = 2;
  copy.extent = {3, 0};
  uint8_t to = 9;
  strided_copy(copy, 1, nullptr, &to, one_thread());
  EXPECT_EQ(to, 9);
}

TEST(StridedCopy, KnowsItsElementSizes) {
  for (const size_t bytes : kSizes) EXPECT_TRUE(copy_supports(bytes));
  for (const size_t bytes : {0, 3, 5, 32}) EXPECT_FALSE(copy_supports(bytes));
}

// The definition in the ONNX operator's text, by indices.
size_t deep_index(const DepthShape& s, DepthOrder order, size_t n, size_t c, size_t y, size_t x) {
  const size_t by = y % s.block, bx = x % s.block;
  const size_t channel = order == DepthOrder::kCrd ? (c * s.block + by) * s.block + bx : (by * s.block + bx) * s.channels + c;
  return ((n * s.channels * s.block * s.block + channel) * s.height + y / s.block) * s.width + x / s.block;
}

TEST(DepthToSpace, MatchesTheDefinitionBothWays) {
  for_each_target([] {
    for (unsigned seed = 0; seed < 40 && !testing::Test::HasFailure(); ++seed) {
      SCOPED_TRACE("seed " + std::to_string(seed));
      Random random(seed);
      const DepthShape shape = {random.from(1, 2), random.from(1, 3), random.from(1, 9), random.from(1, 70), random.from(1, 5)};
      const DepthOrder order = random.coin() ? DepthOrder::kCrd : DepthOrder::kDcr;
      const size_t count = shape.batch * shape.channels * shape.height * shape.width * shape.block * shape.block;
      Guarded<float> deep(count);
      random.fill(deep);
      const std::vector<float> wide = same_for_all_threads([&](core::ThreadPool& pool) {
        Guarded<float> result(count);
        strided_copy(depth_to_space(shape, order), sizeof(float), deep.data(), result.data(), pool);
        return result.values();
      });
      const size_t width = shape.width * shape.block, height = shape.height * shape.block;
      for (size_t i = 0; i < count; ++i) {
        const size_t plane = i / (width * height);
        const size_t at = deep_index(shape, order, plane / shape.channels, plane % shape.channels, i / width % height, i % width);
        ASSERT_EQ(wide[i], deep[at]) << i;
      }
      Guarded<float> back(count);
      strided_copy(space_to_depth(shape, order), sizeof(float), wide.data(), back.data(), one_thread());
      ASSERT_EQ(back.values(), deep.values());
    }
  });
}

TEST(Gather, PicksRowsAndCountsNegativeIndicesFromTheEnd) {
  for (const size_t inner_bytes : {0, 1, 4, 8, 12, 100}) {
    SCOPED_TRACE(inner_bytes);
    constexpr size_t kOuter = 3, kAxis = 7;
    const std::vector<int64_t> indices = {0, 6, -1, -7, 3, 3};
    Guarded<uint8_t> src(kOuter * kAxis * inner_bytes);
    for (size_t i = 0; i < src.size(); ++i) src[i] = static_cast<uint8_t>(i * 7 + i / 256);
    const std::vector<uint8_t> dst = same_for_all_threads([&](core::ThreadPool& pool) {
      Guarded<uint8_t> result(kOuter * indices.size() * inner_bytes);
      gather(kOuter, kAxis, inner_bytes, indices.data(), indices.size(), src.data(), result.data(), pool);
      return result.values();
    });
    for (size_t i = 0; i < dst.size(); ++i) {
      const size_t row = i / inner_bytes, outer = row / indices.size();
      const int64_t index = indices[row % indices.size()];
      const size_t from = static_cast<size_t>(index < 0 ? index + static_cast<int64_t>(kAxis) : index);
      ASSERT_EQ(dst[i], src[(outer * kAxis + from) * inner_bytes + i % inner_bytes]) << i;
    }
  }
}

TEST(PackedElements, RunsBeginAndEndAnywhere) {
  for (const int width : {2, 4}) {
    std::vector<uint8_t> src(16);
    for (size_t i = 0; i < src.size(); ++i) src[i] = static_cast<uint8_t>(i * 73 + 11);
    for (size_t from = 0; from < 9; ++from) {
      for (size_t to = 0; to < 9; ++to) {
        for (size_t count = 0; count < 17; ++count) {
          std::vector<uint8_t> dst(16, 0xA5);
          copy_packed(width, src.data(), from, dst.data(), to, count);
          for (size_t i = 0; i < 30; ++i) {
            const bool is_copied = i >= to && i < to + count;
            const std::vector<uint8_t> rest(16, 0xA5);
            const uint8_t expected = core::packed_get(is_copied ? src.data() : rest.data(), width, is_copied ? i - to + from : i);
            ASSERT_EQ(core::packed_get(dst.data(), width, i), expected) << from << " to " << to << ", " << count << " element " << i;
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace sardonyx::kernels
