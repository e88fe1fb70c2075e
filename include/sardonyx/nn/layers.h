// The layers. Options, parameter names, initial weights (under the same manual_seed) and printed form are PyTorch's.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "sardonyx/nn/module.h"
#include "sardonyx/nn/options.h"

namespace sardonyx::nn {

// weight [out, in / groups, kh, kw], bias [out].
class Conv2dImpl : public Module {
 public:
  explicit Conv2dImpl(const Conv2dOptions& options);
  Conv2dImpl(int64_t in_channels, int64_t out_channels, Size2d kernel_size)
      : Conv2dImpl(Conv2dOptions(in_channels, out_channels, kernel_size)) {}
  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;
  void reset_parameters();

  Conv2dOptions options;
  Tensor weight, bias;
};
SARDONYX_MODULE(Conv2d);

// weight [out, in], bias [out].
class LinearImpl : public Module {
 public:
  explicit LinearImpl(const LinearOptions& options);
  LinearImpl(int64_t in_features, int64_t out_features) : LinearImpl(LinearOptions(in_features, out_features)) {}
  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;
  void reset_parameters();

  LinearOptions options;
  Tensor weight, bias;
};
SARDONYX_MODULE(Linear);

// weight, bias, running_mean, running_var: [num_features]; num_batches_tracked: an int64 scalar.
class BatchNormImpl : public Module {
 public:
  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;
  void reset_parameters();
  void reset_running_stats();

  BatchNormOptions options;
  Tensor weight, bias, running_mean, running_var, num_batches_tracked;

 protected:
  explicit BatchNormImpl(const BatchNormOptions& options);
  virtual void check_input(const Tensor& input) const = 0;
  bool may_be_missing(std::string_view key) const override;
};
// Input [N, C] or [N, C, L].
class BatchNorm1dImpl : public BatchNormImpl {
 public:
  explicit BatchNorm1dImpl(const BatchNorm1dOptions& given) : BatchNormImpl(given) {}

 protected:
  void check_input(const Tensor& input) const override;
};
SARDONYX_MODULE(BatchNorm1d);
// Input [N, C, H, W].
class BatchNorm2dImpl : public BatchNormImpl {
 public:
  explicit BatchNorm2dImpl(const BatchNorm2dOptions& given) : BatchNormImpl(given) {}

 protected:
  void check_input(const Tensor& input) const override;
};
SARDONYX_MODULE(BatchNorm2d);

class ReLUImpl : public Module {
 public:
  explicit ReLUImpl(const ReLUOptions& given = {}) : options(given) {}
  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;
  ReLUOptions options;
};
SARDONYX_MODULE(ReLU);

class LeakyReLUImpl : public Module {
 public:
  explicit LeakyReLUImpl(const LeakyReLUOptions& given = {}) : options(given) {}
  explicit LeakyReLUImpl(double negative_slope) : options(LeakyReLUOptions().negative_slope(negative_slope)) {}
  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;
  LeakyReLUOptions options;
};
SARDONYX_MODULE(LeakyReLU);

class SigmoidImpl : public Module {
 public:
  Tensor forward(const Tensor& input) override;
};
SARDONYX_MODULE(Sigmoid);

class TanhImpl : public Module {
 public:
  Tensor forward(const Tensor& input) override;
};
SARDONYX_MODULE(Tanh);

class SoftmaxImpl : public Module {
 public:
  explicit SoftmaxImpl(const SoftmaxOptions& given) : options(given) {}
  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;
  SoftmaxOptions options;
};
SARDONYX_MODULE(Softmax);

// Acts in training mode only.
class DropoutImpl : public Module {
 public:
  explicit DropoutImpl(const DropoutOptions& options = {});
  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;
  DropoutOptions options;
};
SARDONYX_MODULE(Dropout);

class PixelShuffleImpl : public Module {
 public:
  explicit PixelShuffleImpl(const PixelShuffleOptions& given) : options(given) {}
  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;
  PixelShuffleOptions options;
};
SARDONYX_MODULE(PixelShuffle);

class PixelUnshuffleImpl : public Module {
 public:
  explicit PixelUnshuffleImpl(const PixelUnshuffleOptions& given) : options(given) {}
  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;
  PixelUnshuffleOptions options;
};
SARDONYX_MODULE(PixelUnshuffle);

class MaxPool2dImpl : public Module {
 public:
  explicit MaxPool2dImpl(const MaxPool2dOptions& given) : options(given) {}
  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;
  MaxPool2dOptions options;
};
SARDONYX_MODULE(MaxPool2d);

class AvgPool2dImpl : public Module {
 public:
  explicit AvgPool2dImpl(const AvgPool2dOptions& given) : options(given) {}
  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;
  AvgPool2dOptions options;
};
SARDONYX_MODULE(AvgPool2d);

class AdaptiveAvgPool2dImpl : public Module {
 public:
  explicit AdaptiveAvgPool2dImpl(const AdaptiveAvgPool2dOptions& given) : options(given) {}
  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;
  AdaptiveAvgPool2dOptions options;
};
SARDONYX_MODULE(AdaptiveAvgPool2d);

class FlattenImpl : public Module {
 public:
  explicit FlattenImpl(const FlattenOptions& given = {}) : options(given) {}
  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;
  FlattenOptions options;
};
SARDONYX_MODULE(Flatten);

class IdentityImpl : public Module {
 public:
  Tensor forward(const Tensor& input) override;
};
SARDONYX_MODULE(Identity);

// A function as a layer: Functional(relu), or a lambda.
class FunctionalImpl : public Module {
 public:
  explicit FunctionalImpl(std::function<Tensor(const Tensor&)> function) : function_(std::move(function)) {}
  Tensor forward(const Tensor& input) override;

 private:
  std::function<Tensor(const Tensor&)> function_;
};
SARDONYX_MODULE(Functional);

}  // namespace sardonyx::nn
