// Small models for tests, written node by node, and a reference interpreter that runs them one node at a time.
#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "ops/op.h"
#include "optimize/sort.h"
#include "sardonyx/model.h"
#include "sardonyx/session.h"

namespace sardonyx::optimize {

class ModelBuilder {
 public:
  explicit ModelBuilder(int64_t opset = 17, int64_t ir_version = 8) {
    model_.ir_version = ir_version;
    model_.has_graph = true;
    model_.graph.name = "test";
    import("", opset);
  }

  ModelBuilder& import(std::string domain, int64_t version) {
    model::OpsetId id;
    id.domain = std::move(domain);
    id.version = version;
    model_.opset_import.push_back(std::move(id));
    return *this;
  }
  ModelBuilder& input(std::string name, std::vector<model::Dimension> dims, DType dtype = DType::kFloat32) {
    model_.graph.input.push_back(value(std::move(name), model::Type::of_tensor(dtype, std::move(dims))));
    return *this;
  }
  ModelBuilder& output(std::string name, DType dtype = DType::kFloat32) {
    model_.graph.output.push_back(value(std::move(name), model::Type::of_tensor(dtype)));
    return *this;
  }
  ModelBuilder& info(std::string name, std::vector<model::Dimension> dims, DType dtype = DType::kFloat32) {
    model_.graph.value_info.push_back(value(std::move(name), model::Type::of_tensor(dtype, std::move(dims))));
    return *this;
  }
  ModelBuilder& constant(std::string name, const Tensor& tensor) {
    model_.graph.initializer.push_back(model::encode(tensor, std::move(name)));
    return *this;
  }
  ModelBuilder& node(std::string op_type, std::vector<std::string> inputs, std::vector<std::string> outputs,
                     std::vector<model::Attribute> attributes = {}, std::string domain = "") {
    model::Node added;
    added.op_type = std::move(op_type);
    added.name = "node_" + (outputs.empty() ? std::string("without_output") : outputs[0]);
    added.domain = std::move(domain);
    added.input = std::move(inputs);
    added.output = std::move(outputs);
    added.attribute = std::move(attributes);
    model_.graph.node.push_back(std::move(added));
    return *this;
  }
  model::Model build() const { return model_; }

 private:
  static model::ValueInfo value(std::string name, model::Type type) {
    model::ValueInfo info;
    info.name = std::move(name);
    info.type = std::move(type);
    return info;
  }
  model::Model model_;
};

// The same numbers for the same seed, in [-1, 1].
inline Tensor random_tensor(Shape shape, uint32_t seed = 1) {
  std::mt19937 engine(seed);
  Tensor result = Tensor::empty(std::move(shape));
  for (float& v : result.mutable_values<float>()) v = static_cast<float>(engine()) / 2147483648.0f - 1.0f;
  return result;
}

// The graph outputs, computed by ops::evaluate node by node.
inline std::vector<Tensor> reference_outputs(const model::Model& model, const Feeds& feeds) {
  std::map<std::string, Tensor> values = {{"", Tensor()}};
  for (const model::TensorData& tensor : model.graph.initializer) values[tensor.name] = model::decode(tensor);
  for (const auto& [name, tensor] : feeds) values[name] = tensor;
  for (const size_t index : running_order(model.graph)) {
    const model::Node& node = model.graph.node[index];
    std::vector<Tensor> inputs;
    for (const std::string& input : node.input) inputs.push_back(values.at(input));
    const std::vector<Tensor> outputs = ops::evaluate(node, model.opset_version(node.domain), inputs);
    for (size_t i = 0; i < node.output.size(); ++i) values[node.output[i]] = outputs.at(i);
  }
  std::vector<Tensor> results;
  for (const model::ValueInfo& output : model.graph.output) results.push_back(values.at(output.name));
  return results;
}

}  // namespace sardonyx::optimize
