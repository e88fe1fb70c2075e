#include "cli/digest.h"

#include <span>

namespace sardonyx::cli {

namespace {
class Fnv1a {
 public:
  void add(std::span<const std::byte> bytes) noexcept {
    for (const std::byte byte : bytes) state_ = (state_ ^ static_cast<uint64_t>(byte)) * 0x100000001b3;
  }
  void add(uint64_t number) noexcept { add(std::as_bytes(std::span(&number, 1))); }
  uint64_t result() const noexcept { return state_; }

 private:
  uint64_t state_ = 0xcbf29ce484222325;
};

void add_value(Fnv1a& hash, const Tensor& value) {
  hash.add(value.defined() ? static_cast<uint64_t>(value.dtype()) : ~uint64_t{0});
  if (!value.defined()) return;
  hash.add(value.shape().size());
  hash.add(std::as_bytes(std::span(value.shape())));
  if (value.dtype() == DType::kTensor) {
    for (const Tensor& item : value.tensors()) add_value(hash, item);
  } else if (value.dtype() == DType::kString) {
    for (const std::string& text : value.strings()) {
      hash.add(text.size());
      hash.add(std::as_bytes(std::span(text)));
    }
  } else {
    hash.add({static_cast<const std::byte*>(value.raw()), value.byte_size()});
  }
}
}  // namespace

uint64_t digest(const Tensor& value) {
  Fnv1a hash;
  add_value(hash, value);
  return hash.result();
}

}  // namespace sardonyx::cli
