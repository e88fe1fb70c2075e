// QuantizeLinear and DequantizeLinear: axis from opset 13, block_size and output_dtype from 21 and 23, precision from 23.
#include <fmt/format.h>

#include "convert/adapters.h"

namespace sardonyx::convert {

namespace {
using model::Attribute;

constexpr std::string_view kDequantize = R"((x, scale, zero) => (y) {
  wide = Cast <to = 1> (x)  zero_wide = Cast <to = 1> (zero)
  centred = Sub (wide, zero_wide)  y = Mul (centred, scale) })";
constexpr std::string_view kDequantizeFromZero = R"((x, scale) => (y) { wide = Cast <to = 1> (x)  y = Mul (wide, scale) })";

// Rounded half to even, then cut to what the type holds.
constexpr std::string_view kQuantize = R"((x, scale, zero) => (y) {
  low = Float <v = @low> ()  high = Float <v = @high> ()
  zero_wide = Cast <to = 1> (zero)  divided = Div (x, scale)  rounded = Round (divided)  shifted = Add (rounded, zero_wide)
  above = Max (shifted, low)  within = Min (above, high)  y = Cast <to = @to> (within) })";

bool is_single(const Rewriter& rewriter, size_t i) {
  const auto shape = rewriter.shape(rewriter.input(i));
  return rewriter.rank(rewriter.input(i)) == 0 || (shape && element_count(*shape) == 1);
}

// A list with one number for each entry of an axis, shaped to broadcast over `rank` axes.
std::string along_axis(Rewriter& rewriter, const std::string& values, int64_t axis, int64_t rank) {
  std::vector<int64_t> shape(static_cast<size_t>(rank), 1);
  shape[static_cast<size_t>(axis)] = -1;
  return rewriter.emit("Reshape", {values, rewriter.ints(shape)});
}

// Gives scale and zero point the shape that broadcasts; the node's axis goes.
void spread(Rewriter& rewriter) {
  const int64_t axis = rewriter.take_int("axis", 1);
  if (is_single(rewriter, 1)) return;
  const int64_t rank = rewriter.need_rank(rewriter.input(0));
  if (rewriter.rank(rewriter.input(1)) != 1) rewriter.refuse("the rank of its scale is not known, or not 1");
  const int64_t place = rewriter.front_axis(axis, rank);
  for (const size_t i : {size_t{1}, size_t{2}}) {
    if (rewriter.has_input(i)) rewriter.set_input(i, along_axis(rewriter, rewriter.input(i), place, rank));
  }
}

void dequantize(Rewriter& rewriter) {
  const DType dtype = rewriter.need_dtype(rewriter.input(0));
  if (rewriter.need_dtype(rewriter.input(1)) != DType::kFloat32 || (dtype == DType::kInt32 && rewriter.has_input(2))) {
    rewriter.refuse("it takes other types than a scale of float and 8-bit integers");
  }
  spread(rewriter);
  rewriter.cut_inputs(rewriter.node.input.size());
  expand(rewriter, rewriter.has_input(2) ? kDequantize : kDequantizeFromZero);
}
}  // namespace

void quantize_13_down(Rewriter& rewriter) {
  if (is_single(rewriter, 1)) {
    rewriter.erase_attribute("axis");
    return rewriter.finish();
  }
  if (rewriter.need_dtype(rewriter.input(0)) != DType::kFloat32) rewriter.refuse("its input is not float");
  if (!rewriter.has_input(2)) {
    rewriter.set_input(2, rewriter.constant_value(Tensor::scalar(uint8_t{0})));
  }
  const DType dtype = rewriter.need_dtype(rewriter.input(2));
  if (dtype != DType::kInt8 && dtype != DType::kUInt8) rewriter.refuse("its output is not int8 or uint8");
  const bool is_signed = dtype == DType::kInt8;
  const bool shared_zero = is_single(rewriter, 2);
  const std::string zero = rewriter.input(2);
  spread(rewriter);
  if (shared_zero) rewriter.set_input(2, zero);
  expand(rewriter, kQuantize,
         {Attribute::of("low", is_signed ? -128.0F : 0.0F), Attribute::of("high", is_signed ? 127.0F : 255.0F),
          Attribute::of("to", static_cast<int64_t>(dtype))});
}

void dequantize_13_down(Rewriter& rewriter) {
  if (!is_single(rewriter, 1)) return dequantize(rewriter);
  rewriter.erase_attribute("axis");
  rewriter.finish();
}

void dequantize_10_down(Rewriter& rewriter) { dequantize(rewriter); }

// The type of the output came from the zero point alone before opset 21.
void quantize_21_down(Rewriter& rewriter) {
  const auto wanted = static_cast<DType>(rewriter.take_int("output_dtype", 0));
  if (wanted != DType::kUndefined && !rewriter.has_input(2)) {
    if (wanted != DType::kUInt8 && wanted != DType::kInt8) rewriter.refuse("its output_dtype is neither int8 nor uint8");
    const Tensor zeros = Tensor::zeros(rewriter.need_shape(rewriter.input(1)), wanted);
    rewriter.set_input(2, rewriter.constant_value(zeros));
  }
  same(rewriter);
}

void dequantize_23_down(Rewriter& rewriter) {
  const auto wanted = static_cast<DType>(rewriter.take_int("output_dtype", 0));
  if (wanted == DType::kUndefined || wanted == rewriter.need_dtype(rewriter.input(1))) return rewriter.finish();
  const std::string value = rewriter.finish_with(0);
  rewriter.emit_as("Cast", {value}, {rewriter.output(0)}, {Attribute::of("to", static_cast<int64_t>(wanted))});
}

}  // namespace sardonyx::convert
