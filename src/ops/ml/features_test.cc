#include <gmock/gmock.h>

#include <limits>

#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

OpCase ml(const char* op, int64_t version = 1) { return OpCase(op, version, "ai.onnx.ml"); }
using Floats = std::vector<float>;
using Strings = std::vector<std::string>;

TEST(MlFeatures, ArrayFeatureExtractor) {
  const Tensor x = Tensor::of<int32_t>({2, 3}, {1, 2, 3, 4, 5, 6});
  const Tensor y = ml("ArrayFeatureExtractor").run({x, int64s({2, 0})});
  EXPECT_EQ(y.shape(), (Shape{2, 2}));
  EXPECT_THAT(y.values<int32_t>(), ElementsAre(3, 1, 6, 4));
  const Tensor words = ml("ArrayFeatureExtractor").run({Tensor::of_strings({2}, {"a", "b"}), int64s({1})});
  EXPECT_EQ(words.shape(), (Shape{1, 1}));
  EXPECT_THAT(words.strings(), ElementsAre("b"));
  for (const int64_t wrong : {int64_t{3}, int64_t{-1}}) {
    const auto [code, text] = ml("ArrayFeatureExtractor").error({x, int64s({wrong})});
    EXPECT_EQ(code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(text, HasSubstr(std::to_string(wrong)));
  }
  EXPECT_EQ(ml("ArrayFeatureExtractor").error({Tensor::scalar(1.0f), int64s({0})}).first, ErrorCode::kInvalidArgument);
}

TEST(MlFeatures, Binarizer) {
  EXPECT_THAT(ml("Binarizer").attribute("threshold", 0.5f).run({floats({3}, {0.5f, 1, kNan})}).values<float>(), ElementsAre(0, 1, 0));
  EXPECT_THAT(ml("Binarizer").attribute("threshold", 0.5f).run({int64s({0, 1})}).values<int64_t>(), ElementsAre(0, 1));
}

TEST(MlFeatures, Imputer) {
  const Tensor x = floats({2, 2}, {1, kNan, kNan, 2});
  const auto imputer = [](Floats values) { return ml("Imputer").attribute("imputed_value_floats", std::move(values)); };
  EXPECT_THAT(doubles(imputer({5, 6}).attribute("replaced_value_float", kNan).run({x})), ElementsAre(1, 6, 5, 2));
  EXPECT_THAT(doubles(imputer({7}).attribute("replaced_value_float", 2.0f).run({floats({3}, {2, 0, 2})})), ElementsAre(7, 0, 7));
  EXPECT_THAT(doubles(ml("Imputer").ints("imputed_value_int64s", {9}).attribute("replaced_value_int64", -1).run({int64s({-1, 3})})),
              ElementsAre(9, 3));
  EXPECT_THAT(imputer({1, 2, 3}).error({x}).second, HasSubstr("imputed_value_floats"));
  EXPECT_THAT(imputer({1}).error({int64s({1})}).second, HasSubstr("imputed_value_int64s"));
  const Tensor narrow = Tensor::of<int32_t>({1}, {1});
  EXPECT_THAT(ml("Imputer").ints("imputed_value_int64s", {int64_t{1} << 40}).error({narrow}).second, HasSubstr("int32"));
}

TEST(MlFeatures, Scaler) {
  const auto scaler = [](Floats offset, Floats scale) {
    return ml("Scaler").attribute("offset", std::move(offset)).attribute("scale", std::move(scale));
  };
  EXPECT_THAT(doubles(scaler({1, 2}, {3}).run({int64s({5, 7}).reshape({1, 2})})), ElementsAre(12, 15));
  EXPECT_THAT(doubles(scaler({1}, {2, 4}).run({floats({2, 2}, {1, 2, 3, 4})})), ElementsAre(0, 4, 4, 12));
  EXPECT_THAT(scaler({1, 2, 3}, {1}).error({Tensor({1, 2})}).second, HasSubstr("offset"));
  EXPECT_EQ(scaler({1}, {1}).run({Tensor({0, 2})}).shape(), (Shape{0, 2}));
}

TEST(MlFeatures, Normalizer) {
  const Tensor x = floats({2, 2}, {3, -4, 0, 0});
  expect_close(ml("Normalizer").attribute("norm", "L1").run({x}), {2, 2}, {3 / 7.0, -4 / 7.0, 0, 0});
  expect_close(ml("Normalizer").attribute("norm", "L2").run({x}), {2, 2}, {0.6, -0.8, 0, 0});
  expect_close(ml("Normalizer").run({x.to(DType::kFloat64)}), {2, 2}, {1, -4 / 3.0, 0, 0});
  EXPECT_THAT(ml("Normalizer").attribute("norm", "L3").error({x}).second, HasSubstr("norm"));
  EXPECT_EQ(ml("Normalizer").error({Tensor({1, 1, 1})}).first, ErrorCode::kInvalidArgument);
}

TEST(MlFeatures, OneHotEncoder) {
  const Tensor y = ml("OneHotEncoder").ints("cats_int64s", {4, 2}).run({floats({2, 1}, {2.7f, 3})});
  EXPECT_EQ(y.shape(), (Shape{2, 1, 2}));
  EXPECT_THAT(doubles(y), ElementsAre(0, 1, 0, 0));
  OpCase strict = ml("OneHotEncoder").attribute("cats_strings", Strings{"a", "b"}).attribute("zeros", 0);
  EXPECT_THAT(doubles(strict.run({Tensor::of_strings({1}, {"b"})})), ElementsAre(0, 1));
  EXPECT_THAT(strict.error({Tensor::of_strings({1}, {"c"})}).second, HasSubstr("zeros"));
  EXPECT_EQ(strict.error({floats({1}, {1})}).first, ErrorCode::kInvalidArgument);
  EXPECT_THAT(ml("OneHotEncoder").error({floats({1}, {1})}).second, HasSubstr("cats_int64s"));
}

TEST(MlFeatures, FeatureVectorizer) {
  const Tensor a = floats({2, 2}, {1, 2, 3, 4}), b = int64s({5, 6}).reshape({2, 1});
  const Tensor y = ml("FeatureVectorizer").ints("inputdimensions", {1, 2}).run({a, b});
  EXPECT_EQ(y.shape(), (Shape{2, 3}));
  EXPECT_THAT(doubles(y), ElementsAre(1, 5, 0, 3, 6, 0));
  EXPECT_THAT(doubles(ml("FeatureVectorizer").run({floats({2}, {1, 2}), floats({1}, {3})})), ElementsAre(1, 2, 3));
  EXPECT_THAT(ml("FeatureVectorizer").ints("inputdimensions", {2}).error({a, b}).second, HasSubstr("inputdimensions"));
  EXPECT_THAT(ml("FeatureVectorizer").ints("inputdimensions", {-2, 1}).error({a, b}).second, HasSubstr("inputdimensions"));
  EXPECT_THAT(ml("FeatureVectorizer").error({a, floats({1}, {3})}).second, HasSubstr("rows"));
}

}  // namespace
}  // namespace sardonyx::ops
