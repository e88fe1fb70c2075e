#include <gmock/gmock.h>

#include <limits>

#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Strings = std::vector<std::string>;

OpCase encoder(int64_t version) { return OpCase("LabelEncoder", version, "ai.onnx.ml"); }
OpCase op(const char* name) { return OpCase(name, 1, "ai.onnx.ml"); }
Tensor words(Strings values) { return Tensor::of_strings({static_cast<int64_t>(values.size())}, values); }
model::TensorData data(const Tensor& tensor) { return model::encode(tensor); }

TEST(MlLabels, EncoderOfVersion1) {
  OpCase node = encoder(1).attribute("classes_strings", Strings{"a", "b"}).attribute("default_string", "none");
  EXPECT_THAT(node.run({words({"b", "c", "a"})}).values<int64_t>(), ElementsAre(1, -1, 0));
  EXPECT_THAT(node.run({int64s({1, 2, -1})}).strings(), ElementsAre("b", "none", "none"));
  EXPECT_EQ(node.error({floats({1}, {0})}).first, ErrorCode::kInvalidArgument);
}

TEST(MlLabels, EncoderOfLists) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  OpCase from_floats = encoder(2).attribute("keys_floats", std::vector<float>{nan, 0, 2}).ints("values_int64s", {1, 2, 3});
  EXPECT_THAT(from_floats.run({floats({4}, {-nan, -0.0f, 2, 5})}).values<int64_t>(), ElementsAre(1, 2, 3, -1));
  OpCase to_floats =
      encoder(4).attribute("keys_strings", Strings{"x"}).attribute("values_floats", std::vector<float>{4}).attribute("default_float", 0.5f);
  EXPECT_THAT(to_floats.run({words({"x", "y"})}).values<float>(), ElementsAre(4, 0.5f));
  // Of equal keys the first counted before version 4, the last since.
  for (const int64_t version : {2, 4}) {
    OpCase twice = encoder(version).ints("keys_int64s", {1, 1}).attribute("values_strings", Strings{"first", "last"});
    EXPECT_THAT(twice.run({int64s({1, 2})}).strings(), ElementsAre(version == 2 ? "first" : "last", "_Unused"));
  }
}

TEST(MlLabels, EncoderOfTensors) {
  for (const DType dtype : {DType::kInt16, DType::kInt32, DType::kInt64, DType::kFloat32, DType::kFloat64}) {
    const Tensor keys = int64s({3, -4}).to(dtype), values = int64s({7, 8}).to(dtype);
    const auto node = [&] { return encoder(4).attribute("keys_tensor", data(keys)).attribute("values_tensor", data(values)); };
    const Tensor y = node().run({int64s({-4, 3, 9}).to(dtype)});
    EXPECT_EQ(y.dtype(), dtype);
    EXPECT_THAT(doubles(y), ElementsAre(8, 7, is_floating_point(dtype) ? 0 : -1));
    const Tensor fallback = int64s({42}).to(dtype);
    EXPECT_THAT(doubles(node().attribute("default_tensor", data(fallback)).run({int64s({0}).to(dtype)})), ElementsAre(42));
    EXPECT_THAT(node().attribute("default_tensor", data(words({"a"}))).error({keys}).second, HasSubstr("default_tensor"));
  }
}

TEST(MlLabels, EncoderRefuses) {
  EXPECT_THAT(encoder(2).ints("keys_int64s", {1, 2}).ints("values_int64s", {1}).error({int64s({1})}).second,
              HasSubstr("2 keys and 1 value"));
  EXPECT_THAT(encoder(2).ints("keys_int64s", {1}).error({int64s({1})}).second, HasSubstr("values_*"));
  EXPECT_THAT(
      encoder(2).ints("keys_int64s", {1}).attribute("keys_strings", Strings{"a"}).ints("values_int64s", {1}).error({int64s({1})}).second,
      HasSubstr("keys_*"));
  EXPECT_THAT(encoder(4).attribute("keys_tensor", data(Tensor({1, 1}))).ints("values_int64s", {1}).error({int64s({1})}).second,
              HasSubstr("keys_tensor"));
}

TEST(MlLabels, CategoryMapper) {
  OpCase node = op("CategoryMapper").attribute("cats_strings", Strings{"a", "b"}).ints("cats_int64s", {5, 6});
  EXPECT_THAT(node.run({words({"b", "q"})}).values<int64_t>(), ElementsAre(6, -1));
  EXPECT_THAT(node.run({int64s({5, 7})}).strings(), ElementsAre("a", "_Unused"));
  EXPECT_EQ(op("CategoryMapper").ints("cats_int64s", {5}).error({int64s({5})}).first, ErrorCode::kInvalidModel);
}

Tensor map_of(const Tensor& keys, const Tensor& values) { return Tensor::of_tensors({keys, values}); }

TEST(MlMaps, ZipMap) {
  OpCase node = op("ZipMap").attribute("classlabels_strings", Strings{"a", "b"});
  const Tensor maps = node.run({floats({2, 2}, {1, 2, 3, 4})});
  ASSERT_EQ(maps.numel(), 2);
  const Tensor& last = maps.tensors()[1];
  EXPECT_THAT(last.tensors()[0].strings(), ElementsAre("a", "b"));
  EXPECT_THAT(last.tensors()[1].values<float>(), ElementsAre(3, 4));
  EXPECT_EQ(op("ZipMap").ints("classlabels_int64s", {4, 5}).run({floats({2}, {1, 2})}).numel(), 1);
  const Tensor twice = op("ZipMap").ints("classlabels_int64s", {4, 4}).run({floats({2}, {1, 2})});
  EXPECT_THAT(twice.tensors()[0].tensors()[1].values<float>(), ElementsAre(2));
  EXPECT_EQ(node.run({Tensor({0, 2})}).numel(), 0);
  EXPECT_THAT(node.error({Tensor({1, 3})}).second, HasSubstr("3 columns"));
  EXPECT_EQ(op("ZipMap").error({Tensor({1, 3})}).first, ErrorCode::kInvalidModel);
}

TEST(MlMaps, DictVectorizer) {
  OpCase node = op("DictVectorizer").attribute("string_vocabulary", Strings{"a", "c", "b", "z"});
  const Tensor y = node.run({map_of(words({"a", "c", "other"}), floats({3}, {4, 8, 9}))});
  EXPECT_EQ(y.shape(), (Shape{1, 4}));
  EXPECT_THAT(y.values<float>(), ElementsAre(4, 8, 0, 0));
  const Tensor names = op("DictVectorizer").ints("int64_vocabulary", {3, 1}).run({map_of(int64s({1}), words({"x"}))});
  EXPECT_THAT(names.strings(), ElementsAre("", "x"));
  EXPECT_EQ(node.error({map_of(int64s({1}), floats({1}, {1}))}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(node.error({map_of(words({"a"}), floats({2}, {1, 2}))}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(node.error({Tensor::of_tensors({})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(node.error({Tensor::of_tensors({Tensor(), Tensor()})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(node.error({floats({1}, {1})}).first, ErrorCode::kInvalidArgument);
}

TEST(MlMaps, CastMap) {
  const Tensor numbers = map_of(int64s({3, 1}), floats({2}, {1.5f, -2.75f}));
  const auto cast = [](const char* to) { return op("CastMap").attribute("cast_to", to); };
  const Tensor dense = cast("TO_FLOAT").run({numbers});
  EXPECT_EQ(dense.shape(), (Shape{1, 2}));
  EXPECT_THAT(dense.values<float>(), ElementsAre(-2.75f, 1.5f));
  EXPECT_THAT(cast("TO_INT64").run({numbers}).values<int64_t>(), ElementsAre(-2, 1));
  EXPECT_THAT(cast("TO_STRING").run({numbers}).strings(), ElementsAre("-2.750000", "1.500000"));
  const auto sparse = [&](const char* to, int length) { return cast(to).attribute("map_form", "SPARSE").attribute("max_map", length); };
  EXPECT_THAT(sparse("TO_FLOAT", 3).run({numbers}).values<float>(), ElementsAre(0, -2.75f, 0));
  EXPECT_THAT(cast("TO_INT64").run({map_of(int64s({1, 0}), words({"12", "-3"}))}).values<int64_t>(), ElementsAre(-3, 12));
  EXPECT_THAT(cast("TO_FLOAT").error({map_of(int64s({1}), words({"twelve"}))}).second, HasSubstr("twelve"));
  EXPECT_THAT(sparse("TO_FLOAT", 3).error({map_of(int64s({-1}), floats({1}, {1}))}).second, HasSubstr("-1"));
  EXPECT_THAT(sparse("TO_FLOAT", 0).error({numbers}).second, HasSubstr("max_map"));
  EXPECT_THAT(cast("TO_BOOL").error({numbers}).second, HasSubstr("cast_to"));
}

}  // namespace
}  // namespace sardonyx::ops
