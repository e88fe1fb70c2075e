// A constant input that a kernel reads in a packed layout: the plain tensor, and its packed form, made when a plan first needs it and
// shared by all plans of the node.
#pragma once

#include <mutex>
#include <string_view>

#include "core/arena.h"
#include "ops/weights/packing.h"
#include "sardonyx/tensor.h"

namespace sardonyx::ops {

class PackedConstant {
 public:
  // `constant`: null if the input is an ordinary value. `keep_plain`: some kernel reads the plain form; else the tensor is let go once it
  // is packed.
  PackedConstant(const Tensor* constant, bool keep_plain)
      : plain_(constant ? *constant : Tensor()), is_constant_(constant != nullptr), keep_plain_(keep_plain) {}

  bool is_constant() const noexcept { return is_constant_; }
  const float* plain() const { return plain_.values<float>().data(); }

  // `pack(const float* plain, float* packed)` writes `floats` values. `plain` lies as it does in the file: perhaps not aligned for floats.
  template <class Pack>
  const float* packed(size_t floats, const Pack& pack) {
    return packed_as<float>(floats, [&](const Tensor& plain, float* to) { pack(static_cast<const float*>(plain.stored()), to); });
  }
  // `pack(const Tensor& plain, T* packed)` writes `count` values.
  template <class T, class Pack>
  const T* packed_as(size_t count, const Pack& pack) {
    const std::lock_guard lock(mutex_);
    if (!is_packed_) {
      T* to = reinterpret_cast<T*>(begin(count * sizeof(T)));
      pack(plain_, to);
      finish();
    }
    return reinterpret_cast<const T*>(packed_.data());
  }

 private:
  std::byte* begin(size_t bytes);  // memory for the packed form
  void finish();

  std::mutex mutex_;
  Tensor plain_;
  core::Arena packed_;
  bool is_constant_;
  bool keep_plain_;
  bool is_packed_ = false;
};

}  // namespace sardonyx::ops
