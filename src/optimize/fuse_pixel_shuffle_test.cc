#include "optimize/rule_testing.h"

namespace sardonyx::optimize {
namespace {

using model::Attribute;
using testing::ElementsAre;
using Ints = std::vector<int64_t>;

Tensor ints(Ints values) { return Tensor::of<int64_t>({static_cast<int64_t>(values.size())}, values); }

const Ints kCrd = {0, 1, 4, 2, 5, 3}, kDcr = {0, 3, 4, 1, 5, 2};

// x (1, 12, 3, 5) to (1, 3, 6, 10) by constant shapes.
ModelBuilder shuffle(const Ints& perm, const Ints& cut, const Ints& joined, std::vector<model::Dimension> x, int64_t opset) {
  ModelBuilder builder(opset);
  builder.input("x", std::move(x)).output("y").constant("cut", ints(cut)).constant("joined", ints(joined));
  builder.node("Reshape", {"x", "cut"}, {"six"}).node("Transpose", {"six"}, {"turned"}, {Attribute::of("perm", perm)});
  builder.node("Reshape", {"turned", "joined"}, {"y"});
  return builder;
}

const std::vector<model::Dimension> kFixed = {1, 12, 3, 5};
const Feeds kFeeds = {{"x", random_tensor({1, 12, 3, 5})}};

TEST(FusePixelShuffle, RecognisesConstantShapes) {
  const auto crd = shuffle(kCrd, {-1, 3, 2, 2, 3, 5}, {-1, 3, 6, 10}, kFixed, 17).build();
  const model::Model fused = optimized(crd, kFeeds, GraphOptimizationLevel::kBasic);
  EXPECT_THAT(operators(fused), ElementsAre("DepthToSpace"));
  EXPECT_EQ(fused.graph.node[0].domain, "");
  const model::Model old = optimized(shuffle(kCrd, {1, 3, 2, 2, 3, 5}, {0, 0, -1, 10}, kFixed, 10).build(), kFeeds);
  EXPECT_THAT(operators(old), ElementsAre("DepthToSpace"));
  EXPECT_EQ(old.graph.node[0].domain, "ai.sardonyx");
  const model::Model dcr = optimized(shuffle(kDcr, {0, 2, 2, 3, 3, 5}, {1, 3, 6, 10}, kFixed, 10).build(), kFeeds);
  EXPECT_THAT(operators(dcr), ElementsAre("DepthToSpace"));
  EXPECT_EQ(dcr.graph.node[0].domain, "");
}

TEST(FusePixelShuffle, LeavesWhatIsSomethingElse) {
  const auto kept = ElementsAre("Reshape", "Transpose", "Reshape");
  const auto expect_kept = [&](const Ints& perm, const Ints& cut, const Ints& joined, const std::vector<model::Dimension>& x) {
    EXPECT_THAT(operators(optimized(shuffle(perm, cut, joined, x, 17).build(), kFeeds)), kept);
  };
  expect_kept({0, 1, 2, 4, 5, 3}, {1, 3, 2, 2, 3, 5}, {1, 3, 6, 10}, kFixed);  // another order
  expect_kept(kCrd, {1, 3, 2, 2, 5, 3}, {1, 3, 10, 6}, kFixed);                // height and width of another picture
  expect_kept(kCrd, {1, 3, 4, 1, 3, 5}, {1, 3, 12, 5}, kFixed);                // blocks that are not square
  expect_kept(kCrd, {1, 3, 2, 2, 3, 5}, {1, 3, 10, 6}, kFixed);                // joined otherwise
  expect_kept(kCrd, {3, 1, 2, 2, 3, 5}, {3, 1, 6, 10}, kFixed);                // channels taken for images
  expect_kept(kCrd, {1, 3, 2, 2, 3, 5}, {1, 3, 6, 10}, {"n", "c", "h", "w"});  // unknown before the run
  expect_kept(kCrd, {-1, 3, 2, 2, 3, 5}, {-1, 3, 6, 10}, {"n", 12, "h", 5});   // the constant may be another height
}

TEST(FusePixelShuffle, FollowsShapeArithmetic) {
  ModelBuilder builder(10);
  builder.input("x", {"n", 12, "h", "w"}).output("y").constant("sides", ints({2, 3})).constant("head", ints({-1, 3, 2, 2}));
  builder.constant("top", ints({-1, 3})).constant("twice", ints({2, 2}));
  builder.node("Shape", {"x"}, {"shape"}).node("Gather", {"shape", "sides"}, {"hw"});
  builder.node("Concat", {"head", "hw"}, {"cut"}, {Attribute::of("axis", int64_t{0})});
  builder.node("Reshape", {"x", "cut"}, {"six"}).node("Transpose", {"six"}, {"turned"}, {Attribute::of("perm", kCrd)});
  builder.node("Mul", {"hw", "twice"}, {"wide"}).node("Concat", {"top", "wide"}, {"joined"}, {Attribute::of("axis", int64_t{0})});
  builder.node("Reshape", {"turned", "joined"}, {"y"});
  EXPECT_THAT(operators(optimized(builder.build(), kFeeds)), ElementsAre("DepthToSpace"));
  // Somebody else reads what lies between.
  builder.output("turned");
  EXPECT_EQ(rewrites(
                [&] {
                  model::Model model = builder.build();
                  return optimize(model, GraphOptimizationLevel::kAll);
                }(),
                "fuse_pixel_shuffle"),
            0u);
}

}  // namespace
}  // namespace sardonyx::optimize
