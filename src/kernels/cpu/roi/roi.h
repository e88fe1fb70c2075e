// Pooling over regions of interest of feature maps (batch, channels, height, width), for float and double.
#pragma once

#include <cstddef>

#include "core/parallel.h"

namespace sardonyx::kernels {

struct RoiMaps {
  size_t channels = 0, height = 0, width = 0;
  size_t out_height = 0, out_width = 0;
};

// A region of one image, in positions of the map.
struct RoiBox {
  size_t image = 0;
  double y = 0, x = 0, height = 0, width = 0;
};

// y (count, channels, out_height, out_width). Each bin is sampled at grid_y x grid_x points, between positions bilinearly.
struct RoiAlignGrid {
  size_t y = 1, x = 1;
};
template <class T>
void roi_align(const RoiMaps& maps, bool maximum, size_t count, const RoiBox* boxes, const RoiAlignGrid* grids, const T* x, T* y,
               core::ThreadPool& pool) noexcept;

// The greatest value of each bin, whose edges are rounded outwards; 0 where a bin is empty.
template <class T>
void roi_max(const RoiMaps& maps, size_t count, const RoiBox* boxes, const T* x, T* y, core::ThreadPool& pool) noexcept;

}  // namespace sardonyx::kernels
