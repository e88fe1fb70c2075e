// Visits every TensorData that a model holds: initializers, attributes, sparse tensors, in subgraphs, functions and training graphs too.
#pragma once

#include <memory>

#include "sardonyx/model.h"

namespace sardonyx::model {

enum class TensorPlace { kInitializer, kElsewhere };

// Calls visit(tensor, place) for each; tensors that hang on a shared pointer are mutable even where the model is const.
template <class Visit>
class TensorWalk {
 public:
  explicit TensorWalk(Visit visit) : visit_(std::move(visit)) {}

  void model(auto& m) {
    if (m.has_graph) graph(m.graph);
    for (auto& training : m.training_info) {
      if (training.has_initialization) graph(training.initialization);
      if (training.has_algorithm) graph(training.algorithm);
    }
    for (auto& function : m.functions) {
      attributes(function.attribute_proto);
      nodes(function.node);
    }
  }

 private:
  void graph(auto& g) {
    for (auto& tensor : g.initializer) visit_(tensor, TensorPlace::kInitializer);
    for (auto& tensor : g.sparse_initializer) sparse(tensor);
    nodes(g.node);
  }
  void nodes(auto& list) {
    for (auto& node : list) attributes(node.attribute);
  }
  void attributes(auto& list) {
    for (auto& attribute : list) {
      if (attribute.t) visit_(*attribute.t, TensorPlace::kElsewhere);
      if (attribute.g) graph(*attribute.g);
      if (attribute.sparse_tensor) sparse(*attribute.sparse_tensor);
      for (auto& tensor : attribute.tensors) visit_(tensor, TensorPlace::kElsewhere);
      for (auto& subgraph : attribute.graphs) graph(*subgraph);
      for (auto& tensor : attribute.sparse_tensors) sparse(tensor);
    }
  }
  void sparse(auto& tensor) {
    if (tensor.has_values) visit_(tensor.values, TensorPlace::kElsewhere);
    if (tensor.has_indices) visit_(tensor.indices, TensorPlace::kElsewhere);
  }

  Visit visit_;
};

}  // namespace sardonyx::model
