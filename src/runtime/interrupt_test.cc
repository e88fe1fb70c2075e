// Runs that end early, and the floating-point state of the thread that runs.
#include <gtest/gtest.h>

#include <atomic>
#include <cfenv>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <thread>

#include "core/parallel.h"
#include "optimize/model_builder.h"
#include "runtime/ops_backend.h"
#include "runtime/session.h"

namespace sardonyx::runtime {
namespace {

using model::Attribute;
using optimize::ModelBuilder;
using optimize::random_tensor;
using std::chrono::microseconds;
using std::chrono::steady_clock;

// Whether the run was cancelled; otherwise its results are those expected, to the bit.
bool is_cancelled(Session& session, const Feeds& feeds, const std::vector<Tensor>& expected, const RunOptions& options) {
  try {
    const std::vector<Tensor> results = session.run({}, feeds, options);
    for (size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ(results[i].shape(), expected[i].shape());
      EXPECT_EQ(std::memcmp(results[i].raw(), expected[i].raw(), expected[i].byte_size()), 0) << "output " << i;
    }
    return false;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kCancelled) << error.what();
    return true;
  }
}

struct Case {
  std::string name;
  ModelBuilder builder;
  Feeds feeds;
};

// One kernel of several loops; a chain; a serial sort, whose result comes from indexes; a product that is bound, and its weights packed,
// while the run is under way.
std::vector<Case> cases() {
  std::vector<Case> list;
  ModelBuilder product;
  product.input("x", {128, 256}).output("y").constant("w", random_tensor({256, 512}, 1)).node("MatMul", {"x", "w"}, {"y"});
  list.push_back({"MatMul", product, {{"x", random_tensor({128, 256}, 2)}}});
  ModelBuilder chain;
  const auto pads = Attribute::of("pads", std::vector<int64_t>{1, 1, 1, 1});
  chain.input("x", {1, 8, 64, 64}).output("y").constant("w", random_tensor({8, 8, 3, 3}, 3));
  chain.node("Conv", {"x", "w"}, {"a"}, {pads}).node("Relu", {"a"}, {"b"}).node("Conv", {"b", "w"}, {"c"}, {pads});
  chain.node("Softmax", {"c"}, {"y"});
  list.push_back({"chain", chain, {{"x", random_tensor({1, 8, 64, 64}, 4)}}});
  ModelBuilder sort;
  sort.input("x", {100000}).output("values").output("places", DType::kInt64).constant("k", Tensor::of<int64_t>({1}, {100000}));
  sort.node("TopK", {"x", "k"}, {"values", "places"});
  list.push_back({"TopK", sort, {{"x", random_tensor({100000}, 5)}}});
  ModelBuilder late;
  late.input("x", {64, 128}).output("y").constant("w", random_tensor({128, 256}, 6));
  late.node("NonZero", {"x"}, {"where"}).node("GatherND", {"x", "turned"}, {"values"});
  late.constant("columns", Tensor::of<int64_t>({2}, {-1, 128})).node("Transpose", {"where"}, {"turned"});
  late.node("Reshape", {"values", "columns"}, {"rows"}).node("MatMul", {"rows", "w"}, {"y"});
  list.push_back({"late", late, {{"x", Tensor::ones({64, 128})}}});
  return list;
}

class Interrupted : public testing::TestWithParam<int> {};

// At whatever time it comes: the run gives what it should, or is Cancelled; never half of it.
TEST_P(Interrupted, DeadlinesGiveAllOrNothing) {
  for (const Case& c : cases()) {
    SCOPED_TRACE(c.name);
    Session reference(c.builder.build(), ops_backend(), {.intra_op_num_threads = 1});
    const std::vector<Tensor> expected = reference.run({}, c.feeds, {});
    Session session(c.builder.build(), ops_backend(), {.intra_op_num_threads = GetParam()});
    EXPECT_TRUE(is_cancelled(session, c.feeds, expected, {.deadline = steady_clock::now()}));
    for (int wait = 0; wait < 3000; wait += 75) {
      is_cancelled(session, c.feeds, expected, {.deadline = steady_clock::now() + microseconds(wait)});
    }
    EXPECT_FALSE(is_cancelled(session, c.feeds, expected, {}));
  }
}

TEST_P(Interrupted, SoDoRequestsFromAnotherThread) {
  for (const Case& c : cases()) {
    SCOPED_TRACE(c.name);
    Session session(c.builder.build(), ops_backend(), {.intra_op_num_threads = GetParam()});
    const std::vector<Tensor> expected = session.run({}, c.feeds, {});
    for (int i = 0; i < 25; ++i) {
      std::stop_source source;
      std::thread other([&] {
        std::this_thread::sleep_for(microseconds(i * 60));
        source.request_stop();
      });
      is_cancelled(session, c.feeds, expected, {.cancel = source.get_token()});
      other.join();
    }
    std::stop_source source;
    source.request_stop();
    EXPECT_TRUE(is_cancelled(session, c.feeds, expected, {.cancel = source.get_token()}));
    EXPECT_FALSE(is_cancelled(session, c.feeds, expected, {.cancel = std::stop_source().get_token()}));
  }
}

// A product that takes a second or more.
TEST_P(Interrupted, ALongKernelEnds) {
  ModelBuilder builder;
  builder.input("a", {4096, 4096}).input("b", {4096, 4096}).output("y").node("MatMul", {"a", "b"}, {"y"});
  const Feeds feeds = {{"a", Tensor::ones({4096, 4096})}, {"b", Tensor::ones({4096, 4096})}};
  Session session(builder.build(), ops_backend(), {.intra_op_num_threads = GetParam()});
  EXPECT_TRUE(is_cancelled(session, feeds, {}, {.deadline = steady_clock::now() + std::chrono::milliseconds(10)}));
}

INSTANTIATE_TEST_SUITE_P(Threads, Interrupted, testing::Values(1, 3));

// Sessions of one pool run, are cancelled, and end while others run.
TEST(SharedPool, SessionsComeAndGo) {
  const std::vector<Case> list = cases();
  const auto pool = std::make_shared<core::ThreadPool>(3);
  std::vector<std::thread> threads;
  for (size_t caller = 0; caller < 4; ++caller) {
    threads.emplace_back([&, caller] {
      const Case& c = list[caller % list.size()];
      for (int i = 0; i < 4; ++i) {
        Session session(c.builder.build(), ops_backend(), {.thread_pool = pool});
        const std::vector<Tensor> expected = session.run({}, c.feeds, {});
        for (int run = 0; run < 6; ++run) {
          is_cancelled(session, c.feeds, expected, {.deadline = steady_clock::now() + microseconds(run * 200)});
          EXPECT_FALSE(is_cancelled(session, c.feeds, expected, {}));
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// A plan is not made for a run that is to end.
TEST(Interrupt, EndsPlanning) {
  for (const Case& c : cases()) {
    SCOPED_TRACE(c.name);
    Session session(c.builder.build(), ops_backend(), {.intra_op_num_threads = 2});
    std::stop_source source;
    source.request_stop();
    EXPECT_TRUE(is_cancelled(session, c.feeds, {}, {.cancel = source.get_token()}));
    EXPECT_EQ(session.plan_count(), 0U);
    EXPECT_FALSE(is_cancelled(session, c.feeds, {}, {}));
    EXPECT_EQ(session.plan_count(), 1U);
    EXPECT_TRUE(is_cancelled(session, c.feeds, {}, {.cancel = source.get_token()}));
  }
}

// Half of x, in a kernel of one index and of many.
ModelBuilder halves() {
  ModelBuilder builder;
  builder.input("x", {"n"}).output("y").constant("half", Tensor::scalar(0.5F)).node("Mul", {"x", "half"}, {"y"});
  return builder;
}

TEST(FloatState, DenormalsAreFlushedUnlessTheyAreWanted) {
  for (const bool flush : {true, false}) {
    Session session(halves().build(), ops_backend(), {.intra_op_num_threads = 3, .flush_denormals = flush});
    for (const int64_t count : {int64_t{1}, int64_t{300000}}) {
      const Tensor x = Tensor::full({count}, std::numeric_limits<float>::min(), DType::kFloat32);
      const std::vector<Tensor> results = session.run({}, {{"x", x}}, {});
      for (const float y : results[0].values<float>()) {
        ASSERT_EQ(std::fpclassify(y), flush ? FP_ZERO : FP_SUBNORMAL);
      }
    }
  }
  volatile float tiny = std::numeric_limits<float>::min();
  EXPECT_GT(tiny * 0.5F, 0.0F);
}

// Also after a run that throws.
TEST(FloatState, TheCallersRoundingPlaysNoPartAndStays) {
  ModelBuilder builder;
  builder.input("x", {"n"}).output("y").constant("third", Tensor::scalar(1.0F / 3)).node("Mul", {"x", "third"}, {"y"});
  Session session(builder.build(), ops_backend(), {.intra_op_num_threads = 2});
  const Feeds feeds = {{"x", random_tensor({100000}, 1)}};
  const std::vector<Tensor> expected = session.run({}, feeds, {});
  ASSERT_EQ(fesetround(FE_UPWARD), 0);
  const bool cancelled = is_cancelled(session, feeds, expected, {});
  const bool was_cancelled = is_cancelled(session, feeds, expected, {.deadline = steady_clock::now()});
  const int rounding = fegetround();
  fesetround(FE_TONEAREST);
  EXPECT_FALSE(cancelled);
  EXPECT_TRUE(was_cancelled);
  EXPECT_EQ(rounding, FE_UPWARD);
}

}  // namespace
}  // namespace sardonyx::runtime
