#include "kernels/cpu/quant/nbits.h"

#include "kernels/cpu/test_support.h"

namespace sardonyx::kernels {
namespace {

struct Case {
  Case(unsigned seed, size_t rows_)
      : random(seed),
        rows(rows_),
        weights(random_shape(random)),
        data(weights.columns * weights.column_bytes()),
        packed_zeros(weights.columns * weights.zero_bytes()),
        scales(weights.columns * weights.blocks()),
        zeros(scales.size()),
        groups(weights.depth),
        a(rows * weights.depth),
        bias(weights.columns) {
    for (Guarded<uint8_t>* bytes : {&data, &packed_zeros}) {
      for (size_t i = 0; i < bytes->size(); ++i) (*bytes)[i] = static_cast<uint8_t>(random.from(0, 255));
    }
    for (Guarded<float>* values : {&scales, &zeros, &a, &bias}) random.fill(*values);
    for (size_t i = 0; i < groups.size(); ++i) groups[i] = static_cast<int32_t>(random.from(0, weights.blocks() - 1));
    weights.data = data.data();
    weights.scales = scales.data();
    const size_t kind = random.from(0, 2);
    if (kind == 1) weights.packed_zeros = packed_zeros.data();
    if (kind == 2) weights.zeros = zeros.data();
    if (random.from(0, 3) == 0) weights.groups = groups.data();
    has_bias = random.coin();
  }

  static BlockWeights random_shape(Random& random) {
    constexpr size_t kBits[] = {2, 4, 8}, kBlocks[] = {16, 32, 128};
    return {
        .depth = random.from(1, 900), .columns = random.from(1, 80), .bits = kBits[random.from(0, 2)], .block = kBlocks[random.from(0, 2)]};
  }

  std::vector<float> run(core::ThreadPool& pool) const {
    Guarded<std::byte> scratch(block_product_scratch_bytes(weights, rows, pool.threads()));
    Guarded<float> c(rows * weights.columns);
    block_product(weights, rows, a.data(), has_bias ? bias.data() : nullptr, c.data(), scratch.data(), pool);
    return c.values();
  }

  static double field(const uint8_t* bytes, size_t i, size_t bits) {
    return static_cast<double>(bytes[i * bits / 8] >> i * bits % 8 & ((1 << bits) - 1));
  }
  double weight(size_t k, size_t column) const {
    const size_t group = weights.groups ? static_cast<size_t>(groups[k]) : k / weights.block, at = column * weights.blocks() + group;
    const double zero = weights.zeros          ? static_cast<double>(zeros[at])
                        : weights.packed_zeros ? field(packed_zeros.data() + column * weights.zero_bytes(), group, weights.bits)
                                               : static_cast<double>(1 << (weights.bits - 1));
    return (field(data.data() + column * weights.column_bytes(), k, weights.bits) - zero) * static_cast<double>(scales[at]);
  }

  void check(const std::vector<float>& c) const {
    for (size_t column = 0; column < weights.columns; ++column) {
      std::vector<double> values;
      for (size_t k = 0; k < weights.depth; ++k) values.push_back(weight(k, column));
      for (size_t row = 0; row < rows; ++row) {
        double sum = has_bias ? static_cast<double>(bias[column]) : 0, magnitude = 1;
        for (size_t k = 0; k < weights.depth; ++k) {
          const double product = values[k] * static_cast<double>(a[row * weights.depth + k]);
          sum += product;
          magnitude += std::abs(product);
        }
        ASSERT_NEAR(static_cast<double>(c[row * weights.columns + column]), sum, 2e-6 * magnitude)
            << "row " << row << ", column " << column;
      }
    }
  }

  Random random;
  size_t rows;
  BlockWeights weights;
  Guarded<uint8_t> data, packed_zeros;
  Guarded<float> scales, zeros;
  Guarded<int32_t> groups;
  Guarded<float> a, bias;
  bool has_bias = false;
};

TEST(BlockProduct, AgreesWithTheDefinition) {
  const unsigned first = std::random_device()();
  for (unsigned i = 0; i < 60; ++i) {
    constexpr size_t kRows[] = {1, 2, 3, 4, 5, 70};
    const unsigned seed = first + i;
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Case test(seed, kRows[i % 6]);
    for_each_target([&] { test.check(same_for_all_threads([&](core::ThreadPool& pool) { return test.run(pool); })); });
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace sardonyx::kernels
