// Exports networks for tests/differential/export_test.py. Usage: export_driver FOLDER
//
// Every network is exported at every opset in each of its modes, to FOLDER/NET/MODE/OPSET.onnx, and run eagerly on inputs of several sizes.
// Standard output tells, one per line, arguments separated by tabs:
//
//   model NET MODE OPSET        exported
//   refused NET MODE OPSET WHY  an operator cannot be said in this opset
//   run NET INDEX MODES N M     FOLDER/NET/INDEX_input_<0..N-1>.npy gives FOLDER/NET/INDEX_output_<0..M-1>.npy; MODES, separated by commas,
//                               are those whose dynamic axes take the sizes
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sardonyx/export.h"
#include "sardonyx/nn.h"
#include "sardonyx/npy.h"

namespace {

using namespace sardonyx;  // NOLINT: the networks read as with torch
using Axes = std::map<int64_t, std::string>;

// The network of the PyTorch tutorial on export.
struct SuperResolutionNetImpl : nn::Module {
  explicit SuperResolutionNetImpl(int64_t factor) : nn::Module("SuperResolutionNet") {
    conv1 = register_module("conv1", nn::Conv2d(nn::Conv2dOptions(1, 64, 5).padding(2)));
    conv2 = register_module("conv2", nn::Conv2d(nn::Conv2dOptions(64, 64, 3).padding(1)));
    conv3 = register_module("conv3", nn::Conv2d(nn::Conv2dOptions(64, 32, 3).padding(1)));
    conv4 = register_module("conv4", nn::Conv2d(nn::Conv2dOptions(32, factor * factor, 3).padding(1)));
    relu = register_module("relu", nn::ReLU());
    pixel_shuffle = register_module("pixel_shuffle", nn::PixelShuffle(factor));
    for (const nn::Conv2d& conv : {conv1, conv2, conv3}) nn::init::orthogonal_(conv->weight, nn::init::calculate_gain(nn::init::kReLU));
    nn::init::orthogonal_(conv4->weight);
  }
  Tensor forward(const Tensor& x) override { return pixel_shuffle(conv4(relu(conv3(relu(conv2(relu(conv1(x)))))))); }
  nn::Conv2d conv1{nullptr}, conv2{nullptr}, conv3{nullptr}, conv4{nullptr};
  nn::ReLU relu{nullptr};
  nn::PixelShuffle pixel_shuffle{nullptr};
};
SARDONYX_MODULE(SuperResolutionNet);

// Convolution and normalisation, with a way around them.
struct ResidualImpl : nn::Module {
  explicit ResidualImpl(int64_t channels) {
    first = register_module("first", nn::Conv2d(nn::Conv2dOptions(channels, channels, 3).padding(nn::kSame).bias(false)));
    norm1 = register_module("norm1", nn::BatchNorm2d(channels));
    second = register_module("second", nn::Conv2d(nn::Conv2dOptions(channels, channels, 3).padding(1).groups(2)));
    norm2 = register_module("norm2", nn::BatchNorm2d(channels));
  }
  Tensor forward(const Tensor& x) override { return relu(add(norm2(second(relu_(norm1(first(x))))), x, 0.5)); }
  nn::Conv2d first{nullptr}, second{nullptr};
  nn::BatchNorm2d norm1{nullptr}, norm2{nullptr};
};
SARDONYX_MODULE(Residual);

struct FunctionsImpl : nn::Module {
  using Function = std::function<std::vector<Tensor>(std::span<const Tensor>)>;
  explicit FunctionsImpl(Function given) : nn::Module("Functions"), function(std::move(given)) {}
  std::vector<Tensor> forward_many(std::span<const Tensor> inputs) override { return function(inputs); }
  Function function;
};

struct Mode {
  std::string name;
  std::vector<std::pair<size_t, int64_t>> open;  // input and axis
  bool fold = true;
};

struct Net {
  std::string name;
  std::shared_ptr<nn::Module> module;
  std::vector<std::vector<Shape>> runs;  // the shapes of the inputs; the first are the example's
  std::vector<Mode> modes = {{"static", {}}, {"batch", {{0, 0}}}};
  DType dtype = DType::kFloat32;
};

// Statistics and weights as after training: fresh layers hide what zeros and ones cannot show.
void age(nn::Module& module) {
  module.apply([](nn::Module& each) {
    auto* norm = dynamic_cast<nn::BatchNormImpl*>(&each);
    if (norm == nullptr) return;
    if (norm->weight.defined()) nn::init::uniform_(norm->weight, 0.5, 1.5);
    if (norm->bias.defined()) nn::init::normal_(norm->bias);
    if (norm->running_mean.defined()) nn::init::normal_(norm->running_mean);
    if (norm->running_var.defined()) nn::init::uniform_(norm->running_var, 0.25, 2);
  });
  module.eval();
}

std::shared_ptr<nn::Module> functions(FunctionsImpl::Function function) { return std::make_shared<FunctionsImpl>(std::move(function)); }

const Mode kStatic{"static", {}};
const Mode kBatch{"batch", {{0, 0}}};
const Mode kAll{"all", {{0, 0}, {0, 2}, {0, 3}}};
const Mode kPlain{"plain", {{0, 0}}, false};

// An image at batches 1, 3 and 8, then at other heights and widths.
std::vector<std::vector<Shape>> images(int64_t channels, int64_t height, int64_t width, int64_t other_height, int64_t other_width) {
  std::vector<std::vector<Shape>> runs;
  for (const int64_t batch : {1, 3, 8}) runs.push_back({{batch, channels, height, width}});
  runs.push_back({{1, channels, other_height, other_width}});
  runs.push_back({{3, channels, 2 * other_height, 3 * other_width}});
  return runs;
}

std::vector<std::vector<Shape>> batches(const Shape& rest) {
  std::vector<std::vector<Shape>> runs;
  for (const int64_t batch : {1, 3, 8}) {
    Shape shape = {batch};
    shape.insert(shape.end(), rest.begin(), rest.end());
    runs.push_back({shape});
  }
  return runs;
}

void add_networks(std::vector<Net>& nets) {
  nets.push_back({"superres", SuperResolutionNet(3).ptr(), images(1, 40, 48, 17, 23), {kStatic, kBatch, kAll, kPlain}});
  const nn::Sequential classifier{nn::Conv2d(nn::Conv2dOptions(3, 8, {3, 5}).stride({2, 1}).padding({1, 2}).dilation({2, 1})),
                                  nn::BatchNorm2d(8),
                                  nn::LeakyReLU(0.2),
                                  nn::MaxPool2d(nn::MaxPool2dOptions(3).stride(2).padding(1)),
                                  Residual(8),
                                  nn::AvgPool2d(2),
                                  nn::Dropout(0.25),
                                  nn::AdaptiveAvgPool2d(1),
                                  nn::Flatten(),
                                  nn::Linear(8, 5),
                                  nn::Softmax(1)};
  nets.push_back({"classifier", classifier.ptr(), images(3, 19, 21, 24, 17), {kStatic, kBatch, kAll, kPlain}});
  const nn::Sequential shuffles{nn::PixelUnshuffle(2), nn::Conv2d(nn::Conv2dOptions(4, 8, 3).padding(1)), nn::Tanh(), nn::PixelShuffle(2),
                                nn::Sigmoid()};
  nets.push_back({"shuffles", shuffles.ptr(), images(1, 8, 12, 6, 4), {kStatic, kBatch, kAll}});
  const nn::Conv2d shared(nn::Conv2dOptions(2, 2, 3).padding(nn::kSame).bias(false));
  nets.push_back({"shared",
                  nn::Sequential{shared, nn::Identity(), nn::BatchNorm2d(2), shared, nn::ReLU(true)}.ptr(),
                  images(2, 5, 6, 7, 4),
                  {kStatic, kBatch, kAll}});
  nets.push_back({"same_padding",
                  nn::Sequential{nn::Conv2d(nn::Conv2dOptions(2, 4, {2, 4}).padding(nn::kSame)), nn::BatchNorm2d(4)}.ptr(),
                  images(2, 5, 6, 7, 4),
                  {kStatic, kBatch, kAll}});
  nets.push_back({"mlp",
                  nn::Sequential{nn::Linear(6, 8), nn::BatchNorm1d(8), nn::ReLU(), nn::Linear(nn::LinearOptions(8, 3).bias(false))}.ptr(),
                  batches({6})});
  nets.push_back({"sequence",
                  nn::Sequential{nn::Linear(6, 8), nn::BatchNorm1d(4), nn::Linear(nn::LinearOptions(8, 3).bias(false))}.ptr(),
                  batches({4, 6}),
                  {kStatic, kBatch, kPlain}});
  nets.push_back({"own_statistics",
                  nn::Sequential{nn::BatchNorm2d(nn::BatchNorm2dOptions(3).track_running_stats(false)),
                                 nn::BatchNorm2d(nn::BatchNorm2dOptions(3).affine(false))}
                      .ptr(),
                  images(3, 5, 6, 7, 4),
                  {kStatic, kBatch, kAll}});
}

void add_pools(std::vector<Net>& nets) {
  const auto pool = [&](const std::string& name, std::shared_ptr<nn::Module> module, std::vector<Mode> modes) {
    nets.push_back({name, std::move(module), images(2, 6, 8, 9, 7), std::move(modes)});
  };
  const std::vector<Mode> all = {kStatic, kBatch, kAll}, fixed = {kStatic, kBatch};
  pool("max_pool", nn::MaxPool2d(nn::MaxPool2dOptions({3, 2}).stride({2, 1}).padding({1, 0})).ptr(), all);
  pool("max_pool_dilated", nn::MaxPool2d(nn::MaxPool2dOptions(2).stride(1).dilation({2, 3})).ptr(), all);
  pool("max_pool_ceil", nn::MaxPool2d(nn::MaxPool2dOptions(3).stride(2).ceil_mode(true)).ptr(), all);
  pool("avg_pool", nn::AvgPool2d(nn::AvgPool2dOptions(3).stride(2).padding(1)).ptr(), all);
  pool("avg_pool_uncounted", nn::AvgPool2d(nn::AvgPool2dOptions(3).stride(2).padding(1).count_include_pad(false)).ptr(), all);
  pool("avg_pool_divisor", nn::AvgPool2d(nn::AvgPool2dOptions(3).stride(2).padding(1).divisor_override(5)).ptr(), all);
  pool("avg_pool_ceil", nn::AvgPool2d(nn::AvgPool2dOptions(3).stride(2).ceil_mode(true)).ptr(), all);
  pool("avg_pool_ceil_padded", nn::AvgPool2d(nn::AvgPool2dOptions(3).stride(2).padding(1).ceil_mode(true)).ptr(), fixed);
  pool("adaptive_divisor", nn::AdaptiveAvgPool2d(nn::Size2d(3, 8)).ptr(), fixed);
  pool("adaptive_any", nn::AdaptiveAvgPool2d(nn::Size2d(4, 11)).ptr(), fixed);
  // A window that would begin in the end padding, on one axis and on both.
  const auto left_out = [&](const std::string& name, std::shared_ptr<nn::Module> module, int64_t width) {
    nets.push_back({name, std::move(module), images(2, 2, width, 2, width), fixed});
  };
  left_out("max_pool_left_out", nn::MaxPool2d(nn::MaxPool2dOptions(3).padding(1).ceil_mode(true)).ptr(), 2);
  left_out("max_pool_half_left_out", nn::MaxPool2d(nn::MaxPool2dOptions(3).padding(1).ceil_mode(true)).ptr(), 6);
  left_out("avg_pool_left_out", nn::AvgPool2d(nn::AvgPool2dOptions(3).padding(1).ceil_mode(true)).ptr(), 2);
  left_out("avg_pool_half_left_out", nn::AvgPool2d(nn::AvgPool2dOptions(3).padding(1).ceil_mode(true)).ptr(), 6);
}

using Inputs = std::span<const Tensor>;

void add_elementwise(std::vector<Net>& nets) {
  nets.push_back({"activations",
                  functions([](Inputs x) {
                    return std::vector<Tensor>{relu(x[0]),       sigmoid(x[0]),        sardonyx::tanh(x[0]),          leaky_relu(x[0], 0.3),
                                               clamp(x[0], 0.1), clamp(x[0], -1, 0.5), clamp(x[0], std::nullopt, 0.2)};
                  }),
                  images(2, 3, 4, 5, 2),
                  {kStatic, kBatch, kAll}});
  nets.push_back({"softmaxes",
                  functions([](Inputs x) {
                    return std::vector<Tensor>{softmax(x[0], 0), softmax(x[0], 1), softmax(x[0], -2), softmax(x[0], 3)};
                  }),
                  images(2, 3, 4, 5, 2),
                  {kStatic, kBatch, kAll}});
  const Tensor row = randn({4}), plane = rand({3, 1}) + 0.5;
  nets.push_back({"arithmetic",
                  functions([=](Inputs x) {
                    return std::vector<Tensor>{x[0] + x[1], add(x[0], row, 2), sub(plane, x[0], 0.5),
                                               x[0] * row,  x[0] / plane,      x[1] * 3.0 - 1.0};
                  }),
                  {{{1, 3, 4}, {1, 3, 4}}, {{3, 3, 4}, {3, 3, 4}}, {{8, 3, 4}, {8, 3, 4}}},
                  {kStatic, {"batch", {{0, 0}, {1, 0}}}}});
  const auto integers = functions([](Inputs x) { return std::vector<Tensor>{sub(x[0] * x[0], x[0], 3), flatten(x[0], 1)}; });
  const auto clamped = functions([](Inputs x) { return std::vector<Tensor>{clamp(x[0], -2, 3)}; });
  nets.push_back({"integers", integers, batches({3, 2}), {kStatic, kBatch}, DType::kInt64});
  nets.push_back({"clamped_integers", clamped, batches({3}), {kStatic, kBatch}, DType::kInt64});
  const auto doubles = functions([](Inputs x) { return std::vector<Tensor>{relu((x[0] * 0.1 + 3.0) / x[0])}; });
  nets.push_back({"doubles", doubles, batches({3}), {kStatic, kBatch}, DType::kFloat64});
}

void add_movement(std::vector<Net>& nets) {
  nets.push_back({"shapes",
                  functions([](Inputs x) {
                    return std::vector<Tensor>{flatten(x[0]),
                                               flatten(x[0], 1),
                                               flatten(x[0], 0, 1),
                                               flatten(x[0], 1, 2),
                                               reshape(x[0], {-1, 2}),
                                               permute(x[0], {2, 0, 3, 1}),
                                               transpose(x[0], -1, 1),
                                               unsqueeze(x[0], -1),
                                               squeeze(unsqueeze(x[0], 2), 2),
                                               cat({x[0], relu(x[0])}, 1),
                                               cat({x[0], x[0]}, -1)};
                  }),
                  images(2, 3, 4, 5, 2),
                  {kStatic, kBatch, kAll}});
  const Tensor right = randn({4, 5}), weight = randn({6, 4});
  nets.push_back(
      {"products",
       functions([=](Inputs x) {
         return std::vector<Tensor>{matmul(x[0], right), matmul(x[0], x[1]), linear(x[0], weight), linear(flatten(x[0], 0, 1), weight)};
       }),
       {{{1, 3, 4}, {1, 4, 2}}, {{3, 3, 4}, {3, 4, 2}}, {{8, 3, 4}, {8, 4, 2}}},
       {kStatic, {"batch", {{0, 0}, {1, 0}}}}});
  const nn::Sequential rank3{nn::Conv2d(1, 4, 3), nn::PixelShuffle(2), nn::MaxPool2d(2)};
  nets.push_back({"one_image", rank3.ptr(), {{{1, 6, 7}}, {{1, 9, 5}}}, {kStatic, {"all", {{0, 1}, {0, 2}}}}});
  nets.push_back({"odd_outputs",
                  functions([](Inputs x) {
                    const Tensor y = relu(x[0]);
                    return std::vector<Tensor>{x[1], y, Tensor::ones({4}), y, sigmoid(y)};
                  }),
                  {{{1, 3}, {1, 2}}, {{3, 3}, {3, 2}}, {{8, 3}, {8, 2}}},
                  {kStatic, {"batch", {{0, 0}, {1, 0}}}}});
}

ExportOptions options_of(const Net& net, const Mode& mode, int64_t opset) {
  constexpr const char* kSymbols[] = {"batch_size", "axis1", "height", "width"};
  ExportOptions options;
  options.opset_version = opset;
  options.do_constant_folding = mode.fold;
  for (size_t i = 0; i < net.runs[0].size(); ++i) options.input_names.push_back("input" + std::to_string(i));
  std::map<std::string, Axes> axes;
  for (const auto& [input, axis] : mode.open) axes[options.input_names[input]][axis] = kSymbols[axis];
  for (auto& [name, symbols] : axes) options.dynamic_axes[name] = std::move(symbols);
  return options;
}

std::vector<Tensor> sample(const Net& net, size_t run) {
  manual_seed(run + 1);
  std::vector<Tensor> inputs;
  for (const Shape& shape : net.runs[run]) {
    const Tensor x = randn(shape);
    inputs.push_back((is_floating_point(net.dtype) ? x : x * 10.0).to(net.dtype));
  }
  return inputs;
}

void export_all(const Net& net, const std::filesystem::path& folder) {
  for (const Mode& mode : net.modes) {
    const std::string told = net.name + "\t" + mode.name + "\t";
    std::filesystem::create_directories(folder / mode.name);
    for (int64_t opset = kMinExportOpset; opset <= kMaxExportOpset; ++opset) {
      try {
        export_onnx(*net.module, sample(net, 0), folder / mode.name / (std::to_string(opset) + ".onnx"), options_of(net, mode, opset));
        std::printf("model\t%s%d\n", told.c_str(), static_cast<int>(opset));
      } catch (const Error& error) {
        if (error.code() != ErrorCode::kUnsupported) throw;
        std::printf("refused\t%s%d\t%s\n", told.c_str(), static_cast<int>(opset), error.what());
      }
    }
  }
}

bool takes(const Net& net, const Mode& mode, size_t run) {
  for (size_t i = 0; i < net.runs[0].size(); ++i) {
    for (size_t axis = 0; axis < net.runs[0][i].size(); ++axis) {
      const bool same = net.runs[run][i][axis] == net.runs[0][i][axis];
      const std::pair place(i, static_cast<int64_t>(axis));
      if (!same && std::find(mode.open.begin(), mode.open.end(), place) == mode.open.end()) return false;
    }
  }
  return true;
}

void run_all(const Net& net, const std::filesystem::path& folder) {
  for (size_t run = 0; run < net.runs.size(); ++run) {
    std::string modes;
    for (const Mode& mode : net.modes) {
      if (takes(net, mode, run)) modes += (modes.empty() ? "" : ",") + mode.name;
    }
    if (modes.empty()) continue;
    const std::vector<Tensor> inputs = sample(net, run), outputs = net.module->forward_many(inputs);
    const std::string stem = std::to_string(run);
    for (size_t i = 0; i < inputs.size(); ++i) save_npy(folder / (stem + "_input_" + std::to_string(i) + ".npy"), inputs[i]);
    for (size_t i = 0; i < outputs.size(); ++i) save_npy(folder / (stem + "_output_" + std::to_string(i) + ".npy"), outputs[i]);
    std::printf("run\t%s\t%zu\t%s\t%zu\t%zu\n", net.name.c_str(), run, modes.c_str(), inputs.size(), outputs.size());
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: export_driver FOLDER\n", stderr);
    return 2;
  }
  try {
    manual_seed(0);
    std::vector<Net> nets;
    add_networks(nets);
    add_pools(nets);
    add_elementwise(nets);
    add_movement(nets);
    for (const Net& net : nets) {
      age(*net.module);
      const std::filesystem::path folder = std::filesystem::path(argv[1]) / net.name;
      std::filesystem::create_directories(folder);
      export_all(net, folder);
      run_all(net, folder);
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
