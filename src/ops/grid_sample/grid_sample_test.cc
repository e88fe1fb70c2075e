#include <gmock/gmock.h>

#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Tensor identity_matrices(int64_t rank) {
  Tensor result({1, rank, rank + 1});
  for (int64_t i = 0; i < rank; ++i) result.mutable_values<float>()[static_cast<size_t>(i * (rank + 2))] = 1;
  return result;
}

// The grid of the identity samples every element where it is.
TEST(GridSample, OfTheIdentity) {
  std::mt19937 generator(9);
  for (const Shape& shape : {Shape{1, 2, 3, 4}, Shape{1, 1, 3, 2, 4}}) {
    const Tensor x = random_tensor(generator, shape);
    const Tensor size = Tensor::of<int64_t>({static_cast<int64_t>(shape.size())}, shape);
    for (const int corners : {0, 1}) {
      const Tensor grid = OpCase("AffineGrid", 20).attribute("align_corners", corners).run({identity_matrices(x.dim() - 2), size});
      for (const char* mode : {"linear", "nearest", "cubic"}) {
        for (const char* padding : {"zeros", "border", "reflection"}) {
          OpCase node("GridSample", 20);
          node.attribute("mode", mode).attribute("padding_mode", padding).attribute("align_corners", corners);
          expect_close(node.run({x, grid}), shape, doubles(x), 2e-6);
          expect_close(node.run({x.to(DType::kFloat64), grid.to(DType::kFloat64)}), shape, doubles(x), 2e-6);
        }
      }
    }
  }
}

TEST(GridSample, Outside) {
  const Tensor x = floats({1, 1, 1, 4}, {1, 2, 3, 4});
  // Places -1, 4 and 5 of the line.
  const Tensor grid = floats({1, 1, 3, 2}, {-1.25f, 0, 1.25f, 0, 1.75f, 0});
  const auto run = [&](const char* padding) {
    return doubles(OpCase("GridSample", 16).attribute("mode", "nearest").attribute("padding_mode", padding).run({x, grid}));
  };
  EXPECT_THAT(run("zeros"), ElementsAre(0, 0, 0));
  EXPECT_THAT(run("border"), ElementsAre(1, 4, 4));
  EXPECT_THAT(run("reflection"), ElementsAre(1, 4, 3));
  const Tensor nowhere = floats({1, 1, 1, 2}, {NAN, 0});
  EXPECT_THAT(doubles(OpCase("GridSample", 16).run({x, nowhere})), ElementsAre(0));
  const Tensor text = Tensor::of_strings({1, 1, 1, 2}, {"a", "b"});
  EXPECT_THAT(OpCase("GridSample", 16).attribute("mode", "nearest").run({text, floats({1, 1, 2, 2}, {0.5f, 0, 3, 0})}).strings(),
              ElementsAre("b", ""));
  const Tensor halves = OpCase("GridSample", 20).run({Tensor::of<uint8_t>({1, 1, 1, 2}, {10, 21}), floats({1, 1, 1, 2}, {0, 0})});
  EXPECT_THAT(doubles(halves), ElementsAre(15));
}

TEST(GridSample, RefusesWhatDoesNotFit) {
  const Tensor x({1, 1, 2, 2});
  EXPECT_THAT(OpCase("GridSample", 16).error({x, Tensor({1, 2, 2, 3})}).second, HasSubstr("grid has shape"));
  EXPECT_THAT(OpCase("GridSample", 16).error({Tensor({1, 1, 0, 2}), Tensor({1, 2, 2, 2})}).second, HasSubstr("nothing to sample"));
  EXPECT_THAT(OpCase("AffineGrid", 20).error({Tensor({1, 2, 3}), int64s({1, 1, 2})}).second, HasSubstr("4 or 5 sizes"));
  EXPECT_EQ(OpCase("AffineGrid", 20).error({Tensor({1, 2, 3}), int64s({1, 1, int64_t{1} << 40, 4})}).first, ErrorCode::kResourceLimit);
}

}  // namespace
}  // namespace sardonyx::ops
