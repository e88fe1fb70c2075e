#include "optimize/rule_testing.h"

namespace sardonyx::optimize {
namespace {

using testing::Contains;
using testing::ElementsAre;

ModelBuilder start(int64_t opset, std::vector<std::string> inputs) {
  ModelBuilder builder(opset);
  builder.input("x", {"n", 5}).output("y").constant("two", Tensor::scalar<int64_t>(2)).constant("sizes", Tensor::of<int64_t>({2}, {1, 4}));
  builder.constant("first", Tensor::scalar<int64_t>(0)).constant("last", Tensor::scalar<int64_t>(-1));
  builder.node("SplitToSequence", std::move(inputs), {"s"}, {model::Attribute::of("axis", 1)});
  return builder;
}
std::vector<std::string> after(const ModelBuilder& builder) {
  return operators(optimized(builder.build(), {{"x", random_tensor({2, 5})}}, GraphOptimizationLevel::kBasic));
}

TEST(SplitSequence, PartsTakenOneByOne) {
  for (const int64_t opset : {12, 17}) {
    for (const char* sizes : {"two", "sizes"}) {
      EXPECT_THAT(after(start(opset, {"x", sizes})
                            .node("SequenceAt", {"s", "first"}, {"a"})
                            .node("SequenceAt", {"s", "last"}, {"b"})
                            .node("Concat", {"b", "a"}, {"y"}, {model::Attribute::of("axis", 1)})),
                  ElementsAre("Split", "Concat"));
    }
  }
  EXPECT_THAT(after(start(17, {"x"})
                        .node("SequenceAt", {"s", "first"}, {"a"})
                        .node("SequenceAt", {"s", "last"}, {"b"})
                        .node("Add", {"b", "a"}, {"y"})),
              ElementsAre("Split", "Add"));
}

TEST(SplitSequence, ASequenceThatIsReadStays) {
  EXPECT_THAT(after(start(17, {"x", "two"}).node("ConcatFromSequence", {"s"}, {"y"}, {model::Attribute::of("axis", 1)})),
              Contains("SplitToSequence"));
}

}  // namespace
}  // namespace sardonyx::optimize
