// Crops of images (batch, channels, height, width), resized so that their corners meet those of the result; for float and double.
#pragma once

#include <cstddef>

#include "kernels/cpu/roi/roi.h"

namespace sardonyx::kernels {

template <class T>
struct CropBox {
  size_t image = 0;
  T top = 0, left = 0, bottom = 0, right = 0;  // 0: the first row or column, 1: the last; may lie beyond
};

// y (count, channels, out_height, out_width), linear between the rows and columns around each place, or the nearest one. Places outside the
// image take the value `outside`. out_height and out_width are positive unless count is 0.
template <class T>
void crop_and_resize(const RoiMaps& maps, bool nearest, T outside, size_t count, const CropBox<T>* boxes, const T* x, T* y,
                     core::ThreadPool& pool) noexcept;

}  // namespace sardonyx::kernels
