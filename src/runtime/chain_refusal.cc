#include "runtime/chain_refusal.h"

#include <fmt/format.h>

namespace sardonyx::runtime {
namespace {

std::string in_megabytes(double bytes) { return fmt::format("{:.3g} MB", bytes / 1e6); }
std::string in_megabytes(size_t bytes) { return in_megabytes(static_cast<double>(bytes)); }

}  // namespace

std::string ChainVerdict::text() const {
  switch (kind) {
    case Kind::kPays:
    case Kind::kWhole:
      return "";
    case Kind::kAlone:
      return "a chain needs two nodes";
    case Kind::kReadOutside:
      return "the large values between them are read from outside, too, or are outputs, and must be held as a whole";
    case Kind::kFitsCache:
      return fmt::format("the values between them stay in the cache: the largest has {}, half of the cache is {}", in_megabytes(largest),
                         in_megabytes(budget));
    case Kind::kFewRows:
      return "the last result has too few rows for two bands";
    case Kind::kBandsTooLarge:
      return fmt::format("bands of {} row{}, the lowest, take {}, and half of the cache is {}", tile_rows, tile_rows == 1 ? "" : "s",
                         in_megabytes(band_bytes), in_megabytes(budget));
    case Kind::kCosts:
      return fmt::format(
          "it would keep {} from going through memory; the calls for each band, and constants that each reads anew, cost as "
          "much time as {}",
          in_megabytes(saved_traffic), in_megabytes(costs));
  }
  return "";
}

std::string ChainStop::text() const {
  if (!node) return "";
  const std::string_view why = reason;
  return fmt::format("{}: {}", node->where(),
                     why.empty() ? fmt::format("its kernel {} does not compute by rows", kernel) : std::string(why));
}

}  // namespace sardonyx::runtime
