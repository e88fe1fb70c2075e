// QLinearSigmoid, QLinearLeakyRelu, QLinearAdd, QLinearMul, QLinearConcat and QLinearWhere of com.microsoft: bytes with one scale and zero
// point for each tensor. Functions of one operand are tables of 256 bytes.
#include <cmath>

#include "kernels/cpu/quant/byte_binary.h"
#include "ops/concat/concat.h"
#include "ops/elements/real.h"
#include "ops/elementwise/binary.h"
#include "ops/quantize/byte_scale.h"
#include "ops/stages.h"
#include "ops/where/where.h"

namespace sardonyx::ops {
namespace {

// Inputs X, X_scale, X_zero_point, Y_scale, Y_zero_point.
template <class Function>
std::unique_ptr<Prepared> prepare_table(const Function& function) {
  return make_prepared([function](const BindContext& b) {
    const ValueFacts& x = required(b, 0, "X");
    require_dtype(x, kBytes, "X");
    check_byte_scale(b, {1, 2}, x.dtype, "X");
    check_byte_scale(b, {3, 4}, x.dtype, "Y");
    auto bound = make_bound(output(x.dtype, x.shape), [function, dtype = x.dtype](const RunContext& r) {
      const ByteTable table = make_byte_table(dtype, byte_scale(r, {1, 2}), byte_scale(r, {3, 4}), function);
      const size_t count = to_size(r.inputs[0].numel());
      look_up_rows(table, input_data<uint8_t>(r, 0), 1, count, output_data<uint8_t>(r, 0), count, r.pool);
    });
    bound->in_place_input = 0;
    return bound;
  });
}

kernels::ByteBinary byte_operation(kernels::ByteOp op, const ByteScale& a, const ByteScale& b, const ByteScale& y) noexcept {
  kernels::ByteBinary binary = {
      .op = op, .a_scale = 1, .b_scale = 1, .a_zero = a.zero, .b_zero = b.zero, .y_zero = static_cast<float>(y.zero)};
  if (op == kernels::ByteOp::kAdd) {
    binary.a_scale = a.scale / y.scale;
    binary.b_scale = b.scale / y.scale;
  } else {
    binary.a_scale = a.scale * b.scale / y.scale;
  }
  return binary;
}

// Inputs A, A_scale, A_zero_point, B, B_scale, B_zero_point, C_scale, C_zero_point.
std::unique_ptr<Bound> bind_binary(kernels::ByteOp op, const BindContext& context) {
  const ValueFacts &a = required(context, 0, "A"), &b = required(context, 3, "B");
  require_dtype(a, kBytes, "A");
  require_same_dtype(a, b, "A", "B");
  check_byte_scale(context, {1, 2}, a.dtype, "A");
  check_byte_scale(context, {4, 5}, a.dtype, "B");
  check_byte_scale(context, {6, 7}, a.dtype, "C");
  const kernels::BroadcastShape shape = collapsed_broadcast(a.shape, b.shape);
  return make_bound(output(a.dtype, broadcast(a.shape, b.shape)), [op, shape, dtype = a.dtype](const RunContext& r) {
    if (r.outputs[0].numel() == 0) return;
    const kernels::ByteBinary binary = byte_operation(op, byte_scale(r, {1, 2}), byte_scale(r, {4, 5}), byte_scale(r, {6, 7}));
    with_byte(dtype, [&]<class T>() {
      kernels::byte_binary(binary, shape, input_data<T>(r, 0), input_data<T>(r, 3), output_data<T>(r, 0), r.pool);
    });
  });
}

// Inputs Y_scale, Y_zero_point, then tensor, scale and zero point of each part.
std::unique_ptr<Bound> bind_concat(int64_t axis_attribute, const BindContext& b) {
  if (b.inputs.size() % 3 != 2) {
    throw argument_error("there are {} inputs; there must be two, and three for each tensor", b.inputs.size());
  }
  std::vector<ValueFacts> parts;
  for (size_t i = 2; i < b.inputs.size(); i += 3) {
    parts.push_back(required(b, i, fmt::format("tensor {}", i / 3)));
    require_dtype(parts.back(), kBytes, fmt::format("tensor {}", i / 3));
    require_same_dtype(parts.back(), parts[0], fmt::format("tensor {}", i / 3), "tensor 0");
    check_byte_scale(b, {i + 1, i + 2}, parts[0].dtype, fmt::format("tensor {}'s", i / 3));
  }
  check_byte_scale(b, {0, 1}, parts[0].dtype, "Y");
  const size_t axis = checked_axis(axis_attribute, parts[0].shape.size());
  ValueFacts y = output(parts[0].dtype, concat_shape(parts, axis));
  const size_t rows = span_count(y.shape, 0, axis), pitch = span_count(y.shape, axis, y.shape.size());
  return make_bound(std::move(y), [rows, pitch, dtype = parts[0].dtype](const RunContext& r) {
    if (r.outputs[0].numel() == 0) return;
    auto* to = output_data<uint8_t>(r, 0);
    for (size_t i = 2; i < r.inputs.size(); i += 3) {
      const ByteTable table = make_byte_table(dtype, byte_scale(r, {i + 1, i + 2}), byte_scale(r, {0, 1}));
      const size_t columns = to_size(r.inputs[i].numel()) / rows;
      look_up_rows(table, input_data<uint8_t>(r, i), rows, columns, to, pitch, r.pool);
      to += columns;
    }
  });
}

// Inputs condition, X, x_scale, x_zero_point, Y, y_scale, y_zero_point, z_scale, z_zero_point.
std::unique_ptr<Bound> bind_where(const BindContext& b) {
  const ValueFacts &condition = required(b, 0, "condition"), &x = required(b, 1, "X"), &y = required(b, 4, "Y");
  require_dtype(condition, {DType::kBool}, "condition");
  require_dtype(x, kBytes, "X");
  require_same_dtype(x, y, "X", "Y");
  check_byte_scale(b, {2, 3}, x.dtype, "x");
  check_byte_scale(b, {5, 6}, x.dtype, "y");
  check_byte_scale(b, {7, 8}, x.dtype, "z");
  const WhereStep step(condition.shape, x.shape, y.shape);
  return make_bound(output(x.dtype, step.out()), [step, dtype = x.dtype](const RunContext& r) {
    const ByteScale z = byte_scale(r, {7, 8});
    const ByteTable of_x = make_byte_table(dtype, byte_scale(r, {2, 3}), z), of_y = make_byte_table(dtype, byte_scale(r, {5, 6}), z);
    step.run(
        r, input_data<uint8_t>(r, 1), [&](uint8_t value) { return of_x[value]; }, input_data<uint8_t>(r, 4),
        [&](uint8_t value) { return of_y[value]; });
  });
}

}  // namespace

std::unique_ptr<Prepared> prepare_qlinear_sigmoid(const PrepareContext& /*context*/) {
  return prepare_table([](float x) { return static_cast<float>(1 / (1 + std::exp(-static_cast<double>(x)))); });
}
std::unique_ptr<Prepared> prepare_qlinear_leaky_relu(const PrepareContext& context) {
  return prepare_table([alpha = model::get_float(context.node, "alpha", 0.01f)](float x) { return x >= 0 ? x : alpha * x; });
}
std::unique_ptr<Prepared> prepare_qlinear_add(const PrepareContext& /*context*/) {
  return make_prepared([](const BindContext& b) { return bind_binary(kernels::ByteOp::kAdd, b); });
}
std::unique_ptr<Prepared> prepare_qlinear_mul(const PrepareContext& /*context*/) {
  return make_prepared([](const BindContext& b) { return bind_binary(kernels::ByteOp::kMul, b); });
}
std::unique_ptr<Prepared> prepare_qlinear_concat(const PrepareContext& context) {
  if (!context.node.find_attribute("axis")) throw model_error("attribute axis is missing");
  return make_prepared([axis = model::get_int(context.node, "axis", 0)](const BindContext& b) { return bind_concat(axis, b); });
}
std::unique_ptr<Prepared> prepare_qlinear_where(const PrepareContext& /*context*/) { return make_prepared(bind_where); }

}  // namespace sardonyx::ops
