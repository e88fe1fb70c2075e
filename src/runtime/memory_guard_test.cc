#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "ops/stages.h"
#include "optimize/model_builder.h"
#include "runtime/ops_backend.h"
#include "runtime/session.h"

namespace sardonyx::runtime {
namespace {

enum class Fault { kNone, kBehindOutput, kBehindScratch, kUnwritten };

// Copies its input, with a fault.
class FaultyBackend final : public Backend {
 public:
  explicit FaultyBackend(Fault fault) : fault_(fault) {}
  std::string_view name() const noexcept override { return "faulty"; }
  std::string refusal(const model::Node&, int64_t) const override { return ""; }
  std::unique_ptr<ops::Prepared> prepare(const ops::PrepareContext&) const override {
    return ops::make_prepared([fault = fault_](const ops::BindContext& c) {
      auto bound = ops::make_bound({c.inputs[0].dtype, c.inputs[0].shape, nullptr}, [fault](const ops::RunContext& r) {
        const size_t bytes = r.inputs[0].byte_size();
        auto* out = static_cast<std::byte*>(r.outputs[0].mutable_raw());
        if (fault != Fault::kUnwritten) std::memcpy(out, r.inputs[0].raw(), bytes);
        if (fault == Fault::kBehindOutput) out[bytes + 3] = std::byte{1};
        if (fault == Fault::kBehindScratch) r.scratch[100] = std::byte{1};
      });
      bound->scratch_bytes = 100;
      return bound;
    });
  }

 private:
  Fault fault_;
};

std::vector<Tensor> run(Fault fault, bool guard, int copies = 2) {
  optimize::ModelBuilder builder;
  builder.input("x", {5}).output("y" + std::to_string(copies - 1));
  for (int i = 0; i < copies; ++i) builder.node("Copy", {i == 0 ? "x" : "y" + std::to_string(i - 1)}, {"y" + std::to_string(i)});
  const FaultyBackend backend(fault);
  Session session(builder.build(), backend,
                  {.intra_op_num_threads = 1, .graph_optimization_level = GraphOptimizationLevel::kNone, .guard_memory = guard});
  const Feeds feeds = {{"x", optimize::random_tensor({5})}};
  session.run({}, feeds);
  return session.run({}, feeds);
}

std::string error_of(Fault fault, int copies) {
  try {
    run(fault, true, copies);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInternal);
    return error.what();
  }
  return "";
}

TEST(MemoryGuard, FindsWritesBehindValuesResultsAndScratch) {
  EXPECT_THAT(error_of(Fault::kBehindOutput, 2), testing::HasSubstr("wrote behind value 'y0': byte 23 of 20"));
  EXPECT_THAT(error_of(Fault::kBehindOutput, 1), testing::HasSubstr("wrote behind a result: byte 23 of 20"));
  EXPECT_THAT(error_of(Fault::kBehindScratch, 1), testing::HasSubstr("wrote behind scratch: byte 100 of 100"));
  EXPECT_THAT(error_of(Fault::kBehindScratch, 1), testing::HasSubstr("node_y0"));
}

TEST(MemoryGuard, WhatIsNotWrittenIsNan) {
  const Tensor result = run(Fault::kUnwritten, true)[0];
  for (const float value : result.values<float>()) EXPECT_TRUE(std::isnan(value));
}

TEST(MemoryGuard, ChangesNoResult) {
  const Tensor plain = run(Fault::kNone, false)[0], guarded = run(Fault::kNone, true)[0];
  EXPECT_EQ(std::memcmp(plain.raw(), guarded.raw(), plain.byte_size()), 0);
  EXPECT_EQ(plain.shape(), guarded.shape());
}

}  // namespace
}  // namespace sardonyx::runtime
