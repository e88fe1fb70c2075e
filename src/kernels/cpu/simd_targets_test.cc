#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/cpu/gemm/block_product.h"
#include "kernels/cpu/test_support.h"
#include "sardonyx/error.h"
#include "sardonyx/simd.h"

namespace sardonyx {
namespace {

TEST(SimdTargets, EachCanBeForced) {
  const std::vector<std::string> names = simd_targets();
  ASSERT_FALSE(names.empty());
  for (const std::string& name : names) {
    use_simd_target(name);
    EXPECT_EQ(hwy::TargetName(hwy::SupportedTargets()), name);
    EXPECT_GT(kernels::micro_tile().columns, 0u);  // dispatches
    EXPECT_EQ(simd_targets(), names);
  }
  use_simd_target("");
  EXPECT_EQ(simd_targets(), names);
}

TEST(SimdTargets, AnUnknownOneIsRefusedWithThoseThereAre) {
  try {
    use_simd_target("MMX");
    ADD_FAILURE() << "nothing thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_THAT(error.what(), testing::HasSubstr("there is no SIMD target 'MMX' here; there are " + simd_targets().front()));
  }
}

}  // namespace
}  // namespace sardonyx
