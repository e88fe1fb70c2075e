#include <gtest/gtest.h>

#include <string_view>
#include <utility>

#include "infer/rules.h"
#include "schema/schema.h"

namespace sardonyx::infer {
namespace {

#define SARDONYX_RULE(domain, op_type, rule) std::pair<std::string_view, std::string_view>{domain, op_type},
constexpr std::pair<std::string_view, std::string_view> kListed[] = {
#include "infer/rules/elements.inc"
};
#undef SARDONYX_RULE

TEST(ElementsList, NamesOperatorsOfTheSpecification) {
  for (const auto& [domain, op_type] : kListed) {
    EXPECT_TRUE(schema::find_first(domain, op_type)) << op_type;
    EXPECT_NE(find_rule(domain, op_type), nullptr) << op_type;
  }
}

}  // namespace
}  // namespace sardonyx::infer
