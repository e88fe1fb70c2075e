// Which SIMD targets the kernels are compiled for; include before any Highway header.
//
// Left out: SSSE3 (its machines run the baseline), and targets whose vectors have no size at compile time: register tiles are arrays of
// vectors, which those cannot form (arm64 is served by NEON).
#pragma once

#ifndef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#endif
