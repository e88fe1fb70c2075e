// batch_norm and dropout: the two that differ in training.
#include <algorithm>
#include <cmath>

#include "nn/eager.h"
#include "nn/generator.h"
#include "sardonyx/nn/functional.h"

namespace sardonyx {

using nn::recorded;
using nn::reject;
using nn::run_operator;

namespace {

struct ChannelStatistics {
  std::vector<double> mean, variance;  // the variance is biased
  int64_t count = 0;                   // elements per channel
};

template <class T>
ChannelStatistics statistics_of(const Tensor& input) {
  const auto batch = static_cast<size_t>(input.size(0)), channels = static_cast<size_t>(input.size(1));
  const std::span<const T> data = input.values<T>();
  const size_t plane = data.size() / (batch * channels);
  const auto count = static_cast<double>(batch * plane);
  ChannelStatistics result{std::vector<double>(channels), std::vector<double>(channels), static_cast<int64_t>(batch * plane)};
  const auto for_each = [&](size_t channel, const auto& body) {
    for (size_t n = 0; n < batch; ++n) {
      for (const T x : data.subspan((n * channels + channel) * plane, plane)) body(static_cast<double>(x));
    }
  };
  for (size_t c = 0; c < channels; ++c) {
    double sum = 0, squares = 0;
    for_each(c, [&](double x) { sum += x; });
    const double mean = sum / count;
    for_each(c, [&](double x) { squares += (x - mean) * (x - mean); });
    result.mean[c] = mean;
    result.variance[c] = squares / count;
  }
  return result;
}

template <class T>
Tensor as_tensor(const std::vector<double>& values) {
  Tensor result = Tensor::empty({static_cast<int64_t>(values.size())}, kDTypeOf<T>);
  std::ranges::transform(values, result.mutable_values<T>().begin(), [](double x) { return static_cast<T>(x); });
  return result;
}

template <class T>
void move_towards(Tensor running, const std::vector<double>& values, double momentum, double scale) {
  if (!running.defined()) return;
  const std::span<T> data = running.mutable_values<T>();
  for (size_t c = 0; c < data.size(); ++c) {
    data[c] = static_cast<T>(momentum * scale * values[c] + (1 - momentum) * static_cast<double>(data[c]));
  }
}

void check_batch_norm(const Tensor& input, std::span<const Tensor> per_channel) {
  if (input.dim() < 2) reject("batch_norm: expected at least 2D input, got shape " + to_string(input.shape()));
  const int64_t channels = input.size(1);
  constexpr const char* kNames[] = {"weight", "bias", "running_mean", "running_var"};
  for (size_t i = 0; i < per_channel.size(); ++i) {
    const Tensor& tensor = per_channel[i];
    if (!tensor.defined()) continue;
    if (tensor.shape() != Shape{channels}) {
      reject(std::string(kNames[i]) + " should contain " + std::to_string(channels) + " elements not " + std::to_string(tensor.numel()));
    }
    if (tensor.dtype() != input.dtype()) {
      reject(std::string("batch_norm: the input is a ") + type_string(input.dtype()) + ", " + kNames[i] + " a " +
             type_string(tensor.dtype()));
    }
  }
}

struct Normalizers {
  Tensor mean, variance;
};

Normalizers batch_statistics(const Tensor& input, const Tensor& running_mean, const Tensor& running_var, double momentum) {
  if (element_count(input.shape()) <= input.size(1)) {
    reject("Expected more than 1 value per channel when training, got input size torch.Size(" + to_string(input.shape()) + ")");
  }
  Normalizers result;
  nn::with_float_type(input, "batch_norm", [&]<class T>(T) {
    const ChannelStatistics statistics = statistics_of<T>(input);
    const auto count = static_cast<double>(statistics.count);
    move_towards<T>(running_mean, statistics.mean, momentum, 1);
    move_towards<T>(running_var, statistics.variance, momentum, count / (count - 1));
    result = {as_tensor<T>(statistics.mean), as_tensor<T>(statistics.variance)};
  });
  return result;
}

// Scales of the elements: zero, or 1 / (1 - p).
Tensor dropout_mask(const Tensor& input, double p) {
  Tensor mask = Tensor::empty(input.shape(), input.dtype());
  if (p == 1) return Tensor::zeros(input.shape(), input.dtype());
  nn::fill_bernoulli(mask, 1 - p);
  nn::with_float_type(mask, "dropout", [&]<class T>(T) {
    for (T& x : mask.mutable_values<T>()) x /= static_cast<T>(1 - p);
  });
  return mask;
}

bool drops(const Tensor& input, double p, bool training) {
  if (!(p >= 0 && p <= 1)) reject("dropout probability has to be between 0 and 1, but got " + std::to_string(p));
  return training && p > 0 && input.numel() > 0;
}

}  // namespace

Tensor batch_norm(const Tensor& input, const Tensor& weight, const Tensor& bias, const Tensor& running_mean, const Tensor& running_var,
                  bool training, double momentum, double eps) {
  const Tensor per_channel[] = {weight, bias, running_mean, running_var};
  check_batch_norm(input, per_channel);
  if (!training && (!running_mean.defined() || !running_var.defined())) {
    reject("batch_norm: Expected running_mean and running_var to be defined when training=False");
  }
  const Normalizers used = training ? batch_statistics(input, running_mean, running_var, momentum) : Normalizers{running_mean, running_var};
  const auto or_full = [&](const Tensor& given, double value) {
    return given.defined() ? given : Tensor::full({input.size(1)}, value, input.dtype());
  };
  Tensor output = run_operator("BatchNormalization", {input, or_full(weight, 1), or_full(bias, 0), used.mean, used.variance},
                               {model::Attribute::of("epsilon", static_cast<float>(eps))});
  return recorded("aten::batch_norm", {input, weight, bias, running_mean, running_var},
                  {{"training", training}, {"momentum", momentum}, {"eps", eps}}, std::move(output));
}

Tensor dropout(const Tensor& input, double p, bool training) {
  if (!drops(input, p, training)) return input;
  return recorded("aten::dropout", {input}, {{"p", p}, {"train", true}}, run_operator("Mul", {input, dropout_mask(input, p)}));
}

Tensor dropout_(Tensor input, double p, bool training) {
  if (!drops(input, p, training)) return input;
  Tensor result = nn::overwritten(input, run_operator("Mul", {input, dropout_mask(input, p)}));
  return recorded("aten::dropout", {input}, {{"p", p}, {"train", true}}, std::move(result));
}

}  // namespace sardonyx
