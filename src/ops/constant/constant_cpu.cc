#include <array>
#include <type_traits>

#include "core/float8.h"
#include "kernels/cpu/copy/packed_elements.h"
#include "ops/constant/constant.h"
#include "ops/elements/elements.h"
#include "ops/facts.h"
#include "ops/movement/packed.h"
#include "ops/movement/strided.h"
#include "ops/stages.h"

namespace sardonyx::ops {
namespace {

void fill_packed(const Tensor& value, Tensor& y) {
  const int width = bit_width(value.dtype());
  const uint8_t bits = core::packed_get(static_cast<const uint8_t*>(value.raw()), width, 0);
  kernels::fill_packed(width, bits, to_size(y.numel()), static_cast<uint8_t*>(y.mutable_raw()));
}

std::unique_ptr<Bound> bind_fill(const BindContext& context, const Tensor& value) {
  const Shape out = integer_values(required(context, 0, "input"), "input");
  for (const int64_t size : out) {
    if (size < 0) throw argument_error("the input asks for shape {}; sizes must be at least 0", to_string(out));
  }
  ValueFacts facts = output(value.dtype(), out);
  if (kPacked.has(value.dtype())) {
    return make_bound(std::move(facts), [value](const RunContext& r) { fill_packed(value, r.outputs[0]); });
  }
  const StridedMove move = move_between(broadcast_view({}, out), out, value.dtype());
  return make_bound(std::move(facts), [value, move](const RunContext& r) { move.run(value.raw(), r.outputs[0].mutable_raw(), r.pool); });
}

// Integers as unsigned numbers, because i * delta may pass the range of int64 where the sum does not.
template <class Acc>
Acc range_element(Acc start, Acc delta, int64_t i) noexcept {
  if constexpr (std::is_integral_v<Acc>) {
    return static_cast<Acc>(static_cast<uint64_t>(start) + static_cast<uint64_t>(i) * static_cast<uint64_t>(delta));
  } else {
    return start + static_cast<Acc>(i) * delta;
  }
}

template <class Acc>
std::unique_ptr<Bound> bind_range(const BindContext& context, DType dtype, bool needs_delta) {
  constexpr std::array<const char*, 3> kNames = {"start", "limit", "delta"};
  std::array<Acc, 3> value = {Acc{}, Acc{}, Acc{1}};
  for (size_t i = 0; i < value.size(); ++i) {
    if (i == 2 && !needs_delta && !optional(context, i)) break;
    const ValueFacts& facts = required(context, i, kNames[i]);
    require_same_dtype(facts, context.inputs[0], kNames[i], kNames[0]);
    if (element_count(facts.shape) != 1) throw argument_error("{} has shape {}; it must be one value", kNames[i], to_string(facts.shape));
    load_run<Acc>(dtype)(facts.constant->raw(), 1, 1, &value[i]);
  }
  const auto [start, limit, delta] = value;
  const int64_t count = range_count(start, limit, delta);
  return make_bound(output(dtype, {count}), [start = start, delta = delta, dtype](const RunContext& r) {
    const StoreRun<Acc> store = store_run<Acc>(dtype);
    const size_t bytes = element_bytes(dtype);
    auto* data = static_cast<std::byte*>(r.outputs[0].mutable_raw());
    Acc elements[kRunLength];
    core::in_pieces(to_size(r.outputs[0].numel()), kRunLength, [&](size_t first, size_t size) {
      for (size_t i = 0; i < size; ++i) elements[i] = range_element(start, delta, to_int(first + i));
      store(elements, size, data + first * bytes);
    });
  });
}

std::unique_ptr<Bound> bind_any_range(const BindContext& context, bool needs_delta) {
  const DType dtype = required(context, 0, "start").dtype;
  require_dtype(context.inputs[0], kFloats | kSignedIntegers, "start");
  if (is_integral(dtype)) return bind_range<int64_t>(context, dtype, needs_delta);
  return bind_range<double>(context, dtype, needs_delta);
}

}  // namespace

std::unique_ptr<Prepared> prepare_constant(const PrepareContext& context) {
  return make_prepared([value = constant_from_node(context.node, context.opset)](const BindContext& /*b*/) {
    return make_bound(output(value.dtype(), value.shape()), [value](const RunContext& r) { copy_all(value, r.outputs[0]); });
  });
}

std::unique_ptr<Prepared> prepare_constant_of_shape(const PrepareContext& context) {
  const Tensor value = fill_value_from_node(context.node, context.opset);
  return make_value_driven(
      make_prepared([value](const BindContext& b) { return bind_fill(b, value); }),
      {.value_inputs = 1, .output_types = [dtype = value.dtype()](const BindContext&) { return std::vector<DType>{dtype}; }});
}

// In com.microsoft delta may be left out: it is 1.
std::unique_ptr<Prepared> prepare_range(const PrepareContext& context) {
  const bool needs_delta = context.node.domain != "com.microsoft";
  return make_value_driven(make_prepared([needs_delta](const BindContext& b) { return bind_any_range(b, needs_delta); }),
                           {.value_inputs = 0b111, .output_types = {}});
}

}  // namespace sardonyx::ops
