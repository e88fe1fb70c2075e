#include <gmock/gmock.h>

#include <thread>

#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

using testing::HasSubstr;

TEST(Registry, FindsOperatorsByDomainAndName) {
  ASSERT_NE(find_operator("", "Conv"), nullptr);
  EXPECT_EQ(find_operator("ai.onnx", "Conv"), find_operator("", "Conv"));
  EXPECT_NE(find_operator("ai.sardonyx", "FusedConv"), nullptr);
  EXPECT_EQ(find_operator("", "FusedConv"), nullptr);
  EXPECT_EQ(find_operator("com.example", "Conv"), nullptr);
  EXPECT_EQ(find_operator("", ""), nullptr);
  for (const Operator& row : all_operators()) EXPECT_EQ(find_operator(row.domain, row.op_type), &row) << row.op_type;
}

TEST(Registry, NamesWhatIsNotSupported) {
  const auto [code, text] = OpCase("Nonsense", 13, "com.example").error({});
  EXPECT_EQ(code, ErrorCode::kUnsupported);
  EXPECT_THAT(text, HasSubstr("node 'n' (Nonsense, opset 13)"));
  EXPECT_THAT(text, HasSubstr("com.example"));
  EXPECT_THAT(text, HasSubstr("13"));
  EXPECT_EQ(OpCase("Where", 8).error({Tensor(), Tensor(), Tensor()}).first, ErrorCode::kUnsupported);  // Where came with opset 9
}

TEST(Registry, RefusesWrongCounts) {
  EXPECT_EQ(OpCase("Add").error({floats({1}, {1})}).first, ErrorCode::kInvalidModel);
  EXPECT_EQ(OpCase("Relu").outputs({"a", "b"}).error({floats({1}, {1})}).first, ErrorCode::kInvalidModel);
  EXPECT_EQ(OpCase("Relu").outputs({}).error({floats({1}, {1})}).first, ErrorCode::kInvalidModel);
}

TEST(Registry, TellsTheNodeOnce) {
  const std::string text = OpCase("Add").error({floats({2}, {1, 2}), floats({3}, {1, 2, 3})}).second;
  EXPECT_EQ(text.find("node 'n' (Add, opset "), 0u) << text;
  EXPECT_EQ(text.find("node 'n'", 1), std::string::npos) << text;
}

TEST(Registry, EvaluateNeedsOneValueForEachInput) {
  model::Node node;
  node.op_type = "Relu";
  node.input = {"x"};
  node.output = {"y"};
  EXPECT_THROW(evaluate(node, 22, {}), Error);
}

// More different calls than the cache holds, from several threads, each with its own answer.
TEST(Evaluate, CachedCallsDoNotMeet) {
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&wrong] {
      for (int round = 0; round < 2; ++round) {
        for (int64_t size = 1; size <= 300; ++size) {
          const auto alpha = static_cast<float>(size);
          const Tensor y = OpCase("LeakyRelu").attribute("alpha", alpha).run({Tensor::full({size}, -1)});
          if (y.shape() != Shape{size} || y.values<float>()[0] != -alpha) ++wrong;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace sardonyx::ops
