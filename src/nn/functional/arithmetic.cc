#include <cmath>

#include "nn/eager.h"
#include "sardonyx/nn/functional.h"

namespace sardonyx {

using nn::recorded;
using nn::reject;
using nn::run_operator;

namespace {

void check_pair(const std::string& function, const Tensor& a, const Tensor& b) {
  if (a.dtype() != b.dtype()) {
    reject(function + ": the operands are a " + type_string(a.dtype()) + " and a " + type_string(b.dtype()) +
           "; convert one with Tensor::to");
  }
  for (int64_t axis = 1; axis <= std::min(a.dim(), b.dim()); ++axis) {
    if (a.size(-axis) == b.size(-axis) || a.size(-axis) == 1 || b.size(-axis) == 1) continue;
    reject("The size of tensor a (" + std::to_string(a.size(-axis)) + ") must match the size of tensor b (" +
           std::to_string(b.size(-axis)) + ") at non-singleton dimension " + std::to_string(std::max(a.dim(), b.dim()) - axis) +
           "; the shapes are " + to_string(a.shape()) + " and " + to_string(b.shape()));
  }
}

// A number as a scalar of the tensor's type.
Tensor number_like(const std::string& function, const Tensor& tensor, double value) {
  if (!is_floating_point(tensor.dtype()) && value != std::floor(value)) {
    reject(function + ": " + std::to_string(value) + " is no " + type_string(tensor.dtype()) + "; convert the tensor with Tensor::to");
  }
  return Tensor::full({}, value, tensor.dtype());
}

Tensor sum(const std::string& function, const char* op_type, const Tensor& a, const Tensor& b, double alpha) {
  check_pair(function, a, b);
  const Tensor scaled = alpha == 1 ? b : run_operator("Mul", {b, number_like(function, b, alpha)});
  return recorded("aten::" + function, {a, b}, {{"alpha", alpha}}, run_operator(op_type, {a, scaled}));
}

}  // namespace

Tensor add(const Tensor& a, const Tensor& b, double alpha) { return sum("add", "Add", a, b, alpha); }
Tensor sub(const Tensor& a, const Tensor& b, double alpha) { return sum("sub", "Sub", a, b, alpha); }

Tensor mul(const Tensor& a, const Tensor& b) {
  check_pair("mul", a, b);
  return recorded("aten::mul", {a, b}, {}, run_operator("Mul", {a, b}));
}

Tensor div(const Tensor& a, const Tensor& b) {
  check_pair("div", a, b);
  if (!is_floating_point(a.dtype())) {
    reject("div: true division of a " + type_string(a.dtype()) +
           " is not defined; convert the operands to a floating-point type with Tensor::to");
  }
  return recorded("aten::div", {a, b}, {}, run_operator("Div", {a, b}));
}

Tensor operator+(const Tensor& a, double b) { return add(a, number_like("add", a, b)); }
Tensor operator-(const Tensor& a, double b) { return sub(a, number_like("sub", a, b)); }
Tensor operator*(const Tensor& a, double b) { return mul(a, number_like("mul", a, b)); }
Tensor operator/(const Tensor& a, double b) { return div(a, number_like("div", a, b)); }

}  // namespace sardonyx
