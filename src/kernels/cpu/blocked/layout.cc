#include "kernels/cpu/blocked/layout.h"

#include <algorithm>

#include "kernels/cpu/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/blocked/layout.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/cpu/transpose-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sardonyx::kernels {
namespace HWY_NAMESPACE {
namespace {

size_t lanes_of_target() { return kLanes; }

// `count` pixels of one block with `channels` channels, `plane` elements apart in x.
void block_pixels(const float* x, size_t plane, size_t channels, size_t count, float* y) {
  if (channels < kLanes) std::fill_n(y, count * kLanes, 0.0f);
  transpose(x, static_cast<ptrdiff_t>(plane), channels, count, y, static_cast<ptrdiff_t>(kLanes));
}

void unblock_pixels(const float* x, size_t plane, size_t channels, size_t count, float* y) {
  transpose(x, static_cast<ptrdiff_t>(kLanes), count, channels, y, static_cast<ptrdiff_t>(plane));
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace sardonyx::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sardonyx::kernels {

HWY_EXPORT(lanes_of_target);
HWY_EXPORT(block_pixels);
HWY_EXPORT(unblock_pixels);

namespace {

constexpr size_t kPixelsAtOnce = 1024;

// Calls body(plain, blocked, channels, pixels) for runs of pixels of one block: where they lie in each layout and how many there are.
template <class Body>
void for_each_run(const ChannelPlanes& planes, core::ThreadPool& pool, const Body& body) noexcept {
  const size_t lanes = block_lanes();
  const size_t blocks = blocks_of(planes.channels, lanes);
  const size_t runs = blocks_of(planes.plane, kPixelsAtOnce);
  pool.for_each(planes.batch * blocks * runs, [&](size_t task) {
    const size_t first = task % runs * kPixelsAtOnce;
    const size_t block = task / runs % blocks;
    const size_t image = task / runs / blocks;
    const size_t channel = block * lanes;
    body((image * planes.channels + channel) * planes.plane + first, ((image * blocks + block) * planes.plane + first) * lanes,
         std::min(lanes, planes.channels - channel), std::min(kPixelsAtOnce, planes.plane - first));
  });
}

}  // namespace

size_t block_lanes() noexcept { return HWY_DYNAMIC_DISPATCH(lanes_of_target)(); }

void block_channels(const ChannelPlanes& planes, const float* x, float* y, core::ThreadPool& pool) noexcept {
  for_each_run(planes, pool, [&](size_t plain, size_t blocked, size_t channels, size_t pixels) {
    HWY_DYNAMIC_DISPATCH(block_pixels)(x + plain, planes.plane, channels, pixels, y + blocked);
  });
}

void unblock_channels(const ChannelPlanes& planes, const float* x, float* y, core::ThreadPool& pool) noexcept {
  for_each_run(planes, pool, [&](size_t plain, size_t blocked, size_t channels, size_t pixels) {
    HWY_DYNAMIC_DISPATCH(unblock_pixels)(x + blocked, planes.plane, channels, pixels, y + plain);
  });
}

}  // namespace sardonyx::kernels
#endif
