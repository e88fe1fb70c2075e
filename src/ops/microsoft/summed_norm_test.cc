// SkipLayerNormalization, SkipSimplifiedLayerNormalization and EmbedLayerNormalization of com.microsoft, and the layer normalisations that
// ONNX Runtime writes into ai.onnx, against their definitions in double.
#include <gmock/gmock.h>

#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

OpCase node(const char* op_type) { return OpCase(op_type, 1, "com.microsoft"); }

struct Norm {
  std::vector<double> y, mean, factor;
};

// Rows of `size` elements, normalised; `shift` may be empty.
Norm normalized(const std::vector<double>& x, size_t size, const std::vector<double>& scale, const std::vector<double>& shift,
                double epsilon, bool centered) {
  Norm result;
  for (size_t row = 0; row < x.size(); row += size) {
    double mean = 0, square = 0;
    for (size_t i = 0; centered && i < size; ++i) mean += x[row + i] / static_cast<double>(size);
    for (size_t i = 0; i < size; ++i) square += (x[row + i] - mean) * (x[row + i] - mean) / static_cast<double>(size);
    result.mean.push_back(mean);
    result.factor.push_back(1 / std::sqrt(square + epsilon));
    for (size_t i = 0; i < size; ++i) {
      result.y.push_back((x[row + i] - mean) * result.factor.back() * scale[i] + (shift.empty() ? 0 : shift[i]));
    }
  }
  return result;
}

double tolerance_of(DType dtype) { return dtype == DType::kBFloat16 ? 4e-2 : dtype == DType::kFloat16 ? 4e-3 : 1e-5; }

void check_skip(DType dtype, bool simplified, bool one_skip) {
  std::mt19937 generator(21);
  const Tensor x = random_tensor(generator, {2, 3, 7}).to(dtype),
               skip = random_tensor(generator, one_skip ? Shape{3, 7} : Shape{2, 3, 7}).to(dtype);
  const Tensor scale = random_tensor(generator, {7}).to(dtype), shift = random_tensor(generator, {7}).to(dtype);
  const Tensor bias = random_tensor(generator, {7}).to(dtype);
  std::vector<double> sum = doubles(x);
  const std::vector<double> more = doubles(skip), add = doubles(bias);
  for (size_t i = 0; i < sum.size(); ++i) sum[i] += more[i % more.size()] + add[i % 7];
  const Norm expected = normalized(sum, 7, doubles(scale), simplified ? std::vector<double>{} : doubles(shift), 0.01, !simplified);
  const std::vector<Tensor> inputs = simplified ? std::vector{x, skip, scale, bias} : std::vector{x, skip, scale, shift, bias};
  OpCase all = node(simplified ? "SkipSimplifiedLayerNormalization" : "SkipLayerNormalization");
  all.attribute("epsilon", 0.01f).outputs({"y", "mean", "factor", "sum"});
  const std::vector<Tensor> outputs = all.run_all(inputs);
  EXPECT_EQ(outputs[0].dtype(), dtype);
  EXPECT_EQ(outputs[2].dtype(), DType::kFloat32);
  const double tolerance = tolerance_of(dtype);
  expect_close(outputs[0], x.shape(), expected.y, tolerance);
  expect_close(outputs[1], {2, 3, 1}, expected.mean);
  expect_close(outputs[2], {2, 3, 1}, expected.factor);
  expect_close(outputs[3], x.shape(), sum, tolerance);
  expect_close(all.outputs({"y"}).run(inputs), x.shape(), expected.y, tolerance);
}

TEST(SkipLayerNormalization, EveryTypeAndOutput) {
  for (const DType dtype : {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kBFloat16}) {
    for (const bool simplified : {false, true}) {
      for (const bool one_skip : {false, true}) {
        SCOPED_TRACE(type_string(dtype) + (simplified ? " simplified" : "") + (one_skip ? " one skip" : ""));
        check_skip(dtype, simplified, one_skip);
      }
    }
  }
}

TEST(SkipLayerNormalization, LeavesOutWhatIsNotThere) {
  const Tensor x = floats({1, 2}, {3, 1}), skip = floats({1, 2}, {0, 4}), scale = floats({2}, {1, 10});
  expect_close(node("SkipLayerNormalization").run({x, skip, scale}), {1, 2}, {-1, 10});
  OpCase sum = node("SkipLayerNormalization");
  sum.outputs({"y", "", "", "s"});
  expect_close(sum.run_all({x, skip, scale, Tensor(), floats({2}, {2, 0})}).at(3), {1, 2}, {5, 5});
  expect_close(node("SkipLayerNormalization").run({Tensor({2, 3, 2}), Tensor({1, 3, 2}), scale}), {2, 3, 2}, std::vector<double>(12, 0.0));
  EXPECT_EQ(node("SkipLayerNormalization").run({Tensor({0, 3, 2}), Tensor({3, 2}), scale}).shape(), (Shape{0, 3, 2}));
  OpCase empty = node("SkipLayerNormalization");
  const std::vector<Tensor> rows = empty.outputs({"y", "m"}).run_all({Tensor({2, 0}), Tensor({2, 0}), Tensor({0})});
  EXPECT_TRUE(std::isnan(doubles(rows[1])[1]));
}

TEST(SkipLayerNormalization, RefusesWhatDoesNotFit) {
  const Tensor x({2, 3, 4}), scale({4});
  EXPECT_THAT(node("SkipLayerNormalization").error({x, Tensor({2, 4}), scale}).second, HasSubstr("skip has shape [2, 4]"));
  EXPECT_EQ(node("SkipLayerNormalization").error({x, Tensor({4}), scale}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(node("SkipLayerNormalization").error({Tensor({4}), Tensor({4}), scale}).first, ErrorCode::kInvalidArgument);
  EXPECT_THAT(node("SkipLayerNormalization").error({x, x, Tensor({3})}).second, HasSubstr("gamma has shape [3]; it must be [4]"));
  EXPECT_EQ(node("SkipLayerNormalization").error({x, x, scale, Tensor({1})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(node("SkipLayerNormalization").error({x, x, scale, scale, Tensor({1})}).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(node("SkipLayerNormalization").attribute("epsilon", -1.0f).error({x, x, scale}).first, ErrorCode::kInvalidModel);
}

Tensor ids(Shape shape, std::initializer_list<int32_t> values) { return Tensor::of<int32_t>(std::move(shape), values); }

// Embeddings of two columns: the sum of each token is (word, position + segment).
struct Embeddings {
  Tensor words = floats({3, 2}, {1, 0, 2, 0, 3, 0}), places = floats({3, 2}, {0, 10, 0, 20, 0, 30});
  Tensor segments = floats({2, 2}, {0, 0, 0, 5}), scale = floats({2}, {1, 1}), shift = floats({2}, {0.5f, 0.25f});
};

TEST(EmbedLayerNormalization, SumsAndCounts) {
  const Embeddings e;
  const Tensor tokens = ids({2, 2}, {0, 2, 1, 1}), kinds = ids({2, 2}, {0, 1, 1, 0}), mask = ids({2, 2}, {1, 1, 0, 1});
  OpCase all = node("EmbedLayerNormalization");
  all.outputs({"y", "counts", "sum"});
  std::vector<Tensor> outputs = all.run_all({tokens, kinds, e.words, e.places, e.segments, e.scale, e.shift, mask});
  expect_close(outputs[0], {2, 2, 2}, {-0.5, 1.25, -0.5, 1.25, -0.5, 1.25, -0.5, 1.25});
  EXPECT_THAT(outputs[1].values<int32_t>(), ElementsAre(2, 1));
  expect_close(outputs[2], {2, 2, 2}, {1, 10, 3, 25, 2, 15, 2, 20});
  outputs = all.run_all({tokens, Tensor(), e.words, e.places, Tensor(), e.scale, e.shift, Tensor(), ids({1, 2}, {2, 0})});
  EXPECT_THAT(outputs[1].values<int32_t>(), ElementsAre(0, 0));
  expect_close(outputs[2], {2, 2, 2}, {1, 30, 3, 10, 2, 30, 2, 10});
  const DType half = DType::kFloat16;
  const std::vector<Tensor> halves = {tokens,           kinds,           e.words.to(half), e.places.to(half), e.segments.to(half),
                                      e.scale.to(half), e.shift.to(half)};
  outputs = all.run_all(halves);
  EXPECT_EQ(outputs[0].dtype(), half);
  expect_close(outputs[2], {2, 2, 2}, {1, 10, 3, 25, 2, 15, 2, 20});
}

TEST(EmbedLayerNormalization, RefusesWhatDoesNotFit) {
  const Embeddings e;
  const auto text = [&](const Tensor& tokens, const Tensor& kinds, const Tensor& places) {
    return node("EmbedLayerNormalization").error({tokens, kinds, e.words, places, e.segments, e.scale, e.shift}).second;
  };
  const Tensor two = ids({1, 2}, {0, 1});
  EXPECT_THAT(text(ids({1, 2}, {0, 3}), two, e.places), HasSubstr("word id 3 is outside [0, 3)"));
  EXPECT_THAT(text(two, ids({1, 2}, {0, -1}), e.places), HasSubstr("segment id -1 is outside [0, 2)"));
  EXPECT_THAT(text(two, ids({2, 1}, {0, 1}), e.places), HasSubstr("segment_ids has shape [2, 1]"));
  EXPECT_THAT(text(two, two, Tensor({1, 2})), HasSubstr("position_embedding has 1 rows"));
  EXPECT_THAT(text(two, two, Tensor({3, 3})), HasSubstr("position_embedding has shape [3, 3]"));
  EXPECT_THAT(text(int64s({0, 1}), two, e.places), HasSubstr("input_ids has type"));
  EXPECT_EQ(node("EmbedLayerNormalization").error({two, two, e.words, e.places, Tensor(), e.scale, e.shift}).first,
            ErrorCode::kInvalidArgument);
}

TEST(LayerNormalization, OfOlderOpsetsTakesTheTypeOfItsScale) {
  std::mt19937 generator(22);
  const Tensor x = random_tensor(generator, {3, 5}), scale = random_tensor(generator, {5}), shift = random_tensor(generator, {5});
  const Tensor half = x.to(DType::kFloat16);
  OpCase old("LayerNormalization", 12), simplified("SimplifiedLayerNormalization", 12);
  const Norm expected = normalized(doubles(half), 5, doubles(scale), doubles(shift), 1e-5, true);
  const std::vector<Tensor> outputs = old.outputs({"y", "mean", "factor"}).run_all({half, scale, shift});
  EXPECT_EQ(outputs[0].dtype(), DType::kFloat32);
  expect_close(outputs[0], {3, 5}, expected.y);
  expect_close(outputs[1], {3, 1}, expected.mean);
  expect_close(outputs[2], {3, 1}, expected.factor);
  EXPECT_EQ(OpCase("LayerNormalization", 12).error({x, scale, shift.to(DType::kFloat64)}).first, ErrorCode::kInvalidArgument);
  const Norm root = normalized(doubles(x), 5, doubles(scale), {}, 1e-5, false);
  const std::vector<Tensor> both = simplified.outputs({"y", "factor"}).run_all({x, scale});
  expect_close(both[0], {3, 5}, root.y);
  expect_close(both[1], {3, 1}, root.factor);
  EXPECT_EQ(OpCase("SimplifiedLayerNormalization", 12).error({x, scale, shift}).first, ErrorCode::kInvalidModel);
}

}  // namespace
}  // namespace sardonyx::ops
