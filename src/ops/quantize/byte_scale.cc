#include "ops/quantize/byte_scale.h"

#include <algorithm>

#include "ops/elements/real.h"

namespace sardonyx::ops {

void check_byte_scale(const BindContext& context, const ScalePlaces& places, DType dtype, std::string_view name) {
  const std::string scale_name = fmt::format("{}_scale", name), zero_name = fmt::format("{}_zero_point", name);
  const ValueFacts& scale = required(context, places.scale, scale_name);
  require_dtype(scale, {DType::kFloat32}, scale_name);
  check_one_value(scale, scale_name);
  const ValueFacts* zero = optional(context, places.zero);
  if (!zero) return;
  check_one_value(*zero, zero_name);
  if (zero->dtype != dtype) {
    throw argument_error("{} has type {}; it must be {}", zero_name, type_string(zero->dtype), type_string(dtype));
  }
}

ByteScale byte_scale(const RunContext& r, const ScalePlaces& places) noexcept {
  ByteScale result = {*input_data<float>(r, places.scale), 0};
  if (const Tensor* zero = optional(r, places.zero)) {
    result.zero = zero->dtype() == DType::kInt8 ? int32_t{*static_cast<const int8_t*>(zero->raw())}
                                                : int32_t{*static_cast<const uint8_t*>(zero->raw())};
  }
  return result;
}

ByteTable make_byte_table(DType dtype, const ByteScale& from, const ByteScale& to) {
  return make_byte_table(dtype, from, to, [](float x) { return x; });
}

void look_up_rows(const ByteTable& table, const uint8_t* x, size_t rows, size_t columns, uint8_t* y, size_t pitch, core::ThreadPool& pool) {
  constexpr size_t kBytesPerTask = 1 << 15;
  if (columns == 0) return;
  const size_t parts = (columns + kBytesPerTask - 1) / kBytesPerTask;
  pool.for_ranges(rows * parts, kBytesPerTask / columns, [&](size_t begin, size_t end) {
    for (size_t part = begin; part < end; ++part) {
      const size_t row = part / parts, first = part % parts * kBytesPerTask, count = std::min(kBytesPerTask, columns - first);
      const uint8_t* from = x + row * columns + first;
      uint8_t* to = y + row * pitch + first;
      for (size_t i = 0; i < count; ++i) to[i] = table[from[i]];
    }
  });
}

}  // namespace sardonyx::ops
