#include "optimize/functions.h"

#include "ops/elementwise/activation.h"
#include "optimize/product_cases.h"
#include "sardonyx/error.h"

namespace sardonyx::optimize {
namespace {

using testing::ElementsAre;

// What the function of the only node computes, its calls' attributes put in.
std::vector<Tensor> run_function(const model::Model& model, const Feeds& feeds) {
  const model::Node& call = model.graph.node.at(0);
  const model::Function& function = model.functions.at(0);
  std::map<std::string, Tensor> values = {{"", Tensor()}};
  const auto value_of = [&](const std::string& name) {
    if (const model::TensorData* data = model.graph.find_initializer(name)) return model::decode(*data);
    for (const auto& [feed, tensor] : feeds) {
      if (feed == name) return tensor;
    }
    return Tensor();
  };
  for (size_t i = 0; i < call.input.size(); ++i) values[function.input.at(i)] = value_of(call.input[i]);
  for (model::Node node : function.node) {
    for (model::Attribute& attribute : node.attribute) {
      if (attribute.ref_attr_name.empty()) continue;
      const model::Attribute* given = call.find_attribute(attribute.ref_attr_name);
      attribute = given ? *given : model::Attribute();
    }
    std::erase_if(node.attribute, [](const model::Attribute& a) { return a.name.empty(); });
    std::vector<Tensor> inputs;
    for (const std::string& input : node.input) inputs.push_back(values.at(input));
    values[node.output.at(0)] = ops::evaluate(node, function.opset_import.at(0).version, inputs).at(0);
  }
  return {values.at(function.output.at(0))};
}

void expect_function_agrees(const model::Model& before, const Feeds& feeds, float tolerance) {
  model::Model after = before;
  optimize(after, GraphOptimizationLevel::kAll);
  add_functions(after);
  ASSERT_EQ(after.functions.size(), 1U);
  EXPECT_EQ(after.functions[0].overload, after.graph.node.at(0).overload);
  EXPECT_GE(after.ir_version, 10);
  expect_equal(reference_outputs(after, feeds).at(0), run_function(after, feeds).at(0), tolerance);
  drop_functions_with_kernel(after);
  EXPECT_TRUE(after.functions.empty());
}

TEST(Functions, SayWhatProductsWithActivationsCompute) {
  using model::Attribute;
  for (const ProductCase& c : product_cases()) {
    for (const ops::ActivationRow& row : ops::activation_rows()) {
      for (const int64_t opset : {10, 12, 17}) {
        ModelBuilder builder = product_block(c, true, opset).import("ai.sardonyx", 1);
        model::Model model = builder.node("Identity", {"c"}, {"y"}).build();
        model::Node& product = model.graph.node[0];
        product.domain = "ai.sardonyx";
        product.op_type = c.fused_type;
        product.attribute.push_back(Attribute::of("activation", row.name));
        std::vector<float> params(row.params, 0.25f);
        if (params.size() > 1) params[1] = 0.5f;
        if (!params.empty()) product.attribute.push_back(Attribute::of("activation_params", params));
        expect_function_agrees(model, feeds_of(c), 1e-6f);
      }
    }
  }
}

TEST(Functions, ResidualsAndNormalization) {
  const auto residual = conv_block().input("z", {1, 4, 5, 5}).info("c", {1, 4, 5, 5}).node("Add", {"c", "z"}, {"y"}).build();
  expect_function_agrees(residual, {{"x", random_tensor({1, 3, 5, 5})}, {"z", random_tensor({1, 4, 5, 5}, 7)}}, 1e-6f);
  for (const int64_t opset : {10, 17}) {
    ModelBuilder norm(opset);
    norm.import("ai.sardonyx", 1).input("x", {2, 4, 3, 2}).output("y");
    norm.constant("s", random_tensor({4}, 3)).constant("b", random_tensor({4}, 4));
    norm.node("GroupNormalization", {"x", "s", "b"}, {"y"}, {model::Attribute::of("num_groups", 2)}, "ai.sardonyx");
    expect_function_agrees(norm.build(), {{"x", random_tensor({2, 4, 3, 2})}}, 1e-5f);
  }
}

TEST(Functions, CallsThatComputeTheSameShareOne) {
  const auto model = conv_block()
                         .constant("v", random_tensor({4, 4, 1, 1}, 8))
                         .node("Relu", {"c"}, {"r"})
                         .node("Conv", {"r", "v"}, {"d"})
                         .node("Relu", {"d"}, {"e"})
                         .node("Conv", {"e", "v", "b"}, {"f"})
                         .node("Relu", {"f"}, {"y"})
                         .build();
  model::Model after = model;
  optimize(after, GraphOptimizationLevel::kAll);
  add_functions(after);
  ASSERT_EQ(after.functions.size(), 2U);
  EXPECT_EQ(after.functions[0].overload, "bias_Relu");
  EXPECT_EQ(after.functions[1].overload, "Relu");
}

TEST(Functions, OperatorsThatStandardOnesCannotSay) {
  ModelBuilder builder;
  builder.import("ai.sardonyx", 1).input("x", {2}).output("y").node("SwapLast", {"x"}, {"y"}, {}, "ai.sardonyx");
  model::Model model = builder.build();
  try {
    add_functions(model);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
    EXPECT_THAT(error.what(), testing::HasSubstr("node 'node_y' (SwapLast)"));
  }
}

}  // namespace
}  // namespace sardonyx::optimize
