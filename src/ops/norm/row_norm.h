// Normalisation of rows, each by its own mean and variance (or mean square), then scaled and shifted: what LayerNormalization,
// RMSNormalization, GroupNormalization, InstanceNormalization and MeanVarianceNormalization come down to, for every float type.
#pragma once

#include <algorithm>

#include "ops/elements/elements.h"
#include "ops/op.h"

namespace sardonyx::ops {

// Which scale and shift element j of a row takes: number (row * per_row + j / repeat) % count.
struct AffineIndex {
  size_t per_row = 0, repeat = 1, count = 1;
};

// values[i], which is element j + i of the row, becomes (values[i] - mean) * factor * scale + shift. What Acc
// cannot hold of the mean is subtracted apart, for rows whose mean is much greater than their deviations.
template <class Acc>
void apply_affine(const AffineIndex& index, size_t row, size_t j, size_t size, const Acc* scale, const Acc* shift, double mean, Acc factor,
                  Acc* values) noexcept {
  const auto center = static_cast<Acc>(mean), rest = static_cast<Acc>(mean - static_cast<double>(center));
  const auto normal = [=](Acc value) { return ((value - center) - rest) * factor; };
  for (size_t i = 0; i < size;) {
    const size_t first = (row * index.per_row + (j + i) / index.repeat) % index.count;
    if (index.repeat == 1) {  // one after another, until they begin anew
      const size_t run = std::min(size - i, index.count - first);
      for (size_t k = 0; k < run; ++k) values[i + k] = normal(values[i + k]) * scale[first + k] + shift[first + k];
      i += run;
    } else {
      const size_t run = std::min(size - i, index.repeat - (j + i) % index.repeat);
      for (size_t k = 0; k < run; ++k) values[i + k] = normal(values[i + k]) * scale[first] + shift[first];
      i += run;
    }
  }
}

// A scale or shift as Acc: the tensor broadcast to `shape`, or `fallback` where it is absent.
template <class Acc>
void load_parameter(const Tensor* tensor, const Shape& shape, Acc fallback, Acc* values);

struct RowNorm {
  size_t rows = 1, size = 1;
  AffineIndex index;
  Shape parameter_shape;  // of index.count elements, to which scale and shift broadcast
  float epsilon = 0;
  bool centered = true;               // false: no mean is subtracted, the mean square takes the place of the variance
  bool epsilon_outside_root = false;  // 1 / (sqrt(variance) + epsilon), instead of 1 / sqrt(variance + epsilon)
};

struct RowNormTensors {
  DType x_type, y_type;
  const void* x;
  void* y;
  const Tensor *scale = nullptr, *shift = nullptr;
  Tensor *mean = nullptr, *factor = nullptr;  // results, one for each row
};

// Statistics of rows without elements, which have no mean. Null: nothing to do.
void fill_with_nan(Tensor* tensor);

// Bytes of scratch that run_row_norm needs.
size_t row_norm_scratch(const RowNorm& norm) noexcept;
// y may be x where the types are equal.
void run_row_norm(const RowNorm& norm, const RowNormTensors& on, std::byte* scratch, core::ThreadPool& pool);

}  // namespace sardonyx::ops
