// MatMulNBits and DynamicQuantizeLSTM of com.microsoft.
#include <gmock/gmock.h>

#include <array>
#include <functional>

#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

using testing::HasSubstr;

OpCase microsoft(const char* op_type) { return OpCase(op_type, 1, "com.microsoft"); }

Tensor random_bytes(std::mt19937& generator, Shape shape) {
  Tensor result(std::move(shape), DType::kUInt8);
  for (uint8_t& value : result.mutable_values<uint8_t>()) value = static_cast<uint8_t>(generator());
  return result;
}

struct NBits {
  int64_t depth, columns, bits, block;
  Tensor data, scales, packed_zeros, zeros;
  int64_t blocks() const { return (depth + block - 1) / block; }

  NBits(std::mt19937& generator, int64_t k, int64_t n, int64_t bit_count, int64_t block_size)
      : depth(k), columns(n), bits(bit_count), block(block_size) {
    data = random_bytes(generator, {n, blocks(), block * bits / 8});
    scales = random_tensor(generator, {n, blocks()}, -0.1f, 0.1f);
    packed_zeros = random_bytes(generator, {n, (blocks() * bits + 7) / 8});
    zeros = random_tensor(generator, {n, blocks()}, 0, 9);
  }
  OpCase node() const {
    return microsoft("MatMulNBits").attribute("K", depth).attribute("N", columns).attribute("bits", bits).attribute("block_size", block);
  }
  static int64_t field(const Tensor& bytes, size_t first, int64_t index, int64_t bits) {
    const int64_t bit = index * bits;
    return bytes.values<uint8_t>()[first + static_cast<size_t>(bit / 8)] >> (bit % 8) & ((1 << bits) - 1);
  }
  // B(k, n), with the zero point that `zero(n, group)` tells.
  double at(int64_t k, int64_t n, int64_t group, const std::function<double(int64_t, int64_t)>& zero) const {
    const double value = static_cast<double>(field(data, static_cast<size_t>(n * data.size(1) * data.size(2)), k, bits));
    return (value - zero(n, group)) * static_cast<double>(scales.values<float>()[static_cast<size_t>(n * blocks() + group)]);
  }
  std::vector<double> product(const Tensor& a, const std::function<double(int64_t, int64_t)>& zero,
                              const std::function<int64_t(int64_t)>& group) const {
    std::vector<double> out;
    const std::vector<double> x = doubles(a);
    for (int64_t i = 0; i < a.numel() / depth; ++i)
      for (int64_t n = 0; n < columns; ++n) {
        double sum = 0;
        for (int64_t k = 0; k < depth; ++k) sum += x[static_cast<size_t>(i * depth + k)] * at(k, n, group(k), zero);
        out.push_back(sum);
      }
    return out;
  }
};

TEST(MatMulNBits, AgreesWithTheDefinition) {
  std::mt19937 generator(1);
  for (const int64_t bits : {2, 4, 8}) {
    for (const auto& [depth, columns, block] :
         {std::array<int64_t, 3>{70, 19, 16}, {128, 300, 64}, {413, 5, 32}, {9, 3, 128}, {800, 17, 16}}) {
      const NBits w(generator, depth, columns, bits, block);
      const auto own = [block = block](int64_t k) { return k / block; };
      const double bound = 1e-6 * static_cast<double>(depth) * (1 << bits);
      for (const int64_t rows : {1, 2, 3, 4, 5, 90}) {
        const Tensor a = random_tensor(generator, {rows, depth});
        const Shape out = {rows, columns};
        const double middle = 1 << (bits - 1);
        expect_close(w.node().run({a, w.data, w.scales}), out,
                     w.product(
                         a, [&](int64_t, int64_t) { return middle; }, own),
                     bound);
        const auto packed = [&](int64_t n, int64_t g) {
          return static_cast<double>(NBits::field(w.packed_zeros, static_cast<size_t>(n * w.packed_zeros.size(1)), g, bits));
        };
        expect_close(w.node().run({a, w.data, w.scales, w.packed_zeros}), out, w.product(a, packed, own), bound);
        const std::vector<double> zeros = doubles(w.zeros);
        const auto plain = [&](int64_t n, int64_t g) { return zeros[static_cast<size_t>(n * w.blocks() + g)]; };
        expect_close(w.node().run({a, w.data, w.scales, w.zeros}), out, w.product(a, plain, own), bound);
      }
    }
  }
}

TEST(MatMulNBits, GroupsBiasAndBatches) {
  std::mt19937 generator(2);
  const NBits w(generator, 40, 6, 4, 16);
  Tensor groups({40}, DType::kInt32);
  for (int32_t& group : groups.mutable_values<int32_t>()) group = static_cast<int32_t>(generator() % 3);
  const auto listed = [&](int64_t k) { return int64_t{groups.values<int32_t>()[static_cast<size_t>(k)]}; };
  const auto eight = [](int64_t, int64_t) { return 8.0; };
  for (const int64_t rows : {1, 7}) {
    const Tensor a = random_tensor(generator, {2, rows, 40});
    expect_close(w.node().run({a, w.data, w.scales, Tensor(), groups}), {2, rows, 6}, w.product(a, eight, listed));
    const Tensor bias = random_tensor(generator, {6});
    std::vector<double> sums = w.product(a, eight, [](int64_t k) { return k / 16; });
    for (size_t i = 0; i < sums.size(); ++i) sums[i] += static_cast<double>(bias.values<float>()[i % 6]);
    expect_close(w.node().run({a, w.data, w.scales, Tensor(), Tensor(), bias}), {2, rows, 6}, sums);
    const Tensor half =
        w.node().run({a.to(DType::kFloat16), w.data, w.scales.to(DType::kFloat16), Tensor(), Tensor(), bias.to(DType::kFloat16)});
    EXPECT_EQ(half.dtype(), DType::kFloat16);
    expect_close(half, {2, rows, 6}, sums, 2e-2);
  }
  const Tensor bias = floats({6}, {1, 2, 3, 4, 5, 6});
  expect_close(w.node().run({Tensor({1, 40}), Tensor({0, 3, 8}, DType::kUInt8), Tensor({0}), Tensor(), Tensor(), bias}), {1, 6},
               doubles(bias), 0);
}

TEST(MatMulNBits, RefusesWhatDoesNotFit) {
  std::mt19937 generator(3);
  const NBits w(generator, 40, 6, 4, 16);
  const Tensor a({2, 40});
  EXPECT_THAT(w.node().error({Tensor({2, 41}), w.data, w.scales}).second, HasSubstr("must be K"));
  EXPECT_THAT(w.node().error({a, random_bytes(generator, {6, 3, 7}), w.scales}).second, HasSubstr("B has shape"));
  EXPECT_THAT(w.node().error({a, w.data, Tensor({6, 2})}).second, HasSubstr("scales has shape"));
  EXPECT_THAT(w.node().error({a, w.data, w.scales, random_bytes(generator, {6, 1})}).second, HasSubstr("zero_points has shape"));
  EXPECT_THAT(w.node().error({a, w.data, w.scales, Tensor(), Tensor::full({40}, 3, DType::kInt32)}).second, HasSubstr("g_idx holds 3"));
  EXPECT_EQ(microsoft("MatMulNBits")
                .attribute("K", 40)
                .attribute("N", 6)
                .attribute("bits", 3)
                .attribute("block_size", 16)
                .error({a, w.data, w.scales})
                .first,
            ErrorCode::kUnsupported);
  EXPECT_THAT(microsoft("MatMulNBits").attribute("K", 40).attribute("N", 6).attribute("block_size", 24).error({a, w.data, w.scales}).second,
              HasSubstr("power of two"));
}

// Values that bytes hold exactly give what the LSTM of floats gives.
TEST(DynamicQuantizeLstm, ExactBytesGiveTheLstm) {
  std::mt19937 generator(4);
  const int64_t steps = 5, batch = 3, inputs = 4, hidden = 3;
  Tensor x({steps, batch, inputs});
  for (float& value : x.mutable_values<float>()) value = static_cast<float>(generator() % 256) / 64 - 2;
  x.mutable_values<float>()[0] = -2;
  x.mutable_values<float>()[1] = 255.0f / 64 - 2;
  for (const bool per_column : {false, true}) {
    const Shape of_scale = per_column ? Shape{2, 4 * hidden} : Shape{2};
    const Tensor w = random_bytes(generator, {2, inputs, 4 * hidden}), r = random_bytes(generator, {2, hidden, 4 * hidden});
    const Tensor scale = random_tensor(generator, of_scale, 0.001f, 0.004f), zero = random_bytes(generator, of_scale);
    const Tensor bias = random_tensor(generator, {2, 8 * hidden}), peepholes = random_tensor(generator, {2, 3 * hidden});
    const Tensor first_c = random_tensor(generator, {2, batch, hidden}), lengths = Tensor::of<int32_t>({batch}, {5, 3, 1});
    const auto plain = [&](const Tensor& bytes) {  // transposed
      const Tensor columns = per_column ? scale.reshape({2, 1, 4 * hidden}) : scale.reshape({2, 1, 1});
      const Tensor zeros = zero.to(DType::kFloat32).reshape(columns.shape());
      const Tensor centred = OpCase("Sub").run({bytes.to(DType::kFloat32), zeros});
      return OpCase("Transpose").ints("perm", {0, 2, 1}).run({OpCase("Mul").run({centred, columns})});
    };
    const auto node = [](OpCase base) {
      return base.attribute("direction", "bidirectional").attribute("hidden_size", 3).outputs({"y", "h", "c"});
    };
    const std::vector<Tensor> wanted =
        node(OpCase("LSTM", 14)).run_all({x, plain(w), plain(r), bias, lengths, Tensor(), first_c, peepholes});
    const std::vector<Tensor> got =
        node(microsoft("DynamicQuantizeLSTM")).run_all({x, w, r, bias, lengths, Tensor(), first_c, peepholes, scale, zero, scale, zero});
    // Only the states lose anything to quantisation.
    for (size_t i = 0; i < 3; ++i) expect_close(got[i], wanted[i].shape(), doubles(wanted[i]), 1e-2);
    const Tensor one_x = x.reshape({1, steps * batch, inputs}), none;
    const Tensor alone = node(OpCase("LSTM", 14)).run({one_x, plain(w), plain(r), bias});
    expect_close(node(microsoft("DynamicQuantizeLSTM")).run({one_x, w, r, bias, none, none, none, none, scale, zero, scale, zero}),
                 alone.shape(), doubles(alone), 2e-6);
  }
}

TEST(DynamicQuantizeLstm, RefusesWhatDoesNotFit) {
  const Tensor x({2, 1, 3}), w({1, 3, 8}, DType::kUInt8), r({1, 2, 8}, DType::kUInt8), none, scale({1}), zero({1}, DType::kUInt8);
  const auto error = [&](const Tensor& weights, const Tensor& scales, const Tensor& zeros) {
    return microsoft("DynamicQuantizeLSTM").error({x, weights, r, none, none, none, none, none, scales, zeros, scale, zero}).second;
  };
  EXPECT_THAT(error(Tensor({1, 8, 3}, DType::kUInt8), scale, zero), HasSubstr("W has shape"));
  EXPECT_THAT(error(w, Tensor({8}), zero), HasSubstr("the scale of W has shape"));
  EXPECT_THAT(error(w, scale, Tensor({1}, DType::kInt8)), HasSubstr("zero point"));
  EXPECT_THAT(error(Tensor({1, 3, 8}), scale, zero), HasSubstr("W"));
}

}  // namespace
}  // namespace sardonyx::ops
