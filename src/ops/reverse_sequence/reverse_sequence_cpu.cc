// ReverseSequence: the first elements of each sequence of a batch in reverse order.
#include <algorithm>

#include "core/interrupt.h"
#include "ops/movement/element.h"
#include "ops/stages.h"
#include "sardonyx/model.h"

namespace sardonyx::ops {
namespace {

struct SequenceGeometry {
  size_t rows, columns, inner;  // the two first dimensions; elements of one step
  bool time_first;
};

void check_lengths(const IndexView& lengths, size_t batch, size_t time) {
  for (size_t i = 0; i < batch; ++i) {
    if (lengths[i] < 0 || lengths[i] > to_int(time))
      throw argument_error("length {} of sequence {} is outside [0, {}]", lengths[i], i, time);
  }
}

template <class T>
void reverse_sequences(const SequenceGeometry& g, const RunContext& r) {
  const IndexView lengths(r.inputs[1]);
  const T* from = static_cast<const T*>(r.inputs[0].raw());
  T* to = static_cast<T*>(r.outputs[0].mutable_raw());
  r.pool.for_each(g.rows, [&](size_t row) {
    for (size_t column = 0; column < g.columns; ++column) {
      const size_t length = to_size(lengths[g.time_first ? column : row]), step = g.time_first ? row : column;
      const size_t source = step < length ? length - 1 - step : step;
      const size_t at = g.time_first ? source * g.columns + column : row * g.columns + source;
      const T* source_row = from + at * g.inner;
      T* row_to = to + (row * g.columns + column) * g.inner;
      core::in_pieces(g.inner, size_t{1} << 16,
                      [&](size_t first, size_t count) { std::copy_n(source_row + first, count, row_to + first); });
    }
  });
}

}  // namespace

std::unique_ptr<Prepared> prepare_reverse_sequence(const PrepareContext& context) {
  const int64_t batch_axis = model::get_int(context.node, "batch_axis", 1), time_axis = model::get_int(context.node, "time_axis", 0);
  if (!((batch_axis == 0 && time_axis == 1) || (batch_axis == 1 && time_axis == 0))) {
    throw model_error("batch_axis {} and time_axis {} must be 0 and 1, or 1 and 0", batch_axis, time_axis);
  }
  return make_prepared([time_first = time_axis == 0](const BindContext& b) {
    const ValueFacts& x = required(b, 0, "input");
    const ValueFacts& lengths = required(b, 1, "sequence_lens");
    require_dtype(lengths, {DType::kInt64, DType::kInt32}, "sequence_lens");
    element_bytes(x.dtype);
    if (x.shape.size() < 2) throw argument_error("input has shape {}; it must have at least two dimensions", to_string(x.shape));
    const size_t batch = to_size(x.shape[time_first ? 1 : 0]), time = to_size(x.shape[time_first ? 0 : 1]);
    if (lengths.shape != Shape{to_int(batch)}) {
      throw argument_error("sequence_lens have shape {}; they must be [{}]", to_string(lengths.shape), batch);
    }
    const SequenceGeometry g = {to_size(x.shape[0]), to_size(x.shape[1]), span_count(x.shape, 2, x.shape.size()), time_first};
    return make_bound(output(x.dtype, x.shape), [g, batch, time](const RunContext& r) {
      if (r.outputs[0].numel() == 0) return;
      check_lengths(IndexView(r.inputs[1]), batch, time);
      with_element(r.inputs[0].dtype(), [&]<class T>() { reverse_sequences<T>(g, r); });
    });
  });
}

}  // namespace sardonyx::ops
