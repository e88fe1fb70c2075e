// Convolution, linear maps, channels to space.
#include "nn/eager.h"
#include "nn/functional/batched.h"
#include "sardonyx/nn/functional.h"

namespace sardonyx {

using model::Attribute;
using nn::as_ints;
using nn::Padding2d;
using nn::recorded;
using nn::reject;
using nn::run_operator;
using nn::Size2d;

namespace {

struct Pads {
  int64_t top = 0, left = 0, bottom = 0, right = 0;
  bool is_even() const { return top == bottom && left == right; }
};

Pads pads_of(const Padding2d& padding, const Tensor& weight, const Size2d& dilation) {
  if (padding.policy == nn::PaddingPolicy::kValid) return {};
  if (padding.policy == nn::PaddingPolicy::kExplicit) return {padding.size.h, padding.size.w, padding.size.h, padding.size.w};
  const int64_t rows = dilation.h * (weight.size(2) - 1), columns = dilation.w * (weight.size(3) - 1);
  return {rows / 2, columns / 2, rows - rows / 2, columns - columns / 2};
}

void check_options(const Size2d& stride, const Padding2d& padding, const Size2d& dilation, int64_t groups) {
  nn::expect_at_least(1, stride, "conv2d: stride");
  nn::expect_at_least(0, padding.size, "conv2d: padding");
  nn::expect_at_least(1, dilation, "conv2d: dilation");
  if (groups < 1) reject("non-positive groups is not supported; groups is " + std::to_string(groups));
  if (padding.policy == nn::PaddingPolicy::kSame && (stride.h != 1 || stride.w != 1)) {
    reject("padding='same' is not supported for strided convolutions");
  }
}

void check_weight(const Tensor& input, const Tensor& weight, const Tensor& bias, int64_t groups) {
  if (weight.dim() != 4) reject("conv2d: weight must have 4 dimensions, got shape " + to_string(weight.shape()));
  const std::string told = "Given groups=" + std::to_string(groups) + ", ";
  if (weight.size(0) < groups || weight.size(0) % groups != 0) {
    reject(told + "expected weight to be divisible by " + std::to_string(groups) + " at dimension 0, but got weight of size " +
           to_string(weight.shape()) + " instead");
  }
  const int64_t per_group = weight.size(1);
  if (input.size(1) % groups != 0 || input.size(1) / groups != per_group) {
    const std::string expected = per_group > INT32_MAX ? "more" : std::to_string(per_group * groups);
    reject(told + "weight of size " + to_string(weight.shape()) + ", expected input" + to_string(input.shape()) + " to have " + expected +
           " channels, but got " + std::to_string(input.size(1)) + " channels instead");
  }
  if (bias.defined() && bias.shape() != Shape{weight.size(0)}) {
    reject("Given weight of size " + to_string(weight.shape()) + ", expected bias to be 1-dimensional with " +
           std::to_string(weight.size(0)) + " elements, but got bias of size " + to_string(bias.shape()) + " instead");
  }
  for (const Tensor& other : {weight, bias}) {
    if (other.defined() && other.dtype() != input.dtype()) {
      reject("conv2d: the input is a " + type_string(input.dtype()) + ", weight or bias a " + type_string(other.dtype()));
    }
  }
}

void check_extent(const Tensor& input, const Tensor& weight, const Pads& pads, const Size2d& dilation) {
  const int64_t padded[] = {input.size(2) + pads.top + pads.bottom, input.size(3) + pads.left + pads.right};
  const int64_t kernel[] = {dilation.h * (weight.size(2) - 1) + 1, dilation.w * (weight.size(3) - 1) + 1};
  if (padded[0] < kernel[0] || padded[1] < kernel[1]) {
    reject("Calculated padded input size per channel: (" + nn::sizes_text(padded) + "). Kernel size: (" + nn::sizes_text(kernel) +
           "). Kernel size can't be greater than actual input size");
  }
}

}  // namespace

Tensor conv2d(const Tensor& input, const Tensor& weight, const Tensor& bias, Size2d stride, Padding2d padding, Size2d dilation,
              int64_t groups) {
  check_options(stride, padding, dilation, groups);
  return nn::batched(input, "conv2d", [&](const Tensor& x) {
    check_weight(x, weight, bias, groups);
    const Pads pads = pads_of(padding, weight, dilation);
    check_extent(x, weight, pads, dilation);
    const std::vector<int64_t> sides{pads.top, pads.left, pads.bottom, pads.right};
    Tensor output = run_operator("Conv", {x, weight, bias},
                                 {Attribute::of("dilations", as_ints(dilation)), Attribute::of("group", groups),
                                  Attribute::of("kernel_shape", std::vector<int64_t>{weight.size(2), weight.size(3)}),
                                  Attribute::of("pads", sides), Attribute::of("strides", as_ints(stride))});
    const std::vector<int64_t> told = pads.is_even() ? std::vector<int64_t>{pads.top, pads.left} : sides;
    return recorded("aten::conv2d", {x, weight, bias},
                    {{"stride", as_ints(stride)}, {"padding", told}, {"dilation", as_ints(dilation)}, {"groups", groups}},
                    std::move(output));
  });
}

Tensor linear(const Tensor& input, const Tensor& weight, const Tensor& bias) {
  if (weight.dim() != 2) reject("linear: weight must have 2 dimensions, got shape " + to_string(weight.shape()));
  if (input.dim() == 0 || input.size(-1) != weight.size(1)) {
    reject("linear: an input of shape " + to_string(input.shape()) + " and a weight of shape " + to_string(weight.shape()) +
           " cannot be multiplied: the input's last size must be the weight's last size");
  }
  if (bias.defined() && bias.shape() != Shape{weight.size(0)}) {
    reject("linear: bias has shape " + to_string(bias.shape()) + ", expected [" + std::to_string(weight.size(0)) + "]");
  }
  Shape shape = input.shape();
  shape.back() = weight.size(0);
  const int64_t rows = element_count(std::span(input.shape()).first(input.shape().size() - 1));
  const Tensor matrix = input.reshape({rows, weight.size(1)});
  Tensor output = run_operator("Gemm", {matrix, weight, bias}, {Attribute::of("transB", 1)}).reshape(std::move(shape));
  return recorded("aten::linear", {input, weight, bias}, {}, std::move(output));
}

Tensor matmul(const Tensor& a, const Tensor& b) { return recorded("aten::matmul", {a, b}, {}, run_operator("MatMul", {a, b})); }

Tensor pixel_shuffle(const Tensor& input, int64_t upscale_factor) {
  if (upscale_factor < 1 || upscale_factor > INT32_MAX) {
    reject("pixel_shuffle expects a positive upscale_factor, but got " + std::to_string(upscale_factor));
  }
  return nn::batched(input, "pixel_shuffle", [&](const Tensor& x) {
    if (x.size(1) % (upscale_factor * upscale_factor) != 0) {
      reject("pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, but input.size(-3)=" +
             std::to_string(x.size(1)) + " is not divisible by " + std::to_string(upscale_factor * upscale_factor));
    }
    Tensor output = run_operator("DepthToSpace", {x}, {Attribute::of("blocksize", upscale_factor), Attribute::of("mode", "CRD")});
    return recorded("aten::pixel_shuffle", {x}, {{"upscale_factor", upscale_factor}}, std::move(output));
  });
}

Tensor pixel_unshuffle(const Tensor& input, int64_t downscale_factor) {
  const int64_t r = downscale_factor;
  if (r < 1 || r > INT32_MAX) reject("pixel_unshuffle expects a positive downscale_factor, but got " + std::to_string(r));
  return nn::batched(input, "pixel_unshuffle", [&](const Tensor& x) {
    const int64_t n = x.size(0), c = x.size(1), h = x.size(2), w = x.size(3);
    if (h % r != 0 || w % r != 0) {
      reject("pixel_unshuffle expects height and width to be divisible by downscale_factor, but input of shape " + to_string(x.shape()) +
             " is not divisible by " + std::to_string(r));
    }
    const Tensor blocks = x.reshape({n, c, h / r, r, w / r, r});
    const Tensor moved = run_operator("Transpose", {blocks}, {Attribute::of("perm", std::vector<int64_t>{0, 1, 3, 5, 2, 4})});
    return recorded("aten::pixel_unshuffle", {x}, {{"downscale_factor", r}}, moved.reshape({n, c * r * r, h / r, w / r}));
  });
}

}  // namespace sardonyx
