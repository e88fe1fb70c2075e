#include "sardonyx/infer.h"

#include <unordered_map>
#include <unordered_set>

#include "infer/inference.h"

namespace sardonyx {

namespace infer {

namespace {
using Results = std::unordered_map<std::string_view, const ValueType*>;

void complete(model::ValueInfo& value, const ValueType& type, const Symbols& symbols) {
  if (!type.is_known() || type_text(type).empty()) return;
  std::string denotation = std::move(value.type.denotation);
  const model::TensorType* before = value.type.tensor();
  std::vector<std::string> dim_denotations;
  if (before != nullptr) {
    for (const model::Dimension& dim : before->shape.dims) dim_denotations.push_back(dim.denotation);
  }
  value.type = to_model(type, symbols);
  value.type.denotation = std::move(denotation);
  if (model::TensorType* tensor = value.type.tensor(); tensor != nullptr && tensor->shape.dims.size() == dim_denotations.size()) {
    for (size_t i = 0; i < dim_denotations.size(); ++i) tensor->shape.dims[i].denotation = std::move(dim_denotations[i]);
  }
}
}  // namespace

void Inference::write(model::Model& model) const {
  // Copies of a model share its subgraphs: each is cloned on the way down, so that only this model changes.
  struct Writer {
    const Inference& inference;
    void graph(model::Graph& out, const model::Graph& original) const {
      const auto found = inference.results_.find(&original);
      if (found != inference.results_.end()) values(out, found->second);
      for (size_t i = 0; i < out.node.size(); ++i) node(out.node[i], original.node[i]);
    }
    void values(model::Graph& out, const GraphResult& result) const {
      std::unordered_set<std::string_view> outputs;
      for (size_t i = 0; i < out.output.size(); ++i) {
        outputs.insert(out.output[i].name);
        complete(out.output[i], result.outputs[i], inference.symbols_);
      }
      std::unordered_map<std::string, size_t> declared;
      for (size_t i = 0; i < out.value_info.size(); ++i) declared.emplace(out.value_info[i].name, i);
      for (const auto& [name, type] : result.made) {
        const auto known = declared.find(name);
        if (known != declared.end()) {
          complete(out.value_info[known->second], type, inference.symbols_);
        } else if (!outputs.contains(name) && !type_text(type).empty()) {
          model::ValueInfo& value = out.value_info.emplace_back();
          value.name = name;
          value.type = to_model(type, inference.symbols_);
        }
      }
    }
    void node(model::Node& out, const model::Node& original) const {
      for (size_t i = 0; i < out.attribute.size(); ++i) {
        model::Attribute& attribute = out.attribute[i];
        const model::Attribute& from = original.attribute[i];
        if (attribute.g != nullptr) {
          attribute.g = std::make_shared<model::Graph>(*attribute.g);
          graph(*attribute.g, *from.g);
        }
        for (size_t k = 0; k < attribute.graphs.size(); ++k) {
          attribute.graphs[k] = std::make_shared<model::Graph>(*attribute.graphs[k]);
          graph(*attribute.graphs[k], *from.graphs[k]);
        }
      }
    }
  };
  const model::Model& original = model_;
  Writer{*this}.graph(model.graph, original.graph);
}
}  // namespace infer

InferReport infer_shapes(model::Model& model, const InferOptions& options) {
  infer::Inference inference(model, options);
  inference.run();
  // Written into a copy, which shares the subgraphs that inference has looked at, so that a failure leaves the model as it was.
  model::Model result = model;
  inference.write(result);
  InferReport report = inference.take_report();
  model = std::move(result);
  return report;
}

}  // namespace sardonyx
