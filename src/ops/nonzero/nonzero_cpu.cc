// NonZero: where the elements are that are not 0, as coordinates.
#include <algorithm>

#include "ops/elements/elements.h"
#include "ops/facts.h"
#include "ops/stages.h"

namespace sardonyx::ops {
namespace {

std::vector<size_t> nonzero_numbers(const Tensor& x) {
  std::vector<size_t> found;
  const size_t count = to_size(x.numel());
  if (x.dtype() == DType::kString) {
    for (size_t i = 0; i < count; ++i) {
      if (!x.strings()[i].empty()) found.push_back(i);
    }
    return found;
  }
  with_accumulator(x.dtype(), [&]<class Acc>() {
    const LoadRun<Acc> load = load_run<Acc>(x.dtype());
    const size_t bytes = element_bytes(x.dtype());
    Acc values[kRunLength];
    for (size_t first = 0; first < count; first += kRunLength) {
      const size_t size = std::min(kRunLength, count - first);
      load(static_cast<const std::byte*>(x.raw()) + first * bytes, 1, size, values);
      for (size_t i = 0; i < size; ++i) {
        if (values[i] != Acc{}) found.push_back(first + i);
      }
    }
  });
  return found;
}

// One row for each dimension, one column for each element that is not 0.
Tensor coordinates(const Shape& shape, std::vector<size_t> numbers) {
  const size_t count = numbers.size();
  Tensor result = Tensor::empty({to_int(shape.size()), to_int(count)}, DType::kInt64);
  const std::span<int64_t> to = result.mutable_values<int64_t>();
  for (size_t d = shape.size(); d-- > 0;) {
    const size_t size = to_size(shape[d]);
    for (size_t i = 0; i < count; ++i) {
      to[d * count + i] = to_int(numbers[i] % size);
      numbers[i] /= size;
    }
  }
  return result;
}

}  // namespace

std::unique_ptr<Prepared> prepare_nonzero(const PrepareContext& /*context*/) {
  return make_prepared([](const BindContext& b) {
    require_dtype(required(b, 0, "X"), kNumbers | DTypeSet{DType::kBool, DType::kString}, "X");
    auto bound = make_bound(ValueFacts{DType::kInt64, {}, nullptr},
                            [](const RunContext& r) { r.outputs[0] = coordinates(r.inputs[0].shape(), nonzero_numbers(r.inputs[0])); });
    bound->dynamic = true;
    return bound;
  });
}

}  // namespace sardonyx::ops
