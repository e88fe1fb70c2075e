// What loops whose values grow leave behind.
#include <gtest/gtest.h>
#include <malloc.h>

#include "runtime/ops_backend.h"
#include "runtime/session.h"
#include "sardonyx/text.h"

namespace sardonyx::runtime {
namespace {

// That the C library has from the system: free or not.
size_t heap_bytes() {
  const struct mallinfo2 info = mallinfo2();
  return info.arena + info.hblkhd;
}

// Each iteration adds a row to a table and reads all of it: 1 MB in the end, and eighty times that if memory were not used again.
TEST(LoopMemory, AGrowingTableTakesLittleMoreThanItself) {
  Session session(model::parse_text_model(R"(<ir_version: 8, opset_import: ["" : 17]>
g (int64 m, float[1, 100] x) => (float[n, 100] y)
{
  y = Loop (m, , x) <body = b (int64 i, bool go, float[n, 100] v) => (bool go2, float[k, 100] w) {
    go2 = Identity (go)
    t = Concat <axis = 0> (v, x)
    u = Transpose <perm = [1, 0]> (t)
    s = Softmax <axis = 0> (u)
    w = Transpose <perm = [1, 0]> (s)
  }>
})"),
                  ops_backend(), {.intra_op_num_threads = 1});
  const auto run = [&](int64_t trips) {
    const std::vector<Tensor> results = session.run({}, {{"m", Tensor::scalar(trips)}, {"x", Tensor::ones({1, 100})}}, {});
    EXPECT_EQ(results[0].shape(), (Shape{trips + 1, 100}));
  };
  run(10);
  const size_t before = heap_bytes();
  run(2500);
  EXPECT_LT(heap_bytes(), before + (size_t{40} << 20));
}

}  // namespace
}  // namespace sardonyx::runtime
