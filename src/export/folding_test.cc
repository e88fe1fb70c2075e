#include "export/folding.h"

#include <gmock/gmock.h>

#include "export/export_case.h"

namespace sardonyx::exporter {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;

// Other statistics and weights than a fresh layer has.
nn::BatchNorm2d used_norm(int64_t channels, bool affine = true) {
  nn::BatchNorm2d norm(nn::BatchNorm2dOptions(channels).affine(affine));
  if (affine) {
    nn::init::normal_(norm->weight);
    nn::init::normal_(norm->bias);
  }
  nn::init::normal_(norm->running_mean);
  nn::init::uniform_(norm->running_var, 0.25, 2);
  return norm;
}

nn::Conv2d conv(bool bias) { return nn::Conv2d(nn::Conv2dOptions(2, 3, 3).bias(bias)); }

const std::vector<Tensor>& image() {
  static const std::vector<Tensor> args = {normal({2, 2, 5, 6})};
  return args;
}

model::Model exported(nn::Module& module, bool fold = true) {
  module.eval();
  ExportOptions options;
  options.do_constant_folding = fold;
  return export_model(module, image(), options);
}

TEST(Folding, TakesBatchNormIntoTheConvolutionBefore) {
  for (const bool bias : {false, true}) {
    for (const bool affine : {false, true}) {
      const nn::Sequential net{conv(bias), used_norm(3, affine), nn::ReLU()};
      const model::Model model = exported(*net);
      expect_valid(model);
      EXPECT_THAT(op_types(model), ElementsAre("Conv", "Relu"));
      EXPECT_THAT(names_of(model.graph.initializer), ElementsAre("0.weight", "0.bias"));
      expect_same_outputs(model, *net, image(), 1e-5);
    }
  }
}

TEST(Folding, ANormAtTheEndLeavesItsOutputsName) {
  const nn::Sequential net{conv(true), used_norm(3)};
  const model::Model model = exported(*net);
  EXPECT_THAT(op_types(model), ElementsAre("Conv"));
  EXPECT_THAT(model.graph.node[0].output, ElementsAre("output"));
  expect_same_outputs(model, *net, image(), 1e-5);
}

TEST(Folding, OffKeepsNormAndTransposedWeight) {
  const nn::Sequential net{conv(true), used_norm(3), nn::Linear(4, 2)};
  const model::Model plain = exported(*net, false);
  EXPECT_THAT(op_types(plain), ElementsAre("Conv", "BatchNormalization", "Transpose", "MatMul", "Add"));
  EXPECT_THAT(names_of(plain.graph.initializer),
              ElementsAre("0.weight", "0.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var", "2.weight", "2.bias"));
  expect_same_outputs(plain, *net, image());
  const model::Model folded = exported(*net);
  EXPECT_THAT(op_types(folded), ElementsAre("Conv", "MatMul", "Add"));
  EXPECT_THAT(names_of(folded.graph.initializer), ElementsAre("0.weight", "0.bias", "2.bias", "/2/Transpose_output_0"));
  expect_same_outputs(folded, *net, image(), 1e-5);
}

TEST(Folding, ConvolutionsThatOthersUseStayAsTheyAre) {
  const nn::Conv2d first = conv(true);
  const nn::BatchNorm2d norm = used_norm(3);
  norm->eval();
  const std::vector<Unary> forwards = {
      // The convolution's own result is used as well.
      [&](const Tensor& x) {
        const Tensor y = first(x);
        return norm(y) + y;
      },
      // Its weight is used twice; so are the statistics.
      [&](const Tensor& x) { return norm(conv2d(x, first->weight)) + conv2d(relu(x), first->weight); },
      [&](const Tensor& x) { return norm(norm(first(x))); },
  };
  for (const Unary& forward : forwards) {
    const auto net = net_of(forward);
    const model::Model model = exported(*net);
    EXPECT_THAT(op_types(model), Contains("BatchNormalization"));
    expect_same_outputs(model, *net, image());
  }
  struct BothImpl : nn::Module {
    BothImpl() : first(register_module("first", conv(true))), norm(register_module("norm", used_norm(3))) {}
    std::vector<Tensor> forward_many(std::span<const Tensor> x) override {
      const Tensor y = first(x[0]);
      return {y, norm(y)};
    }
    nn::Conv2d first;
    nn::BatchNorm2d norm;
  };
  BothImpl both;
  EXPECT_THAT(op_types(exported(both)), ElementsAre("Conv", "BatchNormalization"));
}

TEST(Folding, NormsWithTheBatchsStatisticsStay) {
  const nn::Sequential own{conv(true), nn::BatchNorm2d(nn::BatchNorm2dOptions(3).track_running_stats(false))};
  const model::Model model = exported(*own);
  EXPECT_THAT(op_types(model), Contains("ReduceMean"));
  expect_same_outputs(model, *own, image(), 1e-5);
}

TEST(Folding, AMadeUpBiasTakesNobodysName) {
  struct NetImpl : nn::Module {
    NetImpl() {
      manual_seed(3);
      weight = register_parameter("weight", randn({3, 2, 3, 3}));
      bias = register_parameter("bias", randn({1}));  // not the convolution's
      norm = register_module("norm", used_norm(3));
    }
    Tensor forward(const Tensor& x) override { return norm(conv2d(x, weight)) + bias; }
    Tensor weight, bias;
    nn::BatchNorm2d norm{nullptr};
  };
  NetImpl net;
  const model::Model model = exported(net);
  expect_valid(model);
  EXPECT_THAT(names_of(model.graph.initializer), ElementsAre("weight", "bias_1", "bias"));
  expect_same_outputs(model, net, image(), 1e-5);
}

TEST(Folding, ConstantsOfAFunctionFoldToo) {
  manual_seed(3);
  const Tensor weight = randn({3, 2, 3, 3}), ones = Tensor::ones({3});
  const auto net = net_of([=](const Tensor& x) { return batch_norm(conv2d(x, weight), {}, {}, ones, ones.clone()); });
  const model::Model model = exported(*net);
  EXPECT_THAT(op_types(model), ElementsAre("Conv"));
  EXPECT_THAT(names_of(model.graph.initializer), ElementsAre("/constant", "/bias"));
  expect_same_outputs(model, *net, image(), 1e-5);
}

TEST(Folding, EqualNodesFoldToOneConstant) {
  const nn::Linear linear(6, 6);
  const nn::Sequential net{linear, nn::ReLU(), linear, linear};
  const model::Model model = exported(*net);
  EXPECT_THAT(op_types(model), ElementsAre("MatMul", "Add", "Relu", "MatMul", "Add", "MatMul", "Add"));
  EXPECT_THAT(names_of(model.graph.initializer), ElementsAre("0.bias", "/0/Transpose_output_0"));
  expect_same_outputs(model, *net, image());
}

model::Node node(const char* op_type, std::vector<std::string> inputs, const char* output, std::vector<model::Attribute> attributes = {}) {
  model::Node result;
  result.op_type = op_type;
  result.input = std::move(inputs);
  result.output = {output};
  result.attribute = std::move(attributes);
  return result;
}

TEST(Folding, LeavesWhatGrowsWhatIsUnknownAndWhatAFeedMayReplace) {
  model::Graph graph;
  graph.initializer = {model::encode(Tensor::ones({4}), "small"), model::encode(Tensor::of<int64_t>({2}, {4096, 4}), "shape"),
                       model::encode(Tensor::ones({4}), "replaceable"), model::encode(Tensor::ones({9}), "unused")};
  graph.input.emplace_back().name = "replaceable";
  graph.output.emplace_back().name = "out";
  graph.node = {node("Expand", {"small", "shape"}, "large"), node("Frobnicate", {"small"}, "unknown"), node("Neg", {"replaceable"}, "fed"),
                node("Neg", {"small"}, "folded"), node("Abs", {"folded"}, "out")};
  fold_constants(graph, 17);
  std::vector<std::string> left;
  for (const model::Node& kept : graph.node) left.push_back(kept.op_type);
  EXPECT_THAT(left, ElementsAre("Expand", "Frobnicate", "Neg", "Abs"));
  EXPECT_THAT(names_of(graph.initializer), ElementsAre("small", "shape", "replaceable", "folded"));
  EXPECT_EQ(model::decode(graph.initializer.back()).values<float>()[0], -1);
  EXPECT_THAT(names_of(graph.input), ElementsAre("replaceable"));
}

}  // namespace
}  // namespace sardonyx::exporter
