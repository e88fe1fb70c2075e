#include "ops/weights/packed_constant.h"

#include "core/pages.h"

namespace sardonyx::ops {

std::byte* PackedConstant::begin(size_t bytes) {
  packed_.reserve(bytes);
  core::prefer_large_pages(packed_.data(), packed_.size());
  core::fetch_pages(plain_.stored(), plain_.byte_size());
  return packed_.data();
}

void PackedConstant::finish() {
  is_packed_ = true;
  if (keep_plain_) return;
  core::give_back_pages(plain_.stored(), plain_.byte_size());
  plain_ = Tensor();
}

}  // namespace sardonyx::ops
