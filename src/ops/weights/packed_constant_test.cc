#include "ops/weights/packed_constant.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <stop_token>
#include <thread>

#include "core/expect_error.h"

namespace sardonyx::ops {
namespace {

TEST(PackedConstant, ARunThatIsToEndLeavesNothingHalfPacked) {
  const Tensor plain = Tensor::ones({1000});
  PackedConstant constant(&plain, false);
  std::stop_source source;
  const core::Interrupt interrupt(source.get_token(), std::nullopt);
  int packings = 0;
  const auto pack = [&](const float* from, float* to) {
    ++packings;
    if (packings == 1) source.request_stop();
    for (int i = 0; i < 1000 && !core::interrupted(); ++i) to[i] = from[i] * 2;
  };
  {
    const core::InterruptScope scope(&interrupt);
    EXPECT_THAT(message_of(ErrorCode::kCancelled, [&] { constant.packed(1000, pack); }), testing::HasSubstr("cancelled by its caller"));
  }
  const float* packed = constant.packed(1000, pack);
  EXPECT_EQ(constant.packed(1000, pack), packed);
  EXPECT_EQ(packings, 2);
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(packed[i], 2.0F);
}

// One thread packs until the other one, which waits for it, has been told to end.
TEST(PackedConstant, WaitingForAnotherThreadEnds) {
  const Tensor plain = Tensor::ones({1});
  PackedConstant constant(&plain, true);
  std::atomic<bool> is_packing = false, has_ended = false;
  std::thread other([&] {
    constant.packed(1, [&](const float* from, float* to) {
      is_packing = true;
      is_packing.notify_all();
      has_ended.wait(false);
      *to = *from;
    });
  });
  is_packing.wait(false);
  std::stop_source source;
  source.request_stop();
  const core::Interrupt interrupt(source.get_token(), std::nullopt);
  {
    const core::InterruptScope scope(&interrupt);
    EXPECT_THAT(message_of(ErrorCode::kCancelled, [&] { constant.packed(1, [](const float*, float*) {}); }),
                testing::HasSubstr("cancelled by its caller"));
  }
  has_ended = true;
  has_ended.notify_all();
  other.join();
  EXPECT_EQ(*constant.packed(1, [](const float*, float*) {}), 1.0F);
}

}  // namespace
}  // namespace sardonyx::ops
