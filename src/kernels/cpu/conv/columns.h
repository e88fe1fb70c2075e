// Adding unfolded columns back into an image: the inverse of the unfolding of a convolution's input.
#pragma once

#include <type_traits>

#include "core/interrupt.h"
#include "kernels/cpu/window.h"

namespace sardonyx::kernels {

// Elements that are computed without asking whether the run is to end.
inline constexpr size_t kPiece = 1 << 16;

// `window` (rank 3) is that of the convolution from the image (window.in) to the blocks (window.out). `columns` (kernel, blocks) of one
// channel are added to `image`. T is any type with +.
template <class T>
void add_columns(const Window& window, const T* columns, T* image) noexcept(std::is_trivially_copyable_v<T>) {
  const Window& w = window;
  core::InterruptGate gate;
  for (size_t tap = 0; tap < w.kernel_size(); ++tap, columns += w.out_size()) {
    const size_t taps[3] = {tap / (w.kernel[1] * w.kernel[2]), tap / w.kernel[2] % w.kernel[1], tap % w.kernel[2]};
    ptrdiff_t first[3];
    Range blocks[3];  // whose tap falls inside the image
    for (size_t i = 0; i < 3; ++i) {
      first[i] = static_cast<ptrdiff_t>(taps[i] * w.dilation[i]) - static_cast<ptrdiff_t>(w.pad_begin[i]);
      blocks[i] = steps_inside(first[i], w.stride[i], w.out[i], 0, static_cast<ptrdiff_t>(w.in[i]));
    }
    const auto place = [&](size_t i, size_t block) { return static_cast<size_t>(first[i] + static_cast<ptrdiff_t>(block * w.stride[i])); };
    for (size_t d = blocks[0].begin; d < blocks[0].end; ++d) {
      for (size_t h = blocks[1].begin; h < blocks[1].end; ++h) {
        if (gate.stopped()) return;
        const T* from = columns + (d * w.out[1] + h) * w.out[2];
        T* to = image + (place(0, d) * w.in[1] + place(1, h)) * w.in[2];
        core::in_pieces(blocks[2].size(), kPiece, [&](size_t begin, size_t count) {
          for (size_t v = blocks[2].begin + begin; v < blocks[2].begin + begin + count; ++v) {
            T& cell = to[place(2, v)];
            cell = static_cast<T>(cell + from[v]);
          }
        });
      }
    }
  }
}

}  // namespace sardonyx::kernels
