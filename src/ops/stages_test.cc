#include <gmock/gmock.h>

#include "ops/facts.h"
#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

// Repeats input 0 as often as the value of input 1 says; the second output is left out.
std::unique_ptr<Prepared> repeat() {
  return make_value_driven(make_prepared([](const BindContext& b) {
                             const int64_t count = b.inputs[1].constant->item<int64_t>();
                             std::vector<ValueFacts> facts = {output(DType::kFloat32, {count}), {}};
                             auto bound = make_bound(std::move(facts), [](const RunContext& r) {
                               auto* memory = reinterpret_cast<float*>(r.scratch);
                               memory[0] = r.inputs[0].item<float>();
                               for (float& value : r.outputs[0].mutable_values<float>()) value = memory[0];
                             });
                             bound->scratch_bytes = sizeof(float);
                             return bound;
                           }),
                           {.value_inputs = 0b10, .output_types = [](const BindContext&) {
                              return std::vector<DType>{DType::kFloat32, DType::kUndefined};
                            }});
}

TEST(Stages, ValueDrivenStepBindsWhenTheValueIsKnown) {
  const auto prepared = repeat();
  const std::vector<Tensor> inputs = {Tensor::scalar(2.5f), Tensor::scalar(int64_t{3})};
  std::vector<ValueFacts> facts = {{DType::kFloat32, {}, nullptr}, {DType::kInt64, {}, nullptr}};
  for (const bool known : {false, true}) {
    facts[1].constant = known ? &inputs[1] : nullptr;
    const auto bound = prepared->bind({facts, 1});
    EXPECT_EQ(bound->dynamic, !known);
    EXPECT_EQ(bound->outputs.size(), 2u);
    const std::vector<Tensor> results = run_step(*bound, inputs, core::shared_pool());
    EXPECT_THAT(results.at(0).values<float>(), testing::ElementsAre(2.5f, 2.5f, 2.5f));
    EXPECT_FALSE(results.at(1).defined());
  }
}

TEST(Facts, OutputsLargerThanTheMachineAreRefused) {
  const auto code = [](DType dtype, Shape shape) {
    try {
      output(dtype, std::move(shape));
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::kInternal;
  };
  const auto limit = static_cast<int64_t>(tensor_byte_limit());
  EXPECT_EQ(code(DType::kUInt8, {limit + 1}), ErrorCode::kResourceLimit);
  EXPECT_EQ(code(DType::kFloat32, {limit}), ErrorCode::kResourceLimit);
  EXPECT_EQ(code(DType::kFloat32, {int64_t{1} << 40, int64_t{1} << 40}), ErrorCode::kResourceLimit);
  EXPECT_EQ(code(DType::kFloat32, {-1}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(output(DType::kFloat32, {0, int64_t{1} << 40}).shape.size(), 2u);
}

TEST(Facts, Broadcast) {
  EXPECT_EQ(broadcast(Shape{2, 1}, Shape{3}), (Shape{2, 3}));
  EXPECT_EQ(broadcast(Shape{}, Shape{0}), (Shape{0}));
  EXPECT_EQ(broadcast(Shape{1, 5}, Shape{0, 1}), (Shape{0, 5}));
  EXPECT_THROW(broadcast(Shape{2}, Shape{0}), Error);
}

}  // namespace
}  // namespace sardonyx::ops
