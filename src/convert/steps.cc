#include <algorithm>
#include <iterator>

#include "convert/adapters.h"

namespace sardonyx::convert {

namespace {
#define SARDONYX_STEP(op_type, older, newer, up, down, types) {op_type, older, newer, up, down, Types::types},
constexpr Step kSteps[] = {
#include "convert/steps.inc"
};
#undef SARDONYX_STEP

constexpr bool before(const Step& step, std::string_view op_type, int newer) {
  return step.op_type != op_type ? step.op_type < op_type : step.newer < newer;
}
constexpr bool is_sorted() {
  for (size_t i = 1; i < std::size(kSteps); ++i) {
    if (!before(kSteps[i - 1], kSteps[i].op_type, kSteps[i].newer)) return false;
  }
  return true;
}
static_assert(is_sorted(), "steps.inc must be sorted by operator and version, without duplicates");
}  // namespace

std::span<const Step> all_steps() noexcept { return kSteps; }

const Step* find_step(std::string_view op_type, int newer) noexcept {
  const Step* found = std::lower_bound(std::begin(kSteps), std::end(kSteps), newer,
                                       [&](const Step& step, int wanted) { return before(step, op_type, wanted); });
  return found != std::end(kSteps) && found->op_type == op_type && found->newer == newer ? found : nullptr;
}

}  // namespace sardonyx::convert
