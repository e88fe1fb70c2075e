#include "convert/ir_version.h"

#include <algorithm>
#include <unordered_set>

#include "schema/schema.h"

namespace sardonyx::convert {

namespace {
// The IR versions that brought what a model may hold.
constexpr int64_t kInnerInitializers = 4, kSparseTensors = 5, kQuantization = 5, kTraining = 7, kFunctions = 8, kFloat8 = 9;
constexpr int64_t kMetadata = 10, kInt4 = 10, kDevices = 11, kFloat4 = 11, kFloat8E8M0 = 12, kInt2 = 13;

int64_t of_type(int32_t elem_type) {
  switch (static_cast<DType>(elem_type)) {
    case DType::kFloat8E4M3FN:
    case DType::kFloat8E4M3FNUZ:
    case DType::kFloat8E5M2:
    case DType::kFloat8E5M2FNUZ:
      return kFloat8;
    case DType::kInt4:
    case DType::kUInt4:
      return kInt4;
    case DType::kFloat4E2M1:
      return kFloat4;
    case DType::kFloat8E8M0:
      return kFloat8E8M0;
    case DType::kInt2:
    case DType::kUInt2:
      return kInt2;
    default:
      return 0;
  }
}

class Needs {
 public:
  int64_t least = 0;

  void graph(const model::Graph& graph) {
    for (const auto* values : {&graph.input, &graph.output, &graph.value_info}) {
      for (const model::ValueInfo& value : *values) info(value);
    }
    std::unordered_set<std::string_view> inputs;
    for (const model::ValueInfo& input : graph.input) inputs.insert(input.name);
    for (const model::TensorData& tensor : graph.initializer) {
      if (inputs.count(tensor.name) == 0) need(kInnerInitializers);
      data(tensor);
    }
    if (!graph.sparse_initializer.empty()) need(kSparseTensors);
    if (!graph.quantization_annotation.empty()) need(kQuantization);
    if (!graph.metadata_props.empty()) need(kMetadata);
    nodes(graph.node);
  }

  void nodes(const std::vector<model::Node>& list) {
    for (const model::Node& node : list) {
      if (!node.metadata_props.empty() || !node.overload.empty()) need(kMetadata);
      if (!node.device_configurations.empty()) need(kDevices);
      for (const model::Attribute& attribute : node.attribute) value(attribute);
    }
  }

  void need(int64_t version) { least = std::max(least, version); }

 private:
  void info(const model::ValueInfo& value) {
    if (!value.metadata_props.empty()) need(kMetadata);
    if (const model::TensorType* tensor = value.type.tensor()) need(of_type(tensor->elem_type));
  }

  void data(const model::TensorData& tensor) {
    need(of_type(tensor.data_type));
    if (!tensor.metadata_props.empty()) need(kMetadata);
  }

  void value(const model::Attribute& attribute) {
    if (attribute.t != nullptr) data(*attribute.t);
    if (attribute.sparse_tensor != nullptr || !attribute.sparse_tensors.empty()) need(kSparseTensors);
    if (attribute.g != nullptr) graph(*attribute.g);
    for (const auto& inner : attribute.graphs) graph(*inner);
  }
};
}  // namespace

int64_t ir_version_for(const model::Model& model, int64_t opset) {
  Needs needs;
  needs.need(schema::ir_version_of("", opset));
  needs.graph(model.graph);
  if (!model.training_info.empty()) needs.need(kTraining);
  if (!model.configuration.empty()) needs.need(kDevices);
  if (!model.functions.empty()) needs.need(kFunctions);
  for (const model::Function& function : model.functions) {
    if (!function.overload.empty() || !function.metadata_props.empty()) needs.need(kMetadata);
    needs.nodes(function.node);
  }
  return needs.least;
}

}  // namespace sardonyx::convert
