#include "superres/net.h"

#include <span>

#include "sardonyx/checkpoint.h"
#include "superres/default_weights.h"

namespace sardonyx::superres {

SuperResolutionNetImpl::SuperResolutionNetImpl(int64_t factor) : nn::Module("SuperResolutionNet") {
  conv1 = register_module("conv1", nn::Conv2d(nn::Conv2dOptions(1, 64, 5).padding(2)));
  conv2 = register_module("conv2", nn::Conv2d(nn::Conv2dOptions(64, 64, 3).padding(1)));
  conv3 = register_module("conv3", nn::Conv2d(nn::Conv2dOptions(64, 32, 3).padding(1)));
  conv4 = register_module("conv4", nn::Conv2d(nn::Conv2dOptions(32, factor * factor, 3).padding(1)));
  pixel_shuffle = register_module("pixel_shuffle", nn::PixelShuffle(factor));
  const double gain = nn::init::calculate_gain(nn::init::kReLU);
  nn::init::orthogonal_(conv1->weight, gain);
  nn::init::orthogonal_(conv2->weight, gain);
  nn::init::orthogonal_(conv3->weight, gain);
  nn::init::orthogonal_(conv4->weight);
}

Tensor SuperResolutionNetImpl::forward(const Tensor& x) {
  Tensor y = relu(conv1(x));
  y = relu(conv2(y));
  y = relu(conv3(y));
  return pixel_shuffle(conv4(y));
}

SuperResolutionNet load_net(const std::optional<std::filesystem::path>& weights) {
  SuperResolutionNet net(kFactor);
  const StateDict state = weights ? load_checkpoint(*weights) : load_checkpoint(default_weights(), nullptr, {}, "built-in weights");
  with_trail([&] { return weights ? weights->string() : std::string("built-in weights"); }, [&] { net->load_state_dict(state); });
  net->eval();
  return net;
}

ExportOptions export_options(int64_t opset_version) {
  ExportOptions options;
  options.opset_version = opset_version;
  options.input_names = {"input"};
  options.output_names = {"output"};
  options.dynamic_axes = {{"input", std::map<int64_t, std::string>{{0, "batch_size"}, {2, "height"}, {3, "width"}}},
                          {"output", std::map<int64_t, std::string>{{0, "batch_size"}, {2, "out_height"}, {3, "out_width"}}}};
  return options;
}

Tensor example_input() {
  manual_seed(0);
  return randn({1, 1, 224, 224});
}

}  // namespace sardonyx::superres
