// The table of steps against the table of schemas: every version of every operator is spoken for, and what is called the same is the same.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "convert/adapters.h"
#include "convert/names.h"
#include "schema/schema.h"

namespace sardonyx::convert {
namespace {

std::map<std::string, std::vector<schema::Schema>> operators() {
  std::map<std::string, std::vector<schema::Schema>> found;
  for (size_t row = 0; row < schema::schema_count(); ++row) {
    const schema::Schema version(row);
    if (version.domain().empty()) found[std::string(version.name())].push_back(version);
  }
  return found;
}

TEST(Steps, SpeakForEveryVersionOfEveryOperator) {
  size_t steps = 0;
  const auto all = operators();
  EXPECT_GT(all.size(), 190U);
  for (const auto& [name, versions] : all) {
    int older = 0;
    for (const schema::Schema& version : versions) {
      const int newer = version.since_version();
      if (older == 0 && newer == 1) {
        older = newer;
        continue;  // nothing is older
      }
      const Step* step = find_step(name, newer);
      ASSERT_NE(step, nullptr) << name << ' ' << newer;
      EXPECT_EQ(step->older, older) << name << ' ' << newer;
      EXPECT_NE(step->up, nullptr);
      EXPECT_NE(step->down, nullptr);
      EXPECT_EQ(step->up == &never, older == 0) << name << ": only an operator's first version is not reached from below";
      older = newer;
      ++steps;
    }
  }
  EXPECT_EQ(all_steps().size(), steps) << "steps.inc has rows that no operator takes";
  EXPECT_EQ(find_step("NoSuchOperator", 13), nullptr);
  EXPECT_EQ(find_step("Relu", 12), nullptr);
}

// Version 1 of GRU names its default 'foward'.
bool is_misprint(const Step& step, std::string_view attribute) {
  return step.op_type == "GRU" && step.newer == 3 && attribute == "direction";
}

// Where an adapter changes nothing, defaults that both versions have must agree, and nothing new may be required.
TEST(Steps, CallTheSameOnlyWhatIsTheSame) {
  size_t checked = 0;
  for (const Step& step : all_steps()) {
    if (step.older == 0 || (step.up != &same && step.down != &same)) continue;
    const auto older = schema::find("", step.op_type, step.older), newer = schema::find("", step.op_type, step.newer);
    ASSERT_TRUE(older && newer) << step.op_type;
    for (size_t i = 0; i < older->attribute_count(); ++i) {
      const schema::AttributeSchema before = older->attribute(i);
      const auto after = newer->find_attribute(before.name);
      if (!after || is_misprint(step, before.name)) continue;
      EXPECT_EQ(before.default_value, after->default_value) << step.op_type << ' ' << step.newer << ' ' << before.name;
      EXPECT_EQ(before.type, after->type) << step.op_type << ' ' << step.newer << ' ' << before.name;
      ++checked;
    }
    if (step.up != &same) continue;
    EXPECT_LE(newer->min_inputs(), older->min_inputs()) << step.op_type << ' ' << step.newer;
    for (size_t i = 0; i < newer->attribute_count(); ++i) {
      const schema::AttributeSchema after = newer->attribute(i);
      const auto before = older->find_attribute(after.name);
      EXPECT_FALSE(after.required && !(before && before->required)) << step.op_type << ' ' << step.newer << ' ' << after.name;
    }
  }
  EXPECT_GT(checked, 400U);
}

TEST(Names, ClashWithNothing) {
  model::Model model;
  model::Node node;
  node.input = {"x", "y_1"};
  node.output = {"y"};
  model.graph.node.push_back(node);
  Names names(model);
  std::set<std::string> made = {"x", "y", "y_1"};
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(made.insert(names.fresh("y")).second);
  EXPECT_EQ(names.fresh("z"), "z");
  EXPECT_EQ(names.fresh("z"), "z_1");
  EXPECT_FALSE(names.fresh("").empty());
}

}  // namespace
}  // namespace sardonyx::convert
