// For the exporter's tests: modules made from functions, and the exported model run node by node against the module's own outputs.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ops/op.h"
#include "sardonyx/check.h"
#include "sardonyx/export.h"

namespace sardonyx::exporter {

inline constexpr int64_t kTestedOpsets[] = {7, 9, 10, 11, 12, 13, 17, 18, 21, 22, 27};

// A module whose forward is a function, in evaluation mode.
struct FunctionNetImpl : nn::Module {
  using Function = std::function<std::vector<Tensor>(std::span<const Tensor>)>;
  explicit FunctionNetImpl(Function given) : nn::Module("FunctionNet"), function(std::move(given)) { eval(); }
  std::vector<Tensor> forward_many(std::span<const Tensor> inputs) override { return function(inputs); }
  Function function;
};

using Unary = std::function<Tensor(const Tensor&)>;

inline std::shared_ptr<FunctionNetImpl> net_of(Unary function) {
  return std::make_shared<FunctionNetImpl>(
      [function = std::move(function)](std::span<const Tensor> x) { return std::vector<Tensor>{function(x[0])}; });
}

// Standard normal numbers, the same on each call.
inline Tensor normal(Shape shape) {
  manual_seed(5);
  return randn(std::move(shape));
}

// All values of the graph, computed node by node. A feed goes before an initializer of its name.
inline std::map<std::string, Tensor> interpret(const model::Model& model, std::map<std::string, Tensor> values) {
  for (const model::TensorData& tensor : model.graph.initializer) values.try_emplace(tensor.name, model::decode(tensor));
  for (const model::Node& node : model.graph.node) {
    std::vector<Tensor> inputs;
    for (const std::string& name : node.input) inputs.push_back(name.empty() ? Tensor() : values.at(name));
    values[node.output.at(0)] = ops::evaluate(node, model.opset_version(), inputs).at(0);
  }
  return values;
}

inline void expect_valid(const model::Model& model) {
  const CheckReport report = check_model(model);
  EXPECT_TRUE(report.runnable()) << to_string(report);
}

// Equal to `tolerance`, relative to the largest expected magnitude where that is above 1.
inline void expect_near(const Tensor& actual, const Tensor& expected, double tolerance) {
  ASSERT_EQ(actual.dtype(), expected.dtype());
  ASSERT_EQ(actual.shape(), expected.shape());
  const Tensor a = actual.to(DType::kFloat64), b = expected.to(DType::kFloat64);
  double largest = 1, difference = 0;
  for (size_t i = 0; i < b.values<double>().size(); ++i) {
    largest = std::max(largest, std::abs(b.values<double>()[i]));
    difference = std::max(difference, std::abs(a.values<double>()[i] - b.values<double>()[i]));
  }
  EXPECT_LE(difference, tolerance * largest);
}

// The declared type and sizes hold; each symbol stands for one size.
inline void expect_declared(const model::ValueInfo& info, const Tensor& tensor, std::map<std::string, int64_t>& symbols) {
  const model::TensorType& type = *info.type.tensor();
  EXPECT_EQ(type.dtype(), tensor.dtype()) << info.name;
  ASSERT_EQ(type.shape.dims.size(), tensor.shape().size()) << info.name;
  for (size_t axis = 0; axis < tensor.shape().size(); ++axis) {
    const model::Dimension& dim = type.shape.dims[axis];
    const int64_t size = dim.is_known() ? dim.size() : symbols.try_emplace(dim.symbol(), tensor.shape()[axis]).first->second;
    EXPECT_EQ(size, tensor.shape()[axis]) << info.name << " axis " << axis;
  }
}

// Runs the model and the module on the same inputs.
inline void expect_same_outputs(const model::Model& model, nn::Module& module, const std::vector<Tensor>& inputs, double tolerance = 2e-6) {
  std::map<std::string, Tensor> feeds;
  std::map<std::string, int64_t> symbols;
  ASSERT_GE(model.graph.input.size(), inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    feeds[model.graph.input[i].name] = inputs[i].clone();
    expect_declared(model.graph.input[i], inputs[i], symbols);
  }
  const std::vector<Tensor> expected = module.forward_many(inputs);
  const std::map<std::string, Tensor> values = interpret(model, feeds);
  ASSERT_EQ(model.graph.output.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    const Tensor& actual = values.at(model.graph.output[i].name);
    expect_declared(model.graph.output[i], actual, symbols);
    expect_near(actual, expected[i], tolerance);
  }
}

// Exports with the first of the given inputs as the example, and runs the model on all of them.
inline void expect_faithful(nn::Module& module, const std::vector<std::vector<Tensor>>& runs, const ExportOptions& options,
                            double tolerance = 2e-6) {
  const model::Model model = export_model(module, runs.at(0), options);
  expect_valid(model);
  for (const std::vector<Tensor>& inputs : runs) expect_same_outputs(model, module, inputs, tolerance);
}

// What the Error that body() throws says; a note if there is none or if it is of another category.
template <class Body>
std::string error_of(const Body& body, ErrorCode wanted) {
  try {
    body();
  } catch (const Error& error) {
    if (error.code() == wanted) return error.what();
    return "code " + std::string(to_string(error.code())) + ": " + error.what();
  }
  return "no error";
}

inline std::vector<std::string> node_names(const model::Model& model) {
  std::vector<std::string> names;
  for (const model::Node& node : model.graph.node) names.push_back(node.name);
  return names;
}

inline std::vector<std::string> op_types(const model::Model& model) {
  std::vector<std::string> types;
  for (const model::Node& node : model.graph.node) types.push_back(node.op_type);
  return types;
}

template <class Named>
std::vector<std::string> names_of(const std::vector<Named>& values) {
  std::vector<std::string> names;
  for (const Named& value : values) names.push_back(value.name);
  return names;
}

}  // namespace sardonyx::exporter
