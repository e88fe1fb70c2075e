#include "optimize/rule_testing.h"

namespace sardonyx::optimize {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

model::Attribute perm(std::vector<int64_t> values) { return model::Attribute::of("perm", std::move(values)); }

// Queries, keys and values of 2 heads of size 4, 3 and 5 rows, heads first; scores are still to be made.
ModelBuilder heads_first() {
  ModelBuilder builder;
  builder.input("q", {"n", 2, 3, 4}).input("k", {"n", 2, 5, 4}).input("v", {"n", 2, 5, 6}).output("y");
  builder.constant("two", Tensor::scalar(2.0f)).constant("low", Tensor::scalar(-kInfinity));
  builder.node("Transpose", {"k"}, {"t"}, {perm({0, 1, 3, 2})});
  return builder;
}
ModelBuilder& finish(ModelBuilder& builder, const char* scores) {
  return builder.node("Softmax", {scores}, {"p"}, {model::Attribute::of("axis", -1)}).node("MatMul", {"p", "v"}, {"y"});
}
Feeds feeds() {
  return {{"q", random_tensor({2, 2, 3, 4}, 1)}, {"k", random_tensor({2, 2, 5, 4}, 2)}, {"v", random_tensor({2, 2, 5, 6}, 3)}};
}
std::vector<std::string> after(const ModelBuilder& builder, const Feeds& with = feeds()) {
  return operators(optimized(builder.build(), with, GraphOptimizationLevel::kAll, 4e-6f));
}

TEST(FuseAttention, ScaledOnEitherSide) {
  ModelBuilder scores = heads_first();
  scores.node("MatMul", {"q", "t"}, {"s"}).node("Div", {"s", "two"}, {"d"});
  EXPECT_THAT(after(finish(scores, "d")), ElementsAre("Attention"));
  ModelBuilder queries = heads_first();
  queries.node("Mul", {"two", "q"}, {"a"}).node("Mul", {"t", "two"}, {"b"}).node("MatMul", {"a", "b"}, {"s"});
  EXPECT_THAT(after(finish(queries, "s")), ElementsAre("Attention"));
}

TEST(FuseAttention, Masks) {
  for (const std::vector<int64_t>& shape : {std::vector<int64_t>{5}, {3, 5}, {1, 1, 1, 5}, {2, 3, 5}}) {
    ModelBuilder builder = heads_first();
    builder.constant("mask", random_tensor(Shape(shape.begin(), shape.end()), 4))
        .node("MatMul", {"q", "t"}, {"s"})
        .node("Add", {"mask", "s"}, {"a"});
    EXPECT_THAT(after(finish(builder, "a")), ElementsAre("Attention"));
  }
  ModelBuilder wide = heads_first();  // one column for all keys
  wide.constant("mask", random_tensor({3, 1}, 4)).node("MatMul", {"q", "t"}, {"s"}).node("Add", {"s", "mask"}, {"a"});
  EXPECT_THAT(after(finish(wide, "a")), Contains("Softmax"));
}

TEST(FuseAttention, ChosenScores) {
  Feeds with = feeds();
  with.emplace_back(
      "c", Tensor::of<bool>({3, 5}, {true, false, false, true, false, false, false, false, false, true, true, true, true, true, true}));
  for (const float hidden : {-1.0f, -1e4f, -3e38f}) {
    for (const bool hides_true : {false, true}) {
      ModelBuilder builder = heads_first();
      builder.input("c", {3, 5}, DType::kBool).constant("hidden", Tensor::scalar(hidden)).node("MatMul", {"q", "t"}, {"s"});
      builder.node("Where", {"c", hides_true ? "hidden" : "s", hides_true ? "s" : "hidden"}, {"a"});
      EXPECT_THAT(after(finish(builder, "a"), with), Contains("Attention"));
    }
  }
}

TEST(FuseAttention, AbsorbsTheSplitOfHeads) {
  ModelBuilder builder;
  builder.input("q", {"n", 3, 8}).input("k", {"n", 5, 8}).input("v", {"n", 5, 12}).output("y").constant("two", Tensor::scalar(2.0f));
  builder.constant("by4", Tensor::of<int64_t>({4}, {0, 0, 2, 4})).constant("by6", Tensor::of<int64_t>({4}, {0, 0, 2, 6}));
  builder.constant("joined", Tensor::of<int64_t>({3}, {0, 0, 12}));
  builder.node("Reshape", {"q", "by4"}, {"qr"}).node("Reshape", {"k", "by4"}, {"kr"}).node("Reshape", {"v", "by6"}, {"vr"});
  builder.node("Transpose", {"qr"}, {"qt"}, {perm({0, 2, 1, 3})}).node("Transpose", {"kr"}, {"t"}, {perm({0, 2, 3, 1})});
  builder.node("Transpose", {"vr"}, {"vt"}, {perm({0, 2, 1, 3})}).node("MatMul", {"qt", "t"}, {"s"}).node("Div", {"s", "two"}, {"d"});
  builder.node("Softmax", {"d"}, {"p"}).node("MatMul", {"p", "vt"}, {"o"}).node("Transpose", {"o"}, {"ot"}, {perm({0, 2, 1, 3})});
  builder.node("Reshape", {"ot", "joined"}, {"y"});
  const Feeds with = {{"q", random_tensor({2, 3, 8}, 1)}, {"k", random_tensor({2, 5, 8}, 2)}, {"v", random_tensor({2, 5, 12}, 3)}};
  EXPECT_THAT(after(builder, with), ElementsAre("Attention"));
}

TEST(FuseAttention, HeadsWithinTheBatch) {
  ModelBuilder builder;
  builder.input("q", {6, 3, 4}).input("k", {6, 5, 4}).input("v", {6, 5, 2}).input("mask", {6, 3, 5}).output("y");
  builder.node("Transpose", {"k"}, {"t"}, {perm({0, 2, 1})}).node("MatMul", {"q", "t"}, {"s"}).node("Add", {"s", "mask"}, {"a"});
  const Feeds with = {{"q", random_tensor({6, 3, 4}, 1)},
                      {"k", random_tensor({6, 5, 4}, 2)},
                      {"v", random_tensor({6, 5, 2}, 3)},
                      {"mask", random_tensor({6, 3, 5}, 4)}};
  EXPECT_THAT(after(finish(builder, "a"), with), ElementsAre("Unsqueeze", "Attention"));
}

TEST(FuseAttention, BroadcastsAsMatMulDoes) {
  ModelBuilder builder;
  builder.input("q", {"n", 2, 3, 4}).input("k", {"m", 1, 5, 4}).input("v", {"l", 2, 5, 6}).output("y");
  builder.node("Transpose", {"k"}, {"t"}, {perm({0, 1, 3, 2})}).node("MatMul", {"q", "t"}, {"s"});
  const Feeds with = {{"q", random_tensor({1, 2, 3, 4}, 1)}, {"k", random_tensor({3, 1, 5, 4}, 2)}, {"v", random_tensor({1, 2, 5, 6}, 3)}};
  EXPECT_THAT(after(finish(builder, "s"), with), ElementsAre("Attention"));
}

TEST(FuseAttention, LeavesWhatOnlyLooksAlike) {
  const auto left = [](ModelBuilder builder, const char* scores) { EXPECT_THAT(after(finish(builder, scores)), Contains("Softmax")); };
  left(heads_first().node("MatMul", {"q", "t"}, {"s"}).node("Tanh", {"s"}, {"d"}), "d");
  left(heads_first().node("MatMul", {"q", "t"}, {"s"}).node("Mul", {"s", "s"}, {"d"}), "d");
  left(heads_first().node("MatMul", {"q", "t"}, {"s"}).node("Div", {"s", "two"}, {"d"}).output("d"), "d");
  left(heads_first()
           .constant("m", random_tensor({2, 1, 3, 5}))
           .node("MatMul", {"q", "t"}, {"s"})
           .node("Add", {"s", "m"}, {"e"})
           .node("Mul", {"e", "two"}, {"d"}),
       "d");
}

TEST(FuseAttention, TellsWhyNot) {
  ModelBuilder builder = heads_first();
  builder.node("MatMul", {"q", "t"}, {"s"}).node("Tanh", {"s"}, {"d"});
  model::Model model = finish(builder, "d").build();
  const auto reports = optimize(model, GraphOptimizationLevel::kAll);
  const auto report = std::ranges::find(reports, "fuse_attention", &PassReport::name);
  EXPECT_THAT(report->refusals, ElementsAre(HasSubstr("the scores are no product")));
}

}  // namespace
}  // namespace sardonyx::optimize
