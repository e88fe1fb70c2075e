#include "kernels/cpu/norm/batch_norm.h"

#include "kernels/cpu/test_support.h"

namespace sardonyx::kernels {
namespace {

void check(size_t batch, size_t channels, size_t inner) {
  SCOPED_TRACE(std::to_string(batch) + " x " + std::to_string(channels) + " x " + std::to_string(inner));
  Random random(1);
  Guarded<float> x(batch * channels * inner);
  random.fill(x);
  std::vector<double> gamma(channels), beta(channels), mean(channels), variance(channels);
  for (std::vector<double>* values : {&gamma, &beta, &mean, &variance}) {
    for (double& value : *values) value = static_cast<double>(random.number());
  }
  for (double& value : variance) value = std::abs(value) + 0.1;
  Guarded<float> scale(channels), shift(channels);
  fold_batch_norm(channels, {gamma.data(), beta.data(), mean.data(), variance.data()}, 1e-5, scale.data(), shift.data());
  const std::vector<float> y = same_for_all_threads([&](core::ThreadPool& pool) {
    Guarded<float> result(x.size());
    scale_shift(batch, channels, inner, x.data(), scale.data(), shift.data(), result.data(), pool);
    return result.values();
  });
  for (size_t i = 0; i < y.size(); ++i) {
    const size_t c = i / inner % channels;
    const double normal = (static_cast<double>(x[i]) - mean[c]) / std::sqrt(variance[c] + 1e-5);
    ASSERT_NEAR(static_cast<double>(y[i]), normal * gamma[c] + beta[c], 4e-6) << i;
  }
  scale_shift(batch, channels, inner, x.data(), scale.data(), shift.data(), x.data(), one_thread());
  EXPECT_EQ(x.values(), y);
}

TEST(BatchNorm, MatchesTheDefinition) {
  for_each_target([] {
    check(2, 5, 49);
    check(3, 70, 1);
    check(1, 3, 20'000);
    check(7, 1, 16);
    check(0, 3, 4);
  });
}

}  // namespace
}  // namespace sardonyx::kernels
