#include "optimize/rule_testing.h"

namespace sardonyx::optimize {
namespace {

using testing::ElementsAre;

// What is left of casts one after another.
std::vector<std::string> after(DType from, const Tensor& x, std::vector<DType> to) {
  ModelBuilder builder;
  builder.input("x", {3}, from).output("y", to.back());
  for (size_t i = 0; i < to.size(); ++i) {
    builder.node("Cast", {i == 0 ? "x" : "c" + std::to_string(i - 1)}, {i + 1 == to.size() ? "y" : "c" + std::to_string(i)},
                 {model::Attribute::of("to", static_cast<int>(to[i]))});
  }
  model::Model model = builder.build();
  const Feeds feeds = {{"x", x.to(from)}};
  const Tensor expected = reference_outputs(model, feeds)[0];
  optimize(model, GraphOptimizationLevel::kBasic);
  const Tensor actual = reference_outputs(model, feeds)[0];
  EXPECT_TRUE(actual.dtype() == expected.dtype() && std::memcmp(actual.raw(), expected.raw(), expected.byte_size()) == 0);
  return operators(model);
}

TEST(MergeCasts, LooksThroughExactOnes) {
  const Tensor x = Tensor::of<float>({3}, {-1.5f, 0, 300});
  EXPECT_THAT(after(DType::kFloat16, x, {DType::kFloat32, DType::kFloat64}), ElementsAre("Cast"));
  EXPECT_THAT(after(DType::kInt32, x, {DType::kInt64, DType::kInt8}), ElementsAre("Cast"));
  EXPECT_THAT(after(DType::kInt32, x, {DType::kFloat64, DType::kFloat32}), ElementsAre("Cast"));
  EXPECT_THAT(after(DType::kBool, x, {DType::kFloat16, DType::kInt64}), ElementsAre("Cast"));
}

TEST(MergeCasts, KeepsThoseThatRound) {
  const Tensor x = Tensor::of<float>({3}, {-1.5f, 0.1f, 300});
  EXPECT_THAT(after(DType::kFloat32, x, {DType::kFloat16, DType::kFloat32}), ElementsAre("Cast", "Cast"));
  EXPECT_THAT(after(DType::kFloat32, x, {DType::kInt32, DType::kFloat32}), ElementsAre("Cast", "Cast"));
  EXPECT_THAT(after(DType::kInt32, x, {DType::kFloat32, DType::kInt64}), ElementsAre("Cast", "Cast"));
  EXPECT_THAT(after(DType::kFloat16, x, {DType::kBFloat16, DType::kFloat32}), ElementsAre("Cast", "Cast"));
  EXPECT_THAT(after(DType::kFloat32, x, {DType::kBool, DType::kFloat32}), ElementsAre("Cast", "Cast"));
}

}  // namespace
}  // namespace sardonyx::optimize
