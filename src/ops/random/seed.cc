#include <bit>
#include <random>

#include "kernels/cpu/random/philox.h"
#include "ops/random/random.h"

namespace sardonyx::ops {
namespace {

uint64_t entropy() {
  std::random_device device;
  const uint64_t high = device();
  return high << 32 | device();
}

}  // namespace

SeedSource::SeedSource(const model::Node& node) {
  const model::Attribute* seed = node.find_attribute("seed");
  if (!seed) {
    seed_ = entropy();
    runs_ = std::make_shared<std::atomic<uint64_t>>(0);
  } else if (seed->type == model::Attribute::Type::kInt) {
    seed_ = static_cast<uint64_t>(seed->i);
  } else {
    seed_ = std::bit_cast<uint32_t>(model::get_float(node, "seed", 0));
  }
}

uint64_t SeedSource::next() const noexcept {
  if (!runs_) return seed_;
  const kernels::PhiloxBlock block = kernels::philox(seed_, runs_->fetch_add(1), 1);
  return uint64_t{block[0]} << 32 | block[1];
}

double uniform_at(uint64_t key, size_t element) noexcept { return kernels::uniform_pair(kernels::philox(key, element / 2))[element % 2]; }

}  // namespace sardonyx::ops
