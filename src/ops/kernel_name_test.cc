#include "ops/kernel_name.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "ops/stages.h"

namespace sardonyx::ops {
namespace {

TEST(KernelName, IsTheBoundsOwnOrTheOperators) {
  const auto bound = make_bound(ValueFacts{}, [](const RunContext&) {});
  EXPECT_EQ(kernel_name(*bound, "DepthToSpace"), "depth_to_space");
  EXPECT_EQ(kernel_name(*bound, "QLinearConv"), "q_linear_conv");
  EXPECT_EQ(kernel_name(*bound, "LSTM"), "lstm");
  EXPECT_EQ(kernel_name(*bound, "ReduceL2"), "reduce_l2");
  EXPECT_EQ(kernel_name(*bound, "TopK"), "top_k");
  bound->kernel = "implicit_gemm";
  EXPECT_EQ(kernel_name(*bound, "Conv"), "implicit_gemm");
}

TEST(KernelName, EveryOperatorHasOne) {
  const auto bound = make_bound(ValueFacts{}, [](const RunContext&) {});
  const auto is_plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
  for (const Operator& row : all_operators()) {
    const std::string name = kernel_name(*bound, row.op_type);
    EXPECT_FALSE(name.empty()) << row.op_type;
    EXPECT_TRUE(std::ranges::all_of(name, is_plain)) << name;
  }
}

}  // namespace
}  // namespace sardonyx::ops
