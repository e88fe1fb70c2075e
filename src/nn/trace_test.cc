#include "nn/trace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/expect_error.h"
#include "sardonyx/nn.h"

namespace sardonyx::nn {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Origin = TraceValue::Origin;

// A module whose forward is a function of the input.
struct LambdaImpl : Module {
  explicit LambdaImpl(std::function<Tensor(const Tensor&)> given) : function(std::move(given)) { eval(); }
  Tensor forward(const Tensor& x) override { return function(x); }
  std::function<Tensor(const Tensor&)> function;
};

Trace trace_of(std::function<Tensor(const Tensor&)> function, Tensor input) {
  LambdaImpl module(std::move(function));
  return trace(module, {std::move(input)});
}

std::vector<std::string> kinds(const Trace& trace) {
  std::vector<std::string> result;
  for (const TraceOp& op : trace.ops) result.push_back(op.kind);
  return result;
}

struct NetImpl : Module {
  NetImpl() {
    conv1 = register_module("conv1", Conv2d(Conv2dOptions(1, 4, 3).padding(1)));
    layer = register_module("layer", Sequential(Conv2d(Conv2dOptions(4, 4, 3).padding(kSame).bias(false)), ReLU()));
    shuffle = register_module("shuffle", PixelShuffle(2));
  }
  Tensor forward(const Tensor& x) override { return shuffle(layer(relu(conv1(x)))); }
  Conv2d conv1{nullptr};
  Sequential layer{nullptr};
  PixelShuffle shuffle{nullptr};
};
SARDONYX_MODULE(Net);

TEST(Trace, RecordsOperatorsScopesAndParameters) {
  const Net net;
  net->eval();
  const Trace traced = trace(*net, {Tensor::ones({1, 1, 6, 5})});
  EXPECT_EQ(traced.root_name, "Net");
  EXPECT_THAT(kinds(traced), ElementsAre("aten::conv2d", "aten::relu", "aten::conv2d", "aten::relu", "aten::pixel_shuffle"));
  std::vector<std::string> scopes;
  for (const TraceOp& op : traced.ops) scopes.push_back(op.scope);
  EXPECT_THAT(scopes, ElementsAre("/conv1", "", "/layer/layer.0", "/layer/layer.1", "/shuffle"));
  const TraceOp& conv = traced.ops[0];
  EXPECT_EQ(conv.inputs[0], traced.inputs[0]);
  const TraceValue& weight = traced.values[static_cast<size_t>(conv.inputs[1])];
  EXPECT_EQ(weight.origin, Origin::kParameter);
  EXPECT_EQ(weight.name, "conv1.weight");
  EXPECT_EQ(weight.tensor.identity(), net->conv1->weight.identity());
  EXPECT_THAT(conv.get<std::vector<int64_t>>("padding"), ElementsAre(1, 1));
  EXPECT_EQ(conv.get<int64_t>("groups"), 1);
  EXPECT_EQ(traced.ops[2].inputs[2], kNoValue);
  EXPECT_EQ(traced.ops[4].get<int64_t>("upscale_factor"), 2);
  ASSERT_EQ(traced.outputs.size(), 1u);
  const TraceValue& output = traced.values[static_cast<size_t>(traced.outputs[0])];
  EXPECT_EQ(output.shape, (Shape{1, 1, 12, 10}));
  EXPECT_EQ(output.origin, Origin::kOperator);
  EXPECT_EQ(output.index, 4);
  EXPECT_FALSE(output.tensor.defined());
  EXPECT_TRUE(traced.training_modules.empty());
}

TEST(Trace, NamesScopesOfNumberedModulesAsTorchDoes) {
  const Sequential net{Sequential{ReLU()}, ReLU()};
  net->eval();
  const Trace traced = trace(*net, {Tensor::ones({2})});
  EXPECT_EQ(traced.ops[0].scope, "/0/0.0");
  EXPECT_EQ(traced.ops[1].scope, "/1");
}

TEST(Trace, TellsModulesInTraining) {
  const Sequential net(BatchNorm2d(2), ReLU());
  const Trace traced = trace(*net, {rand({2, 2, 3, 3})});
  EXPECT_THAT(traced.training_modules, ElementsAre("", "0", "1"));
  EXPECT_TRUE(traced.ops[0].get<bool>("training"));
}

TEST(Trace, SeveralInputsAndOutputs) {
  struct PairImpl : Module {
    std::vector<Tensor> forward_many(std::span<const Tensor> x) override { return {x[0] + x[1], x[0] * x[1], x[1]}; }
  };
  PairImpl pair;
  pair.eval();
  const Trace traced = trace(pair, {Tensor::ones({2}), Tensor::ones({2})});
  EXPECT_THAT(kinds(traced), ElementsAre("aten::add", "aten::mul"));
  EXPECT_THAT(traced.outputs, ElementsAre(traced.ops[0].outputs[0], traced.ops[1].outputs[0], traced.inputs[1]));
}

TEST(Trace, NumbersAndOtherTensorsAreConstants) {
  const Tensor mean = Tensor::full({1}, 0.25);
  const Trace traced = trace_of([&](const Tensor& x) { return (x - mean) * 2.0; }, Tensor::ones({3}));
  const TraceValue& subtracted = traced.values[static_cast<size_t>(traced.ops[0].inputs[1])];
  EXPECT_EQ(subtracted.origin, Origin::kConstant);
  EXPECT_EQ(subtracted.tensor.item<float>(), 0.25F);
  EXPECT_EQ(traced.values[static_cast<size_t>(traced.ops[1].inputs[1])].tensor.item<float>(), 2.0F);
}

TEST(Trace, LeavesTheCallersInputsAlone) {
  const Tensor input = Tensor::full({2}, -1);
  const Trace traced = trace_of([](const Tensor& x) { return relu_(x); }, input);
  EXPECT_THAT(input.values<float>(), ElementsAre(-1, -1));
  EXPECT_THAT(traced.outputs, ElementsAre(traced.ops[0].outputs[0]));
}

TEST(Trace, FollowsChangesInPlace) {
  const Trace traced = trace_of(
      [](const Tensor& x) {
        const Tensor y = sigmoid(x);
        relu_(y);
        return y + x;
      },
      Tensor::ones({2}));
  EXPECT_THAT(kinds(traced), ElementsAre("aten::sigmoid", "aten::relu", "aten::add"));
  EXPECT_EQ(traced.ops[1].inputs[0], traced.ops[0].outputs[0]);
  EXPECT_EQ(traced.ops[2].inputs[0], traced.ops[1].outputs[0]);
}

TEST(Trace, RefusesViewsOfWhatChangedInPlace) {
  const auto forward = [](const Tensor& x) {
    const Tensor y = sigmoid(x), flat = flatten(y);
    relu_(flat);
    return y + y;
  };
  EXPECT_THAT(error_of(
                  [&] {
                    trace_of(forward, Tensor::ones({2, 2}));
                  },
                  ErrorCode::kUnsupported),
              HasSubstr("shares its elements with one changed"));
}

TEST(Trace, RefusesChangesOfParametersInPlace) {
  const Linear net(2, 2);
  struct ChangingImpl : Module {
    explicit ChangingImpl(const Linear& given) : linear(register_module("linear", given)) {}
    Tensor forward(const Tensor& x) override { return matmul(x, relu_(linear->weight)); }
    Linear linear;
  };
  ChangingImpl changing(net);
  EXPECT_THAT(error_of(
                  [&] {
                    trace(changing, {Tensor::ones({1, 2})});
                  },
                  ErrorCode::kUnsupported),
              HasSubstr("change in place of linear.weight"));
}

TEST(Trace, RefusesMethodsOfTensorOnTracedValues) {
  EXPECT_THAT(error_of([] {
                trace_of([](const Tensor& x) { return relu(x.reshape({4})); }, Tensor::ones({2, 2}));
              }),
              HasSubstr("use the functions of sardonyx/nn/functional.h"));
}

TEST(Trace, RefusesConstantsThatDependOnTheInput) {
  const auto forward = [](const Tensor& x) { return x + Tensor::full({1}, static_cast<double>(x.values<float>()[0])); };
  EXPECT_THAT(error_of([&] { trace_of(forward, Tensor::ones({2})); }),
              HasSubstr("depends on the values of its inputs: on other values, a constant of shape [1] has other elements"));
}

TEST(Trace, RefusesBranchesOnValues) {
  const auto forward = [](const Tensor& x) { return x.values<float>()[0] == 1 ? relu(x) : sigmoid(x); };
  EXPECT_THAT(error_of([&] { trace_of(forward, Tensor::ones({2})); }), HasSubstr("operator 0 (aten::relu) is operator 0 (aten::sigmoid)"));
}

TEST(Trace, DifferenceFindsBakedSizes) {
  const auto baked = [](const Tensor& x) { return reshape(x, {x.size(0), -1}); };
  const auto difference = first_difference(trace_of(baked, Tensor::ones({2, 3})), trace_of(baked, Tensor::ones({4, 3})));
  ASSERT_TRUE(difference);
  EXPECT_THAT(*difference, HasSubstr("operator 0 (aten::reshape) has another shape"));
  const auto open = [](const Tensor& x) { return flatten(x, 1); };
  EXPECT_EQ(first_difference(trace_of(open, Tensor::ones({2, 3, 2})), trace_of(open, Tensor::ones({4, 3, 2}))), std::nullopt);
}

TEST(Trace, Rank3ImagesAreBatchesOfOne) {
  const Trace traced = trace_of([](const Tensor& x) { return pixel_shuffle(x, 2); }, Tensor::ones({4, 2, 2}));
  EXPECT_THAT(kinds(traced), ElementsAre("aten::unsqueeze", "aten::pixel_shuffle", "aten::squeeze"));
}

TEST(Trace, ErrorsEndTheTrace) {
  EXPECT_NE(error_of([] { trace_of([](const Tensor& x) { return softmax(x, 9); }, Tensor::ones({2})); }), "no error");
  EXPECT_EQ(Tracer::current(), nullptr);
  EXPECT_THAT(error_of([] { trace_of([](const Tensor&) { return Tensor(); }, Tensor::ones({2})); }), HasSubstr("gave an undefined tensor"));
  EXPECT_THAT(error_of([] { trace_of([](const Tensor& x) { return x; }, Tensor()); }), HasSubstr("example input is an undefined tensor"));
}

TEST(Trace, UnknownAttributeIsADefect) {
  const TraceOp op{"aten::relu", "", {}, {}, {{"p", 0.5}}};
  EXPECT_EQ(op.get<double>("p"), 0.5);
  EXPECT_THAT(error_of([&] { op.get<int64_t>("p"); }, ErrorCode::kInternal), HasSubstr("aten::relu"));
  EXPECT_EQ(op.find("q"), nullptr);
}

}  // namespace
}  // namespace sardonyx::nn
