#include <algorithm>

#include "ops/facts.h"
#include "ops/movement/element.h"
#include "ops/movement/packed.h"
#include "ops/movement/strided.h"
#include "ops/pad/pad.h"
#include "ops/stages.h"

namespace sardonyx::ops {
namespace {

// Copies rows of the last dimension: single elements where the padding is, one block where the input itself is.
struct PadStep {
  PadMode mode;
  Shape x, out;
  std::vector<int64_t> before;
  std::vector<ptrdiff_t> stride;          // of x
  size_t block_begin = 0, block_end = 0;  // positions in a row of the result that are consecutive in x

  template <class T>
  void run(const RunContext& r, const void* constant) const {
    T fill{};
    if (constant) fill = *static_cast<const T*>(constant);
    const T* from = static_cast<const T*>(r.inputs[0].raw());
    T* to = static_cast<T*>(r.outputs[0].mutable_raw());
    const size_t inner = out.empty() ? 1 : to_size(out.back());
    if (r.outputs[0].numel() == 0) return;
    r.pool.for_ranges(to_size(r.outputs[0].numel()) / inner, std::max<size_t>(1, 8192 / inner), [&](size_t begin, size_t end) {
      for (size_t row = begin; row < end; ++row) run_row(source_row(row, from), fill, to + row * inner, inner);
    });
  }

 private:
  int64_t source(size_t axis, size_t position) const noexcept {
    const int64_t at = to_int(position) - before[axis];
    return at >= 0 && at < x[axis] ? at : pad_source(mode, at, x[axis]);
  }

  // The row of x that this row of the result comes from; null: it is all padding.
  template <class T>
  const T* source_row(size_t row, const T* from) const noexcept {
    for (size_t d = out.empty() ? 0 : out.size() - 1; d-- > 0;) {
      const size_t size = to_size(out[d]);
      const int64_t index = source(d, row % size);
      if (index < 0) return nullptr;
      from += static_cast<ptrdiff_t>(index) * stride[d];
      row /= size;
    }
    return from;
  }

  template <class T>
  void run_row(const T* from, const T& fill, T* to, size_t inner) const {
    if (!from) {
      std::fill(to, to + inner, fill);
      return;
    }
    if (out.empty()) {
      *to = *from;
      return;
    }
    const size_t last = out.size() - 1;
    const auto singles = [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) {
        const int64_t index = source(last, i);
        to[i] = index < 0 ? fill : from[index];
      }
    };
    singles(0, block_begin);
    if (block_begin < block_end) {
      const T* block = from + source(last, block_begin);
      std::copy(block, block + (block_end - block_begin), to + block_begin);
    }
    singles(block_end, inner);
  }
};

PadStep make_step(const PadSpec& spec, const Shape& x, const std::vector<int64_t>& pads) {
  const size_t rank = x.size();
  PadStep step = {.mode = spec.mode,
                  .x = x,
                  .out = padded_shape(spec.mode, x, pads),
                  .before = {pads.begin(), pads.begin() + to_int(rank)},
                  .stride = contiguous_view(x).stride};
  if (rank == 0) return step;
  const int64_t size = step.out.back();
  const int64_t begin = std::clamp<int64_t>(pads[rank - 1], 0, size);
  step.block_begin = to_size(begin);
  step.block_end = to_size(std::clamp<int64_t>(size - std::max<int64_t>(pads[2 * rank - 1], 0), begin, size));
  return step;
}

void run_pad(const PadStep& step, const RunContext& r, const void* fill) {
  with_element(r.inputs[0].dtype(), [&]<class T>() { step.run<T>(r, fill); });
}

std::unique_ptr<Bound> bind_by_attributes(const BindContext& context, const PadSpec& spec) {
  const ValueFacts& x = required(context, 0, "data");
  require_dtype(x, kFloats, "data");
  const PadStep step = make_step(spec, x.shape, pads_of_axes(spec.pads, nullptr, x.shape.size()));
  return make_bound(output(x.dtype, step.out),
                    [step, fill = Tensor::full({}, spec.value, x.dtype)](const RunContext& r) { run_pad(step, r, fill.raw()); });
}

std::unique_ptr<Bound> bind_by_inputs(const BindContext& context, const PadSpec& spec) {
  const ValueFacts& x = required(context, 0, "data");
  element_bytes(x.dtype);
  if (const ValueFacts* value = optional(context, 2)) {
    require_same_dtype(*value, x, "constant_value", "data");
    if (element_count(value->shape) != 1)
      throw argument_error("constant_value has shape {}; it must be one value", to_string(value->shape));
  }
  std::vector<int64_t> axes;
  if (const ValueFacts* facts = optional(context, 3)) axes = integer_values(*facts, "axes");
  const std::vector<int64_t> pads = integer_values(required(context, 1, "pads"), "pads");
  const PadStep step = make_step(spec, x.shape, pads_of_axes(pads, optional(context, 3) ? &axes : nullptr, x.shape.size()));
  return make_bound(output(x.dtype, step.out), [step](const RunContext& r) {
    const Tensor* value = optional(r, 2);
    run_pad(step, r, value ? value->raw() : nullptr);
  });
}

}  // namespace

std::unique_ptr<Prepared> prepare_pad(const PrepareContext& context) {
  const PadSpec spec = pad_spec_from_node(context.node, context.opset);
  if (spec.by_attributes) return make_prepared([spec](const BindContext& b) { return bind_by_attributes(b, spec); });
  return make_value_driven(via_bytes(make_prepared([spec](const BindContext& b) { return bind_by_inputs(b, spec); })),
                           {.value_inputs = 0b1010, .output_types = {}});
}

}  // namespace sardonyx::ops
