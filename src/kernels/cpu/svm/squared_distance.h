// Squared distances between rows of one matrix and packed vectors: what radial kernels are functions of. Differences are taken before they
// are squared, so that vectors far from the origin and near each other lose nothing.
#pragma once

#include <cstddef>

namespace sardonyx::kernels {

// Vectors are packed in groups whose values of one feature lie side by side: [group][feature][kVectorGroup].
inline constexpr size_t kVectorGroup = 16;

// Floats that `vectors` vectors of `features` take in packed form.
size_t packed_vector_floats(size_t vectors, size_t features) noexcept;

// Packs vectors that lie one after another.
void pack_vectors(size_t vectors, size_t features, const float* from, float* packed) noexcept;

// y[i * vectors + j] = sum over k of (x[i * features + k] - vector j's k)^2, on the calling thread.
void squared_distances(size_t rows, size_t vectors, size_t features, const float* x, const float* packed, float* y) noexcept;

}  // namespace sardonyx::kernels
