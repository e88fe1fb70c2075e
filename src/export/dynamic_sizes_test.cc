// Dynamic axes: their forms, what is found out about outputs, and what is refused.
#include "export/dynamic_sizes.h"

#include <gmock/gmock.h>

#include "export/export_case.h"

namespace sardonyx::exporter {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Map = std::map<int64_t, std::string>;
using List = std::vector<int64_t>;

std::string shape_of(const model::ValueInfo& info) { return model::to_string(info.type.tensor()->shape); }

ExportOptions open(DynamicAxes axes, int64_t opset = kDefaultExportOpset) {
  ExportOptions options;
  options.dynamic_axes = std::move(axes);
  options.opset_version = opset;
  options.warn = [](std::string_view warning) { ADD_FAILURE() << warning; };
  return options;
}

std::string refusal(nn::Module& module, const std::vector<Tensor>& args, const ExportOptions& options) {
  return error_of([&] { export_model(module, args, options); }, ErrorCode::kInvalidArgument);
}

std::shared_ptr<FunctionNetImpl> shuffle_net() {
  return net_of([](const Tensor& x) { return pixel_shuffle(relu(x), 3); });
}

TEST(DynamicAxes, AreFixedUnlessNamed) {
  const model::Model model = export_model(*shuffle_net(), {normal({1, 9, 4, 5})});
  EXPECT_EQ(shape_of(model.graph.input[0]), "[1, 9, 4, 5]");
  EXPECT_EQ(shape_of(model.graph.output[0]), "[1, 1, 12, 15]");
}

TEST(DynamicAxes, AsAMapWithNegativeAxes) {
  const auto net = shuffle_net();
  const std::vector<std::vector<Tensor>> runs = {{normal({1, 9, 4, 5})}, {normal({3, 9, 7, 2})}, {normal({8, 9, 1, 1})}};
  for (const int64_t opset : {int64_t{10}, int64_t{17}}) {
    const ExportOptions options =
        open({{"input", Map{{0, "batch"}, {-2, "height"}, {-1, "width"}}}, {"output", Map{{2, "out_height"}, {-1, "out_width"}}}}, opset);
    const model::Model model = export_model(*net, runs[0], options);
    EXPECT_EQ(shape_of(model.graph.input[0]), "[batch, 9, height, width]");
    EXPECT_EQ(shape_of(model.graph.output[0]), "[batch, 1, out_height, out_width]");
    for (const auto& inputs : runs) expect_same_outputs(model, *net, inputs);
  }
}

TEST(DynamicAxes, AsAListGetMadeUpSymbols) {
  const auto net = shuffle_net();
  const model::Model model = export_model(*net, {normal({1, 9, 4, 5})}, open({{"input", List{0, -1}}}));
  EXPECT_EQ(shape_of(model.graph.input[0]), "[input_dynamic_axes_1, 9, 4, input_dynamic_axes_2]");
  EXPECT_EQ(shape_of(model.graph.output[0]), "[input_dynamic_axes_1, 1, 12, output_dim_3]");
}

TEST(DynamicAxes, OneSymbolMayStandForSeveralAxes) {
  FunctionNetImpl net([](std::span<const Tensor> x) { return std::vector<Tensor>{x[0] + x[1], matmul(x[0], transpose(x[1], 0, 1))}; });
  const std::vector<Tensor> args = {normal({3, 3}), normal({3, 3})};
  const model::Model model = export_model(net, args, open({{"input", Map{{0, "n"}}}, {"input.1", Map{{0, "n"}}}}));
  EXPECT_EQ(shape_of(model.graph.output[0]), "[n, 3]");
  EXPECT_EQ(shape_of(model.graph.output[1]), "[n, n]");
  expect_same_outputs(model, net, {normal({5, 3}), normal({5, 3})});
}

TEST(DynamicAxes, EqualSizesOfDifferentSymbolsAreToldApart) {
  FunctionNetImpl net([](std::span<const Tensor> x) { return std::vector<Tensor>(x.begin(), x.end()); });
  std::vector<Tensor> args;
  DynamicAxes axes;
  for (const char* name : {"a", "b", "c", "d", "e"}) {
    axes[std::string("in_") + name] = Map{{0, name}};
    args.push_back(normal({64}));
  }
  ExportOptions options = open(axes);
  options.input_names = {"in_a", "in_b", "in_c", "in_d", "in_e"};
  const model::Model model = export_model(net, args, options);
  std::string shapes;
  for (const model::ValueInfo& output : model.graph.output) shapes += shape_of(output);
  EXPECT_EQ(shapes, "[a][b][c][d][e]");
}

TEST(DynamicAxes, SizesThatAStrideHidesAreFound) {
  // 3 rows and 6 rows both give one window.
  const auto net = net_of([](const Tensor& x) { return max_pool2d(x, {3, 1}, {8, 1}); });
  const model::Model model = export_model(*net, {normal({1, 1, 3, 2})}, open({{"input", Map{{2, "height"}}}}));
  EXPECT_EQ(shape_of(model.graph.output[0]), "[1, 1, output_dim_2, 2]");
  expect_same_outputs(model, *net, {normal({1, 1, 24, 2})});
}

TEST(DynamicAxes, AMadeUpOutputSymbolIsNew) {
  const auto net = shuffle_net();
  const model::Model model = export_model(*net, {normal({1, 9, 4, 5})}, open({{"input", Map{{2, "output_dim_2"}}}}));
  EXPECT_EQ(shape_of(model.graph.output[0]), "[1, 1, output_dim_2_, 15]");
}

TEST(DynamicAxes, ModulesThatTakeMultiplesOnlyOrEqualSizesOnlyWork) {
  const auto net = net_of([](const Tensor& x) { return pixel_unshuffle(x, 4); });
  const std::vector<std::vector<Tensor>> runs = {{normal({1, 1, 20, 36})}, {normal({1, 1, 4, 8})}};
  expect_faithful(*net, runs, open({{"input", Map{{2, "h"}, {3, "w"}}}}));
  const auto square = net_of([](const Tensor& x) { return x + transpose(x, 0, 1); });
  expect_faithful(*square, {{normal({3, 3})}, {normal({7, 7})}}, open({{"input", Map{{0, "n"}, {1, "n"}}}}));
  EXPECT_THAT(refusal(*square, {normal({3, 3})}, open({{"input", Map{{0, "n"}, {1, "m"}}}})),
              AllOf(HasSubstr("takes the example's sizes, but no others that were tried"), HasSubstr("the same symbol"),
                    HasSubstr("must match the size of tensor b")));
}

TEST(DynamicAxes, BakedSizesAreRefused) {
  const auto baked = net_of([](const Tensor& x) { return reshape(x, {x.size(0), -1}); });
  EXPECT_THAT(refusal(*baked, {normal({1, 2, 3})}, open({{"input", Map{{0, "batch"}}}})),
              AllOf(HasSubstr("forward depends on the size of a dynamic axis"), HasSubstr("aten::reshape"), HasSubstr("Use flatten")));
  expect_faithful(*baked, {{normal({1, 2, 3})}, {normal({1, 5, 3})}}, open({{"input", Map{{1, "length"}}}}));
  const auto constant = net_of([](const Tensor& x) { return x + Tensor::ones(x.shape()); });
  EXPECT_THAT(refusal(*constant, {normal({2, 3})}, open({{"input", Map{{0, "batch"}}}})), HasSubstr("a constant of shape [2, 3]"));
  const auto branch = net_of([](const Tensor& x) { return x.size(0) == 1 ? squeeze(x, 0) : x; });
  EXPECT_THAT(refusal(*branch, {normal({1, 3})}, open({{"input", Map{{0, "batch"}}}})), HasSubstr("depends on the size"));
  const auto squeezed = net_of([](const Tensor& x) { return squeeze(x, 0); });
  EXPECT_THAT(refusal(*squeezed, {normal({1, 3})}, open({{"input", Map{{0, "batch"}}}})), HasSubstr("depends on the size"));
}

TEST(DynamicAxes, AllThatDoNotFitAreToldAtOnce) {
  const std::string message =
      refusal(*shuffle_net(), {normal({1, 9, 4, 5})},
              open({{"input", Map{{0, "n"}, {4, "x"}, {-5, "y"}, {1, ""}, {2, "n"}, {-1, "w"}, {3, "v"}}}, {"image", List{0}}}));
  EXPECT_THAT(message, AllOf(HasSubstr("axis 4 of 'input', which has rank 4"), HasSubstr("axis -5 of 'input'"),
                             HasSubstr("gives axis 1 of 'input' an empty symbol"), HasSubstr("names axis 3 of 'input' twice"),
                             HasSubstr("'image', which is neither an input nor an output"),
                             HasSubstr("symbol 'n' stands for size 1 (axis 0 of 'input') and for size 4 (axis 2 of 'input')")));
}

TEST(DynamicAxes, AnOutputDoesNotTakeASymbolOfAnotherSize) {
  std::vector<std::string> warnings;
  const auto shape_with = [&](std::vector<Tensor> args, const Map& output) {
    warnings.clear();
    ExportOptions options = open({{"input", Map{{2, "h"}, {3, "w"}}}, {"output", output}});
    options.warn = [&](std::string_view warning) { warnings.emplace_back(warning); };
    return shape_of(export_model(*shuffle_net(), args, options).graph.output[0]);
  };
  EXPECT_EQ(shape_with({normal({1, 9, 4, 5})}, {{2, "h"}, {3, "w"}}), "[1, 1, output_dim_2, output_dim_3]");
  EXPECT_THAT(warnings,
              ElementsAre("dynamic_axes: symbol 'h' stands for size 4 and cannot name axis 2 of 'output', of size 12, as well; that "
                          "axis gets a symbol of its own",
                          HasSubstr("symbol 'w' stands for size 5 and cannot name axis 3 of 'output', of size 15")));
  EXPECT_EQ(shape_with({normal({1, 9, 4, 4})}, {{2, "z"}, {3, "z"}}), "[1, 1, z, output_dim_3]");
  EXPECT_THAT(warnings, ElementsAre(HasSubstr("symbol 'z' stands for size 12 (equal in the example only)")));
}

TEST(DynamicAxes, ANamedAxisThatIsFixedIsWarnedOf) {
  std::vector<std::string> warnings;
  ExportOptions options = open({{"input", Map{{0, "batch"}}}, {"output", Map{{0, "batch"}, {3, "width"}}}});
  options.warn = [&](std::string_view warning) { warnings.emplace_back(warning); };
  const model::Model model = export_model(*shuffle_net(), {normal({1, 9, 4, 5})}, options);
  EXPECT_THAT(warnings, ElementsAre("dynamic_axes names axis 3 of 'output', whose size 15 depends on no dynamic axis of an input"));
  EXPECT_EQ(shape_of(model.graph.output[0]), "[batch, 1, 12, width]");
}

TEST(DynamicAxes, AnEmptyExampleAxisIsTraced) {
  const auto net = net_of([](const Tensor& x) { return relu(x); });
  const model::Model model = export_model(*net, {Tensor({0, 3})}, open({{"input", Map{{0, "batch"}}}}));
  EXPECT_EQ(shape_of(model.graph.output[0]), "[batch, 3]");
  expect_same_outputs(model, *net, {normal({4, 3})});
}

}  // namespace
}  // namespace sardonyx::exporter
