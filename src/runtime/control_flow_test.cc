// Graphs inside nodes, and values that are no tensors, from a session's point of view.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "runtime/ops_backend.h"
#include "runtime/session.h"
#include "sardonyx/text.h"

namespace sardonyx::runtime {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Session open(std::string_view text, SessionOptions options = {}) {
  return Session(model::parse_text_model("<ir_version: 8, opset_import: [\"\" : 17]>\n" + std::string(text)), ops_backend(),
                 std::move(options));
}

std::vector<float> floats(const Tensor& tensor) {
  const auto values = tensor.values<float>();
  return {values.begin(), values.end()};
}

std::string error_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

constexpr std::string_view kBranches = R"(
g (bool c, float[n] x) => (float[n] y)
<float[1] two = {2}>
{
  t = Neg (x)
  y = If (c) <
    then_branch = a () => (float[n] r) { r = Add (t, two) },
    else_branch = b () => (float[n] t2) { s = Mul (x, two) t2 = Mul (s, t) }>
})";

TEST(ControlFlow, BranchesReadTheGraphAround) {
  Session session = open(kBranches);
  const Tensor x = Tensor::of<float>({2}, {1, 3});
  EXPECT_THAT(floats(session.run({}, {{"c", Tensor::scalar(true)}, {"x", x}}, {})[0]), ElementsAre(1, -1));
  EXPECT_THAT(floats(session.run({}, {{"c", Tensor::scalar(false)}, {"x", x}}, {})[0]), ElementsAre(-2, -18));
}

TEST(ControlFlow, ABranchMayHandOutWhatIsAround) {
  Session session = open(R"(
g (bool c, float[n] x) => (float[n] y, float[n] z)
{
  t = Neg (x)
  y = If (c) <then_branch = a () => (float[n] r) { r = Identity (t) }, else_branch = b () => (float[n] s) { s = Identity (x) }>
  u = Abs (t)
  z = Add (u, u)
})");
  Tensor x = Tensor::of<float>({2}, {1, 3});
  for (const bool condition : {true, false}) {
    const std::vector<Tensor> results = session.run({}, {{"c", Tensor::scalar(condition)}, {"x", x}}, {});
    EXPECT_THAT(floats(results[0]), condition ? ElementsAre(-1, -3) : ElementsAre(1, 3));
    EXPECT_THAT(floats(results[1]), ElementsAre(2, 6));
    EXPECT_NE(results[0].raw(), x.raw()) << "a result shares nothing with a feed";
  }
}

constexpr std::string_view kSums = R"(
g (int64 m, float[2] start) => (float[2] last, float[k,2] all, int64[k] numbers)
{
  c = Constant <value = bool {1}> ()
  last, all, numbers = Loop (m, c, start) <body = b (int64 i, bool go, float[2] v) => (bool go2, float[2] w, float[2] kept, int64 n) {
    go2 = Identity (go)
    w = Add (v, start)
    kept = Identity (w)
    n = Identity (i)
  }>
})";

TEST(ControlFlow, LoopCarriesAndStacks) {
  Session session = open(kSums);
  const auto results = session.run({}, {{"m", Tensor::scalar<int64_t>(3)}, {"start", Tensor::of<float>({2}, {1, 2})}}, {});
  EXPECT_THAT(floats(results[0]), ElementsAre(4, 8));
  EXPECT_EQ(results[1].shape(), (Shape{3, 2}));
  EXPECT_THAT(floats(results[1]), ElementsAre(2, 4, 3, 6, 4, 8));
  EXPECT_THAT(results[2].values<int64_t>(), ElementsAre(0, 1, 2));
}

TEST(ControlFlow, ALoopWithoutIterations) {
  Session session = open(kSums);
  const auto results = session.run({}, {{"m", Tensor::scalar<int64_t>(0)}, {"start", Tensor::of<float>({2}, {1, 2})}}, {});
  EXPECT_THAT(floats(results[0]), ElementsAre(1, 2));
  EXPECT_EQ(results[1].shape(), (Shape{0, 2}));
  EXPECT_EQ(results[2].shape(), Shape{0});
}

constexpr std::string_view kEndless = R"(
g (float[n] x) => (float[n] y)
{
  y = Loop (, , x) <body = b (int64 i, bool go, float[n] v) => (bool more, float[n] w) {
    more = Constant <value = bool {1}> ()
    w = Neg (v)
  }>
})";

TEST(ControlFlow, AnEndlessLoopEndsAtItsDeadline) {
  Session session = open(kEndless);
  RunOptions options;
  options.deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(20);
  EXPECT_THAT(error_of([&] { session.run({}, {{"x", Tensor::ones({4})}}, options); }), HasSubstr("before its deadline"));
}

TEST(ControlFlow, AnotherThreadEndsAnEndlessLoop) {
  Session session = open(kEndless);
  std::stop_source source;
  RunOptions options;
  options.cancel = source.get_token();
  std::thread other([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    source.request_stop();
  });
  EXPECT_THAT(error_of([&] { session.run({}, {{"x", Tensor::ones({4})}}, options); }), HasSubstr("cancelled by its caller"));
  other.join();
}

TEST(ControlFlow, ScanAlongAxesAndBackwards) {
  Session session = open(R"(
g (float[2] start, float[2,3] x) => (float[2] last, float[2,3] all)
{
  last, all = Scan <num_scan_inputs = 1, scan_input_axes = [1], scan_output_axes = [1], scan_input_directions = [1],
                    body = b (float[2] s, float[2] v) => (float[2] t, float[2] o) { t = Add (s, v) o = Identity (t) }> (start, x)
})");
  const auto results =
      session.run({}, {{"start", Tensor::of<float>({2}, {0, 10})}, {"x", Tensor::of<float>({2, 3}, {1, 2, 3, 4, 5, 6})}}, {});
  EXPECT_THAT(floats(results[0]), ElementsAre(6, 25));
  EXPECT_THAT(floats(results[1]), ElementsAre(3, 5, 6, 16, 21, 25));
}

TEST(ControlFlow, BodiesWithinBodies) {
  Session session = open(R"(
g (int64 m, float[1] x) => (float[1] y)
{
  y = Loop (m, , x) <body = outer (int64 i, bool c, float[1] v) => (bool c2, float[1] w) {
    c2 = Identity (c)
    w = Loop (m, , v) <body = inner (int64 j, bool d, float[1] a) => (bool d2, float[1] b) {
      d2 = Identity (d)
      f = CastLike (i, x)
      s = Add (a, f)
      b = Add (s, x)
    }>
  }>
})");
  // Sum over i < 3 and j < 3 of (i + x), from x on.
  const auto results = session.run({}, {{"m", Tensor::scalar<int64_t>(3)}, {"x", Tensor::of<float>({1}, {2})}}, {});
  EXPECT_THAT(floats(results[0]), ElementsAre(2 + 9 + 18));
}

TEST(ControlFlow, ErrorsNameTheGraphAndTheNode) {
  EXPECT_THAT(error_of([] {
                open(R"(g (bool c, float[n] x) => (float[n] y) {
    y = If (c) <then_branch = a () => (float[n] r) { r = Identity (nowhere) }, else_branch = b () => (float[n] s) { s = Identity (x) }>
  })");
              }),
              testing::AllOf(HasSubstr("graph then_branch"), HasSubstr("reads 'nowhere'")));
  EXPECT_THAT(error_of([] {
                open(R"(g (bool c, float[n] x) => (float[n] y) {
    y = If (c) <then_branch = a () => (float[n] r) { r = Identity (x) }, else_branch = b () => () { s = Identity (x) }>
  })");
              }),
              HasSubstr("the graph else_branch gives 0 outputs; the node needs 1"));
  Session session = open(kBranches);
  EXPECT_THAT(error_of([&] { session.run({}, {{"c", Tensor({2}, DType::kBool)}, {"x", Tensor::ones({2})}}, {}); }), HasSubstr("c"));
}

TEST(ControlFlow, SequencesAreFedPassedAndReturned) {
  Session session = open(R"(
g (seq(float[n]) s) => (seq(float[n]) t)
{
  t = SequenceMap <body = b (float[n] v) => (float[n] w) { w = Neg (v) }> (s)
})");
  const Tensor fed = Tensor::of_tensors({Tensor::of<float>({1}, {1}), Tensor::of<float>({2}, {2, 3})});
  const auto results = session.run({}, {{"s", fed}}, {});
  ASSERT_EQ(results[0].dtype(), DType::kTensor);
  EXPECT_THAT(floats(results[0].tensors()[0]), ElementsAre(-1));
  EXPECT_THAT(floats(results[0].tensors()[1]), ElementsAre(-2, -3));
  EXPECT_THAT(session.run({}, {{"s", Tensor::of_tensors({})}}, {})[0].tensors(), IsEmpty());
  EXPECT_THAT(error_of([&] { session.run({}, {{"s", Tensor::ones({2})}}, {}); }), HasSubstr("Tensor::of_tensors"));
}

TEST(ControlFlow, OptionalsMayBeEmpty) {
  Session session = open("g (optional(float[n]) a) => (optional(float[n]) b) { b = Identity (a) }");
  EXPECT_FALSE(session.run({}, {{"a", Tensor()}}, {})[0].defined());
  const Tensor one = Tensor::ones({1});
  const Tensor back = session.run({}, {{"a", one}}, {})[0];
  EXPECT_THAT(floats(back), ElementsAre(1));
  EXPECT_NE(back.raw(), one.raw());
}

TEST(ControlFlow, SparseInitializersAreMadeDense) {
  model::Model model =
      model::parse_text_model("<ir_version: 8, opset_import: [\"\" : 17]> g (float[4] x) => (float[4] y) { y = Add (x, w) }");
  model::SparseTensorData& w = model.graph.sparse_initializer.emplace_back();
  w.values = model::encode(Tensor::of<float>({1}, {5}), "w");
  w.indices = model::encode(Tensor::of<int64_t>({1}, {2}));
  w.has_values = w.has_indices = true;
  w.dims = {4};
  Session session(model, ops_backend(), {});
  EXPECT_THAT(floats(session.run({}, {{"x", Tensor::ones({4})}}, {})[0]), ElementsAre(1, 1, 6, 1));
}

// Each iteration makes sixteen times its input on the way, and keeps its shape.
constexpr std::string_view kWide = R"(
g (float[n] x) => (float[n] y)
<int64 three = {3}>
{
  y = Loop (three, , x) <body = b (int64 i, bool go, float[n] v) => (bool go2, float[n] w) {
    go2 = Identity (go)
    a = Concat <axis = 0> (v, v, v, v, v, v, v, v, v, v, v, v, v, v, v, v)
    c = Softmax <axis = 0> (a)
    s = ReduceSum (c)
    w = Add (v, s)
  }>
})";

TEST(MaxMemory, CountsGraphsInsideNodes) {
  const Feeds feeds = {{"x", Tensor::ones({1000})}};
  Session enough = open(kWide, {.max_memory = 400000});
  EXPECT_EQ(enough.run({}, feeds, {})[0].shape(), Shape{1000});
  Session little = open(kWide, {.max_memory = 60000});
  const std::string error = error_of([&] { little.run({}, feeds, {}); });
  EXPECT_THAT(error, testing::AllOf(HasSubstr("for graphs inside nodes"), HasSubstr("raise max_memory to at least")));
  EXPECT_THAT(error, testing::Not(HasSubstr("iteration"))) << "it is known before the run";
  EXPECT_EQ(little.run({}, {{"x", Tensor::ones({100})}}, {})[0].shape(), Shape{100});
}

TEST(MaxMemory, HoldsLoopsThatGrow) {
  Session session = open(R"(
g (int64 m, float[n] x) => (float[k] y)
{
  y = Loop (m, , x) <body = b (int64 i, bool go, float[n] v) => (bool go2, float[k] w) {
    go2 = Identity (go)
    w = Concat <axis = 0> (v, v)
  }>
})",
                         {.max_memory = 1000000});
  const Tensor x = Tensor::ones({100});
  const auto run = [&](int64_t doublings) { return session.run({}, {{"m", Tensor::scalar<int64_t>(doublings)}, {"x", x}}, {})[0].numel(); };
  EXPECT_EQ(run(10), 102400);
  EXPECT_THAT(error_of([&] { run(60); }), testing::AllOf(HasSubstr("iteration 10"), HasSubstr("max_memory is 1.0 MB")));
  EXPECT_EQ(run(10), 102400) << "what the run held is given back";
}

TEST(MaxMemory, HoldsValuesThatDependOnData) {
  Session session = open("g (float[n] x) => (int64[1, k] y) { y = NonZero (x) }", {.max_memory = 10000});
  EXPECT_EQ(session.run({}, {{"x", Tensor::ones({1000})}}, {})[0].numel(), 1000);
  EXPECT_THAT(error_of([&] { session.run({}, {{"x", Tensor::ones({2000})}}, {}); }), HasSubstr("it needs 0.0 MB"));
  EXPECT_EQ(session.run({}, {{"x", Tensor::zeros({2000})}}, {})[0].numel(), 0);
}

TEST(MaxMemory, ABranchThatIsNotTakenCostsNothing) {
  constexpr std::string_view kModel = R"(
g (bool c, float[n] x) => (float[k] y)
{
  y = If (c) <
    then_branch = a () => (float[k] r) { r = Concat <axis = 0> (x, x, x, x, x, x, x, x) },
    else_branch = b () => (float[n] s) { s = Neg (x) }>
})";
  Session session = open(kModel, {.max_memory = 10000});
  const Tensor x = Tensor::ones({1000});
  EXPECT_EQ(session.run({}, {{"c", Tensor::scalar(false)}, {"x", x}}, {})[0].numel(), 1000);
  EXPECT_THAT(error_of([&] {
                session.run({}, {{"c", Tensor::scalar(true)}, {"x", x}}, {});
              }),
              testing::AllOf(HasSubstr("then_branch"), HasSubstr("max_memory")));
  Session narrow = open(kModel, {.max_memory = 3000});
  EXPECT_THAT(error_of([&] { narrow.run({}, {{"c", Tensor::scalar(false)}, {"x", x}}, {}); }), HasSubstr("for graphs inside nodes"));
}

TEST(MaxMemory, ScansTellBeforehand) {
  Session session = open(R"(
g (float[n] s, float[m, n] x) => (float[n] t)
{
  t = Scan <num_scan_inputs = 1, body = b (float[n] u, float[n] v) => (float[n] w) {
    a = Concat <axis = 0> (u, v, u, v, u, v, u, v)
    c = Softmax <axis = 0> (a)
    d = ReduceSum (c)
    w = Add (u, d)
  }> (s, x)
})",
                         {.max_memory = 20000});
  EXPECT_EQ(session.run({}, {{"s", Tensor::ones({10})}, {"x", Tensor::ones({5, 10})}}, {})[0].numel(), 10);
  EXPECT_THAT(error_of([&] {
                session.run({}, {{"s", Tensor::ones({1000})}, {"x", Tensor::ones({5, 1000})}}, {});
              }),
              HasSubstr("for graphs inside nodes"));
}

}  // namespace
}  // namespace sardonyx::runtime
