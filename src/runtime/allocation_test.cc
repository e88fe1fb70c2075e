// What a steady-state run takes from the heap: its outputs and nothing else, however many nodes the model has; with bound outputs nothing.
// Counted where all allocations meet, in malloc and its kin.
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>

#include "optimize/model_builder.h"
#include "runtime/binding.h"
#include "runtime/ops_backend.h"
#include "runtime/session.h"

// Sanitizers bring their own allocator, which cannot be replaced; only glibc lets its own be called by another name.
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__) || !defined(__GLIBC__)
#define SARDONYX_COUNTS_ALLOCATIONS 0
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
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
extern "C" {
void* __libc_malloc(size_t bytes);
void* __libc_calloc(size_t count, size_t bytes);
void* __libc_realloc(void* memory, size_t bytes);
void* __libc_memalign(size_t alignment, size_t bytes);

void* malloc(size_t bytes) {
  ++allocations;
  return __libc_malloc(bytes);
}
void* calloc(size_t count, size_t bytes) {
  ++allocations;
  return __libc_calloc(count, bytes);
}
void* realloc(void* memory, size_t bytes) {
  ++allocations;
  return __libc_realloc(memory, bytes);
}
void* aligned_alloc(size_t alignment, size_t bytes) {
  ++allocations;
  return __libc_memalign(alignment, bytes);
}
void* memalign(size_t alignment, size_t bytes) {
  ++allocations;
  return __libc_memalign(alignment, bytes);
}
int posix_memalign(void** memory, size_t alignment, size_t bytes) {
  ++allocations;
  *memory = __libc_memalign(alignment, bytes);
  return *memory != nullptr ? 0 : ENOMEM;
}
}
#endif

namespace sardonyx::runtime {
namespace {

using model::Attribute;

// A network of convolutions, normalisations, products, moves and elementwise nodes, `blocks` times over.
optimize::ModelBuilder network(int blocks) {
  optimize::ModelBuilder builder;
  const auto pads = Attribute::of("pads", std::vector<int64_t>{1, 1, 1, 1});
  builder.input("x", {1, 8, 16, 16}).output("y").output("shown");
  builder.constant("w", optimize::random_tensor({8, 8, 3, 3})).constant("m", optimize::random_tensor({16, 16}, 2));
  builder.constant("flat", Tensor::of<int64_t>({3}, {1, 8, 256})).constant("square", Tensor::of<int64_t>({4}, {1, 8, 16, 16}));
  std::string last = "x";
  for (int i = 0; i < blocks; ++i) {
    const std::string n = std::to_string(i);
    builder.node("Conv", {last, "w"}, {"c" + n}, {pads}).node("Relu", {"c" + n}, {"r" + n}).node("Add", {"r" + n, last}, {"a" + n});
    builder.node("MatMul", {"a" + n, "m"}, {"p" + n})
        .node("Softmax", {"p" + n}, {"s" + n})
        .node("Transpose", {"s" + n}, {"t" + n}, {Attribute::of("perm", std::vector<int64_t>{0, 1, 3, 2})});
    builder.node("Reshape", {"t" + n, "flat"}, {"f" + n}).node("Split", {"f" + n}, {"u" + n, "v" + n}, {Attribute::of("axis", 1)});
    builder.node("Concat", {"v" + n, "u" + n}, {"vu" + n}, {Attribute::of("axis", 1)}).node("Reshape", {"vu" + n, "square"}, {"b" + n});
    last = "b" + n;
  }
  builder.node("Sigmoid", {last}, {"y"}).node("Reshape", {"x", "flat"}, {"shown"});
  return builder;
}

template <class Run>
size_t allocations_of(const Run& run) {
  for (int i = 0; i < 3; ++i) run();
  const size_t before = allocations;
  run();
  return allocations - before;
}

TEST(Allocation, OnlyOutputs) {
  if (!SARDONYX_COUNTS_ALLOCATIONS) GTEST_SKIP() << "this build's allocator cannot be replaced, so allocations cannot be counted";
  const Feeds feeds = {{"x", optimize::random_tensor({1, 8, 16, 16})}};
  const auto per_run = [&](int blocks) {
    Session session(network(blocks).build(), ops_backend(), {.intra_op_num_threads = 2});
    return allocations_of([&] { session.run({"y"}, feeds); });
  };
  const size_t few = per_run(1);
  EXPECT_EQ(per_run(12), few);
  EXPECT_GE(few, 1U);
  EXPECT_LE(few, 7U);  // the lists of results, and of the one output its handle, shape and elements
}

TEST(Allocation, NoneWithBoundOutputs) {
  if (!SARDONYX_COUNTS_ALLOCATIONS) GTEST_SKIP() << "this build's allocator cannot be replaced, so allocations cannot be counted";
  for (const bool given : {false, true}) {
    Session session(network(3).build(), ops_backend(), {.intra_op_num_threads = 2});
    Binding binding(session.program());
    binding.bind_input("x", optimize::random_tensor({1, 8, 16, 16}));
    binding.bind_output("y", given ? Tensor::empty({1, 8, 16, 16}) : Tensor());
    binding.bind_output("shown", given ? Tensor::empty({1, 8, 256}) : Tensor());
    EXPECT_EQ(allocations_of([&] { session.run(binding); }), 0U);
  }
}

}  // namespace
}  // namespace sardonyx::runtime
