// Quantised graphs for tests, and a comparison that counts steps of the quantisation.
#pragma once

#include <string>
#include <vector>

#include "optimize/rule_testing.h"

namespace sardonyx::optimize {

// Bytes from the whole range of the type.
inline Tensor random_bytes(Shape shape, DType dtype, uint32_t seed) {
  const Tensor numbers = random_tensor(std::move(shape), seed);
  Tensor result = Tensor::empty(numbers.shape(), dtype);
  for (size_t i = 0; i < numbers.values<float>().size(); ++i) {
    const int byte = static_cast<int>(numbers.values<float>()[i] * 127);
    if (dtype == DType::kInt8) {
      result.mutable_values<int8_t>()[i] = static_cast<int8_t>(byte);
    } else {
      result.mutable_values<uint8_t>()[i] = static_cast<uint8_t>(byte + 128);
    }
  }
  return result;
}

// Adds the constants "<name>_s" and "<name>_z" of that type.
inline void quantization(ModelBuilder& builder, const std::string& name, float scale, int zero, DType dtype = DType::kUInt8) {
  builder.constant(name + "_s", Tensor::scalar(scale));
  builder.constant(name + "_z", Tensor::full({}, static_cast<float>(zero), DType::kFloat32).to(dtype));
}
// "<name>_q" dequantised to `name`.
inline void dequantize(ModelBuilder& builder, const std::string& name, std::vector<model::Attribute> attributes = {}) {
  builder.node("DequantizeLinear", {name + "_q", name + "_s", name + "_z"}, {name}, std::move(attributes));
}
// `name` quantised to "<name>_q".
inline void quantize(ModelBuilder& builder, const std::string& name) {
  builder.node("QuantizeLinear", {name, name + "_s", name + "_z"}, {name + "_q"});
}

// The optimised model, after its outputs have been compared with those of the given one: at most `steps` apart.
inline model::Model within_steps(const model::Model& before, const Feeds& feeds, int steps) {
  model::Model after = before;
  optimize(after, GraphOptimizationLevel::kAll);
  const std::vector<Tensor> expected = reference_outputs(before, feeds), actual = reference_outputs(after, feeds);
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(expected[i].dtype(), actual[i].dtype());
    EXPECT_EQ(expected[i].shape(), actual[i].shape());
    const Tensor a = expected[i].to(DType::kFloat32), b = actual[i].to(DType::kFloat32);
    for (size_t j = 0; j < a.values<float>().size(); ++j)
      EXPECT_NEAR(a.values<float>()[j], b.values<float>()[j], static_cast<float>(steps));
  }
  return after;
}

}  // namespace sardonyx::optimize
