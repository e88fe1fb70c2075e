#include "sardonyx/build.h"

#include "edit/edit_case.h"

namespace sardonyx::edit {
namespace {

using namespace model;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(Build, ModelOfTheHeader) {
  Graph graph = make_graph({make_node("MatMul", {"x", "w"}, {"t"}), make_node("LeakyRelu", {"t"}, {"u"}, {{"alpha", 0.5}}),
                            make_node("Transpose", {"u"}, {"y"}, {{"perm", {1, 0}}}, "last")},
                           "tiny", {make_tensor_value_info("x", DType::kFloat32, {"batch", 4})},
                           {make_tensor_value_info("y", DType::kFloat32, {2, "batch"})},
                           {make_tensor("w", DType::kFloat32, {4, 2}, {1, 0, 0, 1, 1, 0, 0, 1})});
  const Model model = make_model(std::move(graph));
  EXPECT_TRUE(semantically_equal(model, model_of(R"(<ir_version: 13, opset_import: ["" : 27]>
tiny (float[batch, 4] x) => (float[2, batch] y) <float[4, 2] w = {1, 0, 0, 1, 1, 0, 0, 1}> {
  t = MatMul(x, w)
  u = LeakyRelu<alpha = 0.5>(t)
  [last] y = Transpose<perm = [1, 0]>(u)
})"))) << to_text(model);
}

TEST(Build, AttributesOfEveryKind) {
  const Node node =
      make_node("Any", {}, {},
                {{"i", 7},
                 {"flag", true},
                 {"f", 1.5f},
                 {"d", 2.5},
                 {"s", "text"},
                 {"string", std::string("other")},
                 {"to", DType::kFloat16},
                 {"is", {1, 2}},
                 {"fs", {1.5, 2.5}},
                 {"f32", {1.5f}},
                 {"ss", {"a", "b"}},
                 {"vector", std::vector<int64_t>{3}},
                 {"t", Tensor::of<int64_t>({1}, {9})},
                 {"g", make_graph({}, "inner", {}, {})},
                 {"gs", std::vector<Graph>(2)},
                 {"tp", make_tensor_type(DType::kInt64, {"n"})},
                 {"tps", std::vector<Type>{make_sequence_type(make_tensor_type(DType::kBool))}},
                 {"ts", std::vector<TensorData>{make_tensor("a", DType::kInt8, {}, {1})}},
                 {"sp", make_sparse_tensor(make_tensor("v", DType::kFloat32, {1}, {5.0}), make_tensor("i", DType::kInt64, {1}, {2}), {4})},
                 make_attribute_ref("axis", Attribute::Type::kInt, "outer_axis")});
  std::string kinds;
  for (const Attribute& attribute : node.attribute) kinds += fmt::format("{}:{} ", attribute.name, to_string(attribute.type));
  EXPECT_EQ(
      kinds,
      "i:INT flag:INT f:FLOAT d:FLOAT s:STRING string:STRING to:INT is:INTS fs:FLOATS f32:FLOATS ss:STRINGS vector:INTS t:TENSOR g:GRAPH "
      "gs:GRAPHS tp:TYPE_PROTO tps:TYPE_PROTOS ts:TENSORS sp:SPARSE_TENSOR axis:INT ");
  EXPECT_EQ(get_int(node, "flag", 0), 1);
  EXPECT_EQ(get_int(node, "to", 0), 10);
  EXPECT_THAT(get_floats(node, "fs"), ElementsAre(1.5f, 2.5f));
  EXPECT_EQ(node.find_attribute("axis")->ref_attr_name, "outer_axis");
  EXPECT_EQ(node.find_attribute("gs")->graphs.size(), 2u);
}

TEST(Build, Types) {
  EXPECT_EQ(type_string(make_sequence_type(make_tensor_type(DType::kFloat32, {"n"}))), "seq(tensor(float))");
  EXPECT_EQ(type_string(make_optional_type(make_sequence_type(make_tensor_type(DType::kInt64)))), "optional(seq(tensor(int64)))");
  EXPECT_EQ(type_string(make_map_type(DType::kString, make_tensor_type(DType::kFloat32))), "map(string,tensor(float))");
  EXPECT_EQ(type_string(make_sparse_tensor_type(DType::kFloat32, {3})), "sparse_tensor(float)");
  EXPECT_THAT(error_of([] { make_map_type(DType::kFloat32, Type()); }), HasSubstr("not float"));
  EXPECT_TRUE(make_empty_tensor_value_info("x").type.absent());
  EXPECT_FALSE(make_tensor_value_info("x", DType::kFloat32).type.tensor()->has_shape);
  EXPECT_EQ(type_string(make_tensor_sequence_value_info("x", DType::kInt32, {2}).type), "seq(tensor(int32))");
}

TEST(Build, Tensors) {
  EXPECT_THAT(decode(make_tensor("t", DType::kFloat16, {2}, {0.5, 2.0})).values<Float16>(),
              ElementsAre(Float16::from_float(0.5f), Float16::from_float(2)));
  EXPECT_THAT(decode(make_tensor("t", DType::kUInt8, {1, 2}, {3, 255})).values<uint8_t>(), ElementsAre(3, 255));
  EXPECT_THAT(decode(make_tensor("t", DType::kString, {2}, std::vector<std::string>{"a", "b"})).strings(), ElementsAre("a", "b"));
  EXPECT_THAT(decode(make_raw_tensor("t", DType::kInt4, {3}, "\x21\x03")).byte_size(), 2);
  EXPECT_THAT(error_of([] { make_tensor("t", DType::kFloat32, {3}, {1.0}); }), HasSubstr("1 values"));
  EXPECT_THAT(error_of([] { make_raw_tensor("t", DType::kFloat32, {3}, "abc"); }), HasSubstr("3 bytes, where"));
  EXPECT_THAT(error_of([] { make_raw_tensor("t", DType::kFloat32, {int64_t{1} << 62, 8}, ""); }, ErrorCode::kResourceLimit), HasSubstr(""));
  EXPECT_THAT(error_of([] { make_tensor("t", DType::kFloat32, {1}, std::vector<std::string>{"a"}); }), HasSubstr("strings"));
}

TEST(Build, OpsetsAndIrVersions) {
  const auto ir = [](std::vector<OpsetId> opsets) { return find_min_ir_version_for(opsets); };
  EXPECT_EQ(ir({}), 3);
  EXPECT_EQ(ir({make_opsetid("", 8)}), 3);
  EXPECT_EQ(ir({make_opsetid("ai.onnx", 9)}), 4);
  EXPECT_EQ(ir({make_opsetid("", 17), make_opsetid("ai.onnx.ml", 5)}), 10);
  EXPECT_EQ(ir({make_opsetid("own", 99)}), 3);
  EXPECT_THAT(error_of([&] { ir({make_opsetid("", 99)}); }), HasSubstr("no version 99"));
  const Graph graph = make_graph({make_node("Scaler", {"x"}, {"y"}, {}, "", "", "ai.onnx.ml")}, "g", {}, {});
  const Model model = make_model(graph);
  EXPECT_EQ(model.opset_version("ai.onnx.ml"), 5);
  EXPECT_EQ(model.ir_version, 13);
  EXPECT_EQ(make_model(graph, {.opset_imports = {make_opsetid("", 10)}}).ir_version, 8);
  const Graph foreign = make_graph({make_node("F", {}, {}, {}, "", "", "own")}, "g", {}, {});
  EXPECT_THAT(error_of([&] { make_model(foreign); }), HasSubstr("'own' is not one of ONNX"));
  const Function function =
      make_function("own", "F", {"x"}, {"y"}, {make_node("Relu", {"x"}, {"y"})}, {make_opsetid("", 17)}, {}, {}, "", "v2");
  const Model with_function =
      make_model(foreign, {.opset_imports = {make_opsetid("", 17), make_opsetid("own", 1)}, .functions = {function}});
  EXPECT_EQ(with_function.ir_version, 10);
  EXPECT_EQ(make_model(foreign, {.functions = {function}}).opset_version("own"), 1);
}

TEST(Build, MetadataAndTraining) {
  Model model = make_model(make_graph({}, "g", {}, {}));
  set_metadata_props(model.metadata_props, {{"a", "1"}, {"b", "2"}});
  set_metadata_props(model.metadata_props, {{"a", "3"}});
  EXPECT_EQ(*find_value(model.metadata_props, "a"), "3");
  EXPECT_EQ(find_value(model.metadata_props, "b"), nullptr);
  const TrainingInfo info = make_training_info(make_graph({}, "step", {}, {}), {{"w", "w_new"}});
  EXPECT_TRUE(info.has_algorithm);
  EXPECT_FALSE(info.has_initialization);
  EXPECT_EQ(*find_value(info.update_binding, "w"), "w_new");
}

}  // namespace
}  // namespace sardonyx::edit
