// Models that mean harm: huge, deep, cut short, or with names that no report should hold.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>
#include <random>
#include <string>
#include <vector>

#include "sardonyx/check.h"
#include "sardonyx/error.h"
#include "sardonyx/text.h"

namespace sardonyx {
namespace {

using model::Graph;
using model::Model;
using testing::Contains;
using testing::Each;
using testing::Field;
using testing::HasSubstr;
using testing::SizeIs;

constexpr CheckOptions kFull{.max_problems = 1000, .full = true, .limits = {}};

Model parse(std::string_view graph) { return model::parse_text_model("<ir_version: 8, opset_import: [\"\" : 17]>\n" + std::string(graph)); }

// x -> v0 -> v1 -> ... -> y
Model chain(size_t nodes) {
  Model model = parse("g (float[N] x) => (float[N] y) { y = Relu (x) }");
  const model::Node relu = model.graph.node[0];
  model.graph.node.assign(nodes, relu);
  for (size_t i = 0; i < nodes; ++i) {
    if (i > 0) model.graph.node[i].input[0] = "v" + std::to_string(i - 1);
    if (i + 1 < nodes) model.graph.node[i].output[0] = "v" + std::to_string(i);
  }
  return model;
}

// Of this process, whatever else runs.
double seconds(const Model& model, const CheckOptions& options) {
  const std::clock_t begin = std::clock();
  check_model(model, options);
  return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
}

std::vector<std::string_view> codes(const CheckReport& report) {
  std::vector<std::string_view> found;
  for (const Problem& problem : report.problems) found.push_back(problem.code);
  return found;
}

TEST(CheckHostile, TimeIsLinearInTheNodes) {
  const Model small = chain(20'000), large = chain(200'000);
  EXPECT_TRUE(check_model(large).valid());
  const double first = std::min(seconds(small, {}), seconds(small, {}));
  EXPECT_LT(seconds(large, {}), 60 * first + 0.5);
}

TEST(CheckHostile, ManyNodesThatAreAllWrong) {
  Model model = chain(200'000);
  for (model::Node& node : model.graph.node) node.input[0] = "vv";
  const CheckReport report = check_model(model);
  EXPECT_EQ(report.errors, 200'000u);
  EXPECT_THAT(report.problems, SizeIs(1000));
}

TEST(CheckHostile, ManyFunctionsImportsAndAttributes) {
  Model model = chain(30'000);
  model.opset_import.emplace_back(model.opset_import[0]).domain = "d";
  for (size_t i = 0; i < 30'000; ++i) {
    model::Function& function = model.functions.emplace_back();
    function.domain = "d";
    function.name = "F" + std::to_string(i);
    function.input = function.output = {"a"};
    model::OpsetId& import = model.opset_import.emplace_back();
    import.domain = "e" + std::to_string(i);
    import.version = 1;
    model.graph.node[i].domain = "d";
    model.graph.node[i].op_type = "F" + std::to_string(i);
    function.attribute.push_back("a" + std::to_string(i));
    model.graph.node[0].attribute.push_back(model::Attribute::of("a" + std::to_string(i), 1));
  }
  const CheckReport report = check_model(model, {.max_problems = 3, .full = false, .limits = {}});
  EXPECT_TRUE(report.valid()) << to_string(report);
}

TEST(CheckHostile, ACircleOfAHundredThousandFunctions) {
  Model model = parse("g (float[N] x) => (float[N] y) { y = Relu (x) }");
  constexpr size_t kCount = 100'000;
  for (size_t i = 0; i < kCount; ++i) {
    model::Function& function = model.functions.emplace_back();
    function.domain = "d";
    function.name = "F" + std::to_string(i);
    model::Node& call = function.node.emplace_back();
    call.domain = "d";
    call.op_type = "F" + std::to_string((i + 1) % kCount);
    call.output = {"o"};
  }
  EXPECT_GT(check_model(model, {.max_problems = 1'000'000, .full = true, .limits = {}}).errors, kCount);
}

Graph nested(int depth) {
  Graph graph = parse("b () => (float[1] z) { z = Constant <value_float = 1.0> () }").graph;
  for (int i = 0; i < depth; ++i) {
    Graph outer = parse("b () => (float[1] z) { z = If (c) }").graph;
    outer.node[0].attribute = {model::Attribute::of("then_branch", graph), model::Attribute::of("else_branch", Graph())};
    graph = std::move(outer);
  }
  return graph;
}

TEST(CheckHostile, DeepSubgraphs) {
  Model model = parse("g () => (float[1] z) { z = Relu (q) }");
  model.graph = nested(100);
  check_model(model, kFull);
  model.graph = nested(300);
  EXPECT_THAT(codes(check_model(model, kFull)), Contains("depth"));
}

TEST(CheckHostile, ReportsStaySmallWhateverTheNames) {
  Model model = chain(2000);
  const std::string huge(1 << 20, 'n');
  model.graph.name = huge;
  for (model::Node& node : model.graph.node) node.input[0] = "\x1b[2J\n";
  model.graph.node[0].output[0] = huge;
  model.graph.output[0].name = huge + huge;
  const std::string text = to_string(check_model(model));
  EXPECT_LT(text.size(), 4u << 20);
  EXPECT_THAT(text, HasSubstr("\\x1b[2J\\x0a"));
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

TEST(CheckHostile, OverflowingDims) {
  Model model = parse("g (float[N] x) => (float[N] y) <float[1] w = {1}> { y = Add (x, w) }");
  for (const std::vector<int64_t>& dims : std::vector<std::vector<int64_t>>{
           {INT64_MAX, INT64_MAX}, {int64_t{1} << 62, 4}, {INT64_MIN}, {-1, 0}, std::vector<int64_t>(100'000, 3)}) {
    model.graph.initializer[0].dims = dims;
    const CheckReport report = check_model(model, kFull);
    EXPECT_FALSE(report.valid());
    EXPECT_THAT(report.problems, Each(Field(&Problem::message, SizeIs(testing::Lt(2000u)))));
  }
}

TEST(CheckHostile, CycleOfNodesGivesABoundedChain) {
  Model model = chain(50);
  model.graph.node[0].input[0] = "v40";
  const CheckReport report = check_model(model, kFull);
  ASSERT_THAT(codes(report), Contains("node-order"));
  EXPECT_THAT(report.problems[0].chain, SizeIs(9));
  EXPECT_EQ(report.problems[0].chain[0], "...");
}

TEST(CheckHostile, CutAndMutatedBytesGiveAnErrorOrAReport) {
  const std::string bytes = serialize(parse(
      "g (float[2] x, bool c) => (float[2] y) <float[2] w = {1, 2}> { h = Conv <pads = [1, 1]> (x, w)\n"
      " y = If (c) <then_branch = t () => (float[2] z) { z = Relu (h) }, else_branch = e () => (float[2] z) { z = Cast <to = 1> (h) }> }"));
  std::mt19937 random(7);
  size_t reports = 0;
  for (int i = 0; i < 4000; ++i) {
    std::string damaged = bytes;
    if (i % 4 == 0) damaged.resize(random() % bytes.size());
    for (int k = 0; k < 3 && !damaged.empty(); ++k) damaged[random() % damaged.size()] = static_cast<char>(random());
    try {
      const CheckReport report = check_model(model::parse_model(damaged, nullptr, {.limits = {}, .external_data = false}), kFull);
      EXPECT_FALSE(to_string(report).empty());
      EXPECT_FALSE(to_json(report).empty());
      ++reports;
    } catch (const Error& error) {
      EXPECT_NE(error.code(), ErrorCode::kInternal) << error.what();
    }
  }
  EXPECT_GT(reports, 100u);
}

}  // namespace
}  // namespace sardonyx
