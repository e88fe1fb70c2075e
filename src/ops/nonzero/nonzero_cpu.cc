// NonZero: where the elements are that are not 0, as coordinates.
#include <algorithm>

#include "core/interrupt.h"
#include "ops/elements/elements.h"
#include "ops/facts.h"
#include "ops/stages.h"

namespace sardonyx::ops {
namespace {

// The type of the real and the imaginary part of complex numbers; other numbers are their only part.
DType part_of(DType dtype) {
  if (dtype == DType::kComplex64) return DType::kFloat32;
  return dtype == DType::kComplex128 ? DType::kFloat64 : dtype;
}

std::vector<size_t> nonzero_numbers(const Tensor& x) {
  std::vector<size_t> found;
  const size_t count = to_size(x.numel());
  if (x.dtype() == DType::kString) {
    for (size_t i = 0; i < count; ++i) {
      if (!x.strings()[i].empty()) found.push_back(i);
    }
    return found;
  }
  const DType part = part_of(x.dtype());
  const size_t parts = part == x.dtype() ? 1 : 2;
  with_accumulator(part, [&]<class Acc>() {
    const LoadRun<Acc> load = load_run<Acc>(part);
    const size_t bytes = element_bytes(part);
    Acc values[kRunLength];
    core::in_pieces(count * parts, kRunLength, [&](size_t first, size_t size) {
      load(static_cast<const std::byte*>(x.raw()) + first * bytes, 1, size, values);
      for (size_t i = 0; i < size; ++i) {
        const size_t number = (first + i) / parts;
        if (values[i] != Acc{} && (found.empty() || found.back() != number)) found.push_back(number);
      }
    });
  });
  core::check_interrupt();
  return found;
}

// One row for each dimension, one column for each element that is not 0.
Tensor coordinates(const Shape& shape, std::vector<size_t> numbers) {
  const size_t count = numbers.size();
  Tensor result = Tensor::empty({to_int(shape.size()), to_int(count)}, DType::kInt64);
  const std::span<int64_t> to = result.mutable_values<int64_t>();
  for (size_t d = shape.size(); d-- > 0;) {
    const size_t size = to_size(shape[d]);
    core::in_pieces(count, size_t{1} << 14, [&](size_t first, size_t length) {
      for (size_t i = first; i < first + length; ++i) {
        to[d * count + i] = to_int(numbers[i] % size);
        numbers[i] /= size;
      }
    });
  }
  return result;
}

}  // namespace

std::unique_ptr<Prepared> prepare_nonzero(const PrepareContext& /*context*/) {
  return make_prepared([](const BindContext& b) {
    require_dtype(required(b, 0, "X"), kNumbers | DTypeSet{DType::kBool, DType::kString, DType::kComplex64, DType::kComplex128}, "X");
    auto bound = make_bound(ValueFacts{DType::kInt64, {}, nullptr},
                            [](const RunContext& r) { r.outputs[0] = coordinates(r.inputs[0].shape(), nonzero_numbers(r.inputs[0])); });
    bound->dynamic = true;
    return bound;
  });
}

}  // namespace sardonyx::ops
