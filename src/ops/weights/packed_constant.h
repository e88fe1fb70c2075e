// A constant input that a kernel reads in a packed layout: the plain tensor, and its packed form, made when a plan first needs it and
// shared by all plans of the node. A run that is to end ends while it packs (Cancelled); a later one begins anew.
#pragma once

#include <memory>
#include <mutex>
#include <string_view>

#include "core/interrupt.h"
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
  // `layout` tells all that the packed form depends on besides the constant, the kernel's blocking on this machine included; empty: it is
  // never kept in a file.
  template <class Pack>
  const float* packed(const Packing& packing, std::string_view layout, size_t floats, const Pack& pack) {
    return packed_as<float>(packing, layout, floats,
                            [&](const Tensor& plain, float* to) { pack(static_cast<const float*>(plain.stored()), to); });
  }
  template <class Pack>
  const float* packed(size_t floats, const Pack& pack) {
    return packed({}, {}, floats, pack);
  }
  // `pack(const Tensor& plain, T* packed)` writes `count` values.
  template <class T, class Pack>
  const T* packed_as(const Packing& packing, std::string_view layout, size_t count, const Pack& pack) {
    const std::unique_lock lock = acquire();
    if (!packed_ && !find(packing, layout, count * sizeof(T))) {
      pack(plain_, reinterpret_cast<T*>(begin(count * sizeof(T))));
      core::check_interrupt();  // packing ends early, too: what it has made is thrown away
      finish(packing, layout, count * sizeof(T));
    }
    return reinterpret_cast<const T*>(packed_.get());
  }
  template <class T, class Pack>
  const T* packed_as(size_t count, const Pack& pack) {
    return packed_as<T>({}, {}, count, pack);
  }

 private:
  std::unique_lock<std::mutex> acquire();  // throws Cancelled where the run is to end while another one packs
  bool find(const Packing& packing, std::string_view layout, size_t bytes);
  std::byte* begin(size_t bytes);  // memory for the packed form
  void finish(const Packing& packing, std::string_view layout, size_t bytes);
  void let_go();

  std::mutex mutex_;
  Tensor plain_;
  std::shared_ptr<std::byte> making_;
  std::shared_ptr<const std::byte> packed_;
  bool is_constant_;
  bool keep_plain_;
};

}  // namespace sardonyx::ops
