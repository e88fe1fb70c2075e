// What the exported graph looks like: names, weights, options, training mode, files.
#include "sardonyx/export.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <tuple>

#include "export/export_case.h"

namespace sardonyx::exporter {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

// The network of PyTorch's tutorial, with few channels and one module that is never called.
struct SmallNetImpl : nn::Module {
  SmallNetImpl() {
    conv1 = register_module("conv1", nn::Conv2d(nn::Conv2dOptions(1, 4, 5).padding(2)));
    body = register_module("body", nn::Sequential(nn::Conv2d(nn::Conv2dOptions(4, 4, 3).padding(1)), nn::ReLU()));
    unused = register_module("unused", nn::Linear(3, 3));
    pixel_shuffle = register_module("pixel_shuffle", nn::PixelShuffle(2));
    eval();
  }
  Tensor forward(const Tensor& x) override { return pixel_shuffle(body(relu(conv1(relu(x))))); }
  nn::Conv2d conv1{nullptr};
  nn::Sequential body{nullptr};
  nn::Linear unused{nullptr};
  nn::PixelShuffle pixel_shuffle{nullptr};
};
SARDONYX_MODULE(SmallNet);

const std::vector<Tensor>& image() {
  static const std::vector<Tensor> args = {normal({1, 1, 6, 5})};
  return args;
}

ExportOptions at_opset(int64_t opset) {
  ExportOptions options;
  options.opset_version = opset;
  return options;
}

TEST(Export, NamesNodesAndValuesAfterModules) {
  const SmallNet net;
  const model::Model model = export_model(*net, image(), at_opset(11));
  EXPECT_EQ(model.graph.name, "main_graph");
  EXPECT_EQ(model.producer_name, "sardonyx");
  EXPECT_THAT(node_names(model),
              ElementsAre("/Relu", "/conv1/Conv", "/Relu_1", "/body/body.0/Conv", "/body/body.1/Relu", "/pixel_shuffle/DepthToSpace"));
  EXPECT_THAT(model.graph.node[1].output, ElementsAre("/conv1/Conv_output_0"));
  EXPECT_THAT(model.graph.node[1].input, ElementsAre("/Relu_output_0", "conv1.weight", "conv1.bias"));
  EXPECT_THAT(model.graph.node[2].output, ElementsAre("/Relu_1_output_0"));
  EXPECT_THAT(model.graph.node[5].output, ElementsAre("output"));
  EXPECT_THAT(names_of(model.graph.input), ElementsAre("input"));
  EXPECT_THAT(names_of(model.graph.output), ElementsAre("output"));
}

TEST(Export, InitializersAreTheStateDictWithoutWhatIsUnused) {
  const SmallNet net;
  const StateDict state = net->state_dict();
  for (const bool fold : {false, true}) {
    ExportOptions options = at_opset(13);
    options.do_constant_folding = fold;
    const model::Model model = export_model(*net, image(), options);
    EXPECT_THAT(names_of(model.graph.initializer), ElementsAre("conv1.weight", "conv1.bias", "body.0.weight", "body.0.bias"));
    for (const model::TensorData& tensor : model.graph.initializer) expect_near(model::decode(tensor), state.at(tensor.name), 0);
  }
}

TEST(Export, SharedParametersStandOnce) {
  const nn::Conv2d conv(nn::Conv2dOptions(2, 2, 3).padding(1));
  const nn::Sequential net{conv, nn::ReLU(), conv};
  net->eval();
  const model::Model model = export_model(*net, {normal({1, 2, 4, 4})});
  EXPECT_THAT(names_of(model.graph.initializer), ElementsAre("0.weight", "0.bias"));
  EXPECT_THAT(op_types(model), ElementsAre("Conv", "Relu", "Conv"));
  EXPECT_EQ(model.graph.node[0].input[1], model.graph.node[2].input[1]);
}

TEST(Export, IrVersionIsTheOpsets) {
  const SmallNet net;
  const std::map<int64_t, int64_t> expected = {{7, 4},  {8, 4},  {9, 4},   {10, 5},  {11, 6},  {12, 7},  {14, 7},  {15, 8}, {18, 8},
                                               {19, 9}, {20, 9}, {21, 10}, {22, 10}, {23, 11}, {24, 12}, {25, 13}, {27, 13}};
  for (const auto& [opset, ir_version] : expected) {
    const model::Model model = export_model(*net, image(), at_opset(opset));
    EXPECT_EQ(model.ir_version, ir_version) << opset;
    EXPECT_EQ(model.opset_version(), opset);
    expect_valid(model);
  }
}

TEST(Export, OpsetsOutsideTheRangeAreRefused) {
  const SmallNet net;
  for (const int64_t opset : {int64_t{-1}, int64_t{6}, int64_t{28}}) {
    EXPECT_EQ(error_of([&] { export_model(*net, image(), at_opset(opset)); }, ErrorCode::kInvalidArgument),
              "opset " + std::to_string(opset) + " cannot be exported; 7 to 27 can");
  }
}

TEST(Export, IsDeterministicAndSurvivesAFile) {
  const SmallNet net;
  const model::Model model = export_model(*net, image());
  const std::string bytes = model::serialize(model);
  EXPECT_EQ(bytes, model::serialize(export_model(*net, image())));
  EXPECT_TRUE(model::parse_model(bytes, nullptr) == model);
}

TEST(Export, TheModelHasItsOwnCopyOfTheWeights) {
  const SmallNet net;
  const Tensor expected = net->forward(image()[0]);
  const model::Model model = export_model(*net, image());
  nn::init::zeros_(net->conv1->weight);
  expect_near(interpret(model, {{"input", image()[0]}}).at("output"), expected, 2e-6);
}

// Weights fed as inputs, named as in the state dict.
std::map<std::string, Tensor> feeds_with_weights(const nn::Module& module, const Tensor& input) {
  std::map<std::string, Tensor> feeds = {{"input", input}};
  for (const auto& [name, tensor] : module.state_dict()) feeds[name] = tensor;
  return feeds;
}

TEST(Export, WithoutParametersTheyAreInputs) {
  const nn::Sequential net{nn::Conv2d(1, 2, 3), nn::BatchNorm2d(2), nn::Flatten(), nn::Linear(24, 3)};
  net->eval();
  ExportOptions options = at_opset(10);
  options.export_params = false;
  const model::Model model = export_model(*net, image(), options);
  expect_valid(model);
  EXPECT_THAT(model.graph.initializer, IsEmpty());
  EXPECT_THAT(names_of(model.graph.input),
              ElementsAre("input", "0.weight", "0.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var", "3.weight", "3.bias"));
  expect_near(interpret(model, feeds_with_weights(*net, image()[0])).at("output"), net->forward(image()[0]), 2e-6);
}

TEST(Export, KeptInitializersCanBeReplacedByFeeds) {
  const nn::Sequential net{nn::Conv2d(1, 2, 3), nn::BatchNorm2d(2), nn::Linear(3, 3)};  // Linear transposes its weight
  net->eval();
  ExportOptions options;
  options.keep_initializers_as_inputs = true;
  const model::Model model = export_model(*net, image(), options);
  expect_valid(model);
  EXPECT_THAT(names_of(model.graph.input),
              ElementsAre("input", "0.weight", "0.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var", "2.weight", "2.bias"));
  expect_near(interpret(model, {{"input", image()[0]}}).at("output"), net->forward(image()[0]), 2e-6);
  const nn::Sequential other{nn::Conv2d(1, 2, 3), nn::BatchNorm2d(2), nn::Linear(3, 3)};
  other->eval();
  expect_near(interpret(model, feeds_with_weights(*other, image()[0])).at("output"), other->forward(image()[0]), 2e-6);
}

// Warnings of an export.
std::vector<std::string> warnings_of(nn::Module& module, const std::vector<Tensor>& args, ExportOptions options = {}) {
  std::vector<std::string> warnings;
  options.warn = [&](std::string_view warning) { warnings.emplace_back(warning); };
  export_model(module, args, options);
  return warnings;
}

TEST(Export, TrainingModeIsToldAndRestoredForEachModule) {
  const nn::BatchNorm2d shared(1);
  const nn::Sequential net{nn::Sequential{shared, nn::Dropout(0.5)}, nn::Sequential{shared, nn::ReLU()}};
  const auto modes = [&] {
    std::vector<bool> result;
    for (const auto& module : net->modules()) result.push_back(module->is_training());
    return result;
  };
  EXPECT_THAT(warnings_of(*net, image()), ElementsAre(HasSubstr("is in training mode; it is exported in evaluation mode")));
  EXPECT_THAT(modes(), Each(true));
  // Modes of their own: one submodule trains, the shared one does not although a parent of it does.
  net->eval();
  (*net)[1]->train();
  shared->eval();
  const std::vector<bool> mixed = modes();
  EXPECT_THAT(mixed, AllOf(Contains(true), Contains(false)));
  EXPECT_THAT(warnings_of(*net, image()), ElementsAre(HasSubstr("training mode")));
  EXPECT_EQ(modes(), mixed);
  EXPECT_EQ(shared->num_batches_tracked.item<int64_t>(), 0);
  net->eval();
  EXPECT_THAT(warnings_of(*net, image()), IsEmpty());
}

TEST(Export, ModesAreRestoredWhereTheExportFails) {
  const auto net = net_of([](const Tensor& x) { return dropout(x, 0.5, true); });
  net->train();
  ExportOptions options;
  options.warn = [](std::string_view) {};
  EXPECT_THAT(error_of([&] { export_model(*net, image(), options); }, ErrorCode::kUnsupported), HasSubstr("aten::dropout"));
  EXPECT_TRUE(net->is_training());
}

TEST(Export, OutputsThatAreInputsParametersConstantsOrRepeated) {
  struct OddImpl : nn::Module {
    OddImpl() {
      weight = register_parameter("weight", Tensor::full({2}, 3));
      eval();
    }
    std::vector<Tensor> forward_many(std::span<const Tensor> x) override {
      const Tensor y = relu(x[0]);
      return {x[1], weight, y, y, Tensor::ones({1}), sigmoid(y)};
    }
    Tensor weight;
  };
  OddImpl net;
  for (const bool params : {true, false}) {
    ExportOptions options;
    options.export_params = params;
    options.input_names = {"a", "b"};
    options.output_names = {"same", "parameter", "first"};
    const model::Model model = export_model(net, {normal({2}), normal({3})}, options);
    expect_valid(model);
    EXPECT_THAT(names_of(model.graph.output), ElementsAre("same", "parameter", "first", "output", "output.1", "output.2"));
    EXPECT_THAT(op_types(model), ElementsAre("Relu", "Sigmoid", "Identity", "Identity", "Identity", "Identity", "Identity"));
    if (params) expect_same_outputs(model, net, {normal({2}), normal({3})});
  }
}

TEST(Export, AnUnusedInputStays) {
  FunctionNetImpl net([](std::span<const Tensor> x) { return std::vector<Tensor>{relu(x[1])}; });
  const model::Model model = export_model(net, {normal({2}), normal({3})});
  EXPECT_THAT(names_of(model.graph.input), ElementsAre("input", "input.1"));
  expect_same_outputs(model, net, {normal({2}), normal({3})});
}

TEST(Export, NamesNeverCollide) {
  struct CollidingImpl : nn::Module {
    CollidingImpl() {
      input = register_parameter("input", Tensor::full({2}, 3));
      output = register_parameter("output", Tensor::full({2}, 0.5));
      eval();
    }
    Tensor forward(const Tensor& x) override { return sigmoid(relu(x * 2.0 + input) - output); }
    Tensor input, output;
  };
  CollidingImpl net;
  ExportOptions options;
  const model::Model model = export_model(net, {normal({2})}, options);
  expect_valid(model);
  EXPECT_THAT(names_of(model.graph.input), ElementsAre("input.1"));
  EXPECT_THAT(names_of(model.graph.output), ElementsAre("output.1"));
  expect_same_outputs(model, net, {normal({2})});
  // The caller's names are those that the exporter would give to other values.
  options.input_names = {"/Relu_output_0"};
  options.output_names = {"/constant"};
  const model::Model renamed = export_model(net, {normal({2})}, options);
  expect_valid(renamed);
  EXPECT_THAT(names_of(renamed.graph.initializer), UnorderedElementsAre("/constant_1", "input", "output"));
  expect_same_outputs(renamed, net, {normal({2})});
}

TEST(Export, ANameGivenToAnInputIsNotMadeUpForAnOutput) {
  const auto net = net_of([](const Tensor& x) { return relu(x); });
  ExportOptions options;
  options.input_names = {"output"};
  EXPECT_THAT(names_of(export_model(*net, {normal({2})}, options).graph.output), ElementsAre("output.1"));
}

TEST(Export, AllNamesThatDoNotFitAreToldAtOnce) {
  const SmallNet net;
  ExportOptions options;
  options.input_names = {"conv1.weight", "b"};
  options.output_names = {""};
  options.dynamic_axes = {{"outptu", std::vector<int64_t>{0}}};
  EXPECT_THAT(
      error_of([&] { export_model(*net, image(), options); }, ErrorCode::kInvalidArgument),
      AllOf(StartsWith("the export options do not fit the module: "), HasSubstr("input_names has 2 entries, the module has 1 input;"),
            HasSubstr("input_names has 'conv1.weight', which is the name of a parameter"), HasSubstr("output_names has an empty name"),
            HasSubstr("'outptu', which is neither an input nor an output")));
  options = {};
  options.input_names = {"x"};
  options.output_names = {"x"};
  EXPECT_THAT(error_of([&] { export_model(*net, image(), options); }, ErrorCode::kInvalidArgument),
              HasSubstr("output_names has 'x', which is taken already"));
}

TEST(Export, ErrorsOfTheForwardComeThrough) {
  const SmallNet net;
  EXPECT_THAT(error_of(
                  [&] {
                    export_model(*net, {normal({1, 2, 6, 5})});
                  },
                  ErrorCode::kInvalidArgument),
              AllOf(HasSubstr("Conv2d(1, 4"), HasSubstr("to have 1 channels, but got 2")));
  EXPECT_THAT(error_of([&] { export_model(*net, {}); }, ErrorCode::kInvalidArgument), HasSubstr("takes 1 input, not 0"));
  EXPECT_THAT(error_of([&] { export_model(*net, {Tensor()}); }, ErrorCode::kInvalidArgument), HasSubstr("undefined tensor"));
}

class ExportFile : public ::testing::Test {
 protected:
  ExportFile() {
    const std::string name = std::string("sardonyx_") + ::testing::UnitTest::GetInstance()->current_test_info()->name();
    folder_ = std::filesystem::temp_directory_path() / (name + std::to_string(::testing::UnitTest::GetInstance()->random_seed()));
    std::filesystem::create_directories(folder_);
  }
  ~ExportFile() override { std::filesystem::remove_all(folder_); }

  static std::string contents(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  std::filesystem::path folder_;
};

TEST_F(ExportFile, HoldsTheModel) {
  const SmallNet net;
  const std::filesystem::path path = folder_ / "model.onnx";
  export_onnx(*net, image(), path);
  EXPECT_TRUE(model::read_model(path) == export_model(*net, image()));
}

TEST_F(ExportFile, AFailedExportLeavesTheOldFile) {
  const SmallNet net;
  const std::filesystem::path path = folder_ / "model.onnx";
  std::ofstream(path, std::ios::binary) << "old";
  EXPECT_NE(error_of([&] { export_onnx(*net, image(), path, at_opset(99)); }, ErrorCode::kInvalidArgument), "no error");
  const auto refused = net_of([](const Tensor& x) { return max_pool2d(x, 2, 1, 0, 2); });
  EXPECT_THAT(error_of([&] { export_onnx(*refused, image(), path, at_opset(7)); }, ErrorCode::kUnsupported), HasSubstr("opset 10"));
  EXPECT_EQ(contents(path), "old");
  EXPECT_THAT(error_of([&] { export_onnx(*net, image(), folder_ / "absent" / "model.onnx"); }, ErrorCode::kIo), HasSubstr("absent"));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
  export_onnx(*net, image(), path);
  EXPECT_NO_THROW(std::ignore = model::read_model(path));
}

}  // namespace
}  // namespace sardonyx::exporter
