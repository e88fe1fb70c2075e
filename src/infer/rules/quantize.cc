#include <fmt/format.h>

#include "infer/arithmetic.h"
#include "infer/rules.h"

namespace sardonyx::infer {

namespace {
// The attribute output_dtype, which versions have since 21 (QuantizeLinear) and 23 (DequantizeLinear); kUndefined: not given.
DType output_dtype(const NodeContext& context) {
  const int64_t number = model::get_int(context.node(), "output_dtype", 0);
  const auto dtype = static_cast<DType>(number);
  if (number < 0 || number > 255 || (number != 0 && !is_valid(dtype))) {
    context.fail(fmt::format("attribute output_dtype is {}, which is no element type", number));
  }
  return dtype;
}
}  // namespace

// QuantizeLinear, all versions: the zero point has the type of the output; without one and without output_dtype it is uint8.
void infer_quantize_linear(NodeContext& context) {
  context.copy_shape(0, 0);
  const DType wanted = output_dtype(context);
  if (!context.has_input(2)) return context.set_dtype(0, wanted == DType::kUndefined ? DType::kUInt8 : wanted);
  const DType given = context.dtype(2);
  if (wanted != DType::kUndefined && given != DType::kUndefined && wanted != given) {
    context.fail(fmt::format("attribute output_dtype is {}, y_zero_point is {}", to_string(wanted), to_string(given)));
  }
  context.set_dtype(0, given == DType::kUndefined ? wanted : given);
}

// DequantizeLinear, all versions: the scale has the type of the output, unless there is output_dtype.
void infer_dequantize_linear(NodeContext& context) {
  context.copy_shape(0, 0);
  const DType wanted = output_dtype(context);
  if (wanted != DType::kUndefined) {
    context.set_dtype(0, wanted);
  } else if (context.version() >= 19) {
    context.set_dtype(0, context.dtype(1));
  }
}

void infer_dynamic_quantize_linear(NodeContext& context) {
  context.set_dtype(0, DType::kUInt8);
  context.copy_shape(0, 0);
  context.set_type(1, ValueType::tensor(DType::kFloat32, {}));
  context.set_type(2, ValueType::tensor(DType::kUInt8, {}));
}

}  // namespace sardonyx::infer
