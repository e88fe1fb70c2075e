// Compress: the slices along an axis, or the elements, for which a condition holds.
#include <algorithm>
#include <optional>

#include "ops/lines/lines.h"
#include "ops/movement/element.h"
#include "ops/stages.h"
#include "sardonyx/model.h"

namespace sardonyx::ops {
namespace {

constexpr size_t kPiece = 4096;  // slices that are copied without asking whether the run is to end

// A condition may be shorter than the axis, which ends there then.
std::vector<size_t> chosen_slices(const ValueFacts& condition, size_t size) {
  require_dtype(condition, {DType::kBool}, "condition");
  require_rank(condition, 1, "condition");
  std::vector<size_t> chosen;
  const std::span<const bool> holds = condition.constant->values<bool>();
  core::InterruptCounter interrupt;
  for (size_t i = 0; i < holds.size(); ++i) {
    interrupt.step();
    if (holds[i] && i >= size) throw argument_error("the condition holds for slice {}; there are {}", i, size);
    if (holds[i]) chosen.push_back(i);
  }
  return chosen;
}

std::unique_ptr<Bound> bind_compress(std::optional<int64_t> axis_attribute, const BindContext& b) {
  const ValueFacts& x = required(b, 0, "input");
  element_bytes(x.dtype);
  const size_t axis = axis_attribute ? checked_axis(*axis_attribute, x.shape.size()) : 0;
  const Lines lines = axis_attribute ? lines_of(x.shape, axis) : Lines{1, to_size(element_count(x.shape)), 1};
  std::vector<size_t> chosen = chosen_slices(required(b, 1, "condition"), lines.size);
  Shape out = axis_attribute ? x.shape : Shape{0};
  out[axis] = to_int(chosen.size());
  return make_bound(output(x.dtype, out), [lines, chosen = std::move(chosen)](const RunContext& r) {
    if (r.outputs[0].numel() == 0) return;
    with_element(r.inputs[0].dtype(), [&]<class T>() {
      const T* from = static_cast<const T*>(r.inputs[0].raw());
      T* to = static_cast<T*>(r.outputs[0].mutable_raw());
      r.pool.for_each(lines.outer, [&](size_t o) {
        T* at = to + o * chosen.size() * lines.inner;
        core::in_pieces(chosen.size(), kPiece, [&](size_t begin, size_t count) {
          for (size_t c = begin; c < begin + count; ++c) {
            at = std::copy_n(from + (o * lines.size + chosen[c]) * lines.inner, lines.inner, at);
          }
        });
      });
    });
  });
}

}  // namespace

std::unique_ptr<Prepared> prepare_compress(const PrepareContext& context) {
  std::optional<int64_t> axis;
  if (context.node.find_attribute("axis")) axis = model::get_int(context.node, "axis", 0);
  return make_value_driven(make_prepared([axis](const BindContext& b) { return bind_compress(axis, b); }),
                           {.value_inputs = 0b10, .output_types = {}});
}

}  // namespace sardonyx::ops
