// Runs commands from standard input on the public nn headers and writes what they give to standard output; nn_test.py compares it with
// PyTorch.
//
// A command is one line: a verb, then name=value pairs. The answer is records, then the line "end". A record is a header line and bytes:
// "tensor NAME TYPE SIZES BYTES", "text NAME BYTES" or "error CODE BYTES". Sizes read "2x3", "-" for rank 0; tensors are given as
// "FILE:TYPE:SIZES", raw elements.
#include <algorithm>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <sstream>
#include <string>

#include "sardonyx/nn.h"

namespace {

using namespace sardonyx;

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, separator);) parts.push_back(part);
  return parts;
}

Shape sizes(const std::string& text) {
  Shape result;
  if (text == "-") return result;
  for (const std::string& part : split(text, 'x')) result.push_back(std::stoll(part));
  return result;
}

Tensor tensor_from(const std::string& text) {
  const std::vector<std::string> parts = split(text, ':');
  Tensor result = Tensor::empty(sizes(parts.at(2)), dtype_from_string(parts.at(1)).value());
  std::ifstream file(parts[0], std::ios::binary);
  if (result.numel() > 0) file.read(static_cast<char*>(result.mutable_raw()), static_cast<std::streamsize>(result.byte_size()));
  if (!file) throw Error(ErrorCode::kIo, "cannot read " + text);
  return result;
}

class Arguments {
 public:
  explicit Arguments(std::istringstream& in) {
    for (std::string pair; in >> pair;) values_[pair.substr(0, pair.find('='))] = pair.substr(pair.find('=') + 1);
  }
  bool has(const std::string& name) const { return values_.contains(name); }
  const std::string& text(const std::string& name) const { return values_.at(name); }
  std::string text(const std::string& name, const std::string& fallback) const { return has(name) ? text(name) : fallback; }
  int64_t number(const std::string& name, int64_t fallback) const { return has(name) ? std::stoll(text(name)) : fallback; }
  bool flag(const std::string& name, bool fallback = false) const { return number(name, fallback ? 1 : 0) != 0; }
  double real(const std::string& name, double fallback) const { return has(name) ? std::stod(text(name)) : fallback; }
  nn::Size2d size(const std::string& name, nn::Size2d fallback) const {
    if (!has(name)) return fallback;
    const Shape both = sizes(text(name));
    return both.size() == 1 ? nn::Size2d(both[0]) : nn::Size2d(both.at(0), both.at(1));
  }
  nn::Padding2d padding() const {
    const std::string given = text("padding", "0");
    if (given == "same") return nn::kSame;
    if (given == "valid") return nn::kValid;
    return size("padding", 0);
  }
  Tensor tensor(const std::string& name) const { return has(name) ? tensor_from(text(name)) : Tensor(); }
  DType dtype() const { return dtype_from_string(text("dtype", "float")).value(); }
  Shape shape(const std::string& name = "shape") const { return sizes(text(name)); }
  std::vector<Tensor> inputs() const {
    std::vector<Tensor> result;
    for (int i = 0; has("in" + std::to_string(i)); ++i) result.push_back(tensor("in" + std::to_string(i)));
    return result;
  }

 private:
  std::map<std::string, std::string> values_;
};

void write_text(const std::string& name, const std::string& text) { std::cout << "text " << name << ' ' << text.size() << '\n' << text; }

void write_tensor(const std::string& name, const Tensor& tensor) {
  std::string shape;
  for (const int64_t size : tensor.shape()) shape += (shape.empty() ? "" : "x") + std::to_string(size);
  std::cout << "tensor " << name << ' ' << to_string(tensor.dtype()) << ' ' << (shape.empty() ? "-" : shape) << ' ' << tensor.byte_size()
            << '\n';
  std::cout.write(static_cast<const char*>(tensor.raw()), static_cast<std::streamsize>(tensor.byte_size()));
}

void write_state(const nn::Module& module) {
  for (const auto& [name, tensor] : module.state_dict()) write_tensor(name, tensor);
}

void set_state(nn::Module& module, const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  StateDict state;
  for (const auto& [name, tensor] : module.state_dict()) {
    Tensor read = Tensor::empty(tensor.shape(), tensor.dtype());
    in.read(static_cast<char*>(read.mutable_raw()), static_cast<std::streamsize>(read.byte_size()));
    state.set(name, read);
  }
  if (!in) throw Error(ErrorCode::kIo, "cannot read " + file);
  module.load_state_dict(state);
}

struct SuperResolutionNetImpl : nn::Module {
  explicit SuperResolutionNetImpl(int64_t factor) {
    relu = register_module("relu", nn::ReLU());
    conv1 = register_module("conv1", nn::Conv2d(nn::Conv2dOptions(1, 64, {5, 5}).stride({1, 1}).padding({2, 2})));
    conv2 = register_module("conv2", nn::Conv2d(nn::Conv2dOptions(64, 64, {3, 3}).stride({1, 1}).padding({1, 1})));
    conv3 = register_module("conv3", nn::Conv2d(nn::Conv2dOptions(64, 32, {3, 3}).stride({1, 1}).padding({1, 1})));
    conv4 = register_module("conv4", nn::Conv2d(nn::Conv2dOptions(32, factor * factor, {3, 3}).stride({1, 1}).padding({1, 1})));
    pixel_shuffle = register_module("pixel_shuffle", nn::PixelShuffle(factor));
    const double gain = nn::init::calculate_gain(nn::init::kReLU);
    for (const nn::Conv2d& conv : {conv1, conv2, conv3}) nn::init::orthogonal_(conv->weight, gain);
    nn::init::orthogonal_(conv4->weight);
  }
  Tensor forward(const Tensor& x) override { return pixel_shuffle(conv4(relu(conv3(relu(conv2(relu(conv1(x)))))))); }

  nn::ReLU relu{nullptr};
  nn::Conv2d conv1{nullptr}, conv2{nullptr}, conv3{nullptr}, conv4{nullptr};
  nn::PixelShuffle pixel_shuffle{nullptr};
};
SARDONYX_MODULE(SuperResolutionNet);

using MakeLayer = std::function<nn::AnyModule(const Arguments&)>;

nn::BatchNormOptions batch_norm_options(const Arguments& a) {
  nn::BatchNormOptions options(a.number("features", 1));
  options.eps(a.real("eps", 1e-5)).affine(a.flag("affine", true)).track_running_stats(a.flag("track", true));
  if (a.text("momentum", "0.1") == "none") {
    options.momentum(std::nullopt);
  } else {
    options.momentum(a.real("momentum", 0.1));
  }
  return options;
}

nn::AnyModule make_conv2d(const Arguments& a) {
  return nn::Conv2d(nn::Conv2dOptions(a.number("in_channels", 1), a.number("out_channels", 1), a.size("kernel", 1))
                        .stride(a.size("stride", 1))
                        .padding(a.padding())
                        .dilation(a.size("dilation", 1))
                        .groups(a.number("groups", 1))
                        .bias(a.flag("bias", true)));
}

nn::AnyModule make_max_pool2d(const Arguments& a) {
  return nn::MaxPool2d(nn::MaxPool2dOptions(a.size("kernel", 1))
                           .stride(a.size("stride", {}))
                           .padding(a.size("padding", 0))
                           .dilation(a.size("dilation", 1))
                           .ceil_mode(a.flag("ceil")));
}

nn::AnyModule make_avg_pool2d(const Arguments& a) {
  nn::AvgPool2dOptions options(a.size("kernel", 1));
  options.stride(a.size("stride", {}))
      .padding(a.size("padding", 0))
      .ceil_mode(a.flag("ceil"))
      .count_include_pad(a.flag("include_pad", true));
  if (a.has("divisor")) options.divisor_override(a.number("divisor", 1));
  return nn::AvgPool2d(options);
}

// A tree with containers and repeated kinds, for names, order and text. Braces construct in order, so that the weights are drawn in order.
nn::AnyModule make_tree(const Arguments&) {
  return nn::Sequential{nn::Conv2d(1, 4, 3),
                        nn::ReLU(true),
                        nn::Sequential({{"conv", nn::Conv2d(nn::Conv2dOptions(4, 4, 3).padding(1).bias(false))},
                                        {"norm", nn::BatchNorm2d(4)},
                                        {"act", nn::LeakyReLU(nn::LeakyReLUOptions().negative_slope(0.2).inplace(true))}}),
                        nn::MaxPool2d(nn::MaxPool2dOptions(2).stride(2)),
                        nn::Flatten(),
                        nn::Linear(64, 10),
                        nn::Dropout(0.25),
                        nn::Softmax(1)};
}

const std::map<std::string, MakeLayer>& layers() {
  static const std::map<std::string, MakeLayer> kLayers = {
      {"Conv2d", make_conv2d},
      {"Linear",
       [](const Arguments& a) {
         return nn::Linear(nn::LinearOptions(a.number("in_features", 1), a.number("out_features", 1)).bias(a.flag("bias", true)));
       }},
      {"BatchNorm1d", [](const Arguments& a) { return nn::BatchNorm1d(batch_norm_options(a)); }},
      {"BatchNorm2d", [](const Arguments& a) { return nn::BatchNorm2d(batch_norm_options(a)); }},
      {"ReLU", [](const Arguments& a) { return nn::ReLU(a.flag("inplace")); }},
      {"LeakyReLU",
       [](const Arguments& a) {
         return nn::LeakyReLU(nn::LeakyReLUOptions().negative_slope(a.real("slope", 0.01)).inplace(a.flag("inplace")));
       }},
      {"Sigmoid", [](const Arguments&) { return nn::Sigmoid(); }},
      {"Tanh", [](const Arguments&) { return nn::Tanh(); }},
      {"Softmax", [](const Arguments& a) { return nn::Softmax(a.number("dim", 0)); }},
      {"Identity", [](const Arguments&) { return nn::Identity(); }},
      {"Dropout", [](const Arguments& a) { return nn::Dropout(nn::DropoutOptions(a.real("p", 0.5)).inplace(a.flag("inplace"))); }},
      {"PixelShuffle", [](const Arguments& a) { return nn::PixelShuffle(a.number("factor", 1)); }},
      {"PixelUnshuffle", [](const Arguments& a) { return nn::PixelUnshuffle(a.number("factor", 1)); }},
      {"MaxPool2d", make_max_pool2d},
      {"AvgPool2d", make_avg_pool2d},
      {"AdaptiveAvgPool2d", [](const Arguments& a) { return nn::AdaptiveAvgPool2d(nn::AdaptiveAvgPool2dOptions(a.size("output", 1))); }},
      {"Flatten",
       [](const Arguments& a) { return nn::Flatten(nn::FlattenOptions().start_dim(a.number("start", 1)).end_dim(a.number("end", -1))); }},
      {"SuperResolutionNet", [](const Arguments& a) { return SuperResolutionNet(a.number("factor", 3)); }},
      {"Tree", make_tree},
  };
  return kLayers;
}

// layer kind=... [state=FILE] [train=1] [in0=...] [again=1]: its text and state; then, with an input, the output and the state after it.
void run_layer(const Arguments& a) {
  const std::shared_ptr<nn::Module> module = layers().at(a.text("kind"))(a).ptr();
  write_text("repr", to_string(*module));
  if (a.has("state")) {
    set_state(*module, a.text("state"));
  } else {
    write_state(*module);
  }
  module->train(a.flag("train"));
  for (const Tensor& input : a.inputs()) write_tensor("output", module->forward(input));
  if (a.has("in0")) write_state(*module);
}

using Function = std::function<Tensor(const Arguments&, const std::vector<Tensor>&)>;

const std::map<std::string, Function>& functions() {
  using In = const std::vector<Tensor>&;
  static const std::map<std::string, Function> kFunctions = {
      {"conv2d",
       [](const Arguments& a, In x) {
         return conv2d(x.at(0), x.at(1), x.size() > 2 ? x[2] : Tensor(), a.size("stride", 1), a.padding(), a.size("dilation", 1),
                       a.number("groups", 1));
       }},
      {"linear", [](const Arguments&, In x) { return linear(x.at(0), x.at(1), x.size() > 2 ? x[2] : Tensor()); }},
      {"matmul", [](const Arguments&, In x) { return matmul(x.at(0), x.at(1)); }},
      {"add", [](const Arguments& a, In x) { return add(x.at(0), x.at(1), a.real("alpha", 1)); }},
      {"sub", [](const Arguments& a, In x) { return sub(x.at(0), x.at(1), a.real("alpha", 1)); }},
      {"mul", [](const Arguments&, In x) { return x.at(0) * x.at(1); }},
      {"div", [](const Arguments&, In x) { return x.at(0) / x.at(1); }},
      {"numbers", [](const Arguments&, In x) { return 2.5 * (x.at(0) + 1.0) / 3.0 - 0.5; }},
      {"cat", [](const Arguments& a, In x) { return cat(x, a.number("dim", 0)); }},
      {"clamp",
       [](const Arguments& a, In x) {
         const auto bound = [&](const char* name) { return a.has(name) ? std::optional(a.real(name, 0)) : std::nullopt; };
         return clamp(x.at(0), bound("min"), bound("max"));
       }},
      {"flatten", [](const Arguments& a, In x) { return flatten(x.at(0), a.number("start", 0), a.number("end", -1)); }},
      {"reshape", [](const Arguments& a, In x) { return reshape(x.at(0), a.shape()); }},
      {"permute", [](const Arguments& a, In x) { return permute(x.at(0), a.shape("dims")); }},
      {"transpose", [](const Arguments& a, In x) { return transpose(x.at(0), a.number("dim0", 0), a.number("dim1", 1)); }},
      {"unsqueeze", [](const Arguments& a, In x) { return unsqueeze(x.at(0), a.number("dim", 0)); }},
      {"squeeze", [](const Arguments& a, In x) { return squeeze(x.at(0), a.number("dim", 0)); }},
      {"softmax", [](const Arguments& a, In x) { return softmax(x.at(0), a.number("dim", 0)); }},
      {"max_pool2d",
       [](const Arguments& a, In x) { return max_pool2d(x.at(0), a.size("kernel", 1), a.size("stride", {}), a.size("padding", 0)); }},
      {"pixel_shuffle", [](const Arguments& a, In x) { return pixel_shuffle(x.at(0), a.number("factor", 1)); }},
      {"batch_norm",
       [](const Arguments& a, In x) {
         return batch_norm(x.at(0), Tensor(), Tensor(), x.size() > 1 ? x[1] : Tensor(), x.size() > 2 ? x[2] : Tensor(), a.flag("train"));
       }},
      {"dropout", [](const Arguments& a, In x) { return dropout(x.at(0), a.real("p", 0.5), true); }},
  };
  return kFunctions;
}

void run_function(const Arguments& a) { write_tensor("output", functions().at(a.text("name"))(a, a.inputs())); }

using Initialise = std::function<void(const Arguments&, const Tensor&)>;

const std::map<std::string, Initialise>& initialisations() {
  namespace init = nn::init;
  static const std::map<std::string, init::Nonlinearity> kNonlinearities = {
      {"linear", init::kLinear}, {"tanh", init::kTanh}, {"relu", init::kReLU}, {"leaky_relu", init::kLeakyReLU}};
  static const auto mode = [](const Arguments& a) { return a.text("mode", "fan_in") == "fan_in" ? init::kFanIn : init::kFanOut; };
  static const auto kind = [](const Arguments& a) { return kNonlinearities.at(a.text("nonlinearity", "leaky_relu")); };
  static const std::map<std::string, Initialise> kAll = {
      {"uniform_", [](const Arguments& a, const Tensor& t) { init::uniform_(t, a.real("a", 0), a.real("b", 1)); }},
      {"normal_", [](const Arguments& a, const Tensor& t) { init::normal_(t, a.real("mean", 0), a.real("std", 1)); }},
      {"trunc_normal_",
       [](const Arguments& a, const Tensor& t) {
         init::trunc_normal_(t, a.real("mean", 0), a.real("std", 1), a.real("a", -2), a.real("b", 2));
       }},
      {"constant_", [](const Arguments& a, const Tensor& t) { init::constant_(t, a.real("val", 0)); }},
      {"ones_", [](const Arguments&, const Tensor& t) { init::ones_(t); }},
      {"zeros_", [](const Arguments&, const Tensor& t) { init::zeros_(t); }},
      {"eye_", [](const Arguments&, const Tensor& t) { init::eye_(t); }},
      {"dirac_", [](const Arguments& a, const Tensor& t) { init::dirac_(t, a.number("groups", 1)); }},
      {"xavier_uniform_", [](const Arguments& a, const Tensor& t) { init::xavier_uniform_(t, a.real("gain", 1)); }},
      {"xavier_normal_", [](const Arguments& a, const Tensor& t) { init::xavier_normal_(t, a.real("gain", 1)); }},
      {"kaiming_uniform_", [](const Arguments& a, const Tensor& t) { init::kaiming_uniform_(t, a.real("a", 0), mode(a), kind(a)); }},
      {"kaiming_normal_", [](const Arguments& a, const Tensor& t) { init::kaiming_normal_(t, a.real("a", 0), mode(a), kind(a)); }},
      {"orthogonal_", [](const Arguments& a, const Tensor& t) { init::orthogonal_(t, a.real("gain", 1)); }},
      {"sparse_", [](const Arguments& a, const Tensor& t) { init::sparse_(t, a.real("sparsity", 0), a.real("std", 0.01)); }},
  };
  return kAll;
}

void run_init(const Arguments& a) {
  const Tensor tensor(a.shape(), a.dtype());
  initialisations().at(a.text("name"))(a, tensor);
  write_tensor("output", tensor);
}

void run_command(const std::string& verb, const Arguments& a) {
  static const std::map<std::string, std::function<void(const Arguments&)>> kVerbs = {
      {"seed", [](const Arguments& b) { manual_seed(std::stoull(b.text("value"))); }},
      {"rand", [](const Arguments& b) { write_tensor("output", rand(b.shape(), b.dtype())); }},
      {"randn", [](const Arguments& b) { write_tensor("output", randn(b.shape(), b.dtype())); }},
      {"randint", [](const Arguments& b) { write_tensor("output", randint(b.number("low", 0), b.number("high", 1), b.shape())); }},
      {"randperm", [](const Arguments& b) { write_tensor("output", randperm(b.number("n", 0))); }},
      {"init", run_init},
      {"layer", run_layer},
      {"call", run_function},
  };
  kVerbs.at(verb)(a);
}

}  // namespace

int main() {
  std::cin.tie(nullptr);
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream in(line);
    std::string verb;
    in >> verb;
    const Arguments arguments(in);
    try {
      run_command(verb, arguments);
    } catch (const Error& error) {
      const std::string told = error.what();
      std::cout << "error " << to_string(error.code()) << ' ' << told.size() << '\n' << told;
    }
    std::cout << "end" << std::endl;
  }
  return std::cout.good() ? 0 : 1;
}
