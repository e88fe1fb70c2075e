#include "kernels/cpu/norm/lrn.h"

#include <array>

#include "kernels/cpu/test_support.h"

namespace sardonyx::kernels {
namespace {

TEST(Lrn, AgreesWithTheDefinition) {
  Random random(2);
  for (const auto& [before, after, inner] : {std::array<size_t, 3>{0, 0, 1}, {1, 2, 5}, {9, 9, 700}}) {
    const LrnShape shape = {.batch = 2, .channels = 4, .inner = inner, .before = before, .after = after};
    Guarded<float> x(8 * inner);
    random.fill(x);
    const std::vector<float> y = same_for_all_threads([&](core::ThreadPool& pool) {
      Guarded<float> result(x.size());
      lrn(shape, {.bias = 2, .alpha = 0.5, .beta = 0.75}, x.data(), result.data(), pool);
      return result.values();
    });
    for (size_t i = 0; i < y.size(); ++i) {
      const size_t c = i / inner % 4;
      double squares = 0;
      for (size_t other = c - std::min(c, before); other <= std::min<size_t>(c + after, 3); ++other) {
        const auto value = static_cast<double>(x[i + other * inner - c * inner]);
        squares += value * value;
      }
      ASSERT_NEAR(static_cast<double>(y[i]), static_cast<double>(x[i]) / std::pow(2 + 0.5 * squares, 0.75), 1e-6);
    }
  }
}

}  // namespace
}  // namespace sardonyx::kernels
