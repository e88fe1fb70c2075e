// Custom operators from end to end: session, inference, checker.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sardonyx/check.h"
#include "sardonyx/custom_op.h"
#include "sardonyx/infer.h"
#include "sardonyx/session.h"
#include "sardonyx/text.h"

namespace sardonyx {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Repeat(x) -> y: the elements `count` times; Positive(x) -> y: those above 0; Fail(x) -> y: throws `what` at run.
std::shared_ptr<CustomOps> some_ops() {
  auto ops = std::make_shared<CustomOps>();
  const auto add = [&](const char* name, std::vector<CustomAttribute> attributes,
                       std::function<CustomKernel(const CustomAttributes&)> make) {
    CustomOp op;
    op.domain = "d";
    op.name = name;
    op.inputs = {{"x", {DType::kFloat32}}};
    op.outputs = {{"y"}};
    op.attributes = std::move(attributes);
    op.make = std::move(make);
    ops->add(std::move(op));
  };
  add("Repeat", {{"count", int64_t{2}}}, [](const CustomAttributes& attributes) {
    const int64_t count = attributes.get<int64_t>("count");
    CustomKernel kernel;
    kernel.infer = [count](const std::vector<TensorFacts>& inputs) {
      const int64_t size = inputs[0].shape.at(0);
      return std::vector<TensorFacts>{{inputs[0].dtype, {size < 0 ? -1 : size * count}}};
    };
    kernel.run = [](const std::vector<Tensor>& inputs, std::vector<Tensor>& outputs) {
      const auto x = inputs[0].values<float>();
      const auto y = outputs[0].mutable_values<float>();
      for (size_t i = 0; i < y.size(); ++i) y[i] = x[i % x.size()];
    };
    return kernel;
  });
  add("Positive", {}, [](const CustomAttributes&) {
    CustomKernel kernel;
    kernel.infer = [](const std::vector<TensorFacts>&) { return std::vector<TensorFacts>{{DType::kFloat32, {-1}}}; };
    kernel.run = [](const std::vector<Tensor>& inputs, std::vector<Tensor>& outputs) {
      std::vector<float> found;
      for (const float v : inputs[0].values<float>()) {
        if (v > 0) found.push_back(v);
      }
      outputs[0] = Tensor::of<float>({static_cast<int64_t>(found.size())}, std::span<const float>(found));
    };
    return kernel;
  });
  add("Fail", {}, [](const CustomAttributes&) {
    CustomKernel kernel;
    kernel.infer = [](const std::vector<TensorFacts>& inputs) { return inputs; };
    kernel.run = [](const std::vector<Tensor>&, std::vector<Tensor>&) { throw std::out_of_range("beyond"); };
    return kernel;
  });
  return ops;
}

model::Model model_of(const std::string& nodes) {
  return model::parse_text_model("<ir_version: 9, opset_import: [\"\" : 17, \"d\" : 1]>\ng (float[n] x) => (float[m] y) {" + nodes + "}");
}

InferenceSession open(const std::string& nodes) {
  SessionOptions options;
  options.custom_ops = some_ops();
  return InferenceSession(model_of(nodes), options);
}

std::string error_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(CustomOpsInSession, RunBetweenOthers) {
  const InferenceSession session = open("a = Neg (x) b = d.Repeat <count = 3> (a) y = Neg (b)");
  const Tensor y = session.run({{"x", Tensor::of<float>({2}, {1, -2})}})[0];
  EXPECT_THAT(y.values<float>(), ElementsAre(1, -2, 1, -2, 1, -2));
  EXPECT_EQ(session.explain({{"x", {2}}}).steps[1].kernel, "custom");
}

TEST(CustomOpsInSession, ShapesMayDependOnData) {
  const InferenceSession session = open("a = d.Positive (x) y = d.Repeat (a)");
  EXPECT_THAT(session.run({{"x", Tensor::of<float>({3}, {1, -2, 3})}})[0].values<float>(), ElementsAre(1, 3, 1, 3));
  EXPECT_EQ(session.run({{"x", Tensor::of<float>({1}, {-2})}})[0].shape(), Shape{0});
}

TEST(CustomOpsInSession, FailuresNameNodeAndOperator) {
  const InferenceSession session = open("y = d.Fail (x)");
  const std::string text = error_of([&] { session.run({{"x", Tensor({2})}}); });
  EXPECT_THAT(text, HasSubstr("(Fail, opset 1)"));
  EXPECT_THAT(text, HasSubstr("run of the custom operator d.Fail threw: beyond"));
  EXPECT_THAT(error_of([] { open("y = d.Repeat <count = 1.5> (x)"); }),
              HasSubstr("attribute 'count' of operator d.Repeat must be INT, it is FLOAT"));
  EXPECT_THAT(error_of([] { open("y = d.Other (x)"); }), HasSubstr("no kernel for operator Other of domain 'd'"));
}

TEST(CustomOpsInSession, TheirRulesServeInferenceAndChecker) {
  const auto ops = some_ops();
  model::Model known = model::parse_text_model(
      "<ir_version: 9, opset_import: [\"d\" : 1]>\ng (float[4] x) => (float[m] y) { a = d.Repeat <count = 3> (x) y = d.Repeat (a) }");
  EXPECT_EQ(infer_shapes(known, {.custom_ops = ops.get()}).known, 2u);
  ASSERT_EQ(known.graph.value_info.size(), 1u);
  EXPECT_EQ(known.graph.value_info[0].type, model::Type::of_tensor(DType::kFloat32, {12}));
  const model::Model wrong =
      model::parse_text_model("<ir_version: 9, opset_import: [\"d\" : 1]>\ng (int64[4] x) => (float[m] y) { y = d.Repeat (x) }");
  EXPECT_TRUE(check_model(wrong, {.full = true, .limits = {}}).valid());
  const CheckReport report = check_model(wrong, {.full = true, .custom_ops = ops.get(), .limits = {}});
  ASSERT_FALSE(report.valid());
  EXPECT_THAT(report.problems[0].message, HasSubstr("input 0 ('x') of operator d.Repeat is tensor(int64)"));
}

}  // namespace
}  // namespace sardonyx
