// Initialisation of parameters as torch.nn.init: in place, drawing from the generator that manual_seed seeds, with PyTorch's numbers.
//
// Tensors are float or double, else Unsupported is thrown. All return their argument. Sources: Glorot & Bengio 2010 (xavier), He et al.
// 2015 (kaiming), Saxe et al. 2013 (orthogonal), Martens 2010 (sparse).
#pragma once

#include <optional>

#include "sardonyx/tensor.h"

namespace sardonyx::nn::init {

enum class Nonlinearity { kLinear, kConv1D, kConv2D, kConv3D, kSigmoid, kTanh, kReLU, kLeakyReLU, kSELU };
inline constexpr Nonlinearity kLinear = Nonlinearity::kLinear;
inline constexpr Nonlinearity kSigmoid = Nonlinearity::kSigmoid;
inline constexpr Nonlinearity kTanh = Nonlinearity::kTanh;
inline constexpr Nonlinearity kReLU = Nonlinearity::kReLU;
inline constexpr Nonlinearity kLeakyReLU = Nonlinearity::kLeakyReLU;
enum class FanMode { kFanIn, kFanOut };
inline constexpr FanMode kFanIn = FanMode::kFanIn;
inline constexpr FanMode kFanOut = FanMode::kFanOut;

// The recommended gain; `param` is the negative slope of kLeakyReLU (0.01 if absent) and means nothing to the others.
double calculate_gain(Nonlinearity nonlinearity, std::optional<double> param = std::nullopt);

Tensor uniform_(Tensor tensor, double low = 0, double high = 1);
Tensor normal_(Tensor tensor, double mean = 0, double std = 1);
// Normal, cut to [low, high].
Tensor trunc_normal_(Tensor tensor, double mean = 0, double std = 1, double low = -2, double high = 2);
Tensor constant_(Tensor tensor, double value);
Tensor ones_(Tensor tensor);
Tensor zeros_(Tensor tensor);
Tensor eye_(Tensor matrix);                              // rank 2
Tensor dirac_(Tensor tensor, int64_t groups = 1);        // rank 3 to 5: a convolution that keeps its input
Tensor xavier_uniform_(Tensor tensor, double gain = 1);  // rank 2 and above, as all below
Tensor xavier_normal_(Tensor tensor, double gain = 1);
Tensor kaiming_uniform_(Tensor tensor, double a = 0, FanMode mode = kFanIn, Nonlinearity nonlinearity = kLeakyReLU);
Tensor kaiming_normal_(Tensor tensor, double a = 0, FanMode mode = kFanIn, Nonlinearity nonlinearity = kLeakyReLU);
Tensor orthogonal_(Tensor tensor, double gain = 1);
// Rank 2: in each column a fraction `sparsity` of the elements is zero, the others are normal.
Tensor sparse_(Tensor matrix, double sparsity, double std = 0.01);

}  // namespace sardonyx::nn::init
