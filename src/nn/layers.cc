#include "sardonyx/nn/layers.h"

#include <cmath>

#include "nn/eager.h"
#include "nn/python_text.h"
#include "sardonyx/nn/functional.h"
#include "sardonyx/nn/init.h"

namespace sardonyx::nn {
namespace {

std::string inplace_text(bool inplace) { return inplace ? "inplace=True" : ""; }

// PyTorch's initialisation of convolutions and linear maps.
void reset_weight_and_bias(const Tensor& weight, const Tensor& bias) {
  init::kaiming_uniform_(weight, std::sqrt(5.0));
  const int64_t fan_in = weight.size(0) == 0 ? 0 : weight.numel() / weight.size(0);
  if (!bias.defined() || fan_in == 0) return;
  const double bound = 1 / std::sqrt(static_cast<double>(fan_in));
  init::uniform_(bias, -bound, bound);
}

void check_conv2d(const Conv2dOptions& options) {
  const int64_t groups = options.groups();
  if (groups < 1) reject("Conv2d: groups must be a positive integer, got " + std::to_string(groups));
  if (options.in_channels() < 1 || options.in_channels() % groups != 0) {
    reject("Conv2d: in_channels must be positive and divisible by groups, got " + std::to_string(options.in_channels()) + " and " +
           std::to_string(groups));
  }
  if (options.out_channels() < 1 || options.out_channels() % groups != 0) {
    reject("Conv2d: out_channels must be positive and divisible by groups, got " + std::to_string(options.out_channels()) + " and " +
           std::to_string(groups));
  }
  expect_at_least(1, options.kernel_size(), "Conv2d: kernel_size");
  expect_at_least(1, options.stride(), "Conv2d: stride");
  expect_at_least(0, options.padding().size, "Conv2d: padding");
  expect_at_least(1, options.dilation(), "Conv2d: dilation");
  if (options.padding().policy == PaddingPolicy::kSame && !(options.stride() == Size2d(1))) {
    reject("Conv2d: padding='same' is not supported for strided convolutions");
  }
  if (options.padding_mode() != kZeros) {
    throw Error(ErrorCode::kUnsupported, "Conv2d: only padding_mode zeros is implemented; pad the input before the convolution instead");
  }
}

}  // namespace

Conv2dImpl::Conv2dImpl(const Conv2dOptions& given) : options(given) {
  check_conv2d(options);
  const Size2d& kernel = options.kernel_size();
  weight =
      register_parameter("weight", Tensor::empty({options.out_channels(), options.in_channels() / options.groups(), kernel.h, kernel.w}));
  if (options.bias()) bias = register_parameter("bias", Tensor::empty({options.out_channels()}));
  reset_parameters();
}

void Conv2dImpl::reset_parameters() { reset_weight_and_bias(weight, bias); }

Tensor Conv2dImpl::forward(const Tensor& input) {
  return conv2d(input, weight, bias, options.stride(), options.padding(), options.dilation(), options.groups());
}

std::string Conv2dImpl::extra_repr() const {
  std::string text = std::to_string(options.in_channels()) + ", " + std::to_string(options.out_channels()) +
                     ", kernel_size=" + python_tuple(options.kernel_size()) + ", stride=" + python_tuple(options.stride());
  const Padding2d& padding = options.padding();
  if (padding.policy != PaddingPolicy::kExplicit) {
    text += padding.policy == PaddingPolicy::kSame ? ", padding=same" : ", padding=valid";
  } else if (!(padding.size == Size2d(0))) {
    text += ", padding=" + python_tuple(padding.size);
  }
  if (!(options.dilation() == Size2d(1))) text += ", dilation=" + python_tuple(options.dilation());
  if (options.groups() != 1) text += ", groups=" + std::to_string(options.groups());
  return options.bias() ? text : text + ", bias=False";
}

LinearImpl::LinearImpl(const LinearOptions& given) : options(given) {
  weight = register_parameter("weight", Tensor::empty({options.out_features(), options.in_features()}));
  if (options.bias()) bias = register_parameter("bias", Tensor::empty({options.out_features()}));
  reset_parameters();
}

void LinearImpl::reset_parameters() { reset_weight_and_bias(weight, bias); }

Tensor LinearImpl::forward(const Tensor& input) { return linear(input, weight, bias); }

std::string LinearImpl::extra_repr() const {
  return "in_features=" + std::to_string(options.in_features()) + ", out_features=" + std::to_string(options.out_features()) +
         ", bias=" + python_text(options.bias());
}

BatchNormImpl::BatchNormImpl(const BatchNormOptions& given) : options(given) {
  const Shape shape{options.num_features()};
  if (options.affine()) {
    weight = register_parameter("weight", Tensor::empty(shape));
    bias = register_parameter("bias", Tensor::empty(shape));
  }
  if (options.track_running_stats()) {
    running_mean = register_buffer("running_mean", Tensor::empty(shape));
    running_var = register_buffer("running_var", Tensor::empty(shape));
    num_batches_tracked = register_buffer("num_batches_tracked", Tensor::scalar<int64_t>(0));
  }
  reset_parameters();
}

void BatchNormImpl::reset_running_stats() {
  if (!options.track_running_stats()) return;
  init::zeros_(running_mean);
  init::ones_(running_var);
  num_batches_tracked.mutable_values<int64_t>()[0] = 0;
}

void BatchNormImpl::reset_parameters() {
  reset_running_stats();
  if (!options.affine()) return;
  init::ones_(weight);
  init::zeros_(bias);
}

Tensor BatchNormImpl::forward(const Tensor& input) {
  check_input(input);
  double momentum = options.momentum().value_or(0);
  const bool tracks = is_training() && options.track_running_stats();
  if (tracks) {
    const int64_t batches = ++num_batches_tracked.mutable_values<int64_t>()[0];
    if (!options.momentum()) momentum = 1.0 / static_cast<double>(batches);
  }
  const bool own_statistics = is_training() || !running_mean.defined();
  return batch_norm(input, weight, bias, running_mean, running_var, own_statistics, momentum, options.eps());
}

std::string BatchNormImpl::extra_repr() const {
  return std::to_string(options.num_features()) + ", eps=" + python_text(options.eps()) +
         ", momentum=" + (options.momentum() ? python_text(*options.momentum()) : "None") + ", affine=" + python_text(options.affine()) +
         ", track_running_stats=" + python_text(options.track_running_stats());
}

bool BatchNormImpl::may_be_missing(std::string_view key) const { return key == "num_batches_tracked"; }

void BatchNorm1dImpl::check_input(const Tensor& input) const {
  if (input.dim() != 2 && input.dim() != 3) reject("expected 2D or 3D input (got " + std::to_string(input.dim()) + "D input)");
}

void BatchNorm2dImpl::check_input(const Tensor& input) const {
  if (input.dim() != 4) reject("expected 4D input (got " + std::to_string(input.dim()) + "D input)");
}

Tensor ReLUImpl::forward(const Tensor& input) { return options.inplace() ? relu_(input) : relu(input); }
std::string ReLUImpl::extra_repr() const { return inplace_text(options.inplace()); }

Tensor LeakyReLUImpl::forward(const Tensor& input) {
  return options.inplace() ? leaky_relu_(input, options.negative_slope()) : leaky_relu(input, options.negative_slope());
}
std::string LeakyReLUImpl::extra_repr() const {
  return "negative_slope=" + python_text(options.negative_slope()) + (options.inplace() ? ", " : "") + inplace_text(options.inplace());
}

Tensor SigmoidImpl::forward(const Tensor& input) { return sigmoid(input); }
Tensor TanhImpl::forward(const Tensor& input) { return sardonyx::tanh(input); }
Tensor SoftmaxImpl::forward(const Tensor& input) { return softmax(input, options.dim()); }
std::string SoftmaxImpl::extra_repr() const { return "dim=" + std::to_string(options.dim()); }

DropoutImpl::DropoutImpl(const DropoutOptions& given) : options(given) {
  if (!(options.p() >= 0 && options.p() <= 1)) {
    reject("dropout probability has to be between 0 and 1, but got " + python_text(options.p()));
  }
}
Tensor DropoutImpl::forward(const Tensor& input) {
  return options.inplace() ? dropout_(input, options.p(), is_training()) : dropout(input, options.p(), is_training());
}
std::string DropoutImpl::extra_repr() const { return "p=" + python_text(options.p()) + ", inplace=" + python_text(options.inplace()); }

Tensor PixelShuffleImpl::forward(const Tensor& input) { return pixel_shuffle(input, options.upscale_factor()); }
std::string PixelShuffleImpl::extra_repr() const { return "upscale_factor=" + std::to_string(options.upscale_factor()); }
Tensor PixelUnshuffleImpl::forward(const Tensor& input) { return pixel_unshuffle(input, options.downscale_factor()); }
std::string PixelUnshuffleImpl::extra_repr() const { return "downscale_factor=" + std::to_string(options.downscale_factor()); }

Tensor MaxPool2dImpl::forward(const Tensor& input) {
  return max_pool2d(input, options.kernel_size(), options.stride(), options.padding(), options.dilation(), options.ceil_mode());
}
std::string MaxPool2dImpl::extra_repr() const {
  return "kernel_size=" + python_text(options.kernel_size()) + ", stride=" + python_text(options.stride().value_or(options.kernel_size())) +
         ", padding=" + python_text(options.padding()) + ", dilation=" + python_text(options.dilation()) +
         ", ceil_mode=" + python_text(options.ceil_mode());
}

Tensor AvgPool2dImpl::forward(const Tensor& input) {
  return avg_pool2d(input, options.kernel_size(), options.stride(), options.padding(), options.ceil_mode(), options.count_include_pad(),
                    options.divisor_override());
}
std::string AvgPool2dImpl::extra_repr() const {
  return "kernel_size=" + python_text(options.kernel_size()) + ", stride=" + python_text(options.stride().value_or(options.kernel_size())) +
         ", padding=" + python_text(options.padding());
}

Tensor AdaptiveAvgPool2dImpl::forward(const Tensor& input) { return adaptive_avg_pool2d(input, options.output_size()); }
std::string AdaptiveAvgPool2dImpl::extra_repr() const { return "output_size=" + python_text(options.output_size()); }

Tensor FlattenImpl::forward(const Tensor& input) { return flatten(input, options.start_dim(), options.end_dim()); }
std::string FlattenImpl::extra_repr() const {
  return "start_dim=" + std::to_string(options.start_dim()) + ", end_dim=" + std::to_string(options.end_dim());
}

Tensor IdentityImpl::forward(const Tensor& input) { return input; }
Tensor FunctionalImpl::forward(const Tensor& input) { return function_(input); }

}  // namespace sardonyx::nn
