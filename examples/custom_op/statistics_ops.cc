// A shared library with two operators of domain com.example.statistics:
//   Standardize(x) -> y, mean     subtracts the mean of each row and divides by its standard deviation; attribute epsilon
//   Above(x) -> y                 the elements greater than attribute `threshold`, in order: how many there are depends on the data
#include <cmath>

#include "sardonyx/custom_op.h"

namespace {

using sardonyx::CustomAttributes;
using sardonyx::CustomKernel;
using sardonyx::CustomOp;
using sardonyx::DType;
using sardonyx::Error;
using sardonyx::ErrorCode;
using sardonyx::Tensor;
using sardonyx::TensorFacts;

void standardize(const Tensor& x, float epsilon, Tensor& y, Tensor& mean) {
  const auto size = static_cast<size_t>(x.shape().back());
  const auto in = x.values<float>();
  const auto out = y.mutable_values<float>();
  for (size_t row = 0; size > 0 && row < in.size() / size; ++row) {
    const auto from = in.subspan(row * size, size);
    double sum = 0, squares = 0;
    for (const float value : from) sum += value;
    const double average = sum / static_cast<double>(size);
    for (const float value : from) squares += (value - average) * (value - average);
    const double scale = 1 / std::sqrt(squares / static_cast<double>(size) + epsilon);
    for (size_t i = 0; i < size; ++i) out[row * size + i] = static_cast<float>((from[i] - average) * scale);
    if (mean.defined()) mean.mutable_values<float>()[row] = static_cast<float>(average);
  }
}

CustomKernel make_standardize(const CustomAttributes& attributes) {
  const float epsilon = attributes.get<float>("epsilon");
  CustomKernel kernel;
  kernel.infer = [](const std::vector<TensorFacts>& inputs) {
    const TensorFacts& x = inputs[0];
    if (x.shape.empty()) throw Error(ErrorCode::kInvalidArgument, "x is a scalar; it needs an axis");
    TensorFacts mean = x;
    mean.shape.pop_back();
    return std::vector<TensorFacts>{x, mean};
  };
  kernel.run = [epsilon](const std::vector<Tensor>& inputs, std::vector<Tensor>& outputs) {
    Tensor none;
    standardize(inputs[0], epsilon, outputs[0], outputs.size() > 1 ? outputs[1] : none);
  };
  return kernel;
}

CustomKernel make_above(const CustomAttributes& attributes) {
  const float threshold = attributes.get<float>("threshold");
  CustomKernel kernel;
  kernel.infer = [](const std::vector<TensorFacts>&) { return std::vector<TensorFacts>{{DType::kFloat32, {-1}}}; };
  kernel.run = [threshold](const std::vector<Tensor>& inputs, std::vector<Tensor>& outputs) {
    std::vector<float> found;
    for (const float value : inputs[0].values<float>()) {
      if (value > threshold) found.push_back(value);
    }
    outputs[0] = Tensor::of<float>({static_cast<int64_t>(found.size())}, std::span<const float>(found));
  };
  return kernel;
}

void add_ops(sardonyx::CustomOps& ops) {
  CustomOp standardize_op;
  standardize_op.domain = "com.example.statistics";
  standardize_op.name = "Standardize";
  standardize_op.inputs = {{"x", {DType::kFloat32}}};
  standardize_op.outputs = {{"y"}, {"mean"}};
  standardize_op.attributes = {{"epsilon", 1e-5f}};
  standardize_op.make = make_standardize;
  ops.add(std::move(standardize_op));

  CustomOp above;
  above.domain = "com.example.statistics";
  above.name = "Above";
  above.inputs = {{"x", {DType::kFloat32}}};
  above.outputs = {{"y"}};
  above.attributes = {{.name = "threshold", .default_value = 0.0f, .required = true}};
  above.make = make_above;
  ops.add(std::move(above));
}

}  // namespace

extern "C" SARDONYX_EXPORT const sardonyx::CustomOpLibrary* sardonyx_custom_ops() {
  static constexpr sardonyx::CustomOpLibrary library{.add_ops = &add_ops};
  return &library;
}
