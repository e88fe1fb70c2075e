// Pooling of channel-blocked images (layout.h): what kernels/cpu/pool/pool.h defines, a block of channels at a time; and scaling by what a
// global pool led to.
#pragma once

#include "kernels/cpu/blocked/layout.h"
#include "kernels/cpu/pool/pool.h"

namespace sardonyx::kernels {

// `planes` of the shape counts blocks of channels of images; its window has rank 2; its distances are not looked at.
void blocked_max_pool(const PoolShape& shape, const float* x, float* y, core::ThreadPool& pool) noexcept;
void blocked_average_pool(const PoolShape& shape, bool count_include_pad, const float* x, float* y, core::ThreadPool& pool) noexcept;

// The mean of `size` > 0 pixels of each plane: y has one pixel per plane.
void blocked_global_average_pool(size_t planes, size_t size, const float* x, float* y, core::ThreadPool& pool) noexcept;

// The way back: `size` > 0 pixels of each plane times its one pixel of `factors`. y may be x.
void blocked_scale(size_t planes, size_t size, const float* x, const float* factors, float* y, core::ThreadPool& pool) noexcept;

}  // namespace sardonyx::kernels
