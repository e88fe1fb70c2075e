#include "runtime/binding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "core/expect_error.h"
#include "optimize/model_builder.h"
#include "runtime/ops_backend.h"
#include "runtime/session.h"

namespace sardonyx::runtime {
namespace {

using model::Attribute;
using optimize::ModelBuilder;
using optimize::random_tensor;
using testing::HasSubstr;

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.dtype() == b.dtype() && a.shape() == b.shape() && std::memcmp(a.raw(), b.raw(), a.byte_size()) == 0;
}

Session open(const ModelBuilder& builder, SessionOptions options = {}) {
  return Session(builder.build(), ops_backend(), std::move(options));
}

// y is computed, flat is x under another shape, fixed is a constant, found has a shape that depends on data.
ModelBuilder network() {
  ModelBuilder builder;
  builder.input("x", {"n", 4}).output("y").output("flat").output("fixed").output("found", DType::kInt64);
  builder.constant("w", random_tensor({4, 4}, 1)).constant("fixed", random_tensor({2}, 2)).constant("all", Tensor::of<int64_t>({1}, {-1}));
  builder.node("MatMul", {"x", "w"}, {"product"}).node("Tanh", {"product"}, {"y"});
  builder.node("Reshape", {"x", "all"}, {"flat"}).node("NonZero", {"x"}, {"found"});
  return builder;
}

TEST(Binding, WritesWhereItIsTold) {
  Session session = open(network());
  Tensor x = random_tensor({3, 4}, 5);
  Tensor y = Tensor::zeros({3, 4}), flat = Tensor::zeros({12}), fixed = Tensor::zeros({2});
  Binding binding(session.program());
  binding.bind_input("x", x);
  binding.bind_output("flat", flat);
  binding.bind_output("y", y);
  binding.bind_output("fixed", fixed);
  binding.bind_output("found", Tensor());
  for (int run = 0; run < 3; ++run) {
    x.mutable_values<float>()[0] = static_cast<float>(run);
    session.run(binding);
    const std::vector<Tensor> expected = session.run({"flat", "y", "fixed", "found"}, {{"x", x}});
    for (size_t i = 0; i < expected.size(); ++i) EXPECT_TRUE(same_bits(binding.outputs()[i], expected[i])) << "output " << i;
    EXPECT_EQ(binding.outputs()[0].identity(), flat.identity());
    EXPECT_EQ(binding.outputs()[1].identity(), y.identity());
    EXPECT_EQ(binding.outputs()[2].identity(), fixed.identity());
  }
}

TEST(Binding, KeepsTheOutputsItMade) {
  Session session = open(network());
  Binding binding(session.program());
  binding.bind_input("x", random_tensor({3, 4}, 5));
  binding.bind_output("y", Tensor());
  session.run(binding);
  const void* first = binding.outputs()[0].raw();
  session.run(binding);
  EXPECT_EQ(binding.outputs()[0].raw(), first);
  binding.bind_input("x", random_tensor({7, 4}, 6));
  session.run(binding);
  EXPECT_EQ(binding.outputs()[0].shape(), (Shape{7, 4}));
}

TEST(Binding, FollowsMemoryThatMoves) {
  Session session = open(network());
  Tensor first = random_tensor({3, 4}, 5), second = random_tensor({3, 4}, 6);
  Tensor window = Tensor::from_blob(first.mutable_raw(), {3, 4});
  Binding binding(session.program());
  binding.bind_input("x", window);
  binding.bind_output("y", Tensor());
  session.run(binding);
  EXPECT_TRUE(same_bits(binding.outputs()[0], session.run({"y"}, {{"x", first}})[0]));
  window.rebind(second.raw());
  session.run(binding);
  EXPECT_TRUE(same_bits(binding.outputs()[0], session.run({"y"}, {{"x", second}})[0]));
  EXPECT_THAT(message_of(ErrorCode::kInvalidArgument, [&] { first.rebind(second.raw()); }), HasSubstr("owns its elements"));
}

TEST(Binding, RefusesWhatDoesNotFit) {
  Session session = open(network());
  Session other = open(network());
  Binding binding(session.program());
  const auto run = [&] { session.run(binding); };
  EXPECT_THAT(message_of(ErrorCode::kInvalidArgument, [&] { binding.bind_input("z", Tensor::zeros({1})); }),
              HasSubstr("there is no input 'z'"));
  EXPECT_THAT(message_of(ErrorCode::kInvalidArgument, [&] { binding.bind_output("z", Tensor()); }), HasSubstr("there is no output 'z'"));
  const float constant[12] = {};
  EXPECT_THAT(message_of(ErrorCode::kInvalidArgument,
                         [&] {
                           binding.bind_output("y", Tensor::view(nullptr, constant, {3, 4}, DType::kFloat32));
                         }),
              HasSubstr("read-only"));
  EXPECT_THAT(message_of(ErrorCode::kInvalidArgument, [&] { run(); }), HasSubstr("input 'x' (tensor(float) [n, 4]) is not fed"));
  Tensor x = random_tensor({3, 4}, 5);
  binding.bind_input("x", x);
  EXPECT_THAT(message_of(ErrorCode::kInvalidArgument, [&] { run(); }), HasSubstr("no output is bound"));
  binding.bind_output("y", Tensor::zeros({4, 3}));
  EXPECT_THAT(message_of(ErrorCode::kInvalidArgument, [&] { run(); }),
              HasSubstr("output 'y' is float [3, 4] for these inputs; the bound tensor is float [4, 3]"));
  binding.bind_output("y", x);
  EXPECT_THAT(message_of(ErrorCode::kInvalidArgument, [&] { run(); }), HasSubstr("the memory of output 'y' overlaps that of input 'x'"));
  binding.bind_output("y", Tensor());
  binding.bind_output("found", Tensor::zeros({2, 1}, DType::kInt64));
  EXPECT_THAT(message_of(ErrorCode::kInvalidArgument, [&] { run(); }), HasSubstr("output 'found': a tensor of int64 [2, 1] cannot take"));
  EXPECT_THAT(message_of(ErrorCode::kInvalidArgument, [&] { other.run(binding); }), HasSubstr("another session"));
  binding.clear_outputs();
  binding.bind_output("y", Tensor());
  run();
  EXPECT_TRUE(same_bits(binding.outputs()[0], session.run({"y"}, {{"x", x}})[0]));
}

// Parts of the input and concatenations that need no copies, and those that do.
ModelBuilder with_parts() {
  ModelBuilder builder;
  const auto axis = [](int64_t value) { return std::vector{Attribute::of("axis", value)}; };
  builder.input("x", {"n", 4, 3}).output("long").output("sum").output("inner").output("nested").output("upper");
  builder.constant("sizes", Tensor::of<int64_t>({2}, {1, 3})).constant("two", Tensor::scalar(2.0f));
  for (const char* name : {"a", "b", "c"}) builder.constant(std::string("k") + name, random_tensor({4, 3}, name[0]));
  builder.node("Add", {"x", "ka"}, {"a"}).node("Mul", {"x", "kb"}, {"b"});
  builder.node("Concat", {"a", "b"}, {"ab"}, axis(0)).node("Exp", {"ab"}, {"e"});
  builder.node("Sub", {"x", "kc"}, {"c"}).node("Concat", {"a", "b", "c"}, {"abc"}, axis(0));
  builder.node("Mul", {"abc", "two"}, {"long"}).node("Concat", {"a", "b"}, {"inner"}, axis(2));
  builder.node("Relu", {"e"}, {"f"}).node("Concat", {"ab", "f"}, {"abf"}, axis(0)).node("Concat", {"abf", "c"}, {"nested"}, axis(0));
  builder.node("ReduceSum", {"f"}, {"sum"});
  builder.node("Sigmoid", {"abc"}, {"g"})
      .node("Split", {"g"}, {"first", "second", "third"}, axis(0))
      .node("Sub", {"second", "third"}, {"upper"});
  return builder;
}

TEST(Parts, SameResultsWithoutCopies) {
  const model::Model model = with_parts().build();
  for (const int threads : {1, 2}) {
    for (const bool guarded : {false, true}) {
      Session session =
          open(with_parts(),
               {.intra_op_num_threads = threads, .graph_optimization_level = GraphOptimizationLevel::kNone, .guard_memory = guarded});
      for (const int64_t n : {1, 2, 5}) {
        const Feeds feeds = {{"x", random_tensor({n, 4, 3}, 9)}};
        const std::vector<Tensor> expected = optimize::reference_outputs(model, feeds), got = session.run({}, feeds);
        for (size_t i = 0; i < expected.size(); ++i) EXPECT_TRUE(same_bits(got[i], expected[i])) << "output " << i << ", n = " << n;
      }
    }
  }
}

TEST(Parts, TheLongestConcatHoldsTheOthers) {
  ModelBuilder builder;
  builder.input("x", {1, 8, 16}).output("y");
  const auto axis = std::vector{Attribute::of("axis", 1)};
  std::vector<std::string> parts;
  std::string last = "x";
  for (int i = 0; i < 6; ++i) {  // a block of DenseNet
    const std::string n = std::to_string(i);
    parts.push_back("p" + n);
    builder.node(i % 2 == 0 ? "Sin" : "Cos", {last}, {"s" + n})
        .node("ReduceMax", {"s" + n}, {"p" + n}, {Attribute::of("axes", std::vector<int64_t>{1})});
    last = "cat" + n;
    builder.node("Concat", parts, {last}, axis);
  }
  builder.node("Exp", {last}, {"y"});
  Session session = open(builder, {.graph_optimization_level = GraphOptimizationLevel::kNone});
  const PlanReport report = session.explain({});
  size_t views = 0;
  for (const StepReport& step : report.steps) views += step.op == "Concat" && step.aliased ? 1 : 0;
  EXPECT_EQ(views, 6U);
  const Feeds feeds = {{"x", random_tensor({1, 8, 16}, 3)}};
  EXPECT_TRUE(same_bits(session.run({}, feeds)[0], optimize::reference_outputs(builder.build(), feeds)[0]));
}

TEST(Parts, SplitByTheOuterAxisIsFree) {
  ModelBuilder builder;
  builder.input("x", {1, 6, 4}).output("y");
  builder.node("Sin", {"x"}, {"s"}).node("Split", {"s"}, {"a", "b", "c"}, {Attribute::of("axis", 1)});
  builder.constant("starts", Tensor::of<int64_t>({1}, {1}))
      .constant("ends", Tensor::of<int64_t>({1}, {2}))
      .constant("axes", Tensor::of<int64_t>({1}, {1}));
  builder.node("Slice", {"b", "starts", "ends", "axes"}, {"d"})
      .node("Transpose", {"d"}, {"t"}, {Attribute::of("perm", std::vector<int64_t>{1, 0, 2})});
  builder.node("Mul", {"a", "c"}, {"ac"}).node("Add", {"ac", "t"}, {"y"});
  Session session = open(builder, {.graph_optimization_level = GraphOptimizationLevel::kNone});
  for (const StepReport& step : session.explain({}).steps) {
    EXPECT_EQ(step.aliased, step.op == "Split" || step.op == "Slice" || step.op == "Transpose") << step.op;
  }
  const Feeds feeds = {{"x", random_tensor({1, 6, 4}, 3)}};
  EXPECT_TRUE(same_bits(session.run({}, feeds)[0], optimize::reference_outputs(builder.build(), feeds)[0]));
}

}  // namespace
}  // namespace sardonyx::runtime
