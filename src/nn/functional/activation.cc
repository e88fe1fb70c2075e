#include "nn/eager.h"
#include "sardonyx/nn/functional.h"

namespace sardonyx {

using model::Attribute;
using nn::recorded;
using nn::run_operator;

Tensor relu(const Tensor& input) { return recorded("aten::relu", {input}, {}, run_operator("Relu", {input})); }
Tensor sigmoid(const Tensor& input) { return recorded("aten::sigmoid", {input}, {}, run_operator("Sigmoid", {input})); }
Tensor tanh(const Tensor& input) { return recorded("aten::tanh", {input}, {}, run_operator("Tanh", {input})); }

Tensor relu_(Tensor input) {
  Tensor result = nn::overwritten(input, run_operator("Relu", {input}));
  return recorded("aten::relu", {input}, {}, std::move(result));
}

namespace {

Tensor leaky(const Tensor& input, double negative_slope) {
  return run_operator("LeakyRelu", {input}, {Attribute::of("alpha", static_cast<float>(negative_slope))});
}

}  // namespace

Tensor leaky_relu(const Tensor& input, double negative_slope) {
  return recorded("aten::leaky_relu", {input}, {{"negative_slope", negative_slope}}, leaky(input, negative_slope));
}

Tensor leaky_relu_(Tensor input, double negative_slope) {
  Tensor result = nn::overwritten(input, leaky(input, negative_slope));
  return recorded("aten::leaky_relu", {input}, {{"negative_slope", negative_slope}}, std::move(result));
}

Tensor softmax(const Tensor& input, int64_t dim) {
  const int64_t axis = nn::wrapped_dim(dim, input.dim());
  const Tensor rows = input.dim() == 0 ? input.reshape({1}) : input;
  Tensor output = run_operator("Softmax", {rows}, {Attribute::of("axis", axis)}).reshape(input.shape());
  return recorded("aten::softmax", {input}, {{"dim", dim}}, std::move(output));
}

Tensor clamp(const Tensor& input, std::optional<double> min, std::optional<double> max) {
  if (!min && !max) nn::reject("clamp: At least one of 'min' or 'max' must not be None");
  const auto bound = [&](std::optional<double> value) { return value ? Tensor::full({}, *value, input.dtype()) : Tensor(); };
  nn::TraceAttributes attributes;
  if (min) attributes.emplace("min", *min);
  if (max) attributes.emplace("max", *max);
  return recorded("aten::clamp", {input}, std::move(attributes), run_operator("Clip", {input, bound(min), bound(max)}));
}

}  // namespace sardonyx
