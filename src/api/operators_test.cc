#include "sardonyx/operators.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace sardonyx {
namespace {

using testing::ElementsAre;

const OperatorInfo& find(const std::vector<OperatorInfo>& all, std::string_view domain, std::string_view name) {
  const auto found = std::ranges::find_if(all, [&](const OperatorInfo& info) { return info.domain == domain && info.name == name; });
  EXPECT_NE(found, all.end()) << name;
  return *found;
}

TEST(Operators, VersionsAndTypesAreThoseOfTheSpecification) {
  const std::vector<OperatorInfo> all = supported_operators();
  EXPECT_TRUE(std::ranges::is_sorted(all, {}, [](const OperatorInfo& info) { return std::pair(info.domain, info.name); }));
  const OperatorInfo& gather = find(all, "", "Gather");
  EXPECT_THAT(gather.versions, ElementsAre(1, 11, 13));
  ASSERT_EQ(gather.constraints.size(), 2u);
  EXPECT_EQ(gather.constraints[1].name, "Tind");
  EXPECT_THAT(gather.constraints[1].allowed, ElementsAre(DType::kInt32, DType::kInt64));
  EXPECT_THAT(gather.constraints[0].inputs, ElementsAre(0u));
  EXPECT_THAT(gather.constraints[0].outputs, ElementsAre(0u));
}

TEST(Operators, DeprecatedVersionsAreLeftOutAndOursHaveNoSchema) {
  const std::vector<OperatorInfo> all = supported_operators();
  EXPECT_THAT(find(all, "", "Scatter").versions, ElementsAre(9));
  const OperatorInfo& ours = find(all, "ai.sardonyx", "FusedConv");
  EXPECT_THAT(ours.versions, ElementsAre(1));
  EXPECT_TRUE(ours.constraints.empty());
}

}  // namespace
}  // namespace sardonyx
