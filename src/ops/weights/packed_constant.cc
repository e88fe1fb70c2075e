#include "ops/weights/packed_constant.h"

#include <chrono>
#include <thread>

#include "core/arena.h"
#include "core/pages.h"
#include "ops/weights/weight_cache.h"

namespace sardonyx::ops {
namespace {
constexpr std::chrono::microseconds kBetweenTries{200};
}

std::unique_lock<std::mutex> PackedConstant::acquire() {
  std::unique_lock lock(mutex_, std::defer_lock);
  if (core::InterruptScope::current() == nullptr) {
    lock.lock();
    return lock;
  }
  while (!lock.try_lock()) {
    core::check_interrupt();
    std::this_thread::sleep_for(kBetweenTries);
  }
  return lock;
}

bool PackedConstant::find(const Packing& packing, std::string_view layout, size_t bytes) {
  if (!packing.cache || layout.empty() || bytes == 0) return false;
  packed_ = packing.cache->find(plain_, layout, bytes);
  if (packed_) let_go();
  return packed_ != nullptr;
}

std::byte* PackedConstant::begin(size_t bytes) {
  const auto arena = std::make_shared<core::Arena>(bytes > 0 ? bytes : 1);
  core::prefer_large_pages(arena->data(), arena->size());
  core::fetch_pages(plain_.stored(), plain_.byte_size());
  making_ = std::shared_ptr<std::byte>(arena, arena->data());
  return making_.get();
}

void PackedConstant::finish(const Packing& packing, std::string_view layout, size_t bytes) {
  packed_ = std::move(making_);
  if (packing.cache && !layout.empty() && bytes > 0) packing.cache->add(plain_, layout, packed_, bytes);
  let_go();
}

void PackedConstant::let_go() {
  if (keep_plain_) return;
  core::give_back_pages(plain_.stored(), plain_.byte_size());
  plain_ = Tensor();
}

}  // namespace sardonyx::ops
