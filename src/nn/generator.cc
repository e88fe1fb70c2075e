#include "nn/generator.h"

#include <cmath>
#include <numbers>

namespace sardonyx::nn {
namespace {

constexpr size_t kBlock = 16;  // normal numbers are made from uniform ones in blocks of this size

// Box-Muller on 16 uniform numbers in place: the first eight give radii, the last eight angles.
template <class T>
void normal_block(T* data, T mean, T std) {
  constexpr size_t kHalf = kBlock / 2;
  for (size_t i = 0; i < kHalf; ++i) {
    const T radius = std::sqrt(T{-2} * std::log(1 - data[i]));
    const T angle = T{2} * std::numbers::pi_v<T> * data[i + kHalf];
    data[i] = radius * std::cos(angle) * std + mean;
    data[i + kHalf] = radius * std::sin(angle) * std + mean;
  }
}

// A last block that is not full is made anew from the last 16 elements and 16 fresh uniform numbers.
template <class T>
void normal_blocks(Generator& generator, std::span<T> data, T mean, T std) {
  for (T& x : data) x = generator.uniform<T>(0, 1);
  for (size_t i = 0; i + kBlock <= data.size(); i += kBlock) normal_block(data.data() + i, mean, std);
  if (data.size() % kBlock != 0) {
    const std::span<T> tail = data.last(kBlock);
    for (T& x : tail) x = generator.uniform<T>(0, 1);
    normal_block(tail.data(), mean, std);
  }
}

uint64_t seed_of_system() {
  std::random_device device;
  return device();
}

}  // namespace

void Generator::seed(uint64_t seed) {
  engine_.seed(static_cast<uint32_t>(seed));
  waiting_.reset();
}

uint64_t Generator::next64() {
  const uint64_t high = next32();
  return high << 32 | next32();
}

template <>
double Generator::unit<float>() {
  return (next32() & ((uint32_t{1} << 24) - 1)) * 0x1p-24;
}

template <>
double Generator::unit<double>() {
  return static_cast<double>(next64() & ((uint64_t{1} << 53) - 1)) * 0x1p-53;
}

template <class T>
T Generator::uniform(T low, T high) {
  return static_cast<T>(std::fma(unit<T>(), static_cast<double>(high - low), static_cast<double>(low)));
}

double Generator::normal() {
  if (waiting_) {
    const double result = *waiting_;
    waiting_.reset();
    return result;
  }
  const double angle = 2 * std::numbers::pi * unit<double>();
  const double radius = std::sqrt(-2 * std::log1p(-unit<double>()));
  waiting_ = radius * std::sin(angle);
  return radius * std::cos(angle);
}

LockedGenerator::LockedGenerator()
    : generator_([]() -> Generator& {
        static Generator generator(seed_of_system());
        return generator;
      }()),
      lock_([]() -> std::mutex& {
        static std::mutex mutex;
        return mutex;
      }()) {}

void fill_uniform(Tensor& tensor, double low, double high) {
  if (!(low <= high)) {
    throw Error(ErrorCode::kInvalidArgument,
                "uniform_ expects to return a [from, to) range, but found from=" + std::to_string(low) + " > to=" + std::to_string(high));
  }
  with_float_type(tensor, "uniform_", [&]<class T>(T) {
    LockedGenerator generator;
    for (T& x : tensor.mutable_values<T>()) x = generator->uniform<T>(static_cast<T>(low), static_cast<T>(high));
  });
}

void fill_normal(Tensor& tensor, double mean, double std) {
  if (!(std >= 0)) throw Error(ErrorCode::kInvalidArgument, "normal expects std >= 0.0, but found std " + std::to_string(std));
  with_float_type(tensor, "normal_", [&]<class T>(T) {
    LockedGenerator generator;
    const std::span<T> data = tensor.mutable_values<T>();
    if (data.size() >= kBlock) {
      normal_blocks<T>(*generator, data, static_cast<T>(mean), static_cast<T>(std));
    } else {
      for (T& x : data) x = static_cast<T>(generator->normal() * std + mean);
    }
  });
}

void fill_bernoulli(Tensor& tensor, double p) {
  with_float_type(tensor, "bernoulli_", [&]<class T>(T) {
    LockedGenerator generator;
    for (T& x : tensor.mutable_values<T>()) x = generator->unit<double>() < p ? T{1} : T{0};
  });
}

}  // namespace sardonyx::nn
