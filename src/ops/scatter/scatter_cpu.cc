#include <algorithm>

#include "core/interrupt.h"
#include "ops/gather/indices.h"
#include "ops/scatter/scatter.h"
#include "ops/stages.h"

namespace sardonyx::ops {
namespace {

struct Operands {
  const ValueFacts &data, &indices, &updates;
};

Operands scatter_operands(const BindContext& context) {
  const Operands on = {required(context, 0, "data"), required(context, 1, "indices"), required(context, 2, "updates")};
  require_dtype(on.indices, {DType::kInt32, DType::kInt64}, "indices");
  require_same_dtype(on.data, on.updates, "data", "updates");
  return on;
}

CombineRun required_combine(Reduction reduction, DType dtype) {
  const CombineRun combine = combine_run(reduction, dtype);
  if (!combine) throw unsupported_error("elements of type {} cannot be reduced; use reduction = none", type_string(dtype));
  return combine;
}

void require_updates(const ValueFacts& updates, const Shape& wanted) {
  if (updates.shape != wanted) throw argument_error("updates have shape {}; they must be {}", to_string(updates.shape), to_string(wanted));
}

void scatter_elements(const AxisLines& lines, CombineRun combine, size_t bytes, const RunContext& r) {
  check_indices(r.inputs[1], lines.axis_size(), lines.axis());
  copy_all(r.inputs[0], r.outputs[0]);
  const IndexView indices(r.inputs[1]);
  const auto* updates = static_cast<const std::byte*>(r.inputs[2].raw());
  auto* to = static_cast<std::byte*>(r.outputs[0].mutable_raw());
  const size_t size = lines.row_size();
  r.pool.for_ranges(lines.rows(), lines.independent_rows(), [&](size_t begin, size_t end) {
    for (size_t row = begin; row < end; ++row) {
      const size_t base = lines.row_base(row);
      core::in_pieces(size, size_t{1} << 14, [&](size_t first, size_t count) {
        for (size_t j = first; j < first + count; ++j) {
          const size_t i = row * size + j;
          combine(updates + i * bytes, to + lines.offset(base, j, indices[i]) * bytes, 1);
        }
      });
    }
  });
}

void scatter_slices(const TupleGeometry& geometry, CombineRun combine, size_t bytes, const RunContext& r) {
  auto* offsets = reinterpret_cast<size_t*>(r.scratch);
  if (r.inputs[1].numel() != 0) tuple_offsets(geometry, r.inputs[1], offsets);
  copy_all(r.inputs[0], r.outputs[0]);
  if (r.inputs[2].numel() == 0) return;
  const auto* updates = static_cast<const std::byte*>(r.inputs[2].raw());
  auto* to = static_cast<std::byte*>(r.outputs[0].mutable_raw());
  core::InterruptCounter interrupt;
  for (size_t t = 0; t < geometry.tuples(); ++t) {
    interrupt.step();
    core::in_pieces(geometry.slice, size_t{1} << 16, [&](size_t first, size_t count) {
      combine(updates + (t * geometry.slice + first) * bytes, to + (offsets[t] + first) * bytes, count);
    });
  }
}

}  // namespace

std::unique_ptr<Prepared> prepare_scatter_elements(const PrepareContext& context) {
  const Reduction reduction = reduction_from_node(context.node, context.node.op_type == "Scatter" ? 11 : context.opset);
  return make_prepared([reduction, axis = model::get_int(context.node, "axis", 0)](const BindContext& b) {
    const auto [x, indices, updates] = scatter_operands(b);
    require_updates(updates, indices.shape);
    const AxisLines lines(x.shape, indices.shape, axis);
    const size_t bytes = element_bytes(x.dtype);
    auto bound = make_bound(output(x.dtype, x.shape), [lines, bytes, combine = required_combine(reduction, x.dtype)](const RunContext& r) {
      scatter_elements(lines, combine, bytes, r);
    });
    bound->in_place_input = 0;
    return bound;
  });
}

std::unique_ptr<Prepared> prepare_scatter_nd(const PrepareContext& context) {
  return make_prepared([reduction = reduction_from_node(context.node, context.opset)](const BindContext& b) {
    const auto [x, indices, updates] = scatter_operands(b);
    const TupleGeometry geometry = tuple_geometry(x.shape, indices.shape, 0);
    require_updates(updates, geometry.slices);
    const size_t bytes = element_bytes(x.dtype);
    auto bound = make_bound(output(x.dtype, x.shape), [geometry, bytes, combine = required_combine(reduction, x.dtype)](
                                                          const RunContext& r) { scatter_slices(geometry, combine, bytes, r); });
    bound->scratch_bytes = to_size(element_count(indices.shape)) * sizeof(size_t);
    bound->in_place_input = 0;
    return bound;
  });
}

}  // namespace sardonyx::ops
