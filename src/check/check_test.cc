#include "sardonyx/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace sardonyx {
namespace {

using model::Attribute;
using model::Graph;
using model::Model;
using model::Node;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

Node make_node(std::string op_type, std::vector<std::string> input, std::vector<std::string> output,
               std::vector<Attribute> attribute = {}) {
  Node node;
  node.op_type = std::move(op_type);
  node.input = std::move(input);
  node.output = std::move(output);
  node.attribute = std::move(attribute);
  return node;
}

model::ValueInfo value(std::string name) {
  model::ValueInfo info;
  info.name = std::move(name);
  info.type = model::Type::of_tensor(DType::kFloat32, {"n", 4});
  return info;
}

Graph make_graph(std::vector<Node> nodes) {
  Graph graph;
  graph.name = "main";
  graph.input = {value("x")};
  graph.output = {value("y")};
  graph.node = std::move(nodes);
  return graph;
}

Model make_model(std::vector<Node> nodes, int64_t opset = 17) {
  Model model;
  model.ir_version = 8;
  model.opset_import.emplace_back().version = opset;
  model.has_graph = true;
  model.graph = make_graph(std::move(nodes));
  return model;
}

std::vector<std::string> codes(const Model& model) {
  std::vector<std::string> found;
  for (const Problem& problem : check_model(model).problems) found.emplace_back(problem.code);
  return found;
}

TEST(Check, ASoundModelIsValid) {
  const CheckReport report = check_model(make_model({make_node("Relu", {"x"}, {"y"})}));
  EXPECT_TRUE(report.valid()) << to_string(report);
  EXPECT_EQ(to_string(report), "valid: 0 errors, 0 warnings\n");
}

TEST(Check, WhatCannotBeRunIsValidAllTheSame) {
  Model model = make_model({make_node("Add", {"x", "w"}, {"y"})});
  model::TensorData w;
  w.name = "w";
  w.data_type = 1;
  w.dims = {4};
  w.float_data = {1, 2, 3};
  model.graph.initializer = {w};
  const CheckReport report = check_model(model);
  EXPECT_TRUE(report.valid());
  EXPECT_FALSE(report.runnable());
  EXPECT_EQ(report.unrunnable, 1u);
  ASSERT_THAT(codes(model), ElementsAre("tensor-data"));
  EXPECT_EQ(report.problems[0].severity, Severity::kUnrunnable);
  EXPECT_THAT(to_string(report), testing::EndsWith("valid, but cannot be run: 0 errors, 1 unrunnable, 0 warnings\n"));
  EXPECT_THAT(to_string(report), testing::StartsWith("unrunnable[tensor-data]: "));
  EXPECT_THAT(to_json(report), HasSubstr("\"valid\": true,\n  \"runnable\": false,\n  \"errors\": 0,\n  \"unrunnable\": 1"));
  model.graph.node.push_back(make_node("Relu", {"nothing"}, {"z"}));
  EXPECT_THAT(to_string(check_model(model)), testing::EndsWith("invalid: 1 error, 1 unrunnable, 0 warnings\n"));
}

TEST(Check, ReportsAllProblemsAtOnce) {
  Model model = make_model({make_node("Relu", {"q"}, {"a"}), make_node("Rleu", {"a"}, {"b"}), make_node("Gelu", {"b"}, {"y"})});
  model.ir_version = 99;
  EXPECT_THAT(codes(model), UnorderedElementsAre("ir-version", "undefined-input", "operator-unknown", "operator-unknown"));
}

TEST(Check, TellsWhereWhatAndTheCure) {
  const CheckReport report = check_model(make_model({make_node("Gelu", {"x"}, {"y"})}));
  ASSERT_EQ(report.problems.size(), 1u);
  EXPECT_EQ(report.problems[0].where, "graph 'main' / node with output 'y' (Gelu)");
  EXPECT_EQ(report.problems[0].message, "Gelu came with ai.onnx 20, the model imports 17");
  EXPECT_EQ(report.problems[0].cure, "import ai.onnx 20 or later");
  EXPECT_THAT(to_json(report), HasSubstr("\"code\": \"operator-unknown\""));
}

TEST(Check, Versions) {
  Model model = make_model({make_node("Relu", {"x"}, {"y"})});
  model.opset_import.clear();
  EXPECT_THAT(codes(model), ElementsAre("opset-missing", "domain-not-imported"));
  model = make_model({make_node("Relu", {"x"}, {"y"})}, 400);
  EXPECT_THAT(codes(model), ElementsAre("opset-version"));
  EXPECT_TRUE(check_model(model).runnable()) << "operators of later versions are taken as they are in the latest that is known";
  model.opset_import = {model.opset_import[0], model.opset_import[0]};
  EXPECT_THAT(codes(model), ElementsAre("opset-version", "opset-duplicate"));
  EXPECT_TRUE(check_model(model).runnable()) << "both are the same";
  model.opset_import[1].version = 17;
  EXPECT_FALSE(check_model(model).valid()) << "which of them counts?";
  model.opset_import = {model.opset_import[1]};
  model.opset_import[0].domain = "ai.onnx";
  EXPECT_THAT(codes(model), ElementsAre("domain-not-imported"));
  model.graph.node[0].domain = "ai.onnx";
  EXPECT_THAT(codes(model), ElementsAre("domain-not-imported"));
  model.opset_import[0].domain = "";
  model.opset_import[0].version = 0;
  model.graph.node[0].domain = "";
  EXPECT_THAT(codes(model), ElementsAre("opset-version", "operator-unknown"));
  model = make_model({make_node("Relu", {"x"}, {"y"}, {Attribute::of("consumed_inputs", std::vector<int64_t>{0})})});
  model.ir_version = 2;
  model.opset_import.clear();
  EXPECT_THAT(codes(model), IsEmpty());
  model.ir_version = 0;
  EXPECT_THAT(codes(model), ElementsAre("ir-version"));
  model.has_graph = false;
  EXPECT_THAT(codes(model), ElementsAre("ir-version", "graph-missing"));
}

TEST(Check, ValuesAreAssignedOnceAndBeforeUse) {
  EXPECT_THAT(codes(make_model({make_node("Relu", {"x"}, {"x"}), make_node("Relu", {"x"}, {"y"})})), ElementsAre("value-redefined"));
  EXPECT_THAT(codes(make_model({make_node("Relu", {"a"}, {"y"}), make_node("Relu", {"x"}, {"a"})})), ElementsAre("node-order"));
  EXPECT_THAT(codes(make_model({make_node("Add", {"x", "y"}, {"y"})})), ElementsAre("node-order"));
  EXPECT_THAT(codes(make_model({make_node("Relu", {"x"}, {"z"})})), ElementsAre("output-undefined"));
  const CheckReport report = check_model(make_model({make_node("Relu", {"inputt"}, {"y"})}));
  EXPECT_THAT(report.problems[0].message, HasSubstr("'inputt' is defined by nothing"));
}

TEST(Check, Attributes) {
  const auto conv = [](std::vector<Attribute> attributes) {
    return make_model({make_node("Conv", {"x", "x"}, {"y"}, std::move(attributes))});
  };
  EXPECT_THAT(codes(conv({Attribute::of("group", 1)})), IsEmpty());
  EXPECT_THAT(codes(conv({Attribute::of("group", 1.0f)})), ElementsAre("attribute-type"));
  EXPECT_THAT(codes(conv({Attribute::of("groups", 1)})), ElementsAre("attribute-unknown"));
  EXPECT_THAT(codes(conv({Attribute::of("group", 1), Attribute::of("group", 1)})), ElementsAre("attribute-duplicate"));
  EXPECT_THAT(codes(make_model({make_node("DepthToSpace", {"x"}, {"y"})})), ElementsAre("attribute-missing"));
  Attribute both = Attribute::of("group", 1);
  both.floats = {1};
  EXPECT_THAT(codes(conv({both})), ElementsAre("attribute-value"));
  Attribute reference = Attribute::of("group", 0);
  reference.ref_attr_name = "g";
  EXPECT_THAT(codes(conv({reference})), ElementsAre("attribute-reference"));
}

TEST(Check, Counts) {
  EXPECT_THAT(codes(make_model({make_node("Relu", {"x", "x"}, {"y"})})), ElementsAre("input-count"));
  EXPECT_THAT(codes(make_model({make_node("Relu", {"x"}, {"y", "z"})})), ElementsAre("output-count"));
  EXPECT_THAT(codes(make_model({make_node("Add", {"x", ""}, {"y"})})), ElementsAre("input-count"));
  EXPECT_THAT(codes(make_model({make_node("Clip", {"x", "", "x"}, {"y"})})), IsEmpty());
  EXPECT_THAT(codes(make_model({make_node("Relu", {"x"}, {"y"}), make_node("Relu", {}, {})})),
              ElementsAre("node-empty", "input-count", "output-count"));
}

TEST(Check, Initializers) {
  Model model = make_model({make_node("Add", {"x", "w"}, {"y"})});
  model::TensorData w;
  w.name = "w";
  w.data_type = 1;
  w.dims = {2};
  w.float_data = {1, 2};
  model.graph.initializer = {w};
  EXPECT_THAT(codes(model), IsEmpty());
  model.ir_version = 3;
  EXPECT_THAT(codes(model), ElementsAre("initializer-not-input"));
  model.ir_version = 8;
  model.graph.initializer = {w, w};
  EXPECT_THAT(codes(model), ElementsAre("initializer-duplicate"));
  const auto broken = [&](auto&& change) {
    model::TensorData tensor = w;
    change(tensor);
    model.graph.initializer = {tensor};
    return codes(model);
  };
  EXPECT_THAT(broken([](auto& t) { t.dims = {3}; }), ElementsAre("tensor-data"));
  EXPECT_THAT(broken([](auto& t) { t.dims = {-2}; }), ElementsAre("tensor-data"));
  EXPECT_THAT(broken([](auto& t) { t.dims = {int64_t{1} << 40, int64_t{1} << 40}; }), ElementsAre("too-large"));
  EXPECT_THAT(broken([](auto& t) { t.data_type = 77; }), ElementsAre("tensor-type"));
  EXPECT_THAT(broken([](auto& t) { t.data_type = 7; }), ElementsAre("tensor-data"));
  EXPECT_THAT(broken([](auto& t) { t.raw_data = model::Bytes::copy_of("12345678"); }), ElementsAre("tensor-data"));
  EXPECT_THAT(broken([](auto& t) { t.data_location = model::TensorData::Location::kExternal; }),
              ElementsAre("tensor-data", "tensor-external"));
}

TEST(Check, SubgraphsSeeOuterValues) {
  Graph branch = make_graph({make_node("Relu", {"x"}, {"inner"})});
  branch.name = "branch";
  branch.input.clear();
  branch.output = {value("inner")};
  Graph broken = branch;
  broken.node[0].input = {"nowhere"};
  broken.node[0].output = {"other"};
  broken.output = {value("other")};
  const Model model =
      make_model({make_node("If", {"x"}, {"y"}, {Attribute::of("then_branch", branch), Attribute::of("else_branch", broken)})});
  const CheckReport report = check_model(model);
  ASSERT_EQ(report.problems.size(), 1u);
  EXPECT_EQ(report.problems[0].where, "graph 'main' / node with output 'y' (If) / else_branch / node with output 'other' (Relu)");
}

TEST(Check, Functions) {
  Model model = make_model({});
  Node call = make_node("F", {"x"}, {"y"});
  call.domain = "mine";
  model.graph.node = {call};
  model.opset_import.emplace_back().domain = "mine";
  model.opset_import.back().version = 1;
  model::Function function;
  function.name = "F";
  function.domain = "mine";
  function.input = {"a"};
  function.output = {"b"};
  function.opset_import = model.opset_import;
  function.node = {make_node("Relu", {"a"}, {"b"})};
  model.functions = {function};
  EXPECT_THAT(codes(model), IsEmpty());
  Node self = call;
  self.input = {"a"};
  self.output = {"b"};
  model.functions[0].node = {self};
  EXPECT_THAT(codes(model), ElementsAre("function-recursive"));
  model.functions = {function, function};
  EXPECT_THAT(codes(model), ElementsAre("function-duplicate", "function-unused"));
}

TEST(Check, DeepSubgraphsAreALimitNotACrash) {
  Graph graph = make_graph({make_node("Relu", {"x"}, {"y"})});
  for (int i = 0; i < 400; ++i) {
    Graph outer = make_graph({make_node("Loop", {"", ""}, {"l" + std::to_string(i)}, {Attribute::of("body", std::move(graph))})});
    outer.input.clear();
    outer.output.clear();
    graph = std::move(outer);
  }
  Model model = make_model({});
  model.graph = std::move(graph);
  EXPECT_THAT(codes(model), testing::Contains("depth"));
}

TEST(Check, ManyProblemsAreCountedNotKept) {
  std::vector<Node> nodes;
  for (int i = 0; i < 5000; ++i) nodes.push_back(make_node("Relu", {"nothing"}, {"v" + std::to_string(i)}));
  nodes.push_back(make_node("Relu", {"x"}, {"y"}));
  const CheckReport report = check_model(make_model(std::move(nodes)));
  EXPECT_EQ(report.errors, 5000u);
  EXPECT_EQ(report.problems.size(), 1000u);
  EXPECT_THAT(to_string(report), HasSubstr("... and 4000 more"));
}

TEST(Check, EveryCodeIsDocumented) {
  std::ifstream file(SARDONYX_SOURCE_DIR "/docs/checks.md");
  std::stringstream text;
  text << file.rdbuf();
  std::string_view previous;
  for (const CheckCode& code : check_codes()) {
    EXPECT_THAT(text.str(), HasSubstr("`" + std::string(code.code) + "`"));
    EXPECT_LT(previous, code.code);
    previous = code.code;
  }
}

}  // namespace
}  // namespace sardonyx
