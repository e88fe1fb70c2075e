// Gather along one axis. Knows bytes, not types.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/parallel.h"

namespace sardonyx::kernels {

// src (outer, axis, inner), dst (outer, count, inner): dst[o][i] = src[o][indices[i]], rows of `inner_bytes` bytes.
// Indices lie in [-axis, axis): the caller has checked; a negative one counts from the end.
void gather(size_t outer, size_t axis, size_t inner_bytes, const int64_t* indices, size_t count, const void* src, void* dst,
            core::ThreadPool& pool) noexcept;

}  // namespace sardonyx::kernels
