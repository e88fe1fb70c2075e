// New shapes for inputs and outputs, and what follows from them for the symbols of the model.
#include <algorithm>

#include "edit/walk.h"
#include "sardonyx/edit.h"

namespace sardonyx {

namespace edit {
namespace {
using model::Dimension;
using model::ValueInfo;

std::string text_of(const Dimension& dim) {
  return dim.is_known() ? std::to_string(dim.size()) : fmt::format("'{}'", dim.is_symbol() ? dim.symbol() : "?");
}

class ShapeEditor {
 public:
  ShapeEditor(const model::Model& model, const ShapeOptions& options) : result_(model), options_(options) {}

  void set(const std::string& name, const std::vector<Dimension>& dims) {
    with_trail([&] { return fmt::format("'{}'", name); },
               [&] {
                 model::TensorType& type = find_tensor(name);
                 expect_usable(dims);
                 expect_default_fits(name, dims);
                 if (!type.has_shape) {
                   type.has_shape = true;
                   type.shape.dims.assign(dims.size(), Dimension());
                 }
                 if (type.shape.dims.size() != dims.size()) new_rank(type, dims.size());
                 for (size_t i = 0; i < dims.size(); ++i) set_dim(type.shape.dims[i], dims[i], i);
                 named_.push_back(name);
               });
  }

  model::Model finish() {
    if (replaced_) forget_shapes();
    for_each_graph_of(result_, [&](model::Graph& graph) {
      change_dims_of(graph, [&](Dimension& dim) {
        const auto found = dim.is_symbol() ? symbols_.find(dim.symbol()) : symbols_.end();
        if (found == symbols_.end()) return false;
        dim.value = found->second.value;
        return true;
      });
    });
    return std::move(result_);
  }

 private:
  model::TensorType& find_tensor(const std::string& name) {
    for (auto* list : {&result_.graph.input, &result_.graph.output}) {
      for (ValueInfo& value : *list) {
        if (value.name != name) continue;
        if (model::TensorType* tensor = value.type.tensor()) return *tensor;
        refuse(fmt::format("it is {}, not a tensor: it has no shape to set", type_string(value.type)));
      }
    }
    NameSet names;
    for (const auto* list : {&result_.graph.input, &result_.graph.output}) {
      for (const ValueInfo& value : *list) names.insert(value.name);
    }
    refuse(fmt::format("the graph has no such input{}", hint(name, names)));
  }

  static void expect_usable(const std::vector<Dimension>& dims) {
    for (const Dimension& dim : dims) {
      if (dim.is_known() && dim.size() < 0) refuse(fmt::format("size {} is negative: give a symbol where a size is open", dim.size()));
    }
  }

  // The default of an input has the shape that it has.
  void expect_default_fits(const std::string& name, const std::vector<Dimension>& dims) const {
    const model::TensorData* initializer = result_.graph.find_initializer(name);
    if (initializer == nullptr) return;
    bool fits = initializer->dims.size() == dims.size();
    for (size_t i = 0; fits && i < dims.size(); ++i) fits = !dims[i].is_known() || dims[i].size() == initializer->dims[i];
    if (!fits) refuse(fmt::format("it has a default value of shape {}: change that first", to_string(std::span(initializer->dims))));
  }

  void new_rank(model::TensorType& type, size_t rank) {
    if (!options_.replace) {
      refuse(fmt::format("it is declared with {} dimensions, {}, and would get {}: replace the declared shape if that is meant",
                         type.shape.dims.size(), to_string(type.shape), rank));
    }
    type.shape.dims.assign(rank, Dimension());
    replaced_ = true;
  }

  void set_dim(Dimension& declared, const Dimension& wanted, size_t axis) {
    if (std::holds_alternative<std::monostate>(wanted.value) || declared.value == wanted.value) return;
    if (declared.is_known()) {
      if (!options_.replace) {
        refuse(fmt::format("axis {} is declared as {} and would get {}: replace the declared shape if that is meant", axis,
                           text_of(declared), text_of(wanted)));
      }
      replaced_ = true;
    } else if (declared.is_symbol() && !declared.symbol().empty()) {
      const auto [entry, is_new] = symbols_.emplace(declared.symbol(), wanted);
      if (!is_new && entry->second.value != wanted.value) {
        if (!options_.replace) {
          refuse(
              fmt::format("axis {} is declared as '{}', which would be both {} and {}: give both the same, or replace the declared shapes",
                          axis, declared.symbol(), text_of(entry->second), text_of(wanted)));
        }
        replaced_ = true;
      }
    }
    declared.value = wanted.value;
  }

  // What was declared of values between need not hold any more; their element types do.
  void forget_shapes() {
    for_each_graph_of(result_, [&](model::Graph& graph) {
      const bool is_main = &graph == &result_.graph;
      for (ValueInfo& value : graph.value_info) forget_shape(value);
      for (ValueInfo& output : graph.output) {
        if (!is_main) {
          forget_shape(output);
        } else if (std::find(named_.begin(), named_.end(), output.name) == named_.end() && !is_input(output.name)) {
          change_dims(output.type, [](Dimension& dim) {
            dim.value = std::monostate();
            return true;
          });
        }
      }
    });
  }

  bool is_input(const std::string& name) const {
    const auto& inputs = result_.graph.input;
    return std::any_of(inputs.begin(), inputs.end(), [&](const ValueInfo& input) { return input.name == name; });
  }

  static void forget_shape(ValueInfo& value) {
    if (model::TensorType* tensor = value.type.tensor()) {
      tensor->has_shape = false;
      tensor->shape = {};
    }
  }

  model::Model result_;
  const ShapeOptions& options_;
  std::unordered_map<std::string, Dimension> symbols_;  // what each declared symbol becomes
  std::vector<std::string> named_;
  bool replaced_ = false;
};

}  // namespace
}  // namespace edit

void set_input_shapes(model::Model& model, const std::map<std::string, std::vector<model::Dimension>>& shapes,
                      const ShapeOptions& options) {
  edit::ShapeEditor editor(model, options);
  for (const auto& [name, dims] : shapes) editor.set(name, dims);
  model = editor.finish();
}

void set_batch(model::Model& model, const model::Dimension& batch, const ShapeOptions& options) {
  edit::NameSet defaults;
  for (const model::TensorData& tensor : model.graph.initializer) defaults.insert(tensor.name);
  std::map<std::string, std::vector<model::Dimension>> shapes;
  for (const model::ValueInfo& input : model.graph.input) {
    const model::TensorType* tensor = input.type.tensor();
    if (tensor == nullptr || !tensor->has_shape || tensor->shape.dims.empty() || defaults.contains(input.name)) continue;
    auto& dims = shapes[input.name];
    dims.assign(tensor->shape.dims.size(), {});
    dims.front() = batch;
  }
  if (shapes.empty()) edit::refuse("the model has no input with a batch axis: no tensor of known rank at least 1");
  set_input_shapes(model, shapes, options);
}

}  // namespace sardonyx
