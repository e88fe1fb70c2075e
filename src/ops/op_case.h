// For the operators' tests: one node, run through evaluate(), or through the three stages with constant inputs.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "core/parallel.h"
#include "ops/stages.h"

namespace sardonyx::ops {

class OpCase {
 public:
  explicit OpCase(std::string op_type, int64_t opset = 22, std::string domain = "") : opset_(opset) {
    node_.op_type = std::move(op_type);
    node_.domain = std::move(domain);
    node_.name = "n";
    node_.output = {"out0"};
  }

  template <class Value>
  OpCase& attribute(std::string name, Value value) {
    node_.attribute.push_back(model::Attribute::of(std::move(name), std::move(value)));
    return *this;
  }
  OpCase& ints(std::string name, std::vector<int64_t> values) { return attribute(std::move(name), std::move(values)); }
  OpCase& outputs(std::vector<std::string> names) {
    node_.output = std::move(names);
    return *this;
  }

  std::vector<Tensor> run_all(const std::vector<Tensor>& inputs) { return evaluate(node_for(inputs), opset_, inputs); }
  Tensor run(const std::vector<Tensor>& inputs) { return run_all(inputs).at(0); }

  // With the inputs whose bit is set in `constants` known to prepare and bind; those that prepare takes over are then withheld from run.
  Tensor run_with_constants(std::vector<Tensor> inputs, uint32_t constants) {
    const model::Node node = node_for(inputs);
    std::vector<const Tensor*> known;
    std::vector<ValueFacts> facts;
    const std::vector<Tensor> kept = inputs;
    for (size_t i = 0; i < kept.size(); ++i) {
      known.push_back((constants >> i & 1) != 0 ? &kept[i] : nullptr);
      facts.push_back(kept[i].defined() ? ValueFacts{kept[i].dtype(), kept[i].shape(), known[i]} : ValueFacts{});
    }
    const auto prepared = prepare({node, opset_, known});
    const auto bound = prepared->bind({facts, core::shared_pool().threads()});
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (prepared->consumed_constant(i)) inputs[i] = Tensor();
    }
    return run_step(*bound, inputs, core::shared_pool()).at(0);
  }

  // The category and text of the error that running gives; fails the test if there is none.
  std::pair<ErrorCode, std::string> error(const std::vector<Tensor>& inputs) {
    try {
      run_all(inputs);
    } catch (const Error& error) {
      return {error.code(), error.what()};
    }
    ADD_FAILURE() << node_.op_type << " gave no error";
    return {ErrorCode::kInternal, ""};
  }

 private:
  model::Node node_for(const std::vector<Tensor>& inputs) const {
    model::Node node = node_;
    for (size_t i = 0; i < inputs.size(); ++i) node.input.push_back(inputs[i].defined() ? "in" + std::to_string(i) : "");
    return node;
  }

  model::Node node_;
  int64_t opset_;
};

inline Tensor floats(Shape shape, std::initializer_list<float> values) { return Tensor::of<float>(std::move(shape), values); }
inline Tensor int64s(std::initializer_list<int64_t> values) { return Tensor::of<int64_t>({static_cast<int64_t>(values.size())}, values); }

// Uniform in [low, high).
inline Tensor random_tensor(std::mt19937& generator, Shape shape, float low = -1, float high = 1) {
  Tensor result = Tensor::empty(std::move(shape));
  std::uniform_real_distribution<float> distribution(low, high);
  for (float& value : result.mutable_values<float>()) value = distribution(generator);
  return result;
}

inline std::vector<double> doubles(const Tensor& tensor) {
  const Tensor wide = tensor.to(DType::kFloat64);
  const auto values = wide.values<double>();
  return {values.begin(), values.end()};
}

// Within `tolerance`, relative to the greater of 1 and the expected value; NaN and infinities must be met.
inline void expect_close(const Tensor& actual, const Shape& shape, const std::vector<double>& expected, double tolerance = 1e-5) {
  ASSERT_EQ(actual.shape(), shape);
  const std::vector<double> values = doubles(actual);
  ASSERT_EQ(values.size(), expected.size());
  for (size_t i = 0; i < values.size(); ++i) {
    if (std::isnan(expected[i]) || std::isinf(expected[i])) {
      EXPECT_TRUE(std::isnan(expected[i]) ? std::isnan(values[i]) : values[i] == expected[i]) << "element " << i << ": " << values[i];
    } else {
      EXPECT_NEAR(values[i], expected[i], tolerance * std::max(1.0, std::abs(expected[i]))) << "element " << i;
    }
  }
}

}  // namespace sardonyx::ops
