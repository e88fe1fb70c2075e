// ai.onnx.ml: ArrayFeatureExtractor. Elements of the last axis by their indices; a vector gives one row, as in ONNX Runtime.
#include "ops/ml/rows.h"
#include "ops/movement/element.h"
#include "ops/stages.h"

namespace sardonyx::ops {
namespace {

void check_indices(std::span<const int64_t> indices, size_t size) {
  for (const int64_t index : indices) {
    if (index < 0 || index >= to_int(size)) throw argument_error("Y holds the index {}; the last axis of X has {} elements", index, size);
  }
}

void run_extractor(const RunContext& r) {
  const Tensor& x = r.inputs[0];
  const size_t size = to_size(x.shape().back());
  const std::span<const int64_t> indices = r.inputs[1].values<int64_t>();
  check_indices(indices, size);
  const size_t lines = indices.empty() ? 0 : to_size(r.outputs[0].numel()) / indices.size();
  with_element(x.dtype(), [&]<class T>() {
    const T* from = static_cast<const T*>(x.raw());
    T* to = static_cast<T*>(r.outputs[0].mutable_raw());
    r.pool.for_ranges(lines, rows_per_task(indices.size()), [&](size_t begin, size_t end) {
      for (size_t line = begin; line < end; ++line) {
        for (size_t i = 0; i < indices.size(); ++i) to[line * indices.size() + i] = from[line * size + to_size(indices[i])];
      }
    });
  });
}

}  // namespace

std::unique_ptr<Prepared> prepare_array_feature_extractor(const PrepareContext&) {
  return make_prepared([](const BindContext& b) {
    const ValueFacts &x = required(b, 0, "X"), &y = required(b, 1, "Y");
    require_dtype(x, kFeatureTypes | DTypeSet{DType::kString}, "X");
    require_dtype(y, {DType::kInt64}, "Y");
    if (x.shape.empty()) throw argument_error("X is a scalar; it must have an axis to take elements of");
    Shape shape = x.shape;
    shape.back() = element_count(y.shape);
    if (x.shape.size() == 1) shape.insert(shape.begin(), 1);
    return make_bound(output(x.dtype, shape), run_extractor);
  });
}

}  // namespace sardonyx::ops
