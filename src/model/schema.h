// The messages of onnx.proto (IR version 13) as tables: one function per message that shows a visitor every field, by increasing number.
//
// The decoder, the encoder and the walks over a model are visitors, so a field is named here and nowhere else. A visitor has
//   field(number, name, member)           a scalar, string, message or list; a message by pointer is absent when null
//   field(number, name, has, member)      a message whose presence is the flag `has`
//   packed(number, name, list)            a list of scalars that is written packed
//   one_of<T>(number, name, variant)      the alternative T of a oneof
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <type_traits>

#include "sardonyx/model.h"

namespace sardonyx::model {

// M is T or const T.
template <class M, class T>
concept Of = std::same_as<std::remove_const_t<M>, T>;

template <class T>
concept IsMessage = std::derived_from<T, Message>;

// The greatest number of a closed enum that starts at 0. Numbers beyond are unknown fields, as protobuf has it.
constexpr int32_t last_of(Attribute::Type) { return static_cast<int32_t>(Attribute::Type::kTypeProtos); }
constexpr int32_t last_of(TensorData::Location) { return static_cast<int32_t>(TensorData::Location::kExternal); }

template <class V, Of<StringPair> M>
void fields(V& v, M& m) {
  v.field(1, "key", m.key);
  v.field(2, "value", m.value);
}

template <class V, Of<Dimension> M>
void fields(V& v, M& m) {
  v.template one_of<int64_t>(1, "dim_value", m.value);
  v.template one_of<std::string>(2, "dim_param", m.value);
  v.field(3, "denotation", m.denotation);
}

template <class V, Of<ShapeInfo> M>
void fields(V& v, M& m) {
  v.field(1, "dim", m.dims);
}

template <class V, class M>
requires Of<M, TensorType> || Of<M, SparseTensorType>
void fields(V& v, M& m) {
  v.field(1, "elem_type", m.elem_type);
  v.field(2, "shape", m.has_shape, m.shape);
}

template <class V, class M>
requires Of<M, SequenceType> || Of<M, OptionalType>
void fields(V& v, M& m) { v.field(1, "elem_type", m.elem_type); }

template <class V, Of<MapType> M>
void fields(V& v, M& m) {
  v.field(1, "key_type", m.key_type);
  v.field(2, "value_type", m.value_type);
}

template <class V, Of<OpaqueType> M>
void fields(V& v, M& m) {
  v.field(1, "domain", m.domain);
  v.field(2, "name", m.name);
}

template <class V, Of<Type> M>
void fields(V& v, M& m) {
  v.template one_of<TensorType>(1, "tensor_type", m.value);
  v.template one_of<SequenceType>(4, "sequence_type", m.value);
  v.template one_of<MapType>(5, "map_type", m.value);
  v.field(6, "denotation", m.denotation);
  v.template one_of<OpaqueType>(7, "opaque_type", m.value);
  v.template one_of<SparseTensorType>(8, "sparse_tensor_type", m.value);
  v.template one_of<OptionalType>(9, "optional_type", m.value);
}

template <class V, Of<ValueInfo> M>
void fields(V& v, M& m) {
  v.field(1, "name", m.name);
  v.field(2, "type", m.type);
  v.field(3, "doc_string", m.doc_string);
  v.field(4, "metadata_props", m.metadata_props);
}

template <class V, Of<TensorData::Segment> M>
void fields(V& v, M& m) {
  v.field(1, "begin", m.begin);
  v.field(2, "end", m.end);
}

template <class V, Of<TensorData> M>
void fields(V& v, M& m) {
  v.field(1, "dims", m.dims);
  v.field(2, "data_type", m.data_type);
  v.field(3, "segment", m.has_segment, m.segment);
  v.packed(4, "float_data", m.float_data);
  v.packed(5, "int32_data", m.int32_data);
  v.field(6, "string_data", m.string_data);
  v.packed(7, "int64_data", m.int64_data);
  v.field(8, "name", m.name);
  v.field(9, "raw_data", m.raw_data);
  v.packed(10, "double_data", m.double_data);
  v.packed(11, "uint64_data", m.uint64_data);
  v.field(12, "doc_string", m.doc_string);
  v.field(13, "external_data", m.external_data);
  v.field(14, "data_location", m.data_location);
  v.field(16, "metadata_props", m.metadata_props);
}

template <class V, Of<SparseTensorData> M>
void fields(V& v, M& m) {
  v.field(1, "values", m.has_values, m.values);
  v.field(2, "indices", m.has_indices, m.indices);
  v.field(3, "dims", m.dims);
}

template <class V, Of<Attribute> M>
void fields(V& v, M& m) {
  v.field(1, "name", m.name);
  v.field(2, "f", m.f);
  v.field(3, "i", m.i);
  v.field(4, "s", m.s);
  v.field(5, "t", m.t);
  v.field(6, "g", m.g);
  v.field(7, "floats", m.floats);
  v.field(8, "ints", m.ints);
  v.field(9, "strings", m.strings);
  v.field(10, "tensors", m.tensors);
  v.field(11, "graphs", m.graphs);
  v.field(13, "doc_string", m.doc_string);
  v.field(14, "tp", m.tp);
  v.field(15, "type_protos", m.type_protos);
  v.field(20, "type", m.type);
  v.field(21, "ref_attr_name", m.ref_attr_name);
  v.field(22, "sparse_tensor", m.sparse_tensor);
  v.field(23, "sparse_tensors", m.sparse_tensors);
}

template <class V, Of<Node::SimpleShardedDim> M>
void fields(V& v, M& m) {
  v.template one_of<int64_t>(1, "dim_value", m.dim);
  v.template one_of<std::string>(2, "dim_param", m.dim);
  v.field(3, "num_shards", m.num_shards);
}

template <class V, Of<Node::ShardedDim> M>
void fields(V& v, M& m) {
  v.field(1, "axis", m.axis);
  v.field(2, "simple_sharding", m.simple_sharding);
}

template <class V, Of<Node::IndexToDeviceGroup> M>
void fields(V& v, M& m) {
  v.field(1, "key", m.key);
  v.field(2, "value", m.value);
}

template <class V, Of<Node::ShardingSpec> M>
void fields(V& v, M& m) {
  v.field(1, "tensor_name", m.tensor_name);
  v.field(2, "device", m.device);
  v.field(3, "index_to_device_group_map", m.index_to_device_group_map);
  v.field(4, "sharded_dim", m.sharded_dim);
}

template <class V, Of<Node::DeviceConfiguration> M>
void fields(V& v, M& m) {
  v.field(1, "configuration_id", m.configuration_id);
  v.field(2, "sharding_spec", m.sharding_spec);
  v.field(3, "pipeline_stage", m.pipeline_stage);
}

template <class V, Of<Node> M>
void fields(V& v, M& m) {
  v.field(1, "input", m.input);
  v.field(2, "output", m.output);
  v.field(3, "name", m.name);
  v.field(4, "op_type", m.op_type);
  v.field(5, "attribute", m.attribute);
  v.field(6, "doc_string", m.doc_string);
  v.field(7, "domain", m.domain);
  v.field(8, "overload", m.overload);
  v.field(9, "metadata_props", m.metadata_props);
  v.field(10, "device_configurations", m.device_configurations);
}

template <class V, Of<TensorAnnotation> M>
void fields(V& v, M& m) {
  v.field(1, "tensor_name", m.tensor_name);
  v.field(2, "quant_parameter_tensor_names", m.quant_parameter_tensor_names);
}

template <class V, Of<Graph> M>
void fields(V& v, M& m) {
  v.field(1, "node", m.node);
  v.field(2, "name", m.name);
  v.field(5, "initializer", m.initializer);
  v.field(10, "doc_string", m.doc_string);
  v.field(11, "input", m.input);
  v.field(12, "output", m.output);
  v.field(13, "value_info", m.value_info);
  v.field(14, "quantization_annotation", m.quantization_annotation);
  v.field(15, "sparse_initializer", m.sparse_initializer);
  v.field(16, "metadata_props", m.metadata_props);
}

template <class V, Of<OpsetId> M>
void fields(V& v, M& m) {
  v.field(1, "domain", m.domain);
  v.field(2, "version", m.version);
}

template <class V, Of<Function> M>
void fields(V& v, M& m) {
  v.field(1, "name", m.name);
  v.field(4, "input", m.input);
  v.field(5, "output", m.output);
  v.field(6, "attribute", m.attribute);
  v.field(7, "node", m.node);
  v.field(8, "doc_string", m.doc_string);
  v.field(9, "opset_import", m.opset_import);
  v.field(10, "domain", m.domain);
  v.field(11, "attribute_proto", m.attribute_proto);
  v.field(12, "value_info", m.value_info);
  v.field(13, "overload", m.overload);
  v.field(14, "metadata_props", m.metadata_props);
}

template <class V, Of<TrainingInfo> M>
void fields(V& v, M& m) {
  v.field(1, "initialization", m.has_initialization, m.initialization);
  v.field(2, "algorithm", m.has_algorithm, m.algorithm);
  v.field(3, "initialization_binding", m.initialization_binding);
  v.field(4, "update_binding", m.update_binding);
}

template <class V, Of<DeviceConfiguration> M>
void fields(V& v, M& m) {
  v.field(1, "name", m.name);
  v.field(2, "num_devices", m.num_devices);
  v.field(3, "device", m.device);
}

template <class V, Of<Model> M>
void fields(V& v, M& m) {
  v.field(1, "ir_version", m.ir_version);
  v.field(2, "producer_name", m.producer_name);
  v.field(3, "producer_version", m.producer_version);
  v.field(4, "domain", m.domain);
  v.field(5, "model_version", m.model_version);
  v.field(6, "doc_string", m.doc_string);
  v.field(7, "graph", m.has_graph, m.graph);
  v.field(8, "opset_import", m.opset_import);
  v.field(14, "metadata_props", m.metadata_props);
  v.field(20, "training_info", m.training_info);
  v.field(25, "functions", m.functions);
  v.field(26, "configuration", m.configuration);
}

}  // namespace sardonyx::model
