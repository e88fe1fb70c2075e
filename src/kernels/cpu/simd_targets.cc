#include "kernels/cpu/simd_targets.h"

#include <fmt/format.h>
#include <hwy/highway.h>

#include "sardonyx/error.h"
#include "sardonyx/simd.h"

namespace sardonyx {
namespace {

void choose(int64_t targets) {
  hwy::SetSupportedTargetsForTest(targets);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

// As they are before the first choice, which asks for them.
const std::vector<int64_t>& available() {
  static const std::vector<int64_t> targets = hwy::SupportedAndGeneratedTargets();
  return targets;
}

}  // namespace

std::vector<std::string> simd_targets() {
  std::vector<std::string> names;
  for (const int64_t target : available()) names.emplace_back(hwy::TargetName(target));
  return names;
}

void use_simd_target(std::string_view name) {
  const std::vector<int64_t>& targets = available();
  if (name.empty()) return choose(0);
  for (const int64_t target : targets) {
    if (name == hwy::TargetName(target)) return choose(target);
  }
  std::string names;
  for (const std::string& known : simd_targets()) names += (names.empty() ? "" : ", ") + known;
  throw Error(ErrorCode::kInvalidArgument, fmt::format("there is no SIMD target '{}' here; there are {}", name, names));
}

}  // namespace sardonyx
