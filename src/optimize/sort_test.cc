#include "optimize/sort.h"

#include "optimize/rule_testing.h"

namespace sardonyx::optimize {
namespace {

using testing::HasSubstr;

void expect_invalid(const model::Model& model, std::string_view text) {
  model::Model copy = model;
  try {
    optimize(copy, GraphOptimizationLevel::kAll);
    FAIL() << text;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidModel);
    EXPECT_THAT(error.what(), HasSubstr(std::string(text)));
  }
}

TEST(Sort, RefusesGraphsThatCannotRun) {
  expect_invalid(ModelBuilder().output("y").node("Relu", {"nowhere"}, {"y"}).build(), "its input 'nowhere' is neither a graph input");
  expect_invalid(ModelBuilder().output("y").node("Relu", {"z"}, {"y"}).node("Relu", {"y"}, {"z"}).build(), "part of a cycle");
  expect_invalid(ModelBuilder().input("x", {1}).output("y").node("Relu", {"x"}, {"y"}).node("Neg", {"x"}, {"y"}).build(),
                 "the value 'y' is produced a second time");
}

}  // namespace
}  // namespace sardonyx::optimize
