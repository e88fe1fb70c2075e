// A steady-state run allocates its outputs and nothing else, however many nodes the model has.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "optimize/model_builder.h"
#include "runtime/ops_backend.h"
#include "runtime/session.h"

// The thread sanitizer brings its own operators new and delete, which cannot be replaced.
#if defined(__SANITIZE_THREAD__)
#define SARDONYX_COUNTS_ALLOCATIONS 0
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SARDONYX_COUNTS_ALLOCATIONS 0
#endif
#endif
#ifndef SARDONYX_COUNTS_ALLOCATIONS
#define SARDONYX_COUNTS_ALLOCATIONS 1
#endif

namespace {
std::atomic<size_t> allocations{0};
}  // namespace

#if SARDONYX_COUNTS_ALLOCATIONS
namespace {
void* counted(size_t bytes) {
  ++allocations;
  if (void* memory = std::malloc(bytes == 0 ? 1 : bytes)) return memory;
  throw std::bad_alloc();
}
}  // namespace

void* operator new(size_t bytes) { return counted(bytes); }
void* operator new[](size_t bytes) { return counted(bytes); }
void* operator new(size_t bytes, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(bytes == 0 ? 1 : bytes);
}
void* operator new[](size_t bytes, const std::nothrow_t& tag) noexcept { return operator new(bytes, tag); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t) noexcept { std::free(memory); }
#endif

namespace sardonyx::runtime {
namespace {

size_t allocations_per_run(int blocks) {
  optimize::ModelBuilder builder;
  const auto pads = model::Attribute::of("pads", std::vector<int64_t>{1, 1, 1, 1});
  builder.input("x", {1, 8, 16, 16}).output("y").constant("w", optimize::random_tensor({8, 8, 3, 3}));
  std::string last = "x";
  for (int i = 0; i < blocks; ++i) {
    const std::string n = std::to_string(i);
    builder.node("Conv", {last, "w"}, {"c" + n}, {pads}).node("Relu", {"c" + n}, {"r" + n}).node("Add", {"r" + n, last}, {"a" + n});
    last = "a" + n;
  }
  builder.node("Sigmoid", {last}, {"y"});
  Session session(builder.build(), ops_backend(), {.intra_op_num_threads = 2});
  const Feeds feeds = {{"x", optimize::random_tensor({1, 8, 16, 16})}};
  for (int i = 0; i < 3; ++i) session.run({}, feeds);
  const size_t before = allocations;
  session.run({}, feeds);
  return allocations - before;
}

TEST(Allocation, OnlyOutputs) {
  if (!SARDONYX_COUNTS_ALLOCATIONS) GTEST_SKIP() << "allocations cannot be counted under the thread sanitizer";
  const size_t few = allocations_per_run(1);
  EXPECT_EQ(allocations_per_run(12), few);
  EXPECT_LE(few, 6U);  // the list of results, and of the one output its handle, shape and elements
}

}  // namespace
}  // namespace sardonyx::runtime
