#include "sardonyx/nn/module.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "core/expect_error.h"
#include "sardonyx/nn.h"

namespace sardonyx::nn {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct BlockImpl : Module {
  BlockImpl() {
    scale = register_parameter("scale", Tensor::ones({2}));
    conv = register_module("conv", Conv2d(2, 2, 1));
    norm = register_module("norm", BatchNorm2d(2));
    offset = register_buffer("offset", Tensor::zeros({2}));
  }
  Tensor forward(const Tensor& x) override { return norm(conv(x)); }
  Tensor scale, offset;
  Conv2d conv{nullptr};
  BatchNorm2d norm{nullptr};
};
SARDONYX_MODULE(Block);

std::vector<std::string> names(const StateDict& state) {
  std::vector<std::string> result;
  for (const auto& [name, tensor] : state) result.push_back(name);
  return result;
}

TEST(Module, StateHasOwnParametersThenBuffersThenChildren) {
  const Block block;
  EXPECT_THAT(names(block->state_dict()), ElementsAre("scale", "offset", "conv.weight", "conv.bias", "norm.weight", "norm.bias",
                                                      "norm.running_mean", "norm.running_var", "norm.num_batches_tracked"));
  EXPECT_THAT(names(block->named_parameters()), ElementsAre("scale", "conv.weight", "conv.bias", "norm.weight", "norm.bias"));
  EXPECT_THAT(names(block->named_parameters(false)), ElementsAre("scale"));
  EXPECT_THAT(names(block->named_buffers()), ElementsAre("offset", "norm.running_mean", "norm.running_var", "norm.num_batches_tracked"));
  EXPECT_EQ(block->parameters().size(), 5u);
  EXPECT_EQ(block->norm->num_batches_tracked.dtype(), DType::kInt64);
  EXPECT_EQ(block->norm->num_batches_tracked.dim(), 0);
}

TEST(Module, StateSharesTheTensorsOfTheModule) {
  const Block block;
  EXPECT_EQ(block->state_dict().at("conv.weight").identity(), block->conv->weight.identity());
}

TEST(Module, SharedModulesAreToldOnceButKeptInTheState) {
  const ReLU relu;
  const Linear linear(2, 2);
  const Sequential both(linear, relu, linear, relu);
  EXPECT_EQ(both->modules(false).size(), 2u);
  EXPECT_EQ(both->modules().size(), 3u);
  EXPECT_EQ(both->children().size(), 2u);
  EXPECT_THAT(names(both->named_parameters()), ElementsAre("0.weight", "0.bias"));
  EXPECT_THAT(names(both->state_dict()), ElementsAre("0.weight", "0.bias", "2.weight", "2.bias"));
}

TEST(Module, ModulesOfAStackObjectNeedNoSelf) {
  BlockImpl block;
  EXPECT_EQ(block.modules(false).size(), 2u);
  EXPECT_THAT(error_of([&] { block.modules(); }), HasSubstr("Block is not owned by a shared_ptr"));
}

TEST(Module, LoadsWhatStateGives) {
  manual_seed(1);
  const Block from;
  manual_seed(2);
  const Block into;
  const Tensor held = into->conv->weight;
  const IncompatibleKeys keys = into->load_state_dict(from->state_dict());
  EXPECT_TRUE(keys.missing_keys.empty() && keys.unexpected_keys.empty());
  EXPECT_THAT(held.values<float>(), ::testing::ElementsAreArray(from->conv->weight.values<float>()));
  EXPECT_NE(held.identity(), from->conv->weight.identity());
}

TEST(Module, LoadNamesAllFaultsAtOnceAndCopiesNothing) {
  const Block block;
  init::constant_(block->scale, 7);
  StateDict state;
  state.set("scale", Tensor::ones({2}));
  state.set("conv.weight", Tensor::ones({2, 2, 3, 3}));
  state.set("norm.weight", Tensor::ones({2}, DType::kInt64));
  state.set("extra.weight", Tensor::ones({1}));
  const std::string told = error_of([&] { block->load_state_dict(state); });
  EXPECT_EQ(
      told,
      "Error(s) in loading state_dict for Block:\n"
      "\tMissing key(s) in state_dict: \"offset\", \"conv.bias\", \"norm.bias\", \"norm.running_mean\", \"norm.running_var\". \n"
      "\tUnexpected key(s) in state_dict: \"extra.weight\". \n"
      "\tsize mismatch for conv.weight: copying a param with shape torch.Size([2, 2, 3, 3]) from checkpoint, the shape in current model is "
      "torch.Size([2, 2, 1, 1]).\n"
      "\ttype mismatch for norm.weight: tensor(int64) in the checkpoint does not convert to tensor(float) in the current model.");
  EXPECT_EQ(block->scale.values<float>()[0], 7);
}

TEST(Module, LoadWithoutStrictReturnsTheKeys) {
  const Linear linear(2, 1);
  StateDict state;
  state.set("weight", Tensor::of<float>({1, 2}, {3, 4}));
  state.set("gone", Tensor::ones({1}));
  const IncompatibleKeys keys = linear->load_state_dict(state, false);
  EXPECT_THAT(keys.missing_keys, ElementsAre("bias"));
  EXPECT_THAT(keys.unexpected_keys, ElementsAre("gone"));
  EXPECT_THAT(linear->weight.values<float>(), ElementsAre(3, 4));
}

TEST(Module, LoadConvertsFloatingPointTypes) {
  const Linear linear(LinearOptions(2, 1).bias(false));
  for (const DType dtype : {DType::kFloat64, DType::kFloat16, DType::kBFloat16}) {
    init::zeros_(linear->weight);
    StateDict state;
    state.set("weight", Tensor::of<float>({1, 2}, {0.5F, -2}).to(dtype));
    linear->load_state_dict(state);
    EXPECT_THAT(linear->weight.values<float>(), ElementsAre(0.5F, -2)) << to_string(dtype);
  }
}

TEST(Module, LoadAcceptsOldBatchNormWithoutCounterAndScalarsAsVectors) {
  const BatchNorm2d norm(1);
  StateDict state;
  for (const char* name : {"weight", "bias", "running_mean", "running_var"}) state.set(name, Tensor::ones({1}));
  EXPECT_TRUE(norm->load_state_dict(state).missing_keys.empty());
  state.set("num_batches_tracked", Tensor::of<int64_t>({1}, {5}));
  norm->load_state_dict(state);
  EXPECT_EQ(norm->num_batches_tracked.item<int64_t>(), 5);
}

TEST(Module, ReadOnlyTensorsAreClonedWhenRegistered) {
  static const float kValues[] = {1, 2};
  struct HolderImpl : Module {
    HolderImpl() { values = register_parameter("values", Tensor::view(nullptr, kValues, {2}, DType::kFloat32)); }
    Tensor values;
  };
  HolderImpl holder;
  StateDict state;
  state.set("values", Tensor::of<float>({2}, {3, 4}));
  holder.load_state_dict(state);
  EXPECT_THAT(holder.values.values<float>(), ElementsAre(3, 4));
}

TEST(Module, RefusesBadNamesAndCycles) {
  struct NetImpl : Module {};
  const auto net = std::make_shared<NetImpl>();
  net->register_parameter("a", Tensor::ones({1}));
  EXPECT_THAT(error_of([&] { net->register_buffer("a", Tensor::ones({1})); }), HasSubstr("'a' is already registered in Net"));
  EXPECT_THAT(error_of([&] { net->register_parameter("a.b", Tensor::ones({1})); }), HasSubstr("contains a dot"));
  EXPECT_THAT(error_of([&] { net->register_parameter("", Tensor::ones({1})); }), HasSubstr("is empty"));
  EXPECT_THAT(error_of([&] { net->register_module("me", net); }), HasSubstr("contains the module it is registered in"));
  EXPECT_THAT(error_of([&] { net->register_module("none", std::shared_ptr<Module>()); }), HasSubstr("'none' is empty"));
  EXPECT_THAT(error_of([&] { net->register_module("none", Conv2d(nullptr)); }), HasSubstr("handle is empty"));
  EXPECT_FALSE(net->register_parameter("bias", Tensor()).defined());
  EXPECT_THAT(names(net->state_dict()), ElementsAre("a"));
}

TEST(Module, TrainAndEvalReachAllModules) {
  const Block block;
  EXPECT_TRUE(block->is_training() && block->norm->is_training());
  block->eval();
  EXPECT_FALSE(block->is_training() || block->norm->is_training());
  block->train();
  EXPECT_TRUE(block->is_training() && block->norm->is_training());
}

TEST(Module, ApplyVisitsChildrenFirst) {
  const Block block;
  std::vector<std::string> visited;
  block->apply([&](Module& module) {
    visited.push_back(module.name());
    if (auto* conv = module.as<Conv2d>()) init::zeros_(conv->weight);
  });
  EXPECT_THAT(visited, ElementsAre("Conv2d", "BatchNorm2d", "Block"));
  EXPECT_THAT(block->conv->weight.values<float>(), ::testing::Each(0));
}

TEST(Module, PrintsAsPython) {
  struct NetImpl : Module {
    NetImpl() {
      register_module("conv1", Conv2d(Conv2dOptions(1, 64, {5, 5}).padding({2, 2})));
      register_module("body", Sequential(ReLU(true), MaxPool2d(2)));
    }
    std::string extra_repr() const override { return "factor=3"; }
  };
  std::ostringstream out;
  out << NetImpl();
  EXPECT_EQ(out.str(),
            "Net(\n"
            "  factor=3\n"
            "  (conv1): Conv2d(1, 64, kernel_size=(5, 5), stride=(1, 1), padding=(2, 2))\n"
            "  (body): Sequential(\n"
            "    (0): ReLU(inplace=True)\n"
            "    (1): MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)\n"
            "  )\n"
            ")");
}

template <class T>
struct TypedImpl : Module {};

TEST(Module, NameIsTheBareType) {
  EXPECT_EQ(TypedImpl<std::vector<int>>().name(), "Typed");
  struct GivenImpl : Module {
    GivenImpl() : Module("Other") {}
  };
  EXPECT_EQ(GivenImpl().name(), "Other");
}

TEST(Module, WithoutForwardSaysSo) {
  struct NetImpl : Module {};
  NetImpl net;
  EXPECT_THAT(error_of([&] { net.forward(Tensor::ones({1})); }, ErrorCode::kUnsupported), HasSubstr("Net has no forward"));
  const std::vector<Tensor> two(2, Tensor::ones({1}));
  EXPECT_THAT(error_of([&] { Identity()->forward_many(two); }), HasSubstr("Identity takes 1 input, not 2"));
}

TEST(ModuleHolder, SharesAndEmpties) {
  const Linear linear(2, 3);
  const Linear copy = linear;
  EXPECT_EQ(copy.get(), linear.get());
  const Linear empty(nullptr);
  EXPECT_TRUE(empty.is_empty());
  EXPECT_THAT(error_of([&] { empty->weight.defined(); }), HasSubstr("handle is empty"));
}

TEST(ModuleList, GivesItsModulesByIndexAndType) {
  const ModuleList list;
  list->push_back(Linear(2, 3));
  list->push_back(ReLU());
  EXPECT_EQ(list->size(), 2u);
  EXPECT_EQ(list->at<Linear>(0).options.out_features(), 3);
  EXPECT_THAT(error_of([&] { list->at<Linear>(1); }), HasSubstr("module 1 is a ReLU"));
  EXPECT_THAT(error_of([&] { (*list)[2]; }), HasSubstr("index 2 is out of range"));
  EXPECT_THAT(names(list->state_dict()), ElementsAre("0.weight", "0.bias"));
}

TEST(Sequential, BracesConstructInOrder) {
  manual_seed(0);
  const Linear first(2, 3), second(3, 2);
  manual_seed(0);
  const Sequential both{Linear(2, 3), Linear(3, 2)};
  EXPECT_THAT(both->at<Linear>(0).weight.values<float>(), ::testing::ElementsAreArray(first->weight.values<float>()));
  EXPECT_THAT(both->at<Linear>(1).weight.values<float>(), ::testing::ElementsAreArray(second->weight.values<float>()));
}

TEST(Sequential, ErrorsTellTheLayer) {
  const Sequential net(Conv2d(1, 2, 3), ReLU());
  EXPECT_THAT(
      error_of([&] {
        net(Tensor::ones({1, 3, 8, 8}));
      }),
      HasSubstr(
          "Conv2d(1, 2, kernel_size=(3, 3), stride=(1, 1)): Given groups=1, weight of size [2, 1, 3, 3], expected input[1, 3, 8, 8] to "
          "have 1 channels, but got 3 channels instead"));
}

}  // namespace
}  // namespace sardonyx::nn
