#include "kernels/cpu/conv/tile_input.h"

#include "kernels/cpu/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/conv/tile_input.cc"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/cpu/simd-inl.h"
#include "kernels/cpu/strided_lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sardonyx::kernels {
namespace HWY_NAMESPACE {
namespace {

// The part of slices that lies inside the input, in one dimension.
struct SliceRange {
  SliceRange(const Window& window, const TileAxis& axis, size_t dimension, size_t slice, size_t out)
      : first(window.origin(dimension, out) + static_cast<ptrdiff_t>(axis.slice_begin(slice))),
        inside(steps_inside(first, axis.stride, axis.length, 0, static_cast<ptrdiff_t>(window.in[dimension]))),
        stride(axis.stride),
        length(axis.length) {}
  // Input position of element `i`, which lies inside.
  size_t position(size_t i) const { return static_cast<size_t>(first + static_cast<ptrdiff_t>(i * stride)); }

  ptrdiff_t first;  // input position of element 0
  Range inside;
  size_t stride, length;
};

constexpr size_t kLineFloats = 64 / sizeof(float);  // of a cache line

// Also asks for the line `ahead` of this one, which is wanted next: lines of different channels lie too far apart for the processor to
// guess.
HWY_INLINE void fill_line(const SliceRange& w, size_t ahead, const float* line, const float* end, float* to) {
  for (size_t i = 0; i < w.inside.begin; ++i) to[i] = 0.0f;
  if (w.inside.size() > 0) copy_strided_lanes(line + w.position(w.inside.begin), w.stride, w.inside.size(), end, to + w.inside.begin);
  for (size_t i = w.inside.end; i < w.length; ++i) to[i] = 0.0f;
  for (size_t i = 0; i < w.inside.size() * w.stride; i += kLineFloats) hwy::Prefetch(line + ahead + i);
}

HWY_INLINE void fill_plane(const Window& window, const SliceRange& h, const SliceRange& w, size_t ahead, const float* plane,
                           const float* end, float* to) {
  for (size_t i = 0; i < h.length; ++i, to += w.length) {
    if (i >= h.inside.begin && i < h.inside.end) {
      fill_line(w, ahead, plane + h.position(i) * window.in[2], end, to);
    } else {
      std::memset(to, 0, w.length * sizeof(float));
    }
  }
}

// One combination of slices, for all channels.
void fill_slices(const Window& window, const TileLayout& layout, const SliceRange& d, const SliceRange& h, const SliceRange& w,
                 const InputPlanes& planes, float* to) {
  const size_t in_slice = window.in[1] * window.in[2];
  const float* end = planes.x + (planes.channels - 1) * planes.plane + window.in_size();
  for (size_t channel = 0; channel < planes.channels; ++channel, to += layout.channel_floats()) {
    if (d.inside.size() > 0) {
      const size_t ahead = channel + 1 < planes.channels ? planes.plane : 0;
      fill_plane(window, h, w, ahead, planes.x + channel * planes.plane + d.position(0) * in_slice, end, to);
    } else {
      std::memset(to, 0, layout.plane() * sizeof(float));
    }
  }
}

void fill(const Window& window, const TileLayout& layout, const Extents& out, const InputPlanes& planes, float* data) {
  const auto& axes = layout.axes;
  for (size_t slice_d = 0; slice_d < axes[0].slices; ++slice_d) {
    const SliceRange d(window, axes[0], 0, slice_d, out[0]);
    for (size_t slice_h = 0; slice_h < axes[1].slices; ++slice_h) {
      const SliceRange h(window, axes[1], 1, slice_h, out[1]);
      for (size_t slice_w = 0; slice_w < axes[2].slices; ++slice_w, data += layout.plane()) {
        fill_slices(window, layout, d, h, SliceRange(window, axes[2], 2, slice_w, out[2]), planes, data);
      }
    }
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace sardonyx::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sardonyx::kernels {

HWY_EXPORT(fill);

TileAxis::TileAxis(const Window& window, size_t dimension, size_t outputs) noexcept
    : stride(window.stride[dimension]), dilation(window.dilation[dimension]) {
  const size_t taps = window.kernel[dimension];
  const size_t reach = (taps - 1) * dilation;  // from the first tap to the last
  const size_t shared_slices = std::min(stride, reach + 1);
  const size_t shared_length = outputs + reach / stride;
  is_shared = shared_slices * shared_length < taps * outputs;
  slices = is_shared ? shared_slices : taps;
  length = is_shared ? shared_length : outputs;
}

TileLayout::TileLayout(const Window& window, size_t outputs_h, size_t outputs_w) noexcept
    : axes{TileAxis(window, 0, 1), TileAxis(window, 1, outputs_h), TileAxis(window, 2, outputs_w)} {
  // Slices of d must have one element each.
  axes[0].is_shared = false;
  axes[0].slices = window.kernel[0];
  axes[0].length = 1;
}

void TileLayout::fill_offsets(const Window& window, size_t channels, int32_t* offsets) const noexcept {
  for (size_t channel = 0; channel < channels; ++channel) {
    for (size_t d = 0; d < window.kernel[0]; ++d) {
      for (size_t h = 0; h < window.kernel[1]; ++h) {
        for (size_t w = 0; w < window.kernel[2]; ++w) {
          const size_t slice = (axes[0].slice_of(d) * axes[1].slices + axes[1].slice_of(h)) * axes[2].slices + axes[2].slice_of(w);
          const size_t offset = slice * plane() + axes[1].offset_of(h) * pitch() + axes[2].offset_of(w);
          *offsets++ = static_cast<int32_t>(channel * channel_floats() + offset);
        }
      }
    }
  }
}

void fill_tile_input(const Window& window, const TileLayout& layout, const Extents& out, const InputPlanes& planes, float* data) noexcept {
  HWY_DYNAMIC_DISPATCH(fill)(window, layout, out, planes, data);
}

}  // namespace sardonyx::kernels
#endif
