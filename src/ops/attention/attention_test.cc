#include "ops/attention/attention.h"

#include <gmock/gmock.h>

#include "ops/low_bits.h"
#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

using testing::HasSubstr;

constexpr double kHidden = -std::numeric_limits<double>::infinity();

// The definition in double for inputs of rank 4. `bias(b, h, i, j)` is added to the score of query i and key j.
template <class Bias>
std::vector<double> oracle(const Tensor& query, const Tensor& key, const Tensor& value, double scale, double softcap, const Bias& bias) {
  const std::vector<double> q = doubles(query), k = doubles(key), v = doubles(value);
  const int64_t heads = query.size(1), group = heads / key.size(1), rows = query.size(2), keys = key.size(2), size = query.size(3),
                width = value.size(3);
  std::vector<double> out;
  for (int64_t b = 0; b < query.size(0); ++b)
    for (int64_t h = 0; h < heads; ++h)
      for (int64_t i = 0; i < rows; ++i) {
        const int64_t key_matrix = (b * key.size(1) + h / group) * keys;
        std::vector<double> weights;
        double sum = 0;
        for (int64_t j = 0; j < keys; ++j) {
          double score = 0;
          for (int64_t p = 0; p < size; ++p) {
            score += q[static_cast<size_t>(((b * heads + h) * rows + i) * size + p)] * k[static_cast<size_t>((key_matrix + j) * size + p)];
          }
          score *= scale;
          if (softcap > 0) score = softcap * std::tanh(score / softcap);
          weights.push_back(std::exp(score + bias(b, h, i, j)));
          sum += weights.back();
        }
        for (int64_t p = 0; p < width; ++p) {
          double total = 0;
          for (int64_t j = 0; j < keys; ++j)
            total += weights[static_cast<size_t>(j)] * v[static_cast<size_t>((key_matrix + j) * width + p)];
          out.push_back(total / sum);
        }
      }
  return out;
}

double no_bias(int64_t, int64_t, int64_t, int64_t) { return 0; }

TEST(Attention, AgreesWithTheDefinition) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 generator(seed);
  for (const int64_t queries : {1, 5, 70}) {
    const Tensor q = random_tensor(generator, {2, 6, queries, 8}), k = random_tensor(generator, {2, 2, 9, 8}),
                 v = random_tensor(generator, {2, 2, 9, 5});
    const Shape out = {2, 6, queries, 5};
    const double scale = 1 / std::sqrt(8.0);
    expect_close(OpCase("Attention", 23).run({q, k, v}), out, oracle(q, k, v, scale, 0, no_bias));
    expect_close(OpCase("Attention", 24).attribute("scale", 0.3f).attribute("softcap", 0.5f).run({q, k, v}), out,
                 oracle(q, k, v, 0.3, 0.5, no_bias));
    expect_close(OpCase("Attention", 23).attribute("is_causal", 1).run({q, k, v}), out,
                 oracle(q, k, v, scale, 0, [](int64_t, int64_t, int64_t i, int64_t j) { return j > i ? kHidden : 0; }));
    const Tensor wide = OpCase("Attention", 23).run({q.to(DType::kFloat64), k.to(DType::kFloat64), v.to(DType::kFloat64)});
    EXPECT_EQ(wide.dtype(), DType::kFloat64);
    expect_close(wide, out, oracle(q, k, v, scale, 0, no_bias), 1e-14);
    const Tensor half = OpCase("Attention", 23).run({q.to(DType::kFloat16), k.to(DType::kFloat16), v.to(DType::kFloat16)});
    EXPECT_EQ(half.dtype(), DType::kFloat16);
    expect_close(half, out, oracle(q, k, v, scale, 0, no_bias), 5e-3);
  }
}

TEST(Attention, Masks) {
  std::mt19937 generator(1);
  const Tensor q = random_tensor(generator, {2, 2, 3, 4}), k = random_tensor(generator, {2, 2, 5, 4}),
               v = random_tensor(generator, {2, 2, 5, 4});
  const Shape out = {2, 2, 3, 4};
  const Tensor added = random_tensor(generator, {2, 1, 3, 5});
  expect_close(OpCase("Attention", 23).run({q, k, v, added}), out, oracle(q, k, v, 0.5, 0, [&](int64_t b, int64_t, int64_t i, int64_t j) {
                 return static_cast<double>(added.values<float>()[static_cast<size_t>((b * 3 + i) * 5 + j)]);
               }));
  // A mask of three columns hides the keys behind them.
  const Tensor seen = Tensor::of<bool>({3, 3}, {true, false, true, false, true, true, true, true, true});
  expect_close(OpCase("Attention", 23).run({q, k, v, seen}), out, oracle(q, k, v, 0.5, 0, [&](int64_t, int64_t, int64_t i, int64_t j) {
                 return j < 3 && seen.values<bool>()[static_cast<size_t>(i * 3 + j)] ? 0 : kHidden;
               }));
  expect_close(OpCase("Attention", 24).run({q, k, v, Tensor(), Tensor(), Tensor(), int64s({2, 5})}), out,
               oracle(q, k, v, 0.5, 0, [](int64_t b, int64_t, int64_t, int64_t j) { return b == 0 && j >= 2 ? kHidden : 0; }));
}

TEST(Attention, PastAndPackedHeadsAreTheSameThing) {
  std::mt19937 generator(2);
  const Tensor q = random_tensor(generator, {1, 4, 3, 2}), k = random_tensor(generator, {1, 1, 7, 2}),
               v = random_tensor(generator, {1, 1, 7, 6});
  const Tensor expected = OpCase("Attention", 23).run({q, k, v});
  const auto rows = [](const Tensor& x, int64_t from, int64_t to) {
    return OpCase("Slice").run({x, int64s({from}), int64s({to}), int64s({2})});
  };
  const std::vector<Tensor> results = OpCase("Attention", 23)
                                          .outputs({"y", "key", "value", "scores"})
                                          .attribute("qk_matmul_output_mode", 3)
                                          .run_all({q, rows(k, 4, 7), rows(v, 4, 7), Tensor(), rows(k, 0, 4), rows(v, 0, 4)});
  expect_close(results[0], expected.shape(), doubles(expected));
  expect_close(results[1], k.shape(), doubles(k), 0);
  expect_close(results[2], v.shape(), doubles(v), 0);
  expect_close(OpCase("ReduceSum").attribute("keepdims", 0).run({results[3], int64s({3})}), {1, 4, 3}, std::vector<double>(12, 1));
  const auto packed = [](const Tensor& x) {
    return OpCase("Transpose").ints("perm", {0, 2, 1, 3}).run({x}).reshape({1, x.size(2), x.size(1) * x.size(3)});
  };
  const Tensor y = OpCase("Attention", 23).attribute("q_num_heads", 4).attribute("kv_num_heads", 1).run({packed(q), packed(k), packed(v)});
  expect_close(y, {1, 3, 24}, doubles(packed(expected)));
}

TEST(Attention, MixedTypesKeepTheirOutputs) {
  const Tensor q = Tensor::ones({1, 1, 2, 2}, DType::kFloat16), v = Tensor::ones({1, 1, 2, 2});
  const std::vector<Tensor> results = OpCase("Attention", 23).outputs({"y", "key", "value"}).run_all({q, q, v, Tensor(), q, v});
  EXPECT_EQ(results[0].dtype(), DType::kFloat16);
  EXPECT_EQ(results[1].dtype(), DType::kFloat16);
  EXPECT_EQ(results[2].dtype(), DType::kFloat32);
  expect_close(results[0], {1, 1, 2, 2}, {1, 1, 1, 1});
}

TEST(Attention, DoubleIsNotRounded) {
  std::mt19937 generator(11);
  const auto make = [&](const Shape& shape) { return with_low_bits(random_tensor(generator, shape)); };
  const Tensor q = make({2, 4, 40, 6}), k = make({2, 2, 9, 6}), v = make({2, 2, 9, 5}), mask = make({2, 1, 40, 9});
  const Shape out = {2, 4, 40, 5};
  const auto bias = [&](int64_t b, int64_t, int64_t i, int64_t j) {
    return j > i ? kHidden : mask.values<double>()[static_cast<size_t>((b * 40 + i) * 9 + j)];
  };
  const auto node = [] { return OpCase("Attention", 24).attribute("softcap", 0.75f).attribute("is_causal", 1); };
  const std::vector<double> expected = oracle(q, k, v, 1 / std::sqrt(6.0), 0.75, bias);
  expect_close(node().run({q, k, v, mask}), out, expected, 1e-14);
  const Tensor half = v.to(DType::kFloat16), single = v.to(DType::kFloat32);
  // V narrower than Q and K: nothing but V is rounded.
  expect_close(node().run({q, k, half, mask}), out, oracle(q, k, half, 1 / std::sqrt(6.0), 0.75, bias), 1e-14);
  expect_close(node().run({q, k, single, mask}), out, oracle(q, k, single, 1 / std::sqrt(6.0), 0.75, bias), 1e-14);
  // V wider: the result alone is rounded.
  for (const DType dtype : {DType::kFloat32, DType::kFloat16, DType::kBFloat16}) {
    const Tensor small_q = q.to(dtype), small_k = k.to(dtype);
    const Tensor y = node().run({small_q, small_k, v, mask});
    EXPECT_EQ(y.dtype(), dtype);
    const std::vector<double> exact = oracle(small_q, small_k, v, 1 / std::sqrt(6.0), 0.75, bias);
    const double unit = dtype == DType::kFloat32 ? 0x1p-24 : dtype == DType::kFloat16 ? 0x1p-11 : 0x1p-8;
    expect_close(y, out, exact, 1.001 * unit);
  }
}

TEST(Attention, DoubleMixedWithOthersKeepsItsOutputs) {
  std::mt19937 generator(12);
  const Tensor q = with_low_bits(random_tensor(generator, {1, 2, 3, 4})), v = random_tensor(generator, {1, 2, 3, 4});
  OpCase node("Attention", 23);
  node.outputs({"y", "key", "value", "scores"});
  const std::vector<Tensor> wide = node.run_all({q, q, v, Tensor(), q, v}), narrow = node.run_all({v, v, q, Tensor(), v, q});
  const DType double_first[] = {DType::kFloat64, DType::kFloat64, DType::kFloat32, DType::kFloat64};
  const DType float_first[] = {DType::kFloat32, DType::kFloat32, DType::kFloat64, DType::kFloat32};
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(wide[i].dtype(), double_first[i]);
    EXPECT_EQ(narrow[i].dtype(), float_first[i]);
  }
  const Tensor keys = OpCase("Concat").attribute("axis", 2).run({q, q}), values = OpCase("Concat").attribute("axis", 2).run({v, v});
  expect_close(wide[1], keys.shape(), doubles(keys), 0);
  expect_close(wide[2], values.shape(), doubles(values), 0);
  expect_close(narrow[1], values.shape(), doubles(values), 0);
  expect_close(narrow[2], keys.shape(), doubles(keys), 0);
  expect_close(wide[0], q.shape(), oracle(q, keys, values, 0.5, 0, no_bias), 1e-14);
  EXPECT_THAT(OpCase("Attention", 23).error({q, v, v}).second, HasSubstr("K"));
  EXPECT_THAT(OpCase("Attention", 23).error({q, q, v, Tensor(), v, v}).second, HasSubstr("past_key"));
  EXPECT_THAT(OpCase("Attention", 23).error({q, q, v, Tensor(), q, q}).second, HasSubstr("past_value"));
}

TEST(Attention, RefusesWhatDoesNotFit) {
  const Tensor x({1, 2, 3, 4}), packed({1, 3, 8});
  EXPECT_THAT(OpCase("Attention", 23).error({packed, packed, packed}).second, HasSubstr("q_num_heads"));
  EXPECT_THAT(OpCase("Attention", 23).error({x, Tensor({1, 3, 3, 4}), Tensor({1, 3, 3, 4})}).second, HasSubstr("heads"));
  EXPECT_THAT(OpCase("Attention", 23).error({x, x, x, Tensor({4, 3})}).second, HasSubstr("attn_mask"));
  EXPECT_THAT(OpCase("Attention", 23).error({x, x, x, Tensor(), x}).second, HasSubstr("together"));
  EXPECT_THAT(OpCase("Attention", 24).error({x, x, x, Tensor(), Tensor(), Tensor(), int64s({4})}).second, HasSubstr("nonpad_kv_seqlen"));
  EXPECT_EQ(OpCase("Attention", 23).attribute("qk_matmul_output_mode", 7).error({x, x, x}).first, ErrorCode::kInvalidModel);
}

TEST(RotaryEmbedding, TurnsPairs) {
  const Tensor x = floats({1, 1, 1, 4}, {1, 2, 3, 4}), cosine = floats({2, 1}, {1, 0}), sine = floats({2, 1}, {0, 1});
  OpCase half("RotaryEmbedding", 23);
  half.attribute("rotary_embedding_dim", 2);
  const Tensor second = int64s({1}).reshape({1, 1});
  expect_close(half.run({x, cosine, sine, second}), {1, 1, 1, 4}, {-2, 1, 3, 4});
  const Tensor wide_cosine = floats({1, 1, 2}, {0, 1}), wide_sine = floats({1, 1, 2}, {1, 0});
  expect_close(OpCase("RotaryEmbedding", 23).run({x, wide_cosine, wide_sine}), {1, 1, 1, 4}, {-3, 2, 1, 4});
  expect_close(OpCase("RotaryEmbedding", 23)
                   .attribute("interleaved", 1)
                   .attribute("num_heads", 1)
                   .run({x.reshape({1, 1, 4}), wide_cosine, wide_sine}),
               {1, 1, 4}, {-2, 1, 3, 4});
  EXPECT_THAT(half.error({x, cosine, sine, int64s({2}).reshape({1, 1})}).second, HasSubstr("position 2 is outside"));
}

// The chunks of a sequence one after another, the state handed on, give what the whole sequence gives.
TEST(LinearAttention, StatesGoOn) {
  std::mt19937 generator(3);
  const Tensor q = random_tensor(generator, {2, 6, 8}), k = random_tensor(generator, {2, 6, 4}), v = random_tensor(generator, {2, 6, 6}),
               decay = random_tensor(generator, {2, 6, 2}, -1, 0), beta = random_tensor(generator, {2, 6, 1}, 0, 1);
  const auto part = [](const Tensor& x, int64_t from, int64_t to) {
    return x.defined() ? OpCase("Slice").run({x, int64s({from}), int64s({to}), int64s({1})}) : Tensor();
  };
  for (const char* rule : {"linear", "gated", "delta", "gated_delta"}) {
    OpCase node("LinearAttention", 27);
    node.attribute("q_num_heads", 4).attribute("kv_num_heads", 2).attribute("update_rule", rule).outputs({"y", "state"});
    const std::string name = rule;
    const Tensor g = name.starts_with("gated") ? decay : Tensor(), b = name.ends_with("delta") ? beta : Tensor();
    const auto run = [&](int64_t from, int64_t to, const Tensor& state) {
      return node.run_all({part(q, from, to), part(k, from, to), part(v, from, to), state, part(g, from, to), part(b, from, to)});
    };
    const std::vector<Tensor> whole = run(0, 6, Tensor()), first = run(0, 2, Tensor()), rest = run(2, 6, first[1]);
    expect_close(rest[0], {2, 4, 12}, doubles(part(whole[0], 2, 6)));
    expect_close(rest[1], {2, 2, 2, 3}, doubles(whole[1]));
  }
  OpCase plain("LinearAttention", 27);
  plain.attribute("q_num_heads", 1).attribute("kv_num_heads", 1).attribute("update_rule", "linear").attribute("scale", 2.0f);
  plain.outputs({"y", "state"});
  const Tensor ones = Tensor::ones({1, 2, 1});
  expect_close(plain.run({ones, ones, ones}), {1, 2, 1}, {2, 4});
  EXPECT_THAT(plain.error({ones, ones, ones, Tensor(), ones}).second, HasSubstr("forbids input decay"));
}

TEST(CausalConvWithState, SeesThePastOnly) {
  const Tensor x = floats({1, 1, 4}, {1, 2, 3, 4}), w = floats({1, 1, 3}, {100, 10, 1}), bias = floats({1}, {0.5f});
  OpCase node("CausalConvWithState", 27);
  node.outputs({"y", "state"});
  const std::vector<Tensor> alone = node.run_all({x, w, bias});
  expect_close(alone[0], {1, 1, 4}, {1.5, 12.5, 123.5, 234.5});
  expect_close(alone[1], {1, 1, 2}, {3, 4});
  const std::vector<Tensor> after = node.run_all({floats({1, 1, 1}, {5}), w, Tensor(), floats({1, 1, 2}, {3, 4})});
  expect_close(after[0], {1, 1, 1}, {345});
  expect_close(after[1], {1, 1, 2}, {4, 5});
  EXPECT_THAT(node.error({x, w, Tensor(), Tensor({1, 1, 3})}).second, HasSubstr("past_state"));
}

TEST(Attention, OursBroadcastsBatchesAndHeads) {
  std::mt19937 generator(3);
  const Tensor q = random_tensor(generator, {1, 2, 5, 4}), k = random_tensor(generator, {3, 1, 7, 4}),
               v = random_tensor(generator, {1, 2, 7, 6});
  const auto repeated = [](const Tensor& tensor) {
    return OpCase("Expand", 13).run({tensor, Tensor::of<int64_t>({4}, {3, 2, tensor.size(2), tensor.size(3)})});
  };
  const Tensor expected = OpCase("Attention", 23).run({repeated(q), repeated(k), repeated(v)});
  const Tensor actual = OpCase("Attention", 1, "ai.sardonyx").run({q, k, v});
  expect_close(actual, expected.shape(), doubles(expected));
  EXPECT_THAT(OpCase("Attention", 1, "ai.sardonyx").error({q, random_tensor(generator, {1, 3, 7, 4}), v}).second,
              HasSubstr("Q, K and V have 2, 3 and 2 heads; those that are not 1 must be equal"));
}

TEST(Attention, OursGivesHiddenKeysAScore) {
  std::mt19937 generator(4);
  const Tensor q = random_tensor(generator, {1, 1, 3, 4}), k = random_tensor(generator, {1, 1, 4, 4}),
               v = random_tensor(generator, {1, 1, 4, 2});
  const bool visible[3][4] = {{true, false, true, true}, {false, false, false, false}, {true, true, true, true}};
  Tensor mask = Tensor::empty({3, 4}, DType::kBool);
  std::copy(&visible[0][0], &visible[0][0] + 12, mask.mutable_values<bool>().begin());
  const Tensor product =
      OpCase("MatMul", 13).run({q, OpCase("Transpose", 13).attribute("perm", std::vector<int64_t>{0, 1, 3, 2}).run({k})});
  const Tensor chosen = OpCase("Where", 16).run({mask, product, Tensor::scalar(-2.0f)});
  const Tensor expected = OpCase("MatMul", 13).run({OpCase("Softmax", 13).run({chosen}), v});
  const Tensor actual = OpCase("Attention", 1, "ai.sardonyx").attribute("scale", 1.0f).attribute("mask_value", -2.0f).run({q, k, v, mask});
  expect_close(actual, {1, 1, 3, 2}, doubles(expected));
}

}  // namespace
}  // namespace sardonyx::ops
