// The messages of onnx-data.proto: values of sequences, maps and optionals, as test data holds them. Fields as in schema.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "model/schema.h"
#include "sardonyx/model.h"

namespace sardonyx::model {

struct MapData;
struct OptionalData;

// SequenceProto
struct SequenceData : Message {
  enum Kind : int32_t { kUndefined = 0, kTensor = 1, kSparseTensor = 2, kSequence = 3, kMap = 4, kOptional = 5 };
  std::string name;
  int32_t elem_type = kUndefined;
  std::vector<TensorData> tensors;
  std::vector<SparseTensorData> sparse_tensors;
  std::vector<SequenceData> sequences;
  std::vector<std::shared_ptr<MapData>> maps;
  std::vector<std::shared_ptr<OptionalData>> optionals;
};

// MapProto
struct MapData : Message {
  std::string name;
  int32_t key_type = 0;  // DType's number
  std::vector<int64_t> keys;
  std::vector<Bytes> string_keys;
  SequenceData values;
  bool has_values = false;
};

// OptionalProto
struct OptionalData : Message {
  std::string name;
  int32_t elem_type = SequenceData::kUndefined;
  bool has_tensor = false, has_sparse_tensor = false;
  TensorData tensor;
  SparseTensorData sparse_tensor;
  std::shared_ptr<SequenceData> sequence;  // null: absent
  std::shared_ptr<MapData> map;
  std::shared_ptr<OptionalData> optional;
};

template <class V, Of<SequenceData> M>
void fields(V& v, M& m) {
  v.field(1, "name", m.name);
  v.field(2, "elem_type", m.elem_type);
  v.field(3, "tensor_values", m.tensors);
  v.field(4, "sparse_tensor_values", m.sparse_tensors);
  v.field(5, "sequence_values", m.sequences);
  v.field(6, "map_values", m.maps);
  v.field(7, "optional_values", m.optionals);
}

template <class V, Of<MapData> M>
void fields(V& v, M& m) {
  v.field(1, "name", m.name);
  v.field(2, "key_type", m.key_type);
  v.field(3, "keys", m.keys);
  v.field(4, "string_keys", m.string_keys);
  v.field(5, "values", m.has_values, m.values);
}

template <class V, Of<OptionalData> M>
void fields(V& v, M& m) {
  v.field(1, "name", m.name);
  v.field(2, "elem_type", m.elem_type);
  v.field(3, "tensor_value", m.has_tensor, m.tensor);
  v.field(4, "sparse_tensor_value", m.has_sparse_tensor, m.sparse_tensor);
  v.field(5, "sequence_value", m.sequence);
  v.field(6, "map_value", m.map);
  v.field(7, "optional_value", m.optional);
}

}  // namespace sardonyx::model
