#include "sardonyx/nn/random.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <thread>

#include "core/expect_error.h"
#include "nn/generator.h"

namespace sardonyx {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::FloatNear;
using ::testing::HasSubstr;

// The numbers of torch.manual_seed(0); torch.rand(3), torch.randn(3).
TEST(Random, SeedGivesPyTorchsNumbers) {
  manual_seed(0);
  EXPECT_THAT(rand({3}).values<float>(), ElementsAre(0x1.fc2abp-2F, 0x1.89545ep-1F, 0x1.6a675p-4F));
  const Tensor normal = randn({3});
  EXPECT_THAT(normal.values<float>(), ElementsAre(FloatNear(0.3643F, 1e-4F), FloatNear(0.1344F, 1e-4F), FloatNear(0.1642F, 1e-4F)));
}

TEST(Random, SeedDropsTheWaitingNormalNumber) {
  manual_seed(5);
  const Tensor first = randn({3});
  manual_seed(5);
  EXPECT_THAT(randn({3}).values<float>(), ElementsAreArray(first.values<float>()));
}

TEST(Random, LowBitsOfTheSeedCount) {
  manual_seed(5);
  const Tensor first = rand({4});
  manual_seed((uint64_t{9} << 32) + 5);
  EXPECT_THAT(rand({4}).values<float>(), ElementsAreArray(first.values<float>()));
}

TEST(Random, MomentsOfLargeTensors) {
  manual_seed(1);
  for (const DType dtype : {DType::kFloat32, DType::kFloat64}) {
    const Tensor normal = randn({100003}, dtype).to(DType::kFloat64), uniform = rand({100003}, dtype).to(DType::kFloat64);
    double sum = 0, squares = 0, mean = 0;
    for (const double x : normal.values<double>()) sum += x, squares += x * x;
    for (const double x : uniform.values<double>()) mean += x / 100003;
    EXPECT_NEAR(sum / 100003, 0, 0.02);
    EXPECT_NEAR(squares / 100003, 1, 0.02);
    EXPECT_NEAR(mean, 0.5, 0.005);
    EXPECT_TRUE(std::ranges::all_of(uniform.values<double>(), [](double x) { return x >= 0 && x < 1; }));
  }
}

TEST(Random, IntegersStayInRange) {
  manual_seed(2);
  const Tensor numbers = randint(-3, 4, {1000});
  const auto [least, most] = std::ranges::minmax(numbers.values<int64_t>());
  EXPECT_EQ(least, -3);
  EXPECT_EQ(most, 3);
  EXPECT_EQ(randint(0, 5, {2}, DType::kFloat32).dtype(), DType::kFloat32);
  const Tensor whole = randint(INT64_MIN, INT64_MAX, {100});
  EXPECT_LT(std::ranges::min(whole.values<int64_t>()), 0);
  EXPECT_THAT(error_of([] { randint(3, 3, {1}); }), HasSubstr("randint expects low < high"));
}

TEST(Random, PermutationHasEachNumberOnce) {
  manual_seed(3);
  const Tensor order = randperm(100);
  std::vector<int64_t> sorted(order.values<int64_t>().begin(), order.values<int64_t>().end());
  EXPECT_FALSE(std::ranges::is_sorted(sorted));
  std::ranges::sort(sorted);
  for (int64_t i = 0; i < 100; ++i) EXPECT_EQ(sorted[static_cast<size_t>(i)], i);
  EXPECT_EQ(randperm(0).numel(), 0);
  EXPECT_THAT(error_of([] { randperm(-1); }), HasSubstr("randperm"));
}

TEST(Random, RefusesOtherTypes) {
  EXPECT_THAT(error_of([] { rand({2}, DType::kFloat16); }, ErrorCode::kUnsupported), HasSubstr("tensor(float16)"));
  EXPECT_THAT(error_of([] { randn({2}, DType::kInt64); }, ErrorCode::kUnsupported), HasSubstr("tensor(int64)"));
}

TEST(Random, ThreadsShareOneGenerator) {
  manual_seed(4);
  std::vector<std::thread> threads;
  std::vector<Tensor> drawn(4);
  for (Tensor& tensor : drawn) threads.emplace_back([&tensor] { tensor = rand({1000}); });
  for (std::thread& thread : threads) thread.join();
  manual_seed(4);
  const Tensor whole = rand({4000});
  std::vector<float> expected(whole.values<float>().begin(), whole.values<float>().end()), got;
  for (const Tensor& tensor : drawn) got.insert(got.end(), tensor.values<float>().begin(), tensor.values<float>().end());
  std::ranges::sort(expected);
  std::ranges::sort(got);
  EXPECT_EQ(got, expected);
}

}  // namespace
}  // namespace sardonyx
