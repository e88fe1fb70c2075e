// Look-ups, attributes and text forms.
#include "sardonyx/model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "sardonyx/error.h"

namespace sardonyx::model {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Node conv() {
  Node node;
  node.op_type = "Conv";
  node.name = "conv1";
  node.attribute = {Attribute::of("alpha", 0.5f),
                    Attribute::of("group", 2),
                    Attribute::of("auto_pad", "VALID"),
                    Attribute::of("pads", std::vector<int64_t>{1, 2}),
                    Attribute::of("scales", std::vector<float>{1, 2.5f}),
                    Attribute::of("names", std::vector<std::string>{"a", "b"})};
  return node;
}

std::string message_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidModel);
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

TEST(Attributes, AreFoundOrReplacedByTheDefault) {
  const Node node = conv();
  EXPECT_EQ(get_float(node, "alpha", 1), 0.5f);
  EXPECT_EQ(get_float(node, "beta", 1), 1);
  EXPECT_EQ(get_int(node, "group", 1), 2);
  EXPECT_EQ(get_int(node, "axis", -1), -1);
  EXPECT_EQ(get_string(node, "auto_pad", "NOTSET"), "VALID");
  EXPECT_EQ(get_string(node, "mode", "linear"), "linear");
  EXPECT_THAT(get_ints(node, "pads"), ElementsAre(1, 2));
  EXPECT_THAT(get_ints(node, "strides", {1, 1}), ElementsAre(1, 1));
  EXPECT_THAT(get_floats(node, "scales"), ElementsAre(1, 2.5f));
  EXPECT_THAT(get_floats(node, "none"), ElementsAre());
  EXPECT_EQ(node.find_attribute("names")->strings[1].text(), "b");
  EXPECT_EQ(node.find_attribute("missing"), nullptr);
}

TEST(Attributes, OfAnotherTypeAreErrors) {
  const Node node = conv();
  EXPECT_EQ(message_of([&] { get_int(node, "alpha", 0); }),
            "node 'conv1' (Conv): attribute 'alpha' is of type FLOAT, where INT is expected");
  EXPECT_THAT(message_of([&] { get_floats(node, "pads"); }), HasSubstr("INTS, where FLOATS"));
  Node referring = conv();
  referring.attribute[1].ref_attr_name = "outer";
  EXPECT_THAT(message_of([&] { get_int(referring, "group", 0); }), HasSubstr("refers to the function's attribute 'outer'"));
}

TEST(Attributes, TensorsAndGraphs) {
  Graph body;
  body.name = "body";
  const Attribute graph = Attribute::of("body", body);
  EXPECT_EQ(graph.type, Attribute::Type::kGraph);
  EXPECT_EQ(graph.g->name, "body");
  const Attribute tensor = Attribute::of("value", encode(Tensor::scalar<int64_t>(5)));
  EXPECT_EQ(tensor.type, Attribute::Type::kTensor);
  EXPECT_EQ(decode(*tensor.t).item<int64_t>(), 5);
  Attribute other = tensor;
  other.t = std::make_shared<TensorData>(*tensor.t);
  EXPECT_TRUE(other == tensor);
  other.t->name = "x";
  EXPECT_FALSE(other == tensor);
  EXPECT_FALSE(graph == tensor);
  EXPECT_EQ(to_string(Attribute::Type::kSparseTensors), "SPARSE_TENSORS");
  EXPECT_EQ(to_string(static_cast<Attribute::Type>(77)), "UNKNOWN");
}

TEST(Types, AreSpelledAsRuntimesDo) {
  const auto shared = [](Type type) { return std::make_shared<const Type>(std::move(type)); };
  Type sequence, optional, map, opaque, sparse;
  sequence.value = SequenceType{{}, shared(Type::of_tensor(DType::kInt64))};
  optional.value = OptionalType{{}, shared(sequence)};
  map.value = MapType{{}, static_cast<int32_t>(DType::kInt64), shared(Type::of_tensor(DType::kFloat32))};
  opaque.value = OpaqueType{{}, "com.x", "Thing"};
  SparseTensorType of_doubles;
  of_doubles.elem_type = static_cast<int32_t>(DType::kFloat64);
  sparse.value = of_doubles;
  EXPECT_EQ(type_string(Type::of_tensor(DType::kFloat16, {1, "n"})), "tensor(float16)");
  EXPECT_EQ(type_string(optional), "optional(seq(tensor(int64)))");
  EXPECT_EQ(type_string(map), "map(int64,tensor(float))");
  EXPECT_EQ(type_string(opaque), "opaque(com.x,Thing)");
  EXPECT_EQ(type_string(sparse), "sparse_tensor(double)");
  EXPECT_EQ(type_string(Type{}), "undefined");
  sequence.value = SequenceType{};
  EXPECT_EQ(type_string(sequence), "seq(undefined)");
}

TEST(Types, ShapesReadAsWritten) {
  const Type type = Type::of_tensor(DType::kFloat32, {"batch", 3, Dimension(), 224});
  EXPECT_EQ(to_string(type.tensor()->shape), "[batch, 3, ?, 224]");
  EXPECT_EQ(to_string(ShapeInfo{}), "[]");
  EXPECT_TRUE(type.tensor()->shape.dims[0].is_symbol());
  EXPECT_EQ(type.tensor()->shape.dims[1].size(), 3);
  EXPECT_TRUE(Type{}.absent());
  EXPECT_EQ(type.tensor()->dtype(), DType::kFloat32);
  EXPECT_EQ(TensorType{}.dtype(), DType::kUndefined);
}

TEST(Types, EqualityLooksThroughPointers) {
  const auto sequence_of = [](DType dtype) {
    Type type;
    type.value = SequenceType{{}, std::make_shared<const Type>(Type::of_tensor(dtype))};
    return type;
  };
  EXPECT_TRUE(sequence_of(DType::kFloat32) == sequence_of(DType::kFloat32));
  EXPECT_FALSE(sequence_of(DType::kFloat32) == sequence_of(DType::kInt32));
}

TEST(Models, OpsetVersions) {
  Model model;
  model.ir_version = 2;
  EXPECT_EQ(model.opset_version(), 1);
  EXPECT_EQ(model.opset_version("com.x"), 0);
  model.ir_version = 8;
  EXPECT_EQ(model.opset_version(), 0);
  model.opset_import.resize(2);
  model.opset_import[0].domain = "ai.onnx";
  model.opset_import[0].version = 17;
  model.opset_import[1].domain = "com.x";
  model.opset_import[1].version = 3;
  EXPECT_EQ(model.opset_version(), 17);
  EXPECT_EQ(model.opset_version("ai.onnx"), 17);
  EXPECT_EQ(model.opset_version("com.x"), 3);
}

TEST(Models, LookUpsByName) {
  Graph graph;
  graph.initializer.push_back(encode(Tensor::scalar(1.0f), "w"));
  EXPECT_EQ(graph.find_initializer("w"), &graph.initializer[0]);
  EXPECT_EQ(graph.find_initializer("b"), nullptr);
  StringPairs pairs(2);
  pairs[0].key = "k";
  pairs[0].value = "v";
  EXPECT_EQ(*find_value(pairs, "k"), "v");
  EXPECT_EQ(find_value(pairs, "none"), nullptr);
}

TEST(Models, NodesAreDescribedForErrors) {
  Node node;
  node.op_type = "Relu";
  EXPECT_EQ(describe(node), "unnamed node (Relu)");
  node.output = {"", "y"};
  EXPECT_EQ(describe(node), "node with output 'y' (Relu)");
  node.name = "act";
  EXPECT_EQ(describe(node), "node 'act' (Relu)");
}

}  // namespace
}  // namespace sardonyx::model
