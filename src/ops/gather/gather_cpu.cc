#include "kernels/cpu/copy/gather.h"
#include "ops/facts.h"
#include "ops/gather/gather.h"
#include "ops/gather/indices.h"
#include "ops/stages.h"
#include "sardonyx/model.h"

namespace sardonyx::ops {
namespace {

struct GatherStep {
  GatherGeometry geometry;
  size_t axis;
  size_t inner_bytes;
  bool is_string;

  void run(const RunContext& r) const {
    const Tensor& indices = r.inputs[1];
    check_indices(indices, geometry.axis, axis);
    if (r.outputs[0].numel() == 0) return;
    if (is_string) return run_strings(r, IndexView(indices));
    const size_t count = to_size(indices.numel());
    const int64_t* values = indices.dtype() == DType::kInt64 ? indices.values<int64_t>().data() : widened(indices, r.scratch);
    // A table is read where it lies, so that only the rows asked for come into memory.
    const void* from = r.inputs[0].dtype() == DType::kBool ? r.inputs[0].raw() : r.inputs[0].stored();
    kernels::gather(geometry.outer, geometry.axis, inner_bytes, values, count, from, r.outputs[0].mutable_raw(), r.pool);
  }

 private:
  static const int64_t* widened(const Tensor& indices, std::byte* scratch) {
    auto* values = reinterpret_cast<int64_t*>(scratch);
    std::ranges::copy(indices.values<int32_t>(), values);
    return values;
  }

  void run_strings(const RunContext& r, const IndexView& indices) const {
    const auto* from = r.inputs[0].strings().data();
    auto* to = r.outputs[0].mutable_values<std::string>().data();
    const size_t count = to_size(r.inputs[1].numel()), inner = geometry.inner;
    for (size_t o = 0; o < geometry.outer; ++o) {
      for (size_t i = 0; i < count; ++i, to += inner) {
        const int64_t index = indices[i] < 0 ? indices[i] + to_int(geometry.axis) : indices[i];
        const auto* row = from + (o * geometry.axis + to_size(index)) * inner;
        std::copy(row, row + inner, to);
      }
    }
  }
};

}  // namespace

std::unique_ptr<Prepared> prepare_gather(const PrepareContext& context) {
  return make_prepared([axis_attribute = model::get_int(context.node, "axis", 0)](const BindContext& b) {
    const ValueFacts& x = required(b, 0, "data");
    const ValueFacts& indices = required(b, 1, "indices");
    require_dtype(indices, {DType::kInt32, DType::kInt64}, "indices");
    const size_t axis = checked_axis(axis_attribute, x.shape.size());
    const GatherGeometry geometry = gather_geometry(x.shape, indices.shape, axis);
    const GatherStep step = {geometry, axis, geometry.inner * element_bytes(x.dtype), x.dtype == DType::kString};
    auto bound = make_bound(output(x.dtype, geometry.out), [step](const RunContext& r) { step.run(r); });
    if (indices.dtype == DType::kInt32) bound->scratch_bytes = to_size(element_count(indices.shape)) * sizeof(int64_t);
    return bound;
  });
}

}  // namespace sardonyx::ops
