// The in-memory ONNX model: what an .onnx file holds, and nothing else.
//
// One struct per protobuf message of onnx.proto (IR version 13), with the field names of the specification. Lossless: reading and writing
// an unchanged model gives an equal model, and the same bytes where the file's encoder was canonical (fields in order, packed as the
// specification says). Fields that this version does not know are kept as bytes. Large payloads are views on the file's memory map.
//
// Optional fields are plain members: the default value means "absent". A file may also hold a field that is present and equal to its
// default; `Presence` remembers that, so that it is written again. Code that builds or edits models can ignore it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "sardonyx/tensor.h"

namespace sardonyx::model {

// Field numbers (1 to 61) of a message that were present although equal to their default; Attribute has two more marks.
struct Presence {
  uint64_t bits = 0;
  bool has(int field) const noexcept { return (bits >> field & 1) != 0; }
  void set(int field) noexcept { bits |= uint64_t{1} << field; }
  void clear(int field) noexcept { bits &= ~(uint64_t{1} << field); }
  friend bool operator==(Presence, Presence) = default;
};

// Bytes that are either owned or a view on memory that `owner` keeps alive. Copies share.
class Bytes {
 public:
  Bytes() = default;
  static Bytes copy_of(std::string_view bytes);
  static Bytes view(std::shared_ptr<const void> owner, std::string_view bytes) { return Bytes(std::move(owner), bytes); }

  std::string_view text() const noexcept { return text_; }
  size_t size() const noexcept { return text_.size(); }
  bool empty() const noexcept { return text_.empty(); }
  const std::shared_ptr<const void>& owner() const noexcept { return owner_; }
  friend bool operator==(const Bytes& a, const Bytes& b) noexcept { return a.text_ == b.text_; }

 private:
  Bytes(std::shared_ptr<const void> owner, std::string_view text) : owner_(std::move(owner)), text_(text) {}
  std::shared_ptr<const void> owner_;
  std::string_view text_;
};

// Every message ends with what is needed to write it back unchanged.
struct Message {
  Presence presence;
  Bytes unknown;  // fields not known here, as they stood in the file
  bool operator==(const Message&) const = default;
};

// StringStringEntryProto
struct StringPair : Message {
  std::string key, value;
  bool operator==(const StringPair&) const = default;
};
using StringPairs = std::vector<StringPair>;

// Values of a pair's key, or null.
const std::string* find_value(const StringPairs& pairs, std::string_view key) noexcept;

// TensorShapeProto.Dimension: a size, a symbol ("batch"), or unknown.
struct Dimension : Message {
  std::variant<std::monostate, int64_t, std::string> value;
  std::string denotation;

  Dimension() = default;
  Dimension(int64_t size) : value(size) {}                       // NOLINT: shapes read as {1, "height", 3}
  Dimension(std::string symbol) : value(std::move(symbol)) {}    // NOLINT
  Dimension(const char* symbol) : value(std::string(symbol)) {}  // NOLINT
  bool is_known() const noexcept { return std::holds_alternative<int64_t>(value); }
  bool is_symbol() const noexcept { return std::holds_alternative<std::string>(value); }
  int64_t size() const { return std::get<int64_t>(value); }
  const std::string& symbol() const { return std::get<std::string>(value); }
  bool operator==(const Dimension&) const = default;
};

// TensorShapeProto
struct ShapeInfo : Message {
  std::vector<Dimension> dims;
  bool operator==(const ShapeInfo&) const = default;
};
// "[batch, 1, ?, 224]"
std::string to_string(const ShapeInfo& shape);

// TypeProto and its kinds. A Type is absent() when the file gave none.
struct Type;
struct TensorType : Message {
  int32_t elem_type = 0;  // DType's number, kept as it stands in the file even if unknown
  bool has_shape = false;
  ShapeInfo shape;
  bool operator==(const TensorType&) const = default;
  DType dtype() const noexcept { return is_valid(static_cast<DType>(elem_type)) ? static_cast<DType>(elem_type) : DType::kUndefined; }
};
struct SparseTensorType : TensorType {
  bool operator==(const SparseTensorType&) const = default;
};
struct SequenceType : Message {
  std::shared_ptr<const Type> elem_type;  // null: absent. Immutable, so that copies may share it.
  bool operator==(const SequenceType& other) const;
};
struct OptionalType : Message {
  std::shared_ptr<const Type> elem_type;
  bool operator==(const OptionalType& other) const;
};
struct MapType : Message {
  int32_t key_type = 0;
  std::shared_ptr<const Type> value_type;
  bool operator==(const MapType& other) const;
};
struct OpaqueType : Message {
  std::string domain, name;
  bool operator==(const OpaqueType&) const = default;
};
struct Type : Message {
  std::variant<std::monostate, TensorType, SequenceType, MapType, OpaqueType, SparseTensorType, OptionalType> value;
  std::string denotation;

  bool absent() const noexcept { return std::holds_alternative<std::monostate>(value); }
  const TensorType* tensor() const noexcept { return std::get_if<TensorType>(&value); }
  TensorType* tensor() noexcept { return std::get_if<TensorType>(&value); }
  static Type of_tensor(DType dtype);  // rank unknown
  static Type of_tensor(DType dtype, std::vector<Dimension> dims);
  bool operator==(const Type&) const = default;
};
// ONNX Runtime's spelling: "tensor(float)", "seq(tensor(int64))", "map(int64,tensor(float))", "optional(tensor(float))".
std::string type_string(const Type& type);

// ValueInfoProto
struct ValueInfo : Message {
  std::string name;
  Type type;
  std::string doc_string;
  StringPairs metadata_props;
  bool operator==(const ValueInfo&) const = default;
};

// TensorProto. Exactly the fields of the file; use decode()/encode below for elements.
struct TensorData : Message {
  enum class Location : int32_t { kDefault = 0, kExternal = 1 };

  std::string name;
  int32_t data_type = 0;  // DType's number, kept even if unknown
  std::vector<int64_t> dims;
  Bytes raw_data;  // little-endian elements
  std::vector<float> float_data;
  std::vector<int32_t> int32_data;
  std::vector<int64_t> int64_data;
  std::vector<double> double_data;
  std::vector<uint64_t> uint64_data;
  std::vector<Bytes> string_data;
  StringPairs external_data;
  Location data_location = Location::kDefault;
  struct Segment : Message {
    int64_t begin = 0, end = 0;
    bool operator==(const Segment&) const = default;
  };
  bool has_segment = false;
  Segment segment;
  std::string doc_string;
  StringPairs metadata_props;
  // Set by resolve_external_data: the bytes that external_data refers to. Not part of the file, not compared.
  struct External {
    Bytes bytes;
    bool operator==(const External&) const { return true; }
  } external;

  DType dtype() const noexcept { return is_valid(static_cast<DType>(data_type)) ? static_cast<DType>(data_type) : DType::kUndefined; }
  bool is_external() const noexcept { return data_location == Location::kExternal; }
  bool operator==(const TensorData& other) const;  // floats by their bits, so that NaN equals itself
};

// SparseTensorProto
struct SparseTensorData : Message {
  TensorData values, indices;
  bool has_values = false, has_indices = false;
  std::vector<int64_t> dims;
  bool operator==(const SparseTensorData&) const = default;
};

struct Graph;

// AttributeProto
struct Attribute : Message {
  enum class Type : int32_t {
    kUndefined = 0,
    kFloat = 1,
    kInt = 2,
    kString = 3,
    kTensor = 4,
    kGraph = 5,
    kFloats = 6,
    kInts = 7,
    kStrings = 8,
    kTensors = 9,
    kGraphs = 10,
    kSparseTensor = 11,
    kSparseTensors = 12,
    kTypeProto = 13,
    kTypeProtos = 14,
  };
  std::string name;
  std::string ref_attr_name;
  std::string doc_string;
  Type type = Type::kUndefined;

  // Marks in `presence` that tell of an absence, set by the reader only. kTypeLeftOut: the file has no type (as IR versions 1 and 2 allow)
  // and it was inferred from the value. kValueLeftOut: the type is FLOAT, INT or STRING and the file has no value; without this mark
  // f, i or s is written whenever the type names it, 0 and "" included.
  static constexpr int kTypeLeftOut = 62, kValueLeftOut = 63;

  float f = 0;
  int64_t i = 0;
  Bytes s;
  std::shared_ptr<TensorData> t;  // null: absent. Copies of an Attribute share it: clone before editing.
  std::shared_ptr<Graph> g;
  std::shared_ptr<SparseTensorData> sparse_tensor;
  std::shared_ptr<model::Type> tp;
  std::vector<float> floats;
  std::vector<int64_t> ints;
  std::vector<Bytes> strings;
  std::vector<TensorData> tensors;
  std::vector<std::shared_ptr<Graph>> graphs;  // never null
  std::vector<SparseTensorData> sparse_tensors;
  std::vector<model::Type> type_protos;

  static Attribute of(std::string name, float value);
  static Attribute of(std::string name, int64_t value);
  static Attribute of(std::string name, int value) { return of(std::move(name), int64_t{value}); }
  static Attribute of(std::string name, std::string_view value);
  static Attribute of(std::string name, const char* value) { return of(std::move(name), std::string_view(value)); }
  static Attribute of(std::string name, std::vector<int64_t> values);
  static Attribute of(std::string name, std::vector<float> values);
  static Attribute of(std::string name, const std::vector<std::string>& values);
  static Attribute of(std::string name, TensorData value);
  static Attribute of(std::string name, Graph value);
  bool operator==(const Attribute& other) const;
};
std::string_view to_string(Attribute::Type type) noexcept;  // "FLOAT", "INTS", ...

// NodeProto
struct Node : Message {
  std::vector<std::string> input, output;  // "" : an optional one left out
  std::string name, op_type, domain, overload, doc_string;
  std::vector<Attribute> attribute;
  StringPairs metadata_props;
  struct SimpleShardedDim : Message {
    std::variant<std::monostate, int64_t, std::string> dim;
    int64_t num_shards = 0;
    bool operator==(const SimpleShardedDim&) const = default;
  };
  struct ShardedDim : Message {
    int64_t axis = 0;
    std::vector<SimpleShardedDim> simple_sharding;
    bool operator==(const ShardedDim&) const = default;
  };
  struct IndexToDeviceGroup : Message {
    int64_t key = 0;
    std::vector<int64_t> value;
    bool operator==(const IndexToDeviceGroup&) const = default;
  };
  struct ShardingSpec : Message {
    std::string tensor_name;
    std::vector<int64_t> device;
    std::vector<IndexToDeviceGroup> index_to_device_group_map;
    std::vector<ShardedDim> sharded_dim;
    bool operator==(const ShardingSpec&) const = default;
  };
  struct DeviceConfiguration : Message {
    std::string configuration_id;
    std::vector<ShardingSpec> sharding_spec;
    int32_t pipeline_stage = 0;
    bool operator==(const DeviceConfiguration&) const = default;
  };
  std::vector<DeviceConfiguration> device_configurations;

  const Attribute* find_attribute(std::string_view attribute_name) const noexcept;
  bool operator==(const Node&) const = default;
};

// TensorAnnotation
struct TensorAnnotation : Message {
  std::string tensor_name;
  StringPairs quant_parameter_tensor_names;
  bool operator==(const TensorAnnotation&) const = default;
};

// GraphProto
struct Graph : Message {
  std::vector<Node> node;
  std::string name;
  std::vector<TensorData> initializer;
  std::vector<SparseTensorData> sparse_initializer;
  std::string doc_string;
  std::vector<ValueInfo> input, output, value_info;
  std::vector<TensorAnnotation> quantization_annotation;
  StringPairs metadata_props;

  const TensorData* find_initializer(std::string_view initializer_name) const noexcept;
  bool operator==(const Graph&) const = default;
};

// OperatorSetIdProto
struct OpsetId : Message {
  std::string domain;  // "" is ai.onnx
  int64_t version = 0;
  bool operator==(const OpsetId&) const = default;
};

// FunctionProto
struct Function : Message {
  std::string name, domain, overload, doc_string;
  std::vector<std::string> input, output, attribute;
  std::vector<Attribute> attribute_proto;
  std::vector<Node> node;
  std::vector<OpsetId> opset_import;
  std::vector<ValueInfo> value_info;
  StringPairs metadata_props;
  bool operator==(const Function&) const = default;
};

// TrainingInfoProto
struct TrainingInfo : Message {
  bool has_initialization = false, has_algorithm = false;
  Graph initialization, algorithm;
  StringPairs initialization_binding, update_binding;
  bool operator==(const TrainingInfo&) const = default;
};

// DeviceConfigurationProto
struct DeviceConfiguration : Message {
  std::string name;
  int32_t num_devices = 0;
  std::vector<std::string> device;
  bool operator==(const DeviceConfiguration&) const = default;
};

// ModelProto
struct Model : Message {
  int64_t ir_version = 0;
  std::vector<OpsetId> opset_import;  // empty in files of IR version 1 and 2: opset 1 is meant
  std::string producer_name, producer_version, domain;
  int64_t model_version = 0;
  std::string doc_string;
  bool has_graph = false;
  Graph graph;
  StringPairs metadata_props;
  std::vector<TrainingInfo> training_info;
  std::vector<Function> functions;
  std::vector<DeviceConfiguration> configuration;

  // The version imported for a domain ("" and "ai.onnx" are the same); 1 for ai.onnx where IR version < 3 imports none; 0 if not imported.
  int64_t opset_version(std::string_view opset_domain = "") const noexcept;
  bool operator==(const Model&) const = default;
};

// Limits on what a reader accepts from untrusted bytes. Exceeding one is a ResourceLimit error.
struct ReadLimits {
  size_t max_file_bytes = size_t{1} << 40;
  int max_depth = 64;                     // nesting of messages: a subgraph takes three levels (graph, node, attribute)
  size_t max_messages = size_t{1} << 26;  // nodes, attributes, tensors, dimensions and so on, together
  size_t max_elements = size_t{1} << 31;  // entries of repeated scalars outside raw_data, together
  size_t max_memory = size_t{8} << 30;    // bytes of the decoded structure; payloads that stay views on the file do not count
};
struct ReadOptions {
  ReadLimits limits;
  bool external_data = true;  // map external data files and resolve tensors to them; false leaves them unresolved
};

// Reads an .onnx file through a memory map; payloads stay views on it. Locations of external data are relative to the folder of `path`.
// Absolute ones and ".." are refused, and so is a link whose target lies neither in that folder nor, where `path` itself is a link, in the
// folder that it links to (caches that link model.onnx and model.onnx.data to a folder of blobs work). No byte of external data is read.
// Throws Io (cannot open), InvalidModel (not a readable ONNX protobuf, or a bad reference), ResourceLimit.
Model read_model(const std::filesystem::path& path, const ReadOptions& options = {});
// The same from memory that `owner` keeps alive (null: copied). `folder`: where external data lives; empty: external data is refused
// if options.external_data is set.
Model parse_model(std::string_view bytes, std::shared_ptr<const void> owner, const ReadOptions& options = {},
                  const std::filesystem::path& folder = {});
TensorData parse_tensor(std::string_view bytes, std::shared_ptr<const void> owner, const ReadLimits& limits = {});  // a TensorProto (.pb)
TensorData read_tensor(const std::filesystem::path& path, const ReadLimits& limits = {});

struct WriteOptions {
  // Initializers (of subgraphs too) and tensors read from external data go to this file beside the model if they have at least
  // `external_threshold` bytes, at offsets that are multiples of 4096 (of 64 for tensors below 4096 bytes); strings stay inside.
  // "": everything inside the .onnx file. References that were read with external_data = false are written as they stand.
  std::string external_file;
  size_t external_threshold = 1024;
};
// Writes atomically (temporary file, then rename), the data file first. The model is not changed. Throws Io; InvalidArgument for an
// external_file that is no relative path beside the model; ResourceLimit for a protobuf over 2 GiB (cure: external data).
void write_model(const Model& model, const std::filesystem::path& path, const WriteOptions& options = {});
std::string serialize(const Model& model);
std::string serialize(const TensorData& tensor);
void write_tensor(const TensorData& tensor, const std::filesystem::path& path);

// The elements as a Tensor: a view (Tensor::stored_view: none is read) where they stand as raw bytes, inside the file or external; else
// converted into owned storage. Packed types keep ONNX's layout: the first element in the lowest bits.
// Throws InvalidModel if type, dims and data do not fit each other, InvalidArgument for external data that was not loaded.
Tensor decode(const TensorData& tensor);
// The dense tensor. Throws InvalidModel if values, indices and dims do not fit each other, ResourceLimit where it would be more than a
// thousand times as large as what is stored, and large.
Tensor decode(const SparseTensorData& tensor);
// A TensorData with raw_data (string_data for strings) that shares the tensor's storage.
TensorData encode(const Tensor& tensor, std::string name = {});

// Looks an attribute up, with a default; throws InvalidModel if it is there with another type, or as a reference to an attribute of the
// function (ref_attr_name).
float get_float(const Node& node, std::string_view name, float fallback);
int64_t get_int(const Node& node, std::string_view name, int64_t fallback);
std::string get_string(const Node& node, std::string_view name, std::string_view fallback);
std::vector<int64_t> get_ints(const Node& node, std::string_view name, std::vector<int64_t> fallback = {});
std::vector<float> get_floats(const Node& node, std::string_view name, std::vector<float> fallback = {});

// "node 'conv1' (Conv)"; unnamed nodes are told by their first output: "node with output 'x' (Conv)". For error trails.
std::string describe(const Node& node);

}  // namespace sardonyx::model
