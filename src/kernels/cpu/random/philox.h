// Random numbers by counter: block i of a key is the same whoever asks for it, so that work may be split in any way.
// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011).
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>

namespace sardonyx::kernels {

using PhiloxBlock = std::array<uint32_t, 4>;

constexpr PhiloxBlock philox(uint64_t key, uint64_t counter, uint64_t stream = 0) noexcept {
  PhiloxBlock x = {static_cast<uint32_t>(counter), static_cast<uint32_t>(counter >> 32), static_cast<uint32_t>(stream),
                   static_cast<uint32_t>(stream >> 32)};
  auto k0 = static_cast<uint32_t>(key), k1 = static_cast<uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u) {
    const uint64_t a = uint64_t{0xD2511F53u} * x[0], b = uint64_t{0xCD9E8D57u} * x[2];
    x = {static_cast<uint32_t>(b >> 32) ^ x[1] ^ k0, static_cast<uint32_t>(b), static_cast<uint32_t>(a >> 32) ^ x[3] ^ k1,
         static_cast<uint32_t>(a)};
  }
  return x;
}

// Two numbers that are uniform in [0, 1), of 53 random bits each.
constexpr std::array<double, 2> uniform_pair(const PhiloxBlock& block) noexcept {
  const auto unit = [](uint32_t high, uint32_t low) { return static_cast<double>((uint64_t{high} << 32 | low) >> 11) * 0x1p-53; };
  return {unit(block[0], block[1]), unit(block[2], block[3])};
}

// Two numbers of the standard normal distribution (Box and Muller).
inline std::array<double, 2> normal_pair(const PhiloxBlock& block) noexcept {
  const auto [u, v] = uniform_pair(block);
  const double radius = std::sqrt(-2 * std::log1p(-u)), angle = 2 * std::numbers::pi * v;
  return {radius * std::cos(angle), radius * std::sin(angle)};
}

}  // namespace sardonyx::kernels
