#include "sardonyx/nn/init.h"

// Initial weights shall not depend on the width of the SIMD registers.
#define EIGEN_DONT_VECTORIZE
#include <Eigen/QR>
#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include "nn/generator.h"
#include "sardonyx/nn/random.h"

namespace sardonyx::nn::init {
namespace {

[[noreturn]] void reject(const std::string& message) { throw Error(ErrorCode::kInvalidArgument, message); }

struct Fans {
  double in, out;
};

Fans fans_of(const Tensor& tensor) {
  if (tensor.dim() < 2) {
    reject("Fan in and fan out can not be computed for tensor with fewer than 2 dimensions; the shape is " + to_string(tensor.shape()));
  }
  double receptive_field = 1;
  for (size_t i = 2; i < tensor.shape().size(); ++i) receptive_field *= static_cast<double>(tensor.shape()[i]);
  return {static_cast<double>(tensor.size(1)) * receptive_field, static_cast<double>(tensor.size(0)) * receptive_field};
}

double kaiming_std(const Tensor& tensor, double a, FanMode mode, Nonlinearity nonlinearity) {
  const Fans fans = fans_of(tensor);
  return calculate_gain(nonlinearity, a) / std::sqrt(mode == kFanIn ? fans.in : fans.out);
}

double xavier_std(const Tensor& tensor, double gain) {
  const Fans fans = fans_of(tensor);
  return gain * std::sqrt(2.0 / (fans.in + fans.out));
}

double normal_cdf(double x) { return (1 + std::erf(x / std::numbers::sqrt2)) / 2; }

// Winitzki's approximation, then Halley's steps; near 1 the complement keeps the digits.
double inverse_erf(double y) {
  if (std::abs(y) >= 1) return std::copysign(HUGE_VAL, y);
  const double size = std::abs(y);
  const double log_term = std::log1p(-size * size);
  const double a = 2 / (std::numbers::pi * 0.147) + log_term / 2;
  double x = std::sqrt(std::sqrt(a * a - log_term / 0.147) - a);
  for (int step = 0; step < 3; ++step) {
    const double error = size < 0.5 ? std::erf(x) - size : (1 - size) - std::erfc(x);
    const double slope = 2 * std::numbers::inv_sqrtpi * std::exp(-x * x);
    x -= error / (slope + x * error);
  }
  return std::copysign(x, y);
}

// Q of a thin QR decomposition, its columns signed such that the diagonal of R is not negative: that makes Q unique.
Eigen::MatrixXd orthogonal_columns(const Eigen::MatrixXd& tall) {
  const Eigen::HouseholderQR<Eigen::MatrixXd> qr(tall);
  Eigen::MatrixXd q = qr.householderQ() * Eigen::MatrixXd::Identity(tall.rows(), tall.cols());
  for (Eigen::Index i = 0; i < tall.cols(); ++i) {
    const double diagonal = qr.matrixQR()(i, i);
    q.col(i) *= static_cast<double>((diagonal > 0) - (diagonal < 0));
  }
  return q;
}

template <class T>
void make_orthogonal(std::span<T> data, int64_t rows, int64_t columns, double gain) {
  Eigen::MatrixXd matrix(rows, columns);
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < columns; ++j) matrix(i, j) = static_cast<double>(data[static_cast<size_t>(i * columns + j)]);
  }
  const bool wide = rows < columns;
  if (wide) matrix.transposeInPlace();
  const Eigen::MatrixXd q = orthogonal_columns(matrix);
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < columns; ++j) data[static_cast<size_t>(i * columns + j)] = static_cast<T>((wide ? q(j, i) : q(i, j)) * gain);
  }
}

}  // namespace

double calculate_gain(Nonlinearity nonlinearity, std::optional<double> param) {
  switch (nonlinearity) {
    case Nonlinearity::kTanh:
      return 5.0 / 3;
    case Nonlinearity::kReLU:
      return std::numbers::sqrt2;
    case Nonlinearity::kLeakyReLU: {
      const double slope = param.value_or(0.01);
      return std::sqrt(2 / (1 + slope * slope));
    }
    case Nonlinearity::kSELU:
      return 3.0 / 4;
    case Nonlinearity::kLinear:
    case Nonlinearity::kConv1D:
    case Nonlinearity::kConv2D:
    case Nonlinearity::kConv3D:
    case Nonlinearity::kSigmoid:
      return 1;
  }
  reject("calculate_gain: not a value of Nonlinearity");
}

Tensor uniform_(Tensor tensor, double low, double high) {
  fill_uniform(tensor, low, high);
  return tensor;
}

Tensor normal_(Tensor tensor, double mean, double std) {
  fill_normal(tensor, mean, std);
  return tensor;
}

Tensor trunc_normal_(Tensor tensor, double mean, double std, double low, double high) {
  if (!(std > 0)) reject("trunc_normal_: std must be positive, got " + std::to_string(std));
  fill_uniform(tensor, 2 * normal_cdf((low - mean) / std) - 1, 2 * normal_cdf((high - mean) / std) - 1);
  with_float_type(tensor, "trunc_normal_", [&]<class T>(T) {
    for (T& x : tensor.mutable_values<T>()) {
      x = static_cast<T>(std::clamp(inverse_erf(static_cast<double>(x)) * (std * std::numbers::sqrt2) + mean, low, high));
    }
  });
  return tensor;
}

Tensor constant_(Tensor tensor, double value) {
  with_float_type(tensor, "constant_", [&]<class T>(T) { std::ranges::fill(tensor.mutable_values<T>(), static_cast<T>(value)); });
  return tensor;
}

Tensor ones_(Tensor tensor) { return constant_(std::move(tensor), 1); }
Tensor zeros_(Tensor tensor) { return constant_(std::move(tensor), 0); }

Tensor eye_(Tensor matrix) {
  if (matrix.dim() != 2) reject("Only tensors with 2 dimensions are supported; the shape is " + to_string(matrix.shape()));
  zeros_(matrix);
  const int64_t columns = matrix.size(1);
  with_float_type(matrix, "eye_", [&]<class T>(T) {
    const std::span<T> data = matrix.mutable_values<T>();
    for (int64_t i = 0; i < std::min(matrix.size(0), columns); ++i) data[static_cast<size_t>(i * columns + i)] = 1;
  });
  return matrix;
}

Tensor dirac_(Tensor tensor, int64_t groups) {
  if (tensor.dim() < 3 || tensor.dim() > 5) {
    reject("Only tensors with 3, 4, or 5 dimensions are supported; the shape is " + to_string(tensor.shape()));
  }
  if (groups < 1 || tensor.size(0) % groups != 0) {
    reject("dim 0 must be divisible by groups; the shape is " + to_string(tensor.shape()) + ", groups " + std::to_string(groups));
  }
  zeros_(tensor);
  if (tensor.numel() == 0) return tensor;
  int64_t kernel = 1, centre = 0;
  for (int64_t axis = 2; axis < tensor.dim(); ++axis) {
    centre = centre * tensor.size(axis) + tensor.size(axis) / 2;
    kernel *= tensor.size(axis);
  }
  const int64_t per_group = tensor.size(0) / groups, inputs = tensor.size(1);
  with_float_type(tensor, "dirac_", [&]<class T>(T) {
    const std::span<T> data = tensor.mutable_values<T>();
    for (int64_t group = 0; group < groups; ++group) {
      for (int64_t i = 0; i < std::min(per_group, inputs); ++i) {
        data[static_cast<size_t>(((group * per_group + i) * inputs + i) * kernel + centre)] = 1;
      }
    }
  });
  return tensor;
}

Tensor xavier_uniform_(Tensor tensor, double gain) {
  const double bound = std::sqrt(3.0) * xavier_std(tensor, gain);
  return uniform_(std::move(tensor), -bound, bound);
}

Tensor xavier_normal_(Tensor tensor, double gain) {
  const double std = xavier_std(tensor, gain);
  return normal_(std::move(tensor), 0, std);
}

Tensor kaiming_uniform_(Tensor tensor, double a, FanMode mode, Nonlinearity nonlinearity) {
  if (tensor.numel() == 0) return tensor;
  const double bound = std::sqrt(3.0) * kaiming_std(tensor, a, mode, nonlinearity);
  return uniform_(std::move(tensor), -bound, bound);
}

Tensor kaiming_normal_(Tensor tensor, double a, FanMode mode, Nonlinearity nonlinearity) {
  if (tensor.numel() == 0) return tensor;
  const double std = kaiming_std(tensor, a, mode, nonlinearity);
  return normal_(std::move(tensor), 0, std);
}

Tensor orthogonal_(Tensor tensor, double gain) {
  if (tensor.dim() < 2) reject("Only tensors with 2 or more dimensions are supported; the shape is " + to_string(tensor.shape()));
  if (tensor.numel() == 0) return tensor;
  normal_(tensor);
  with_float_type(tensor, "orthogonal_", [&]<class T>(T) {
    make_orthogonal<T>(tensor.mutable_values<T>(), tensor.size(0), tensor.numel() / tensor.size(0), gain);
  });
  return tensor;
}

Tensor sparse_(Tensor matrix, double sparsity, double std) {
  if (matrix.dim() != 2) reject("Only tensors with 2 dimensions are supported; the shape is " + to_string(matrix.shape()));
  if (!(sparsity >= 0 && sparsity <= 1)) reject("sparse_: sparsity must be between 0 and 1, got " + std::to_string(sparsity));
  const int64_t rows = matrix.size(0), columns = matrix.size(1);
  const auto zeros = static_cast<size_t>(std::ceil(sparsity * static_cast<double>(rows)));
  normal_(matrix, 0, std);
  with_float_type(matrix, "sparse_", [&]<class T>(T) {
    const std::span<T> data = matrix.mutable_values<T>();
    for (int64_t column = 0; column < columns; ++column) {
      const Tensor order = randperm(rows);
      for (const int64_t row : order.values<int64_t>().first(zeros)) data[static_cast<size_t>(row * columns + column)] = 0;
    }
  });
  return matrix;
}

}  // namespace sardonyx::nn::init
