// Runs a model with operators of a shared library and one of this program: custom_op_example libstatistics_ops.so
#include <algorithm>
#include <cstdio>
#include <exception>

#include "sardonyx/custom_op.h"
#include "sardonyx/session.h"
#include "sardonyx/text.h"

namespace {

using sardonyx::CustomKernel;
using sardonyx::DType;
using sardonyx::Tensor;
using sardonyx::TensorFacts;

constexpr const char* kModel = R"(
<ir_version: 9, opset_import: ["" : 17, "com.example.statistics" : 1, "com.example.mine" : 1]>
example (float[rows, 4] x) => (float[outliers] outliers, float[rows] mean) {
  scaled, mean = com.example.statistics.Standardize <epsilon = 0.0> (x)
  size = com.example.mine.Clamp <limit = 1.5> (scaled)
  outliers = com.example.statistics.Above <threshold = 1.2> (size)
})";

// Clamp(x): each element held to [-limit, limit].
sardonyx::CustomOp clamp_op() {
  sardonyx::CustomOp op;
  op.domain = "com.example.mine";
  op.name = "Clamp";
  op.inputs = {{"x", {DType::kFloat32}}};
  op.outputs = {{"y"}};
  op.attributes = {{"limit", 1.0f}};
  op.make = [](const sardonyx::CustomAttributes& attributes) {
    const float limit = attributes.get<float>("limit");
    return CustomKernel{.infer = [](const std::vector<TensorFacts>& inputs) { return inputs; },
                        .run =
                            [limit](const std::vector<Tensor>& inputs, std::vector<Tensor>& outputs) {
                              const auto x = inputs[0].values<float>();
                              std::transform(x.begin(), x.end(), outputs[0].mutable_values<float>().begin(),
                                             [limit](float value) { return std::clamp(value, -limit, limit); });
                            }};
  };
  return op;
}

void print(const char* name, const Tensor& tensor) {
  std::printf("%s:", name);
  for (const float value : tensor.values<float>()) std::printf(" %.4f", static_cast<double>(value));
  std::printf("\n");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return std::fprintf(stderr, "usage: %s LIBRARY\n", argv[0]), 2;
  try {
    auto ops = std::make_shared<sardonyx::CustomOps>();
    ops->load(argv[1]);
    ops->add(clamp_op());
    sardonyx::SessionOptions options;
    options.custom_ops = ops;
    const sardonyx::InferenceSession session(sardonyx::model::parse_text_model(kModel), options);
    const Tensor x = Tensor::of<float>({2, 4}, {1, 1, 1, 5, 2, 4, 6, 8});
    const std::vector<Tensor> results = session.run({{"x", x}});
    print("outliers", results[0]);
    print("mean", results[1]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
