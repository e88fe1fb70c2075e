#include "sardonyx/build.h"

#include <algorithm>
#include <set>

#include "edit/walk.h"
#include "schema/schema.h"

namespace sardonyx::model {

namespace {
constexpr int64_t kLeastIr = 8;           // read by all runtimes of the last years
constexpr int64_t kFirstOverloadIr = 10;  // calls of functions have an overload

template <class T>
Attribute list_of(std::string name, Attribute::Type type, std::vector<T> Attribute::*member, std::vector<T> values) {
  Attribute attribute;
  attribute.name = std::move(name);
  attribute.type = type;
  attribute.*member = std::move(values);
  return attribute;
}

StringPairs pairs_of(const std::vector<std::pair<std::string, std::string>>& values) {
  StringPairs pairs;
  for (const auto& [key, value] : values) {
    StringPair& pair = pairs.emplace_back();
    pair.key = key;
    pair.value = value;
  }
  return pairs;
}

Type sparse_type(DType elem_type, std::vector<Dimension> shape) {
  Type type;
  auto& sparse = type.value.emplace<SparseTensorType>();
  sparse.elem_type = static_cast<int32_t>(elem_type);
  sparse.has_shape = true;
  sparse.shape.dims = std::move(shape);
  return type;
}

// The domains that the nodes of a graph and of functions name.
std::set<std::string> domains_of(const Graph& graph, const std::vector<Function>& functions) {
  std::set<std::string> domains = {""};
  const auto note = [&](const Node& node) { domains.emplace(edit::plain_domain(node.domain)); };
  edit::for_each_node(graph.node, note);
  for (const Function& function : functions) {
    edit::for_each_node(function.node, note);
    domains.emplace(edit::plain_domain(function.domain));
  }
  return domains;
}

std::vector<OpsetId> default_imports(const Graph& graph, const std::vector<Function>& functions) {
  std::set<std::string_view> own;
  std::vector<OpsetId> imports;
  for (const Function& function : functions) own.insert(edit::plain_domain(function.domain));
  for (const std::string& domain : domains_of(graph, functions)) {
    const int64_t latest = schema::latest_version(domain);
    if (latest == 0 && !own.contains(domain)) {
      edit::refuse(fmt::format("domain '{}' is not one of ONNX or of a function: say in opset_imports which version is meant", domain));
    }
    imports.push_back(make_opsetid(domain, latest == 0 ? 1 : latest));
  }
  return imports;
}

}  // namespace

Attribute make_attribute(std::string name, const Tensor& value) { return Attribute::of(std::move(name), encode(value)); }
Attribute make_attribute(std::string name, SparseTensorData value) {
  Attribute attribute;
  attribute.name = std::move(name);
  attribute.type = Attribute::Type::kSparseTensor;
  attribute.sparse_tensor = std::make_shared<SparseTensorData>(std::move(value));
  return attribute;
}
Attribute make_attribute(std::string name, Type value) {
  Attribute attribute;
  attribute.name = std::move(name);
  attribute.type = Attribute::Type::kTypeProto;
  attribute.tp = std::make_shared<Type>(std::move(value));
  return attribute;
}
Attribute make_attribute(std::string name, std::vector<int64_t> values) { return Attribute::of(std::move(name), std::move(values)); }
Attribute make_attribute(std::string name, std::vector<float> values) { return Attribute::of(std::move(name), std::move(values)); }
Attribute make_attribute(std::string name, const std::vector<std::string>& values) { return Attribute::of(std::move(name), values); }
Attribute make_attribute(std::string name, std::vector<TensorData> values) {
  return list_of(std::move(name), Attribute::Type::kTensors, &Attribute::tensors, std::move(values));
}
Attribute make_attribute(std::string name, std::vector<SparseTensorData> values) {
  return list_of(std::move(name), Attribute::Type::kSparseTensors, &Attribute::sparse_tensors, std::move(values));
}
Attribute make_attribute(std::string name, std::vector<Type> values) {
  return list_of(std::move(name), Attribute::Type::kTypeProtos, &Attribute::type_protos, std::move(values));
}
Attribute make_attribute(std::string name, std::vector<Graph> values) {
  std::vector<std::shared_ptr<Graph>> graphs;
  for (Graph& graph : values) graphs.push_back(std::make_shared<Graph>(std::move(graph)));
  return list_of(std::move(name), Attribute::Type::kGraphs, &Attribute::graphs, std::move(graphs));
}

Attribute make_attribute_ref(std::string name, Attribute::Type type, std::string ref_attr_name) {
  Attribute attribute;
  attribute.ref_attr_name = ref_attr_name.empty() ? name : std::move(ref_attr_name);
  attribute.name = std::move(name);
  attribute.type = type;
  return attribute;
}

NamedAttribute::NamedAttribute(std::string name, std::initializer_list<double> values) {
  std::vector<float> floats;
  for (const double value : values) floats.push_back(static_cast<float>(value));
  attribute_ = make_attribute(std::move(name), std::move(floats));
}

Node make_node(std::string op_type, std::vector<std::string> inputs, std::vector<std::string> outputs, Attributes attributes,
               std::string name, std::string doc_string, std::string domain, std::string overload) {
  Node node;
  node.op_type = std::move(op_type);
  node.input = std::move(inputs);
  node.output = std::move(outputs);
  node.attribute = std::move(attributes).take();
  node.name = std::move(name);
  node.doc_string = std::move(doc_string);
  node.domain = std::move(domain);
  node.overload = std::move(overload);
  return node;
}

Type make_tensor_type(DType elem_type) { return Type::of_tensor(elem_type); }
Type make_tensor_type(DType elem_type, std::vector<Dimension> shape) { return Type::of_tensor(elem_type, std::move(shape)); }
Type make_sparse_tensor_type(DType elem_type, std::vector<Dimension> shape) { return sparse_type(elem_type, std::move(shape)); }
Type make_sequence_type(Type element) {
  Type type;
  type.value.emplace<SequenceType>().elem_type = std::make_shared<const Type>(std::move(element));
  return type;
}
Type make_optional_type(Type element) {
  Type type;
  type.value.emplace<OptionalType>().elem_type = std::make_shared<const Type>(std::move(element));
  return type;
}
Type make_map_type(DType key, Type value) {
  if (key != DType::kString && (!is_integral(key) || bit_width(key) < 8)) {
    edit::refuse(fmt::format("a map has keys of type string or of an integer type, not {}", to_string(key)));
  }
  Type type;
  auto& map = type.value.emplace<MapType>();
  map.key_type = static_cast<int32_t>(key);
  map.value_type = std::make_shared<const Type>(std::move(value));
  return type;
}

ValueInfo make_value_info(std::string name, Type type, std::string doc_string) {
  ValueInfo value;
  value.name = std::move(name);
  value.type = std::move(type);
  value.doc_string = std::move(doc_string);
  return value;
}
ValueInfo make_empty_tensor_value_info(std::string name) { return make_value_info(std::move(name), Type()); }
ValueInfo make_tensor_value_info(std::string name, DType elem_type) { return make_value_info(std::move(name), Type::of_tensor(elem_type)); }
ValueInfo make_tensor_value_info(std::string name, DType elem_type, std::vector<Dimension> shape, std::string doc_string) {
  return make_value_info(std::move(name), Type::of_tensor(elem_type, std::move(shape)), std::move(doc_string));
}
ValueInfo make_sparse_tensor_value_info(std::string name, DType elem_type, std::vector<Dimension> shape, std::string doc_string) {
  return make_value_info(std::move(name), sparse_type(elem_type, std::move(shape)), std::move(doc_string));
}
ValueInfo make_tensor_sequence_value_info(std::string name, DType elem_type, std::vector<Dimension> shape, std::string doc_string) {
  return make_value_info(std::move(name), make_sequence_type(Type::of_tensor(elem_type, std::move(shape))), std::move(doc_string));
}

TensorData make_tensor(std::string name, DType data_type, Shape dims, std::span<const double> values) {
  return encode(Tensor::of<double>(std::move(dims), values).to(data_type), std::move(name));
}
TensorData make_tensor(std::string name, DType data_type, Shape dims, std::span<const int64_t> values) {
  return encode(Tensor::of<int64_t>(std::move(dims), values).to(data_type), std::move(name));
}
TensorData make_tensor(std::string name, DType data_type, Shape dims, std::vector<std::string> values) {
  if (data_type != DType::kString) edit::refuse(fmt::format("tensor '{}': strings are no elements of type {}", name, to_string(data_type)));
  return encode(Tensor::of_strings(std::move(dims), std::move(values)), std::move(name));
}
TensorData make_tensor(std::string name, const Tensor& tensor) { return encode(tensor, std::move(name)); }

TensorData make_raw_tensor(std::string name, DType data_type, Shape dims, std::string_view bytes) {
  if (data_type == DType::kString) edit::refuse(fmt::format("tensor '{}': strings have no raw bytes: give them as strings", name));
  const size_t wanted = storage_bytes(data_type, element_count(dims));
  if (bytes.size() != wanted) {
    edit::refuse(fmt::format("tensor '{}': {} bytes, where type {} and shape {} need {}", name, bytes.size(), to_string(data_type),
                             sardonyx::to_string(std::span<const int64_t>(dims)), wanted));
  }
  TensorData tensor;
  tensor.name = std::move(name);
  tensor.data_type = static_cast<int32_t>(data_type);
  tensor.dims = std::move(dims);
  tensor.raw_data = Bytes::copy_of(bytes);
  return tensor;
}

SparseTensorData make_sparse_tensor(TensorData values, TensorData indices, Shape dims) {
  SparseTensorData sparse;
  sparse.values = std::move(values);
  sparse.indices = std::move(indices);
  sparse.has_values = sparse.has_indices = true;
  sparse.dims = std::move(dims);
  return sparse;
}

Graph make_graph(std::vector<Node> nodes, std::string name, std::vector<ValueInfo> inputs, std::vector<ValueInfo> outputs,
                 std::vector<TensorData> initializer, std::string doc_string, std::vector<ValueInfo> value_info,
                 std::vector<SparseTensorData> sparse_initializer) {
  Graph graph;
  graph.node = std::move(nodes);
  graph.name = std::move(name);
  graph.input = std::move(inputs);
  graph.output = std::move(outputs);
  graph.initializer = std::move(initializer);
  graph.doc_string = std::move(doc_string);
  graph.value_info = std::move(value_info);
  graph.sparse_initializer = std::move(sparse_initializer);
  return graph;
}

OpsetId make_opsetid(std::string domain, int64_t version) {
  OpsetId id;
  id.domain = std::move(domain);
  id.version = version;
  return id;
}

int64_t find_min_ir_version_for(std::span<const OpsetId> opsets) {
  int64_t ir = 3;
  for (const OpsetId& id : opsets) {
    const std::string_view domain = edit::plain_domain(id.domain);
    const int64_t latest = schema::latest_version(domain);
    if (id.version < 1 || (latest > 0 && id.version > latest)) {
      edit::refuse(fmt::format("{} has no version {}; the latest is {}", edit::shown_domain(domain), id.version, latest));
    }
    ir = std::max(ir, schema::ir_version_of(domain, id.version));
  }
  return ir;
}

Function make_function(std::string domain, std::string name, std::vector<std::string> inputs, std::vector<std::string> outputs,
                       std::vector<Node> nodes, std::vector<OpsetId> opset_imports, std::vector<std::string> attributes,
                       std::vector<Attribute> attribute_protos, std::string doc_string, std::string overload,
                       std::vector<ValueInfo> value_info) {
  Function function;
  function.domain = std::move(domain);
  function.name = std::move(name);
  function.input = std::move(inputs);
  function.output = std::move(outputs);
  function.node = std::move(nodes);
  function.opset_import = std::move(opset_imports);
  function.attribute = std::move(attributes);
  function.attribute_proto = std::move(attribute_protos);
  function.doc_string = std::move(doc_string);
  function.overload = std::move(overload);
  function.value_info = std::move(value_info);
  return function;
}

Model make_model(Graph graph, ModelOptions options) {
  Model model;
  model.opset_import = options.opset_imports.empty() ? default_imports(graph, options.functions) : std::move(options.opset_imports);
  const bool overloads =
      std::any_of(options.functions.begin(), options.functions.end(), [](const Function& f) { return !f.overload.empty(); });
  const int64_t least = std::max(overloads ? kFirstOverloadIr : kLeastIr, find_min_ir_version_for(model.opset_import));
  model.ir_version = options.ir_version != 0 ? options.ir_version : least;
  model.producer_name = std::move(options.producer_name);
  model.producer_version = std::move(options.producer_version);
  model.domain = std::move(options.domain);
  model.model_version = options.model_version;
  model.doc_string = std::move(options.doc_string);
  model.functions = std::move(options.functions);
  model.has_graph = true;
  model.graph = std::move(graph);
  return model;
}

void set_metadata_props(StringPairs& pairs, const std::vector<std::pair<std::string, std::string>>& values) { pairs = pairs_of(values); }

TrainingInfo make_training_info(Graph algorithm, std::vector<std::pair<std::string, std::string>> algorithm_bindings, Graph initialization,
                                std::vector<std::pair<std::string, std::string>> initialization_bindings) {
  TrainingInfo info;
  info.has_algorithm = true;
  info.algorithm = std::move(algorithm);
  info.update_binding = pairs_of(algorithm_bindings);
  info.has_initialization = initialization != Graph();
  info.initialization = std::move(initialization);
  info.initialization_binding = pairs_of(initialization_bindings);
  return info;
}

}  // namespace sardonyx::model
