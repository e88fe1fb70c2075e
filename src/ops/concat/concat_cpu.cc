#include <cstring>

#include "ops/concat/concat.h"
#include "ops/facts.h"
#include "ops/movement/strided.h"
#include "ops/rows.h"
#include "ops/stages.h"

namespace sardonyx::ops {
namespace {

// Rows of a concatenation of channels.
class ConcatRows final : public RowKernel {
 public:
  ConcatRows(std::vector<size_t> channels, const Shape& out, size_t element_bytes)
      : channels_(std::move(channels)), images_(to_size(out[0])), all_channels_(to_size(out[1])), shape_(out, element_bytes) {}

  bool by_rows(size_t /*input*/) const noexcept override { return true; }
  RowRange reads(size_t /*input*/, RowRange rows) const noexcept override { return rows; }
  void run(const RowRun& r) const noexcept override {
    const size_t bytes = r.rows.size() * shape_.row_bytes;
    size_t first = 0;
    for (size_t i = 0; i < channels_.size(); ++i) {
      const size_t channels = channels_[i];
      r.pool.for_ranges(images_ * channels, kTaskBytes / std::max<size_t>(bytes, 1), [&](size_t begin, size_t end) {
        for (size_t plane = begin; plane < end; ++plane) {
          const size_t to = plane / channels * all_channels_ + first + plane % channels;
          std::memcpy(r.output.at(r.rows.begin) + to * r.output.plane_bytes, r.inputs[i].at(r.rows.begin) + plane * r.inputs[i].plane_bytes,
                      bytes);
        }
      });
      first += channels;
    }
  }

 private:
  static constexpr size_t kTaskBytes = size_t{1} << 16;
  std::vector<size_t> channels_;  // of each input
  size_t images_, all_channels_;
  RowShape shape_;
};

std::shared_ptr<const RowKernel> concat_rows(const BindContext& context, size_t axis, const ValueFacts& out) {
  if (axis != 1 || out.shape.size() < 3 || out.dtype == DType::kString || element_count(out.shape) == 0) return nullptr;
  std::vector<size_t> channels;
  for (const ValueFacts& input : context.inputs) channels.push_back(to_size(input.shape[1]));
  return std::make_shared<ConcatRows>(std::move(channels), out.shape, element_bytes(out.dtype));
}

// Whether the parts of a tensor by that axis are runs of whole bytes.
bool is_cut_by_outer_axis(std::span<const int64_t> shape, size_t axis, DType dtype) {
  return bit_width(dtype) >= 8 && element_count(shape) > 0 && span_count(shape, 0, axis) == 1;
}

std::unique_ptr<Bound> bind_concat(const BindContext& context, int64_t axis_attribute) {
  const ValueFacts& first = required(context, 0, "0");
  for (size_t i = 1; i < context.inputs.size(); ++i)
    require_same_dtype(required(context, i, std::to_string(i)), first, std::to_string(i), "0");
  const size_t axis = checked_axis(axis_attribute, first.shape.size());
  ValueFacts out = output(first.dtype, concat_shape(context.inputs, axis));
  std::vector<StridedMove> moves;
  int64_t start = 0;
  for (const ValueFacts& input : context.inputs) {
    moves.emplace_back(contiguous_view(input.shape), part_of(out.shape, axis, start, input.shape[axis]), first.dtype);
    start += input.shape[axis];
  }
  std::shared_ptr<const RowKernel> rows = concat_rows(context, axis, out);
  std::vector<size_t> offsets;
  if (is_cut_by_outer_axis(out.shape, axis, first.dtype)) {
    size_t end = 0;
    for (const ValueFacts& input : context.inputs) {
      offsets.push_back(end);
      end += storage_bytes(first.dtype, element_count(input.shape));
    }
  }
  auto bound = make_bound(std::move(out), [moves](const RunContext& r) {
    for (size_t i = 0; i < moves.size(); ++i) moves[i].run(r.inputs[i].raw(), r.outputs[0].mutable_raw(), r.pool);
  });
  bound->part_offsets = std::move(offsets);
  return with_rows(std::move(bound), std::move(rows));
}

std::unique_ptr<Bound> bind_split(const BindContext& context, const SplitSpec& spec) {
  const ValueFacts& x = required(context, 0, "input");
  const size_t axis = checked_axis(spec.axis, x.shape.size());
  std::optional<std::vector<int64_t>> given = spec.sizes;
  if (const ValueFacts* split = optional(context, 1)) given = integer_values(*split, "split");
  const std::vector<int64_t> sizes = split_sizes(spec, x.shape[axis], given);
  std::vector<ValueFacts> outs;
  std::vector<StridedMove> moves;
  std::vector<OutputView> views;
  int64_t start = 0;
  for (const int64_t size : sizes) {
    const StridedView part = part_of(x.shape, axis, start, size);
    if (is_cut_by_outer_axis(x.shape, axis, x.dtype)) {
      views.push_back({0, storage_bytes(x.dtype, start * static_cast<int64_t>(span_count(x.shape, axis + 1, x.shape.size())))});
    }
    outs.push_back(output(x.dtype, part.shape));
    moves.push_back(move_between(part, part.shape, x.dtype));
    start += size;
  }
  auto bound = make_bound(std::move(outs), [moves](const RunContext& r) {
    for (size_t i = 0; i < moves.size(); ++i) {
      if (r.outputs[i].defined()) moves[i].run(r.inputs[0].raw(), r.outputs[i].mutable_raw(), r.pool);
    }
  });
  bound->views = std::move(views);
  return bound;
}

}  // namespace

std::unique_ptr<Prepared> prepare_concat(const PrepareContext& context) {
  if (context.opset >= 4 && !context.node.find_attribute("axis")) throw model_error("attribute axis is missing");
  return make_prepared([axis = model::get_int(context.node, "axis", 1)](const BindContext& b) { return bind_concat(b, axis); });
}

std::unique_ptr<Prepared> prepare_split(const PrepareContext& context) {
  const SplitSpec spec = split_spec_from_node(context.node, context.opset);
  return make_value_driven(make_prepared([spec](const BindContext& b) { return bind_split(b, spec); }),
                           {.value_inputs = 1U << 1, .output_types = [parts = spec.parts](const BindContext& b) {
                              return std::vector<DType>(parts, required(b, 0, "input").dtype);
                            }});
}

}  // namespace sardonyx::ops
