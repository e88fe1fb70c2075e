#include "infer/rules.h"

#include <algorithm>
#include <iterator>

namespace sardonyx::infer {

#define SARDONYX_RULE(domain, op_type, rule) void rule(NodeContext& context);
#include "infer/rules/elements.inc"
#include "infer/rules/microsoft.inc"
#include "infer/rules/networks.inc"
#include "infer/rules/structures.inc"
#undef SARDONYX_RULE

namespace {
struct Row {
  std::string_view domain, op_type;
  Rule rule;
};
#define SARDONYX_RULE(domain, op_type, rule) {domain, op_type, rule},
// Each list is sorted by domain and operator.
constexpr Row kElements[] = {
#include "infer/rules/elements.inc"
};
constexpr Row kMicrosoft[] = {
#include "infer/rules/microsoft.inc"
};
constexpr Row kNetworks[] = {
#include "infer/rules/networks.inc"
};
constexpr Row kStructures[] = {
#include "infer/rules/structures.inc"
};
#undef SARDONYX_RULE

constexpr bool before(const Row& a, const Row& b) { return a.domain != b.domain ? a.domain < b.domain : a.op_type < b.op_type; }
template <size_t N>
constexpr bool is_sorted(const Row (&rows)[N]) {
  for (size_t i = 1; i < N; ++i) {
    if (!before(rows[i - 1], rows[i])) return false;
  }
  return true;
}
static_assert(is_sorted(kElements) && is_sorted(kMicrosoft) && is_sorted(kNetworks) && is_sorted(kStructures),
              "rules/*.inc must be sorted, without duplicates");

template <size_t N>
Rule find_in(const Row (&rows)[N], const Row& wanted) {
  const Row* row = std::lower_bound(std::begin(rows), std::end(rows), wanted, before);
  return row != std::end(rows) && !before(wanted, *row) ? row->rule : nullptr;
}

Row wanted_row(std::string_view domain, std::string_view op_type) { return {domain == "ai.onnx" ? "" : domain, op_type, nullptr}; }
}  // namespace

Rule find_rule(std::string_view domain, std::string_view op_type) noexcept {
  const Row wanted = wanted_row(domain, op_type);
  for (Rule rule : {find_in(kElements, wanted), find_in(kNetworks, wanted), find_in(kStructures, wanted)}) {
    if (rule != nullptr) return rule;
  }
  return nullptr;
}

Rule find_foreign_rule(std::string_view domain, std::string_view op_type) noexcept {
  return find_in(kMicrosoft, wanted_row(domain, op_type));
}

}  // namespace sardonyx::infer
