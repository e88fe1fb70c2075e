// GatherElements and GatherND, of any element type of whole bytes.
#include <algorithm>

#include "ops/gather/indices.h"
#include "ops/movement/element.h"
#include "ops/stages.h"
#include "sardonyx/model.h"

namespace sardonyx::ops {
namespace {

constexpr size_t kGrain = 8192;

template <class T>
void gather_elements(const AxisLines& lines, const RunContext& r) {
  const IndexView indices(r.inputs[1]);
  const auto* from = static_cast<const T*>(r.inputs[0].raw());
  auto* to = static_cast<T*>(r.outputs[0].mutable_raw());
  const size_t size = lines.row_size();
  r.pool.for_ranges(lines.rows(), std::max<size_t>(1, kGrain / std::max<size_t>(size, 1)), [&](size_t begin, size_t end) {
    for (size_t row = begin; row < end; ++row) {
      const size_t base = lines.row_base(row);
      core::in_pieces(size, kGrain, [&](size_t first, size_t count) {
        for (size_t j = first; j < first + count; ++j) to[row * size + j] = from[lines.offset(base, j, indices[row * size + j])];
      });
    }
  });
}

template <class T>
void gather_slices(const TupleGeometry& geometry, const size_t* offsets, const RunContext& r) {
  const auto* from = static_cast<const T*>(r.inputs[0].raw());
  auto* to = static_cast<T*>(r.outputs[0].mutable_raw());
  r.pool.for_ranges(geometry.tuples(), std::max<size_t>(1, kGrain / geometry.slice), [&](size_t begin, size_t end) {
    for (size_t t = begin; t < end; ++t) std::copy_n(from + offsets[t], geometry.slice, to + t * geometry.slice);
  });
}

}  // namespace

std::unique_ptr<Prepared> prepare_gather_elements(const PrepareContext& context) {
  return make_prepared([axis = model::get_int(context.node, "axis", 0)](const BindContext& b) {
    const ValueFacts& x = required(b, 0, "data");
    const ValueFacts& indices = required(b, 1, "indices");
    require_dtype(indices, {DType::kInt32, DType::kInt64}, "indices");
    element_bytes(x.dtype);
    const AxisLines lines(x.shape, indices.shape, axis);
    return make_bound(output(x.dtype, indices.shape), [lines, dtype = x.dtype](const RunContext& r) {
      check_indices(r.inputs[1], lines.axis_size(), lines.axis());
      with_element(dtype, [&]<class T>() { gather_elements<T>(lines, r); });
    });
  });
}

std::unique_ptr<Prepared> prepare_gather_nd(const PrepareContext& context) {
  const int64_t batch_dims = context.opset >= 12 ? model::get_int(context.node, "batch_dims", 0) : 0;
  return make_prepared([batch_dims](const BindContext& b) {
    const ValueFacts& x = required(b, 0, "data");
    const ValueFacts& indices = required(b, 1, "indices");
    require_dtype(indices, {DType::kInt32, DType::kInt64}, "indices");
    element_bytes(x.dtype);
    const TupleGeometry geometry = tuple_geometry(x.shape, indices.shape, batch_dims);
    auto bound = make_bound(output(x.dtype, geometry.slices), [geometry, dtype = x.dtype](const RunContext& r) {
      if (r.inputs[1].numel() == 0) return;
      auto* offsets = reinterpret_cast<size_t*>(r.scratch);
      tuple_offsets(geometry, r.inputs[1], offsets);
      if (r.outputs[0].numel() != 0) with_element(dtype, [&]<class T>() { gather_slices<T>(geometry, offsets, r); });
    });
    bound->scratch_bytes = to_size(element_count(indices.shape)) * sizeof(size_t);
    return bound;
  });
}

}  // namespace sardonyx::ops
