// Every torch-level operator, at every tested opset, static and with dynamic axes, against what the functions compute.
#include "export/lowering.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "export/export_case.h"
#include "nn/eager.h"

namespace sardonyx::exporter {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Case {
  std::string name;
  Unary forward;
  Shape shape;
  std::vector<int64_t> dynamic = {0};  // axes that are left open, each its own symbol
  int64_t first_opset = 7;             // before it, Unsupported names it
  DType dtype = DType::kFloat32;
  int64_t first_dynamic_opset = 7;
};

Tensor sample(const Case& c, const Shape& shape) {
  const Tensor x = normal(shape);
  return (is_floating_point(c.dtype) ? x : x * 10.0).to(c.dtype);
}

ExportOptions dynamic_options(const Case& c, int64_t opset) {
  ExportOptions options;
  options.opset_version = opset;
  std::map<int64_t, std::string> axes;
  for (const int64_t axis : c.dynamic) axes[axis] = fmt::format("s{}", axis);
  options.dynamic_axes = {{"input", axes}};
  return options;
}

void check_at(const Case& c, int64_t opset) {
  SCOPED_TRACE(fmt::format("{} at opset {}", c.name, opset));
  const auto module = net_of(c.forward);
  ExportOptions options;
  options.opset_version = opset;
  const Tensor x = sample(c, c.shape);
  if (opset < c.first_opset) {
    EXPECT_THAT(error_of([&] { export_model(*module, {x}, options); }, ErrorCode::kUnsupported),
                AllOf(HasSubstr("cannot export aten::"), HasSubstr(fmt::format("to opset {}: ", opset)),
                      HasSubstr(fmt::format("opset {}", c.first_opset))));
    return;
  }
  expect_faithful(*module, {{x}}, options);
  if (c.dynamic.empty() || opset < c.first_dynamic_opset) return;
  std::vector<std::vector<Tensor>> runs = {{x}};
  for (const int64_t factor : {2, 3}) {
    Shape larger = c.shape;
    for (const int64_t axis : c.dynamic) larger[static_cast<size_t>(axis)] *= factor;
    runs.push_back({sample(c, larger)});
  }
  expect_faithful(*module, runs, dynamic_options(c, opset));
}

void check(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    for (const int64_t opset : kTestedOpsets) check_at(c, opset);
  }
}

TEST(Lowering, Activations) {
  check({
      {"relu", [](const Tensor& x) { return relu(x); }, {2, 3}},
      {"relu in place", [](const Tensor& x) { return relu_(x + 0.0); }, {2, 3}},
      {"relu of a scalar", [](const Tensor& x) { return relu(x); }, {}, {}},
      {"relu of doubles", [](const Tensor& x) { return relu(x); }, {2, 3}, {0, 1}, 7, DType::kFloat64},
      {"sigmoid", [](const Tensor& x) { return sigmoid(x); }, {2, 3}, {0, 1}},
      {"tanh", [](const Tensor& x) { return sardonyx::tanh(x); }, {2, 3}, {0, 1}},
      {"leaky_relu", [](const Tensor& x) { return leaky_relu(x, 0.3); }, {2, 3}, {0, 1}},
      {"clamp both", [](const Tensor& x) { return clamp(x, -0.5, 0.25); }, {2, 3}},
      {"clamp below", [](const Tensor& x) { return clamp(x, 0.1); }, {2, 3}},
      {"clamp above", [](const Tensor& x) { return clamp(x, std::nullopt, 0.1); }, {2, 3}},
      {"clamp integers", [](const Tensor& x) { return clamp(x, -2, 3); }, {2, 3}, {0}, 12, DType::kInt64},
  });
}

TEST(Lowering, SoftmaxOnEachAxis) {
  std::vector<Case> cases = {{"scalar", [](const Tensor& x) { return softmax(x, 0); }, {}, {}},
                             {"vector", [](const Tensor& x) { return softmax(x, 0); }, {5}, {0}}};
  for (const int64_t dim : {0, 1, 2, 3, -1, -3}) {
    cases.push_back({fmt::format("dim {}", dim), [dim](const Tensor& x) { return softmax(x, dim); }, {2, 3, 4, 5}, {0, 1, 2, 3}});
  }
  check(cases);
}

TEST(Lowering, Arithmetic) {
  const Tensor row = Tensor::of<float>({3}, {0.5F, -2, 4}), column = Tensor::of<float>({2, 1}, {3, -1});
  check({
      {"add", [](const Tensor& x) { return x + x; }, {2, 3}, {0, 1}},
      {"add broadcast", [=](const Tensor& x) { return x + row; }, {2, 3}},
      {"add a number", [](const Tensor& x) { return x + 2.5; }, {2, 3}, {0, 1}},
      {"add with alpha", [=](const Tensor& x) { return add(row, x, -0.5); }, {2, 3}},
      {"sub", [=](const Tensor& x) { return column - x; }, {2, 3}, {1}},
      {"sub with alpha", [=](const Tensor& x) { return sub(x, row, 3); }, {2, 3}},
      {"mul", [=](const Tensor& x) { return row * x; }, {2, 3}},
      {"div", [=](const Tensor& x) { return x / row; }, {2, 3}},
      {"double", [](const Tensor& x) { return (x * 0.1 + 3.0) / x; }, {2, 3}, {0, 1}, 7, DType::kFloat64},
      {"integers", [](const Tensor& x) { return sub(x * x, x, 3); }, {2, 3}, {0, 1}, 7, DType::kInt64},
      {"bytes", [](const Tensor& x) { return x + x; }, {2, 3}, {0, 1}, 14, DType::kInt8},
  });
}

TEST(Lowering, ProductsAndLinearMaps) {
  manual_seed(1);
  const Tensor weight = randn({4, 3}), bias = randn({4}), matrix = randn({3, 5}), batch = randn({2, 6, 2});
  check({
      {"matmul", [=](const Tensor& x) { return matmul(x, matrix); }, {2, 3}},
      {"matmul of a batch", [=](const Tensor& x) { return matmul(batch, x); }, {2, 2, 3}, {2}},
      {"matmul of a vector", [=](const Tensor& x) { return matmul(x, matrix); }, {3}, {}},
      {"linear", [=](const Tensor& x) { return linear(x, weight, bias); }, {2, 3}},
      {"linear without bias", [=](const Tensor& x) { return linear(x, weight); }, {2, 3}},
      {"linear of a vector", [=](const Tensor& x) { return linear(x, weight, bias); }, {3}, {}},
      {"linear of rank 3", [=](const Tensor& x) { return linear(x, weight, bias); }, {2, 5, 3}, {0, 1}},
      {"linear of rank 4", [=](const Tensor& x) { return linear(x, weight); }, {2, 2, 5, 3}, {0, 1, 2}},
  });
}

TEST(Lowering, Convolutions) {
  manual_seed(1);
  const Tensor weight = randn({4, 2, 3, 2}), grouped = randn({6, 1, 3, 3}), bias = randn({4});
  check({
      {"plain", [=](const Tensor& x) { return conv2d(x, weight, bias); }, {1, 2, 7, 6}, {0, 2, 3}},
      {"all options",
       [=](const Tensor& x) {
         return conv2d(x, weight, {}, {2, 1}, {1, 2}, {1, 2});
       },
       {2, 2, 7, 6},
       {0, 2, 3}},
      {"groups", [=](const Tensor& x) { return conv2d(x, grouped, {}, 1, 1, 1, 2); }, {1, 2, 5, 5}, {0, 2, 3}},
      {"uneven padding", [=](const Tensor& x) { return conv2d(x, weight, bias, 1, nn::kSame); }, {1, 2, 5, 5}, {0, 2, 3}},
      {"one image", [=](const Tensor& x) { return conv2d(x, weight, bias); }, {2, 7, 6}, {1, 2}},
      {"weights that are computed", [=](const Tensor& x) { return conv2d(x, tanh(weight), bias); }, {1, 2, 7, 6}, {0}},
  });
}

TEST(Lowering, Normalisation) {
  manual_seed(1);
  const Tensor weight = randn({3}), bias = randn({3}), mean = randn({3}), variance = rand({3}) + 0.5;
  check({
      {"evaluation", [=](const Tensor& x) { return batch_norm(x, weight, bias, mean, variance); }, {2, 3, 4, 5}, {0, 2, 3}},
      {"without weights", [=](const Tensor& x) { return batch_norm(x, {}, {}, mean, variance, false, 0.2, 1e-3); }, {2, 3, 4, 5}, {0}},
      {"rank 2", [=](const Tensor& x) { return batch_norm(x, weight, bias, mean, variance); }, {4, 3}},
      {"rank 3", [=](const Tensor& x) { return batch_norm(x, weight, bias, mean, variance); }, {4, 3, 2}, {0, 2}},
      {"the batch's statistics", [=](const Tensor& x) { return batch_norm(x, weight, bias, {}, {}, true); }, {2, 3, 4, 5}, {0, 2, 3}},
      {"the batch's statistics alone", [](const Tensor& x) { return batch_norm(x, {}, {}, {}, {}, true); }, {4, 3}},
  });
}

TEST(Lowering, PixelShuffle) {
  check({
      {"shuffle", [](const Tensor& x) { return pixel_shuffle(x, 3); }, {1, 18, 4, 5}, {0, 2, 3}},
      {"shuffle, batch open", [](const Tensor& x) { return pixel_shuffle(x, 2); }, {1, 4, 4, 5}},
      {"shuffle, height open", [](const Tensor& x) { return pixel_shuffle(x, 2); }, {2, 8, 4, 5}, {2}},
      {"shuffle of one image", [](const Tensor& x) { return pixel_shuffle(x, 2); }, {8, 4, 5}, {1, 2}},
      {"unshuffle", [](const Tensor& x) { return pixel_unshuffle(x, 2); }, {1, 3, 4, 6}, {0, 2, 3}},
      {"unshuffle, width open", [](const Tensor& x) { return pixel_unshuffle(x, 3); }, {1, 2, 3, 6}, {3}},
      {"unshuffle of one image", [](const Tensor& x) { return pixel_unshuffle(x, 2); }, {3, 4, 6}, {1, 2}},
  });
}

TEST(Lowering, Pooling) {
  check({
      {"max", [](const Tensor& x) { return max_pool2d(x, 2); }, {1, 2, 6, 7}, {0, 2, 3}},
      {"max, all options",
       [](const Tensor& x) {
         return max_pool2d(x, {3, 2}, {2, 1}, 1);
       },
       {1, 2, 6, 7},
       {0, 2, 3}},
      {"max, dilated", [](const Tensor& x) { return max_pool2d(x, 2, 1, 0, 2); }, {1, 2, 6, 7}, {0, 2, 3}, 10},
      {"average", [](const Tensor& x) { return avg_pool2d(x, 2); }, {1, 2, 6, 7}, {0, 2, 3}},
      {"average, padded", [](const Tensor& x) { return avg_pool2d(x, 3, 2, 1); }, {1, 2, 6, 7}, {0, 2, 3}},
      {"average, padding not counted", [](const Tensor& x) { return avg_pool2d(x, 3, 2, 1, false, false); }, {1, 2, 6, 7}, {0, 2, 3}},
      {"average, own divisor", [](const Tensor& x) { return avg_pool2d(x, 3, 2, 1, false, false, 7); }, {1, 2, 6, 7}, {0, 2, 3}},
      {"adaptive to 1", [](const Tensor& x) { return adaptive_avg_pool2d(x, 1); }, {1, 2, 6, 7}, {0, 2, 3}},
      {"adaptive to a divisor",
       [](const Tensor& x) {
         return adaptive_avg_pool2d(x, {3, 7});
       },
       {1, 2, 6, 7}},
      {"adaptive to other sizes",
       [](const Tensor& x) {
         return adaptive_avg_pool2d(x, {4, 9});
       },
       {1, 2, 6, 7}},
      {"adaptive on one image",
       [](const Tensor& x) {
         return adaptive_avg_pool2d(x, {4, 3});
       },
       {2, 6, 7},
       {}},
  });
}

TEST(Lowering, PoolingWithCeilMode) {
  check({
      // With sizes fixed, padding at the end says the same before opset 10.
      {"max", [](const Tensor& x) { return max_pool2d(x, 3, 2, 0, 1, true); }, {1, 2, 6, 8}},
      {"max, nothing left over", [](const Tensor& x) { return max_pool2d(x, 3, 2, 0, 1, true); }, {1, 2, 7, 9}},
      {"max, sizes open", [](const Tensor& x) { return max_pool2d(x, 3, 2, 0, 1, true); }, {1, 2, 6, 8}, {0, 2, 3}, 7, DType::kFloat32, 10},
      {"max, dilated", [](const Tensor& x) { return max_pool2d(x, 2, 2, 1, 2, true); }, {1, 2, 6, 8}, {0}, 10},
      // Windows that would begin in the end padding: opsets before 22 count them.
      {"max, window left out", [](const Tensor& x) { return max_pool2d(x, 3, 3, 1, 1, true); }, {1, 2, 2, 2}},
      {"max, window left out on one axis", [](const Tensor& x) { return max_pool2d(x, 3, 3, 1, 1, true); }, {1, 2, 2, 6}},
      {"average", [](const Tensor& x) { return avg_pool2d(x, 3, 2, 0, true); }, {1, 2, 6, 8}},
      {"average, padding not counted", [](const Tensor& x) { return avg_pool2d(x, 3, 2, 1, true, false); }, {1, 2, 6, 8}},
      {"average, padding counted", [](const Tensor& x) { return avg_pool2d(x, 3, 2, 1, true); }, {1, 2, 6, 8}, {0}, 10},
      {"average, window left out", [](const Tensor& x) { return avg_pool2d(x, 3, 3, 1, true); }, {1, 2, 2, 2}},
      {"average, left out on one axis", [](const Tensor& x) { return avg_pool2d(x, 3, 3, 1, true); }, {1, 2, 2, 6}, {0}, 22},
  });
}

TEST(Lowering, Shapes) {
  check({
      {"flatten", [](const Tensor& x) { return flatten(x, 1); }, {2, 3, 4}, {0, 1, 2}},
      {"flatten all", [](const Tensor& x) { return flatten(x); }, {2, 3, 4}, {0, 1, 2}},
      {"flatten the front", [](const Tensor& x) { return flatten(x, 0, 1); }, {2, 3, 4, 5}, {0, 1, 2, 3}},
      {"flatten the middle", [](const Tensor& x) { return flatten(x, 1, -2); }, {2, 3, 4, 5}, {0, 1}},
      {"flatten one axis", [](const Tensor& x) { return flatten(x, 1, 1); }, {2, 3, 4}},
      {"flatten a scalar", [](const Tensor& x) { return flatten(x); }, {}, {}},
      {"flatten integers", [](const Tensor& x) { return flatten(x, 1); }, {2, 3, 4}, {0, 1, 2}, 7, DType::kInt64},
      {"reshape",
       [](const Tensor& x) {
         return reshape(x, {-1, 6});
       },
       {2, 3, 4}},
      {"reshape to fixed sizes",
       [](const Tensor& x) {
         return reshape(x, {4, 3, 2});
       },
       {2, 3, 4},
       {}},
      {"reshape to a scalar", [](const Tensor& x) { return reshape(x, {}); }, {1, 1}, {}},
      {"reshape of nothing",
       [](const Tensor& x) {
         return reshape(x, {0, 5});
       },
       {2, 0},
       {},
       14},
      {"permute",
       [](const Tensor& x) {
         return permute(x, {2, 0, -2});
       },
       {2, 3, 4},
       {0, 1, 2}},
      {"transpose", [](const Tensor& x) { return transpose(x, -1, 0); }, {2, 3, 4}, {0, 1, 2}},
      {"transpose a scalar", [](const Tensor& x) { return transpose(x, 0, 0); }, {}, {}},
      {"unsqueeze", [](const Tensor& x) { return unsqueeze(unsqueeze(x, -1), 1); }, {2, 3}, {0, 1}},
      {"squeeze", [](const Tensor& x) { return squeeze(squeeze(x, -1), 1); }, {2, 1, 3, 1}, {0, 2}},
      {"squeeze nothing", [](const Tensor& x) { return squeeze(x, 1); }, {2, 3}},
      {"cat",
       [](const Tensor& x) {
         return cat({x, relu(x), x}, -1);
       },
       {2, 3},
       {0, 1}},
      {"cat of one", [](const Tensor& x) { return cat({x}, 0); }, {2, 3}, {0, 1}},
  });
}

TEST(Lowering, UnknownKindsHaveNone) {
  EXPECT_EQ(find_lowering("aten::relu"), &lower_relu);
  EXPECT_EQ(find_lowering("aten::zzz"), nullptr);
  EXPECT_EQ(find_lowering(""), nullptr);
}

TEST(Lowering, PixelShuffleIsOneNodeFromOpset11) {
  const auto net = net_of([](const Tensor& x) { return pixel_shuffle(x, 2); });
  const std::vector<Tensor> args = {normal({1, 4, 3, 3})};
  ExportOptions options;
  for (options.opset_version = kMinExportOpset; options.opset_version <= kMaxExportOpset; ++options.opset_version) {
    const model::Model model = export_model(*net, args, options);
    if (options.opset_version < 11) {
      EXPECT_THAT(op_types(model), ElementsAre("Reshape", "Transpose", "Reshape"));
    } else {
      ASSERT_THAT(op_types(model), ElementsAre("DepthToSpace"));
      EXPECT_EQ(model::get_string(model.graph.node[0], "mode", ""), "CRD");
      EXPECT_EQ(model::get_int(model.graph.node[0], "blocksize", 0), 2);
    }
  }
}

// The message of the error that exporting gives.
std::string refusal(const Unary& forward, const Shape& shape, int64_t opset, const DynamicAxes& axes = {}, DType dtype = DType::kFloat32) {
  ExportOptions options;
  options.opset_version = opset;
  options.dynamic_axes = axes;
  const auto net = std::make_shared<nn::SequentialImpl>(std::vector<nn::NamedModule>{{"stage", nn::Functional(forward)}});
  net->eval();
  return error_of([&] { export_model(*net, {normal(shape).to(dtype)}, options); }, ErrorCode::kUnsupported);
}

TEST(Lowering, RefusalsNameOperatorModuleOpsetReasonAndCure) {
  EXPECT_EQ(refusal([](const Tensor& x) { return max_pool2d(x, 2, 1, 0, 2); }, {1, 1, 6, 6}, 9),
            "cannot export aten::max_pool2d of module '/stage' to opset 9: dilation came with opset 10");
  EXPECT_EQ(refusal([](const Tensor& x) { return clamp(x, 1, 2); }, {3}, 11, {}, DType::kInt64),
            "cannot export aten::clamp of module '/stage' to opset 11: Clip takes tensor(int64) from opset 12 on");
  EXPECT_EQ(refusal([](const Tensor& x) { return dropout(x, 0.5, true); }, {3}, 17),
            "cannot export aten::dropout of module '/stage' to opset 17: it is random; call it with training = false");
  EXPECT_THAT(refusal(
                  [](const Tensor& x) {
                    return adaptive_avg_pool2d(x, {2, 3});
                  },
                  {1, 1, 6, 6}, 17, {{"input", std::vector<int64_t>{2}}}),
              AllOf(HasSubstr("aten::adaptive_avg_pool2d"), HasSubstr("pooling to 2x3"), HasSubstr("leave these axes fixed")));
  EXPECT_THAT(
      refusal([](const Tensor& x) { return max_pool2d(x, 3, 2, 0, 1, true); }, {1, 1, 6, 6}, 9, {{"input", std::vector<int64_t>{3}}}),
      HasSubstr("ceil_mode came with opset 10; or leave height and width fixed"));
  EXPECT_THAT(refusal(
                  [](const Tensor& x) {
                    return reshape(x, {0, 2});
                  },
                  {3, 0}, 13),
              HasSubstr("a size of 0 can be told from opset 14 on"));
}

TEST(Lowering, OperatorsWithoutAFormAreRefused) {
  const auto forward = [](const Tensor& x) { return nn::recorded("aten::frobnicate", {x}, {}, x.clone()); };
  EXPECT_EQ(refusal(forward, {3}, 17),
            "cannot export aten::frobnicate of module '/stage' to opset 17: no form of it in ONNX operators is known here");
}

}  // namespace
}  // namespace sardonyx::exporter
