#include "optimize/optimize.h"

#include <fmt/format.h>

#include <fstream>
#include <sstream>

#include "optimize/pass.h"
#include "optimize/rule_testing.h"

namespace sardonyx::optimize {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Optimize, LevelNoneOnlySorts) {
  const auto model = ModelBuilder().input("x", {2}).output("y").node("Relu", {"a"}, {"y"}).node("Identity", {"x"}, {"a"}).build();
  const auto after = optimized(model, {{"x", random_tensor({2})}}, GraphOptimizationLevel::kNone);
  EXPECT_THAT(operators(after), ElementsAre("Identity", "Relu"));
}

TEST(Optimize, EachPassCanBeSwitchedOff) {
  auto builder = conv_block();
  builder.node("Identity", {"c"}, {"i"}).node("Relu", {"i"}, {"y"});
  for (const Pass& pass : passes()) {
    model::Model model = builder.build();
    const auto reports = optimize(model, GraphOptimizationLevel::kAll, std::vector<std::string>{std::string(pass.name)});
    EXPECT_EQ(rewrites(reports, pass.name), 0U);
  }
}

TEST(Optimize, UnknownPassIsNamed) {
  model::Model model = conv_block().node("Relu", {"c"}, {"y"}).build();
  try {
    optimize(model, GraphOptimizationLevel::kAll, std::vector<std::string>{"fold_constant"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_THAT(error.what(), HasSubstr("there is no pass 'fold_constant'; did you mean 'fold_constants'"));
  }
}

TEST(Optimize, TheDocumentationListsEveryPass) {
  std::ifstream file(std::string(SARDONYX_SOURCE_DIR) + "/docs/optimizer.md");
  std::stringstream text;
  text << file.rdbuf();
  for (const Pass& pass : passes()) {
    const char* level = pass.level == GraphOptimizationLevel::kBasic      ? "basic"
                        : pass.level == GraphOptimizationLevel::kExtended ? "extended"
                                                                          : "all";
    EXPECT_THAT(text.str(), HasSubstr(fmt::format("| {} | {} | {} |\n", pass.name, level, pass.description)));
  }
}

}  // namespace
}  // namespace sardonyx::optimize
