// The one scale and zero point of a whole tensor of bytes, and functions of such a tensor as tables of 256 bytes.
#pragma once

#include <array>
#include <string_view>

#include "ops/op.h"
#include "ops/quantize/quantize.h"

namespace sardonyx::ops {

struct ByteScale {
  float scale = 1;
  int32_t zero = 0;
};

// Places among a node's inputs.
struct ScalePlaces {
  size_t scale, zero;
};
// The scale must be one float32; the zero point, which may be left out, one value of type `dtype`. Throws InvalidArgument, telling `name`.
void check_byte_scale(const BindContext& context, const ScalePlaces& places, DType dtype, std::string_view name);
ByteScale byte_scale(const RunContext& r, const ScalePlaces& places) noexcept;

// The result for each byte, by its bits.
using ByteTable = std::array<uint8_t, 256>;

// function(float) between dequantisation and quantisation, each in floats.
template <class Function>
ByteTable make_byte_table(DType dtype, const ByteScale& from, const ByteScale& to, const Function& function) {
  const bool is_signed = dtype == DType::kInt8;
  const QuantRange range = quant_range(dtype);
  ByteTable table = {};
  for (size_t i = 0; i < table.size(); ++i) {
    const auto bits = static_cast<uint8_t>(i);
    const int32_t x = is_signed ? int32_t{static_cast<int8_t>(bits)} : int32_t{bits};
    const float value = function(from.scale * static_cast<float>(x - from.zero));
    const double y = quantized(static_cast<double>(value / to.scale), to.zero, range);
    table[i] = static_cast<uint8_t>(static_cast<int32_t>(y));
  }
  return table;
}
// From one scale to another.
ByteTable make_byte_table(DType dtype, const ByteScale& from, const ByteScale& to);

// Row by row of x, contiguous, to rows of y, `pitch` bytes apart.
void look_up_rows(const ByteTable& table, const uint8_t* x, size_t rows, size_t columns, uint8_t* y, size_t pitch, core::ThreadPool& pool);

}  // namespace sardonyx::ops
