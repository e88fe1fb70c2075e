#include "core/memory_budget.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/expect_error.h"
#include "sardonyx/tensor.h"

namespace sardonyx::core {
namespace {

TEST(MemoryBudget, TensorsCountWhileTheyLive) {
  const auto budget = std::make_shared<MemoryBudget>(1000);
  Tensor kept;
  {
    const MemoryScope scope(budget);
    kept = Tensor::empty({50});
    EXPECT_EQ(budget->taken(), 200U);
    const Tensor words({2}, DType::kString), shared = kept.reshape({5, 10});
    EXPECT_EQ(budget->taken(), 200U + 2 * sizeof(std::string));
    const MemoryScope none(nullptr);
    const Tensor free = Tensor::empty({5000});
    EXPECT_EQ(budget->taken(), 200U + 2 * sizeof(std::string));
  }
  EXPECT_EQ(budget->taken(), 200U);
  const Tensor outside = Tensor::empty({5000});
  kept = Tensor();
  EXPECT_EQ(budget->taken(), 0U);
}

TEST(MemoryBudget, RefusesWhatDoesNotFit) {
  const auto budget = std::make_shared<MemoryBudget>(1000);
  const MemoryScope scope(budget);
  const MemoryCharge charge(400);
  EXPECT_THAT(message_of(ErrorCode::kResourceLimit, [] { Tensor::zeros({151}); }),
              testing::HasSubstr("max_memory is 0.0 MB. Feed less at once, or raise max_memory to at least 1004 bytes"));
  EXPECT_EQ(budget->taken(), 400U);
  EXPECT_THAT(message_of(ErrorCode::kResourceLimit, [] { const MemoryCharge too_much(SIZE_MAX); }), testing::HasSubstr("raise max_memory"));
  EXPECT_EQ(Tensor::zeros({150}).numel(), 150);
}

}  // namespace
}  // namespace sardonyx::core
