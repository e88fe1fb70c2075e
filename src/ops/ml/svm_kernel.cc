#include "ops/ml/svm_kernel.h"

#include <cmath>

#include "core/arena.h"
#include "kernels/cpu/gemm/gemm.h"
#include "kernels/cpu/math/unary.h"
#include "kernels/cpu/svm/squared_distance.h"
#include "ops/attributes/attributes.h"

namespace sardonyx::ops {

SvmKernel::SvmKernel(const model::Node& node, size_t vectors, std::string_view source) : vectors_(vectors) {
  kind_ = get_choice<Kind>(node, "kernel_type", "LINEAR",
                           {{"LINEAR", Kind::kLinear}, {"POLY", Kind::kPoly}, {"RBF", Kind::kRbf}, {"SIGMOID", Kind::kSigmoid}});
  const std::vector<float> params = model::get_floats(node, "kernel_params");
  if (!params.empty() && params.size() != 3)
    throw model_error("attribute kernel_params has {} entries; it must have gamma, coef0 and degree", params.size());
  if (params.empty() && kind_ != Kind::kLinear) throw model_error("attribute kernel_params is missing; only kernel LINEAR needs none");
  if (!params.empty()) gamma_ = params[0], coef0_ = params[1], degree_ = params[2];
  const std::vector<float> support = model::get_floats(node, "support_vectors");
  features_ = support.size() / vectors_;
  if (support.empty() || features_ * vectors_ != support.size())
    throw model_error("attribute support_vectors has {} entries; they must be as many for each of the {} vectors that {} tells of",
                      support.size(), vectors_, source);
  if (kind_ == Kind::kRbf) {
    packed_.resize(kernels::packed_vector_floats(vectors_, features_));
    kernels::pack_vectors(vectors_, features_, support.data(), packed_.data());
  } else {
    packed_.resize(kernels::packed_b_floats(features_, vectors_));
    kernels::pack_b(features_, vectors_, kernels::Matrix::view(support.data(), 1, static_cast<ptrdiff_t>(features_)), packed_.data());
  }
}

size_t SvmKernel::block_rows() const noexcept { return std::clamp<size_t>((size_t{1} << 18) / vectors_, 1, 64); }

size_t SvmKernel::block_bytes() const noexcept {
  const size_t product = kernels::gemm_scratch_bytes({block_rows(), vectors_, features_}, false, true, 1);
  return core::align_up(block_rows() * vectors_ * sizeof(float)) + core::align_up(product);
}

void SvmKernel::powers(float* values, size_t count) const noexcept {
  const int whole = degree_ >= 1 && degree_ <= 8 ? static_cast<int>(degree_) : 0;
  const bool is_whole = static_cast<float>(whole) == degree_;
  for (size_t i = 0; i < count; ++i) {
    float power = values[i];
    for (int factor = 1; factor < whole; ++factor) power *= values[i];
    values[i] = is_whole && whole > 0 ? power : std::pow(values[i], degree_);
  }
}

const float* SvmKernel::values(size_t rows, const float* x, std::byte* scratch, core::ThreadPool& pool) const noexcept {
  float* values = reinterpret_cast<float*>(scratch);
  const size_t count = rows * vectors_;
  if (kind_ == Kind::kRbf) {
    kernels::squared_distances(rows, vectors_, features_, x, packed_.data(), values);
    for (size_t i = 0; i < count; ++i) values[i] *= -gamma_;
    kernels::unary(kernels::UnaryOp::kExp, {}, values, values, count, pool);
    return values;
  }
  std::byte* rest = scratch + core::align_up(block_rows() * vectors_ * sizeof(float));
  kernels::gemm({rows, vectors_, features_}, kernels::Matrix::view(x, static_cast<ptrdiff_t>(features_)),
                kernels::Matrix::packed(packed_.data()), {}, values, static_cast<ptrdiff_t>(vectors_), rest, pool);
  if (kind_ == Kind::kLinear) return values;
  for (size_t i = 0; i < count; ++i) values[i] = gamma_ * values[i] + coef0_;
  if (kind_ == Kind::kPoly) powers(values, count);
  if (kind_ == Kind::kSigmoid) kernels::unary(kernels::UnaryOp::kTanh, {}, values, values, count, pool);
  return values;
}

size_t svm_scratch_bytes(const SvmKernel& kernel, const ValueFacts& x, int threads) {
  return kernel.block_bytes() * to_size(threads) + conversion_bytes<float>(x);
}

}  // namespace sardonyx::ops
