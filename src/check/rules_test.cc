// Each rule on a small model in text: the codes that must be found, in order.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "sardonyx/check.h"
#include "sardonyx/text.h"

namespace sardonyx {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

CheckReport report_on(std::string_view text, bool full = false) {
  return check_model(model::parse_text_model(text), {.max_problems = 100, .full = full, .limits = {}});
}

std::string codes(const CheckReport& report) {
  std::string list;
  for (const Problem& problem : report.problems) list += (list.empty() ? "" : " ") + std::string(problem.code);
  return list;
}

struct Case {
  std::string_view text;  // after the header
  std::string_view codes;
};

void expect_codes(std::string_view header, const std::vector<Case>& cases, bool full = false) {
  for (const Case& one : cases) {
    const CheckReport report = report_on(std::string(header) + std::string(one.text), full);
    EXPECT_EQ(codes(report), one.codes) << one.text << "\n" << to_string(report);
  }
}

constexpr std::string_view kHeader = "<ir_version: 8, opset_import: [\"\" : 17]>\n";

TEST(CheckRules, ValuesAndTheirTypes) {
  expect_codes(kHeader, {{"g (float[N] x) => (float[N] y) { y = Relu (x) }", ""},
                         {"g (float[N] x, float[N] x) => (float[N] y) { y = Relu (x) }", "value-redefined"},
                         {"g (float[N] x) => (float[N] y) <float[N] y, float[N] y> { y = Relu (x) }", "value-info"},
                         {"g (float[N] x) => (float[N] y) <float[N] other> { y = Relu (x) }", "value-info"},
                         {"g (float[-1] x) => (float[N] y) { y = Relu (x) }", "dim-negative"},
                         {"g (seq(float[N]) x) => (float[N] y) { y = ConcatFromSequence <axis = 0> (x) }", ""},
                         {"g (float x) => (float[N] y) { [a] y = Relu (x)\n [a] z = Neg (x) }", "node-name"},
                         {"g (float[N] x) => (x) { y = Relu (x) }", "type-missing"},
                         {"g (float[N] x) => (float[N] y) { y = Relu (q) }", "undefined-input"},
                         {"g (float[N] x) => (float[N] y) { a = Relu (b)\n b = Relu (a)\n y = Relu (b) }", "node-order"}});
}

TEST(CheckRules, DeclaredTypesMustBeWhole) {
  using model::Type;
  model::Model sound = model::parse_text_model(std::string(kHeader) + "g (float[N] x) => (float[N] y) { y = Relu (x) }");
  const auto with = [&](auto&& change) {
    model::Model changed = sound;
    change(changed.graph.input[0].type);
    return codes(check_model(changed));
  };
  EXPECT_EQ(with([](Type& type) { type.tensor()->has_shape = false; }), "shape-missing");
  EXPECT_EQ(with([](Type& type) { type.tensor()->elem_type = 0; }), "type-missing");
  EXPECT_EQ(with([](Type& type) { type.tensor()->elem_type = 99; }), "type-missing");
  EXPECT_EQ(with([](Type& type) { type.value = model::SequenceType(); }), "type-missing");
  EXPECT_EQ(with([](Type& type) { type.value = model::OptionalType(); }), "type-missing");
  EXPECT_EQ(with([](Type& type) { type.value = model::MapType(); }), "type-missing type-missing");
  EXPECT_EQ(with([](Type& type) { type.value = model::OpaqueType(); }), "");
  sound.graph.input[0].name = "x\xff";
  sound.graph.node[0].input[0] = "x\xff";
  EXPECT_EQ(codes(check_model(sound)), "invalid-utf8");
  EXPECT_THAT(to_json(check_model(sound)), HasSubstr("invalid-utf8"));
}

TEST(CheckRules, NodesAgainstTheirOperator) {
  expect_codes(kHeader,
               {{"g (float[N] x) => (float[N] y) { y = Clip (x, \"\", x) }", ""},
                {"g (float[N] x) => (float[N] y) { y = Add (x, \"\") }", "input-count"},
                {"g (float[N] x) => (float[N] y) { y, z = Relu (x) }", "output-count"},
                {"g (float[N] x) => (float[N] y) { \"\" = Relu (x)\n y = Neg (x) }", "output-count"},
                {"g (float[N] x) => (float[N] y) { y, a = BatchNormalization (x, x, x, x, x) }", "output-count"},
                {"g (float[N] x) => (float[N] y) { y = LayerNormalization <anything = 1> (x, x) }", ""},
                {"g (float[N] x) => (float[N] y) { y = Affine <alpha = 1.0> (x) }", "operator-experimental"},
                {"g (float[N] x) => (float[N] y) { y = Upsample (x, x) }", "operator-deprecated"},
                {"g (float[N] x) => (float[N] y) { y = custom.Op (x) }", "domain-not-imported"},
                {"g (float[N] x) => (float[N] y) { y = Relu <alpha: float = @beta> (x) }", "attribute-reference attribute-unknown"},
                {"g (float[N] x) => (float[N] y) { y = ai.onnx.Relu (x) }", "domain-not-imported"}});
}

TEST(CheckRules, WhatOnnxsCheckerDoesNotLookFor) {
  const auto severities = [](std::string_view text, bool full) {
    std::string list;
    for (const Problem& problem : report_on(text, full).problems) list += "ERW"[static_cast<size_t>(problem.severity)];
    return list;
  };
  const std::string header(kHeader),
      with_function = "<ir_version: 9, opset_import: [\"\" : 17, \"d\" : 1]>\ng (float[N] x) => (float[N] y) ";
  const std::string function = "\n<domain: \"d\", opset_import: [\"\" : 17]> F ";
  struct Expected {
    std::string text;
    std::string_view plain, full;
  };
  const std::vector<Expected> cases = {
      {header + "g (float[2] x) => (float[2] y) { y = LeakyRelu <alpha: float = @k> (x) }", "R", "R"},
      {header + "g (float[2] x) => (float[2] y) { y = Cast <to: int = @k> (x) }", "R", "RE"},
      {header + "g (float[2] x) => (float[2] y) { y = Max (x, \"\") }", "R", "R"},
      {header + "g (float[2] x) => (float[2] y) { y = Add (x, \"\") }", "E", "E"},
      {with_function + "{ y = d.F (x, x) }" + function + "(a) => (b) { b = Relu (a) }", "R", "R"},
      {with_function + "{ y = d.F (x) }" + function + "(a) => (c) { b = Relu (a) }", "R", "R"},
      {with_function + "{ z = d.F (x)\n y = Relu (z) }" + function + "(a) => (c) { b = Relu (a) }", "R", "RE"},
      {header + "g (float[3] x) => (float[3] y) %{sparse_initializer: [{values: float[1] s {1}, indices: int64[1] {0}, dims: [3]}]} "
                "{ y = Add (x, s) }",
       "", "E"},
      {header + "g (float[2] x, float[2] z) => (float[2] y, float[3] z) { y = Relu (x) }", "", "W"},
      {header + "g (float[2] x) => (float[2] y, float[3] x) { y = Relu (x) }", "", "WE"},
      {"<ir_version: 8, opset_import: [\"\" : 7]>\ng () => (int64[1] y) { y = Constant <value = int64[1] {1}> () }", "", "E"},
  };
  for (const Expected& one : cases) {
    EXPECT_EQ(severities(one.text, false), one.plain) << one.text;
    EXPECT_EQ(severities(one.text, true), one.full) << one.text << "\n" << to_string(report_on(one.text, true));
  }
}

TEST(CheckRules, ElementTypesThatDoNotExist) {
  model::Model model = model::parse_text_model(std::string(kHeader) + "g (float[N] x, float[N] z) => (float[N] y) { y = Relu (x) }");
  const auto severity = [&](model::ValueInfo& value, int32_t element, bool full) {
    const model::Type before = value.type;
    value.type.tensor()->elem_type = element;
    value.type.tensor()->presence.set(1);  // written out
    const CheckReport report = check_model(model, {.max_problems = 100, .full = full, .limits = {}});
    value.type = before;
    EXPECT_EQ(codes(report), "type-missing") << to_string(report);
    return report.problems.at(0).severity;
  };
  model::Graph& graph = model.graph;
  for (const int32_t element : {0, 77}) {
    EXPECT_EQ(severity(graph.input[0], element, false), Severity::kUnrunnable);
    EXPECT_EQ(severity(graph.input[0], element, true), Severity::kError);
    EXPECT_EQ(severity(graph.input[1], element, true), Severity::kUnrunnable) << "no node uses it";
    EXPECT_EQ(severity(graph.output[0], element, false), Severity::kWarning);
  }
  EXPECT_EQ(severity(graph.output[0], 0, true), Severity::kWarning);
  EXPECT_EQ(severity(graph.output[0], 77, true), Severity::kError);
}

TEST(CheckRules, Subgraphs) {
  const std::string_view kEnd = ", else_branch = e () => (float[N] z2) { z2 = Abs (x) }> }";
  const auto branch = [&](std::string_view text) {
    return std::string(kHeader) + "g (float[N] x, bool c) => (float[N] y) { h = Neg (x)\n y = If (c) <then_branch = " + std::string(text) +
           std::string(kEnd);
  };
  EXPECT_EQ(codes(report_on(branch("t () => (float[N] z) { z = Relu (h) }"))), "");
  EXPECT_EQ(codes(report_on(branch("t () => (float[N] h) { z = Relu (h) }"))), "output-undefined");
  EXPECT_EQ(codes(report_on(branch("t () => (float[N] z) { h = Relu (x)\n z = Relu (h) }"))), "value-redefined");
  EXPECT_EQ(codes(report_on(branch("t () => (float[N] z) { z = Relu (z2) }"))), "undefined-input");
  const CheckReport outer = report_on(branch("t () => (float[N] h) { z = Relu (h) }"));
  EXPECT_EQ(outer.problems[0].where, "graph 'g' / node with output 'y' (If) / then_branch");
  EXPECT_THAT(outer.problems[0].chain, ElementsAre("input 'x'", "node with output 'h' (Neg) makes 'h'"));
}

TEST(CheckRules, Functions) {
  const std::string_view header = "<ir_version: 9, opset_import: [\"\" : 17, \"d\" : 1]>\ng (float[N] x) => (float[N] y) { y = d.F ";
  const std::string_view own = "(x) }\n<domain: \"d\", opset_import: [\"\" : 17]> F ";
  expect_codes(std::string(header) + std::string(own),
               {{"(a) => (b) { b = Relu (a) }", ""},
                {"(a, a) => (b) { b = Relu (a) }", "input-count value-redefined"},
                {"(a) => (b, b) { b = Relu (a) }", "function-parameter"},
                {"<k, k> (a) => (b) { b = Relu (a) }", "function-argument function-argument function-parameter"},
                {"(a, d) => (b) { b = Clip (a, d) }", ""},
                {"(a, d) => (b) { b = Add (a, d) }", "input-count"},
                {"(a, d) => (b) { c = Constant <value_int = 1> ()\n k = Cast <to = 9> (c)\n b = If (k) "
                 "<then_branch = t () => (z) { z = Neg (d) }, else_branch = e () => (z2) { z2 = Abs (a) }> }",
                 "input-count"},
                {"(a, d) => (b) { b = Concat <axis = 0> (a, d) }", "input-count"},
                {"(a) => (c) { b = Relu (a) }", "output-undefined"},
                {"(a) => (b) { b = Relu (x) }", "undefined-input"},
                {"(a) => (b) { b = Relu (c)\n c = Relu (a) }", "node-order"},
                {"(a) => (b) { b = LeakyRelu <alpha: float = @k> (a) }", "attribute-unbound"},
                {"<k: float = 1.0> (a) => (b) { b = LeakyRelu <alpha: float = @k> (a) }", ""},
                {"(a) => (b) { b = d.F (a) }", "domain-not-imported function-recursive"},
                {"() => (b) { b = Constant <value_int = 1> () }", "input-count"}});
  expect_codes(std::string(header) + "(x) }\n",
               {{"<domain: \"d\", opset_import: [\"\" : 18]> F (a) => (b) { b = Relu (a) }", ""},
                {"<domain: \"d\", opset_import: [\"\" : 18]> F (a) => (b) { b = ReduceMax (a) }", "function-opset"},
                {"<domain: \"d\"> F (a) => (b) { b = Relu (a) }", "domain-not-imported"},
                {"<domain: \"e\", opset_import: [\"\" : 17]> G (a) => (b) { b = Relu (a) }", "function-unused"}});
}

TEST(CheckRules, FunctionsThatCallEachOther) {
  const CheckReport report = report_on(
      "<ir_version: 9, opset_import: [\"\" : 17, \"d\" : 1]>\ng (float[N] x) => (float[N] y) { y = d.F (x) }\n"
      "<domain: \"d\", opset_import: [\"d\" : 1]> F (a) => (b) { b = d.G (a) }\n"
      "<domain: \"d\", opset_import: [\"d\" : 1]> G (a) => (b) { b = d.F (a) }",
      true);
  ASSERT_EQ(codes(report), "function-recursive");
  EXPECT_THAT(report.problems[0].message, HasSubstr("'d.F' -> 'd.G' -> 'd.F'"));
}

TEST(CheckRules, SparseTensors) {
  const auto sparse = [](std::string_view parts) {
    return std::string(kHeader) + "g (float[3] x) => (float[3] y) %{sparse_initializer: [{" + std::string(parts) + "}]} { y = Relu (x) }";
  };
  const std::vector<Case> cases = {
      {"values: float[2] s {1, 2}, indices: int64[2] {0, 2}, dims: [3]", ""},
      {"values: float[2] s {1, 2}, indices: int64[2,2] {0, 1, 2, 0}, dims: [3, 2]", ""},
      {"values: float[2] s {1, 2}, indices: int64[2] {2, 0}, dims: [3]", "tensor-sparse"},
      {"values: float[2] s {1, 2}, indices: int64[2] {0, 3}, dims: [3]", "tensor-sparse"},
      {"values: float[2] s {1, 2}, indices: int64[2] {0, -1}, dims: [3]", "tensor-sparse"},
      {"values: float[2] s {1, 2}, indices: int64[2,2] {0, 1, 0, 1}, dims: [3, 2]", "tensor-sparse"},
      {"values: float[2] s {1, 2}, indices: int64[2,3] {0, 1, 0, 1, 1, 1}, dims: [3, 2]", "tensor-sparse"},
      {"values: float[2] s {1, 2}, indices: int32[2] {0, 1}, dims: [3]", "tensor-sparse"},
      {"values: float[2] s {1, 2}, indices: int64[2] {0, 1}, dims: [0]", "tensor-sparse"},
      {"values: float[2] s {1, 2}, indices: int64[2] {0, 1}, dims: [4611686018427387904, 4]", "too-large"},
      {"values: float[2] s {1, 2}, indices: int64[2] {0, 1}", "tensor-sparse"},
      {"values: float[2] s {1, 2}, dims: [3]", "tensor-sparse"},
      {"values: float[2,1] s {1, 2}, indices: int64[2] {0, 1}, dims: [3]", "tensor-sparse"},
      {"indices: int64[2] {0, 1}, dims: [3]", "initializer-name tensor-sparse"},
  };
  for (const Case& one : cases) EXPECT_EQ(codes(report_on(sparse(one.text))), one.codes) << one.text;
}

TEST(CheckRules, AnnotationsAndDevices) {
  expect_codes(
      kHeader,
      {{"g (float[3] x) => (float[3] y) %{quantization_annotation: [{tensor_name: \"q\"}]} { y = Relu (x) }", "annotation-undefined"},
       {"g (float[3] x) => (float[3] y) %{quantization_annotation: [{tensor_name: \"x\"}]} { y = Relu (x) }", ""},
       {"g (float[3] x) => (float[3] y) { y = Relu (x) %{device_configurations: [{configuration_id: \"c\"}]} }", "device-configuration"}});
}

TEST(CheckRules, Training) {
  const auto value = [](std::string name) {
    model::ValueInfo info;
    info.name = std::move(name);
    info.type = model::Type::of_tensor(DType::kFloat32, {1});
    return info;
  };
  model::Model model =
      model::parse_text_model(std::string(kHeader) + "g (float[1] x) => (float[1] y) <float[1] w = {1}> { y = Mul (x, w) }");
  model::TrainingInfo& training = model.training_info.emplace_back();
  training.has_algorithm = true;
  training.algorithm.name = "step";
  training.algorithm.output = {value("w2")};
  training.algorithm.node = {model::parse_text_node("w2 = Sub (w, y)")};
  model::StringPair& binding = training.update_binding.emplace_back();
  binding.key = "w";
  binding.value = "w2";
  EXPECT_EQ(codes(check_model(model)), "");
  binding.key = "v";
  EXPECT_EQ(codes(check_model(model)), "training-binding");
  binding.value = "v";
  training.update_binding.push_back(binding);
  EXPECT_EQ(codes(check_model(model)), "training-binding training-binding training-binding training-binding training-binding");
  training.update_binding.clear();
  training.algorithm.node[0].input[0] = "nowhere";
  EXPECT_EQ(check_model(model).problems.at(0).where, "training_info 0 / algorithm / graph 'step' / node with output 'w2' (Sub)");
}

TEST(CheckRules, AttributesWithoutTypeOrWithSeveralValues) {
  model::Model model = model::parse_text_model(std::string(kHeader) + "g (float[N] x) => (float[N] y) { y = LeakyRelu <alpha = 0.5> (x) }");
  model::Attribute& attribute = model.graph.node[0].attribute[0];
  const model::Attribute sound = attribute;
  attribute.presence.set(model::Attribute::kTypeLeftOut);
  EXPECT_EQ(codes(check_model(model)), "attribute-type attribute-type");
  attribute = sound;
  attribute.presence.set(3);  // i is there, and 0
  EXPECT_EQ(codes(check_model(model)), "attribute-value");
  attribute = sound;
  attribute.type = model::Attribute::Type::kGraph;
  EXPECT_EQ(codes(check_model(model)), "attribute-value attribute-type");
  attribute.f = 0;
  EXPECT_EQ(codes(check_model(model)), "attribute-value attribute-type");
}

TEST(CheckRules, WithInferenceTypesAndShapesMustFit) {
  expect_codes(
      kHeader,
      {{"g (float[N] x) => (float[N] y) { y = Relu (x) }", ""},
       {"g (float[2] x) => (int64[2] y) { y = Relu (x) }", "type-mismatch"},
       {"g (float[2] x) => (float[3] y) { y = Relu (x) }", "shape-mismatch"},
       {"g (float[2,3] x) => (float[2,5] y) <float[4,5] w> { w = Relu (x)\n y = MatMul (x, w) }", "shape-mismatch inference"},
       {"g (float[2] x, float[2] w) => (float[2] y) <float[3] w = {1, 2, 3}> { y = Add (x, w) }", "initializer-mismatch inference"},
       {"g (float[2] x, int64[2] i) => (float[2] y) { a = Neg (x)\n y = Add (a, i) }", "type-mismatch"}},
      true);
  const CheckReport report =
      report_on(std::string(kHeader) + "g (float[2] x, int64[2] i) => (float[2] y) { a = Neg (x)\n y = Add (a, i) }", true);
  EXPECT_EQ(report.problems[0].where, "graph 'g' / node with output 'y' (Add)");
  EXPECT_THAT(report.problems[0].chain,
              ElementsAre("input 'x'", "node with output 'a' (Neg) makes 'a'", "node with output 'y' (Add) makes 'y'"));
}

TEST(CheckRules, WhatStandsWrongIsNotInferred) {
  expect_codes(kHeader, {{"g (float[2] x) => (float[2] y) { y = Transpose <perm = 1.0> (x) }", "attribute-type"}}, true);
}

TEST(CheckRules, ProblemsTellExpectedFoundAndChain) {
  const CheckReport report =
      report_on(std::string(kHeader) + "g (float[2] x) => (float[2] y) { a = Neg (x)\n x = Abs (a)\n y = Relu <alpha = 1> (x) }");
  ASSERT_EQ(codes(report), "value-redefined attribute-unknown");
  EXPECT_THAT(report.problems[0].chain, ElementsAre("input 'x'"));
  const CheckReport type = report_on(std::string(kHeader) + "g (float[2] x) => (float[2] y) { y = LeakyRelu <alpha = 1> (x) }");
  ASSERT_EQ(codes(type), "attribute-type");
  EXPECT_EQ(type.problems[0].expected, "FLOAT");
  EXPECT_EQ(type.problems[0].found, "INT");
  EXPECT_THAT(to_json(type), HasSubstr("\"expected\": \"FLOAT\""));
  EXPECT_THAT(to_string(report), HasSubstr("    chain: input 'x'\n"));
}

}  // namespace
}  // namespace sardonyx
