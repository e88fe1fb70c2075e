// BitCast: the same bits read as another element type of the same width.
#include <algorithm>
#include <cstring>

#include "ops/facts.h"
#include "ops/stages.h"
#include "sardonyx/model.h"

namespace sardonyx::ops {
namespace {

// A bool holds 0 or 1 only; other bytes count as true.
void copy_bits(const Tensor& from, Tensor& to) {
  if (to.dtype() == DType::kBool) {
    const auto* bytes = static_cast<const uint8_t*>(from.raw());
    std::transform(bytes, bytes + from.byte_size(), to.mutable_values<bool>().begin(), [](uint8_t byte) { return byte != 0; });
  } else if (from.byte_size() != 0) {
    std::memcpy(to.mutable_raw(), from.raw(), from.byte_size());
  }
}

}  // namespace

std::unique_ptr<Prepared> prepare_bit_cast(const PrepareContext& context) {
  const int64_t number = model::get_int(context.node, "to", 0);
  const DType to = number > 0 && number < kDTypeCount ? static_cast<DType>(number) : DType::kUndefined;
  if (bit_width(to) == 0) throw model_error("attribute to is {}; it must name an element type other than string", number);
  return make_prepared([to](const BindContext& b) {
    const ValueFacts& x = required(b, 0, "input");
    if (x.dtype == to) return make_alias(output(to, x.shape));
    if (bit_width(x.dtype) != bit_width(to)) {
      throw argument_error("{} and {} have elements of different width; use Cast to convert values", type_string(x.dtype), type_string(to));
    }
    return make_bound(output(to, x.shape), [](const RunContext& r) { copy_bits(r.inputs[0], r.outputs[0]); });
  });
}

}  // namespace sardonyx::ops
