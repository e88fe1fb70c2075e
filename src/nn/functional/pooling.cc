#include "nn/eager.h"
#include "nn/functional/batched.h"
#include "sardonyx/nn/functional.h"

namespace sardonyx {

using model::Attribute;
using nn::as_ints;
using nn::recorded;
using nn::reject;
using nn::run_operator;
using nn::Size2d;

namespace {

struct Window {
  Size2d kernel, stride, padding, dilation;
  bool ceil_mode;
};

Window checked_window(const std::string& function, Size2d kernel, Size2d stride, Size2d padding, Size2d dilation, bool ceil_mode) {
  stride = stride.value_or(kernel);
  nn::expect_at_least(1, kernel, function + ": kernel_size");
  nn::expect_at_least(1, stride, function + ": stride");
  nn::expect_at_least(0, padding, function + ": padding");
  nn::expect_at_least(1, dilation, function + ": dilation");
  for (const auto& [pad, size] : {std::pair(padding.h, kernel.h), std::pair(padding.w, kernel.w)}) {
    if (pad > size / 2) {
      reject(function + ": pad should be at most half of kernel size, but got pad=" + std::to_string(pad) +
             " and kernel_size=" + std::to_string(size));
    }
  }
  return {kernel, stride, padding, dilation, ceil_mode};
}

// PyTorch's number of windows: the last one must begin inside the input or the padding before it.
int64_t window_count(int64_t size, int64_t kernel, int64_t stride, int64_t padding, int64_t dilation, bool ceil_mode) {
  const int64_t room = size + 2 * padding - dilation * (kernel - 1) - 1;
  if (room < 0) return ceil_mode && room + stride > 0 ? 1 : 0;
  int64_t count = (ceil_mode ? (room + stride - 1) / stride : room / stride) + 1;
  if (ceil_mode && (count - 1) * stride >= size + padding) --count;
  return count;
}

void check_output(const Tensor& x, const Window& w) {
  const int64_t rows = window_count(x.size(2), w.kernel.h, w.stride.h, w.padding.h, w.dilation.h, w.ceil_mode);
  const int64_t columns = window_count(x.size(3), w.kernel.w, w.stride.w, w.padding.w, w.dilation.w, w.ceil_mode);
  if (rows >= 1 && columns >= 1) return;
  const int64_t output[] = {x.size(1), rows, columns};
  reject("Given input size: (" + nn::sizes_text(std::span(x.shape()).subspan(1)) + "). Calculated output size: (" + nn::sizes_text(output) +
         "). Output size is too small");
}

std::vector<Attribute> onnx_window(const Window& w) {
  return {Attribute::of("kernel_shape", as_ints(w.kernel)), Attribute::of("strides", as_ints(w.stride)),
          Attribute::of("pads", std::vector<int64_t>{w.padding.h, w.padding.w, w.padding.h, w.padding.w}),
          Attribute::of("dilations", as_ints(w.dilation)), Attribute::of("ceil_mode", w.ceil_mode ? 1 : 0)};
}

}  // namespace

Tensor max_pool2d(const Tensor& input, Size2d kernel_size, Size2d stride, Size2d padding, Size2d dilation, bool ceil_mode) {
  const Window window = checked_window("max_pool2d", kernel_size, stride, padding, dilation, ceil_mode);
  return nn::batched(input, "max_pool2d", [&](const Tensor& x) {
    check_output(x, window);
    return recorded("aten::max_pool2d", {x},
                    {{"kernel_size", as_ints(window.kernel)},
                     {"stride", as_ints(window.stride)},
                     {"padding", as_ints(window.padding)},
                     {"dilation", as_ints(window.dilation)},
                     {"ceil_mode", window.ceil_mode}},
                    run_operator("MaxPool", {x}, onnx_window(window)));
  });
}

Tensor avg_pool2d(const Tensor& input, Size2d kernel_size, Size2d stride, Size2d padding, bool ceil_mode, bool count_include_pad,
                  std::optional<int64_t> divisor_override) {
  const Window window = checked_window("avg_pool2d", kernel_size, stride, padding, 1, ceil_mode);
  if (divisor_override == 0) reject("avg_pool2d: divisor must be not zero");
  if (divisor_override && ceil_mode) {
    throw Error(ErrorCode::kUnsupported, "avg_pool2d: divisor_override together with ceil_mode is not implemented; pad the input instead");
  }
  return nn::batched(input, "avg_pool2d", [&](const Tensor& x) {
    check_output(x, window);
    std::vector<Attribute> attributes = onnx_window(window);
    attributes.push_back(Attribute::of("count_include_pad", count_include_pad || divisor_override ? 1 : 0));
    Tensor output = run_operator("AveragePool", {x}, std::move(attributes));
    nn::TraceAttributes told{{"kernel_size", as_ints(window.kernel)},
                             {"stride", as_ints(window.stride)},
                             {"padding", as_ints(window.padding)},
                             {"ceil_mode", window.ceil_mode},
                             {"count_include_pad", count_include_pad}};
    if (divisor_override) {
      const double ratio = static_cast<double>(window.kernel.h * window.kernel.w) / static_cast<double>(*divisor_override);
      output = run_operator("Mul", {output, Tensor::full({}, ratio, x.dtype())});
      told.emplace("divisor_override", *divisor_override);
    }
    return recorded("aten::avg_pool2d", {x}, std::move(told), std::move(output));
  });
}

Tensor adaptive_avg_pool2d(const Tensor& input, Size2d output_size) {
  nn::expect_at_least(0, output_size, "adaptive_avg_pool2d: output_size");
  return nn::batched(input, "adaptive_avg_pool2d", [&](const Tensor& x) {
    if (x.size(1) == 0 || x.size(2) == 0 || x.size(3) == 0) {
      reject("adaptive_avg_pool2d: Expected input to have non-zero size for non-batch dimensions, but the shape is " +
             to_string(x.shape()));
    }
    return recorded("aten::adaptive_avg_pool2d", {x}, {{"output_size", as_ints(output_size)}},
                    run_operator("AdaptiveAveragePool", {x}, {Attribute::of("output_size", as_ints(output_size))}, nn::kOwnDomain));
  });
}

}  // namespace sardonyx
