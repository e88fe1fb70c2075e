// Many threads at one session, and sessions that come and go beside it: what ThreadSanitizer watches, and that nobody's results suffer.
#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <functional>
#include <memory>
#include <thread>

#include "core/parallel.h"
#include "optimize/model_builder.h"
#include "runtime/ops_backend.h"
#include "runtime/session.h"
#include "sardonyx/text.h"

namespace sardonyx::runtime {
namespace {

using optimize::ModelBuilder;
using optimize::random_tensor;

constexpr int kThreads = 4;

void in_threads(const std::function<void(int thread)>& body) {
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) threads.emplace_back(body, thread);
  for (std::thread& thread : threads) thread.join();
}

void expect_same(const Tensor& result, const Tensor& expected) {
  ASSERT_EQ(result.shape(), expected.shape());
  EXPECT_EQ(std::memcmp(result.raw(), expected.raw(), expected.byte_size()), 0);
}

// A product with packed weights, an activation, and a sum over lines; rows are free.
model::Model network() {
  ModelBuilder builder;
  builder.input("x", {"rows", 48}).output("y").constant("w", random_tensor({48, 32}, 1)).node("MatMul", {"x", "w"}, {"a"});
  builder.node("Tanh", {"a"}, {"b"}).node("Softmax", {"b"}, {"y"});
  return builder.build();
}

// A loop whose values grow, and a branch.
model::Model with_bodies() {
  return model::parse_text_model(R"(<ir_version: 8, opset_import: ["" : 17]>
g (int64 m, bool c, float[n] x) => (float[k] y)
{
  z = Loop (m, , x) <body = b (int64 i, bool go, float[n] v) => (bool go2, float[k] w) {
    go2 = Identity (go)
    s = Mul (v, v)
    w = Concat <axis = 0> (s, x)
  }>
  y = If (c) <then_branch = t () => (float[p] r) { r = Neg (z) }, else_branch = e () => (float[q] r2) { r2 = Abs (z) }>
})");
}

Feeds rows(int64_t count) { return {{"x", random_tensor({count, 48}, static_cast<uint32_t>(count))}}; }

TEST(Concurrency, FirstRunsPackAndPlanAtOnce) {
  Session reference(network(), ops_backend(), {.intra_op_num_threads = 1});
  const Tensor expected = reference.run({}, rows(7), {})[0];
  for (int round = 0; round < 5; ++round) {
    Session session(network(), ops_backend(), {.intra_op_num_threads = 3});
    in_threads([&](int) { expect_same(session.run({}, rows(7), {})[0], expected); });
    EXPECT_EQ(session.plan_count(), 1U);
  }
}

// Two plans are kept, and each thread asks for many shapes: plans go while others run them.
TEST(Concurrency, PlansAreEvictedWhileTheyRun) {
  Session reference(network(), ops_backend(), {.intra_op_num_threads = 1});
  std::vector<Tensor> expected;
  for (int64_t count = 1; count <= 8; ++count) expected.push_back(reference.run({}, rows(count), {})[0]);
  Session session(network(), ops_backend(), {.intra_op_num_threads = 2, .max_plans = 2});
  in_threads([&](int thread) {
    for (int i = 0; i < 24; ++i) {
      const int64_t count = (i * (thread + 1) + thread) % 8 + 1;
      expect_same(session.run({}, rows(count), {})[0], expected[static_cast<size_t>(count - 1)]);
      if (i % 8 == 7) session.trim();
    }
  });
  EXPECT_LE(session.plan_count(), 2U);
}

TEST(Concurrency, GraphsInsideNodesRunInManyThreads) {
  const auto feeds = [](int64_t trips, bool condition) {
    return Feeds{{"m", Tensor::scalar(trips)}, {"c", Tensor::scalar(condition)}, {"x", random_tensor({16}, 3)}};
  };
  for (const size_t max_memory : {size_t{0}, size_t{1} << 20}) {
    Session session(with_bodies(), ops_backend(), {.intra_op_num_threads = 2, .max_plans = 3, .max_memory = max_memory});
    const Tensor negative = session.run({}, feeds(6, true), {})[0], positive = session.run({}, feeds(6, false), {})[0];
    in_threads([&](int thread) {
      for (int i = 0; i < 6; ++i) expect_same(session.run({}, feeds(6, thread % 2 == 0), {})[0], thread % 2 == 0 ? negative : positive);
    });
  }
}

TEST(Concurrency, EachThreadHasItsBinding) {
  Session session(network(), ops_backend(), {.intra_op_num_threads = 2});
  const Tensor expected = session.run({}, rows(5), {})[0];
  in_threads([&](int thread) {
    Tensor mine = Tensor::zeros(expected.shape());
    Binding binding(session.program());
    binding.bind_input("x", rows(5)[0].second);
    binding.bind_output("y", thread % 2 == 0 ? mine : Tensor());
    for (int i = 0; i < 10; ++i) {
      session.run(binding, {});
      expect_same(binding.outputs()[0], expected);
    }
    if (thread % 2 == 0) expect_same(mine, expected);
  });
}

// One request ends the runs of all threads that were given it, at whatever point they are; the others go on.
TEST(Concurrency, OneRequestEndsTheRunsThatHaveIt) {
  Session session(network(), ops_backend(), {.intra_op_num_threads = 3});
  const Tensor expected = session.run({}, rows(64), {})[0];
  std::stop_source source;
  std::atomic<int> begun{0};
  in_threads([&](int thread) {
    if (thread == 0) {
      while (begun < 2) std::this_thread::yield();
      source.request_stop();
      return;
    }
    if (thread == 1) {
      for (int i = 0; i < 20; ++i) expect_same(session.run({}, rows(64), {})[0], expected);
      return;
    }
    // Goes on until a run ends by the request: the test ends only if one does.
    for (bool is_cancelled = false; !is_cancelled;) {
      try {
        expect_same(session.run({}, rows(64), {.cancel = source.get_token()})[0], expected);
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::kCancelled) << error.what();
        is_cancelled = true;
      }
      ++begun;
    }
  });
}

// Sessions are made, run and gone on a pool on which others run.
TEST(Concurrency, SessionsAreMadeAndGoWhileOthersRun) {
  const auto pool = std::make_shared<core::ThreadPool>(3);
  Session steady(network(), ops_backend(), {.thread_pool = pool});
  const Tensor expected = steady.run({}, rows(9), {})[0];
  in_threads([&](int thread) {
    for (int i = 0; i < 8; ++i) {
      if (thread < 2) {
        expect_same(steady.run({}, rows(9), {})[0], expected);
        continue;
      }
      const auto passing = std::make_unique<Session>(network(), ops_backend(), SessionOptions{.thread_pool = pool});
      expect_same(passing->run({}, rows(9), {})[0], expected);
    }
  });
}

}  // namespace
}  // namespace sardonyx::runtime
