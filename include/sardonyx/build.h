// Builds models by hand, in the words of onnx.helper.
//
//   using namespace sardonyx::model;
//   Graph graph = make_graph({make_node("MatMul", {"x", "w"}, {"t"}),
//                             make_node("LeakyRelu", {"t"}, {"u"}, {{"alpha", 0.1}}),
//                             make_node("Transpose", {"u"}, {"y"}, {{"perm", {1, 0}}}, "last")},
//                            "tiny",
//                            {make_tensor_value_info("x", DType::kFloat32, {"batch", 4})},
//                            {make_tensor_value_info("y", DType::kFloat32, {2, "batch"})},
//                            {make_tensor("w", DType::kFloat32, {4, 2}, {1, 0, 0, 1, 1, 0, 0, 1})});
//   sardonyx::model::write_model(make_model(std::move(graph)), "tiny.onnx");
//
// The functions put structs together and check only what they are given: sardonyx/check.h tells whether the model is sound.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sardonyx/model.h"

namespace sardonyx::model {

// Attributes by kind of value: integers (bool as 0 and 1), floating-point numbers, strings, tensors, graphs, types, and lists of them.
template <std::integral T>
Attribute make_attribute(std::string name, T value) {
  return Attribute::of(std::move(name), static_cast<int64_t>(value));
}
template <std::floating_point T>
Attribute make_attribute(std::string name, T value) {
  return Attribute::of(std::move(name), static_cast<float>(value));
}
inline Attribute make_attribute(std::string name, DType value) { return Attribute::of(std::move(name), static_cast<int64_t>(value)); }
inline Attribute make_attribute(std::string name, const char* value) { return Attribute::of(std::move(name), std::string_view(value)); }
inline Attribute make_attribute(std::string name, std::string_view value) { return Attribute::of(std::move(name), value); }
inline Attribute make_attribute(std::string name, const std::string& value) {
  return Attribute::of(std::move(name), std::string_view(value));
}
inline Attribute make_attribute(std::string name, TensorData value) { return Attribute::of(std::move(name), std::move(value)); }
inline Attribute make_attribute(std::string name, Graph value) { return Attribute::of(std::move(name), std::move(value)); }
Attribute make_attribute(std::string name, const Tensor& value);
Attribute make_attribute(std::string name, SparseTensorData value);
Attribute make_attribute(std::string name, Type value);
Attribute make_attribute(std::string name, std::vector<int64_t> values);
Attribute make_attribute(std::string name, std::vector<float> values);
Attribute make_attribute(std::string name, const std::vector<std::string>& values);
Attribute make_attribute(std::string name, std::vector<TensorData> values);
Attribute make_attribute(std::string name, std::vector<SparseTensorData> values);
Attribute make_attribute(std::string name, std::vector<Graph> values);
Attribute make_attribute(std::string name, std::vector<Type> values);
// Within a function: the value of the function's attribute `ref_attr_name`.
Attribute make_attribute_ref(std::string name, Attribute::Type type, std::string ref_attr_name = {});

// {"axis", 1}, {"perm", {0, 2, 1}}, {"mode", "linear"}: what a list of attributes is written with.
class NamedAttribute {
 public:
  NamedAttribute(Attribute attribute) : attribute_(std::move(attribute)) {}  // NOLINT: stands in lists
  template <class T>
  requires requires(std::string name, T&& value) { make_attribute(std::move(name), std::forward<T>(value)); }
  NamedAttribute(std::string name, T&& value) : attribute_(make_attribute(std::move(name), std::forward<T>(value))) {}
  template <std::integral T>
  NamedAttribute(std::string name, std::initializer_list<T> values)
      : attribute_(make_attribute(std::move(name), std::vector<int64_t>(values.begin(), values.end()))) {}
  NamedAttribute(std::string name, std::initializer_list<double> values);
  NamedAttribute(std::string name, std::initializer_list<float> values)
      : attribute_(make_attribute(std::move(name), std::vector<float>(values))) {}
  NamedAttribute(std::string name, std::initializer_list<const char*> values)
      : attribute_(make_attribute(std::move(name), std::vector<std::string>(values.begin(), values.end()))) {}

  const Attribute& attribute() const noexcept { return attribute_; }

 private:
  Attribute attribute_;
};

// The attributes of a node: a list in braces, or a vector made elsewhere.
class Attributes {
 public:
  Attributes() = default;
  Attributes(std::initializer_list<NamedAttribute> list) {
    for (const NamedAttribute& entry : list) list_.push_back(entry.attribute());
  }
  Attributes(std::vector<Attribute> list) : list_(std::move(list)) {}  // NOLINT

  std::vector<Attribute> take() && { return std::move(list_); }

 private:
  std::vector<Attribute> list_;
};

Node make_node(std::string op_type, std::vector<std::string> inputs, std::vector<std::string> outputs, Attributes attributes = {},
               std::string name = {}, std::string doc_string = {}, std::string domain = {}, std::string overload = {});

Type make_tensor_type(DType elem_type);  // of any rank
Type make_tensor_type(DType elem_type, std::vector<Dimension> shape);
Type make_sparse_tensor_type(DType elem_type, std::vector<Dimension> shape);
Type make_sequence_type(Type element);
Type make_optional_type(Type element);
Type make_map_type(DType key, Type value);  // throws InvalidArgument unless the key is a string or an integer type

ValueInfo make_value_info(std::string name, Type type, std::string doc_string = {});
ValueInfo make_empty_tensor_value_info(std::string name);  // without a type
ValueInfo make_tensor_value_info(std::string name, DType elem_type);
ValueInfo make_tensor_value_info(std::string name, DType elem_type, std::vector<Dimension> shape, std::string doc_string = {});
ValueInfo make_sparse_tensor_value_info(std::string name, DType elem_type, std::vector<Dimension> shape, std::string doc_string = {});
ValueInfo make_tensor_sequence_value_info(std::string name, DType elem_type, std::vector<Dimension> shape, std::string doc_string = {});

// A tensor of `values`, converted to `data_type` (numbers and bool of at least 8 bits, float16, bfloat16), in row-major order.
// Throws InvalidArgument where their number does not fit the shape, Unsupported for other types: give those as bytes.
TensorData make_tensor(std::string name, DType data_type, Shape dims, std::span<const double> values);
TensorData make_tensor(std::string name, DType data_type, Shape dims, std::span<const int64_t> values);
TensorData make_tensor(std::string name, DType data_type, Shape dims, std::vector<std::string> values);
template <class T>
requires std::is_arithmetic_v<T> TensorData make_tensor(std::string name, DType data_type, Shape dims, std::initializer_list<T> values) {
  using Wide = std::conditional_t<std::is_floating_point_v<T>, double, int64_t>;
  const std::vector<Wide> wide(values.begin(), values.end());
  return make_tensor(std::move(name), data_type, std::move(dims), std::span<const Wide>(wide));
}
TensorData make_tensor(std::string name, const Tensor& tensor);  // shares the elements
// The elements as their bytes stand in raw_data: little-endian, packed types packed. Throws InvalidArgument if their number does not fit.
TensorData make_raw_tensor(std::string name, DType data_type, Shape dims, std::string_view bytes);
SparseTensorData make_sparse_tensor(TensorData values, TensorData indices, Shape dims);

Graph make_graph(std::vector<Node> nodes, std::string name, std::vector<ValueInfo> inputs, std::vector<ValueInfo> outputs,
                 std::vector<TensorData> initializer = {}, std::string doc_string = {}, std::vector<ValueInfo> value_info = {},
                 std::vector<SparseTensorData> sparse_initializer = {});

OpsetId make_opsetid(std::string domain, int64_t version);
// The least IR version in which files may import these operator sets (domains that the specification does not own count nothing).
// Throws InvalidArgument for a version that ONNX does not have.
int64_t find_min_ir_version_for(std::span<const OpsetId> opsets);

Function make_function(std::string domain, std::string name, std::vector<std::string> inputs, std::vector<std::string> outputs,
                       std::vector<Node> nodes, std::vector<OpsetId> opset_imports, std::vector<std::string> attributes = {},
                       std::vector<Attribute> attribute_protos = {}, std::string doc_string = {}, std::string overload = {},
                       std::vector<ValueInfo> value_info = {});

struct ModelOptions {
  // Empty: the latest version of ai.onnx and of each standard domain that nodes use, and version 1 of the domains of `functions`.
  std::vector<OpsetId> opset_imports = {};
  int64_t ir_version = 0;  // 0: the least that the imports need, and at least 8, or 10 where functions have an overload
  std::string producer_name = {}, producer_version = {}, domain = {};
  int64_t model_version = 0;
  std::string doc_string = {};
  std::vector<Function> functions = {};
};
// Throws InvalidArgument where a node's domain is neither standard nor one of a function and opset_imports is empty.
Model make_model(Graph graph, ModelOptions options = {});
void set_metadata_props(StringPairs& pairs, const std::vector<std::pair<std::string, std::string>>& values);  // replaces them
TrainingInfo make_training_info(Graph algorithm, std::vector<std::pair<std::string, std::string>> algorithm_bindings,
                                Graph initialization = {}, std::vector<std::pair<std::string, std::string>> initialization_bindings = {});

}  // namespace sardonyx::model
