// Functions on tensors with PyTorch's names, arguments and error texts. They compute at once; under an export's trace they are recorded as
// well, so use them, not Tensor's own methods (reshape, to), on whatever depends on a module's input.
//
// Sizes taken from a tensor (x.size(0)) and given to reshape are numbers, and are numbers in an exported model: flatten, or reshape with
// one -1, keeps an axis dynamic.
//
// All throw InvalidArgument where shapes, types or options do not fit, and Unsupported where no kernel takes the element type.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "sardonyx/nn/options.h"
#include "sardonyx/tensor.h"

namespace sardonyx {

// Convolution and linear maps. weight: [out, in / groups, kh, kw]; bias: [out], undefined for none; input: [N, C, H, W] or [C, H, W].
Tensor conv2d(const Tensor& input, const Tensor& weight, const Tensor& bias = {}, nn::Size2d stride = 1, nn::Padding2d padding = 0,
              nn::Size2d dilation = 1, int64_t groups = 1);
// input: [..., in]; weight: [out, in]; bias: [out] or undefined.
Tensor linear(const Tensor& input, const Tensor& weight, const Tensor& bias = {});
Tensor matmul(const Tensor& a, const Tensor& b);

// Activations.
Tensor relu(const Tensor& input);
Tensor leaky_relu(const Tensor& input, double negative_slope = 0.01);
Tensor sigmoid(const Tensor& input);
Tensor tanh(const Tensor& input);
Tensor softmax(const Tensor& input, int64_t dim);
Tensor clamp(const Tensor& input, std::optional<double> min, std::optional<double> max = std::nullopt);
// In place: the argument's elements are overwritten, the result is the argument.
Tensor relu_(Tensor input);
Tensor leaky_relu_(Tensor input, double negative_slope = 0.01);

// Rearrangement of [N, C, H, W] or [C, H, W]: channels to space and back.
Tensor pixel_shuffle(const Tensor& input, int64_t upscale_factor);
Tensor pixel_unshuffle(const Tensor& input, int64_t downscale_factor);

// Pooling of [N, C, H, W] or [C, H, W]. stride {}: kernel_size.
Tensor max_pool2d(const Tensor& input, nn::Size2d kernel_size, nn::Size2d stride = {}, nn::Size2d padding = 0, nn::Size2d dilation = 1,
                  bool ceil_mode = false);
// divisor_override together with ceil_mode is Unsupported.
Tensor avg_pool2d(const Tensor& input, nn::Size2d kernel_size, nn::Size2d stride = {}, nn::Size2d padding = 0, bool ceil_mode = false,
                  bool count_include_pad = true, std::optional<int64_t> divisor_override = std::nullopt);
Tensor adaptive_avg_pool2d(const Tensor& input, nn::Size2d output_size);

// input: [N, C, ...]; the others: [C] or undefined. With training, the batch's own statistics are used, and the running ones, where
// defined, move towards them by `momentum` in place (the variance by its unbiased estimate).
Tensor batch_norm(const Tensor& input, const Tensor& weight, const Tensor& bias, const Tensor& running_mean, const Tensor& running_var,
                  bool training = false, double momentum = 0.1, double eps = 1e-5);
// With training, zeroes elements with probability p and scales the others by 1 / (1 - p), drawing from the generator that manual_seed
// seeds as PyTorch builds without MKL draw; else returns its argument. dropout_ works in place.
Tensor dropout(const Tensor& input, double p = 0.5, bool training = true);
Tensor dropout_(Tensor input, double p = 0.5, bool training = true);

// Shapes.
Tensor flatten(const Tensor& input, int64_t start_dim = 0, int64_t end_dim = -1);
Tensor reshape(const Tensor& input, Shape shape);
Tensor permute(const Tensor& input, std::vector<int64_t> dims);
Tensor transpose(const Tensor& input, int64_t dim0, int64_t dim1);
Tensor unsqueeze(const Tensor& input, int64_t dim);
Tensor squeeze(const Tensor& input, int64_t dim);  // an axis whose size is not 1 stays
Tensor cat(std::span<const Tensor> tensors, int64_t dim = 0);
Tensor cat(std::initializer_list<Tensor> tensors, int64_t dim = 0);

// Elementwise arithmetic with broadcasting; both of one element type. A number is taken as a constant of the tensor's type.
Tensor add(const Tensor& a, const Tensor& b, double alpha = 1);  // a + alpha * b
Tensor sub(const Tensor& a, const Tensor& b, double alpha = 1);  // a - alpha * b
Tensor mul(const Tensor& a, const Tensor& b);
Tensor div(const Tensor& a, const Tensor& b);  // floating-point types only
inline Tensor operator+(const Tensor& a, const Tensor& b) { return add(a, b); }
inline Tensor operator-(const Tensor& a, const Tensor& b) { return sub(a, b); }
inline Tensor operator*(const Tensor& a, const Tensor& b) { return mul(a, b); }
inline Tensor operator/(const Tensor& a, const Tensor& b) { return div(a, b); }
Tensor operator+(const Tensor& a, double b);
Tensor operator-(const Tensor& a, double b);
Tensor operator*(const Tensor& a, double b);
Tensor operator/(const Tensor& a, double b);
inline Tensor operator+(double a, const Tensor& b) { return b + a; }
inline Tensor operator*(double a, const Tensor& b) { return b * a; }

namespace nn::functional {
using sardonyx::adaptive_avg_pool2d;
using sardonyx::add;
using sardonyx::avg_pool2d;
using sardonyx::batch_norm;
using sardonyx::cat;
using sardonyx::clamp;
using sardonyx::conv2d;
using sardonyx::div;
using sardonyx::dropout;
using sardonyx::flatten;
using sardonyx::leaky_relu;
using sardonyx::linear;
using sardonyx::matmul;
using sardonyx::max_pool2d;
using sardonyx::mul;
using sardonyx::permute;
using sardonyx::pixel_shuffle;
using sardonyx::pixel_unshuffle;
using sardonyx::relu;
using sardonyx::reshape;
using sardonyx::sigmoid;
using sardonyx::softmax;
using sardonyx::squeeze;
using sardonyx::sub;
using sardonyx::tanh;
using sardonyx::transpose;
using sardonyx::unsqueeze;
}  // namespace nn::functional

}  // namespace sardonyx
