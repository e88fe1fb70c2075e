// Attention, QAttention, MultiHeadAttention, GroupQueryAttention and RotaryEmbedding of com.microsoft, held to their definitions in double.
#include <gmock/gmock.h>

#include <functional>

#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

using testing::HasSubstr;

OpCase microsoft(const char* op_type) { return OpCase(op_type, 1, "com.microsoft"); }
Tensor int32s(Shape shape, std::initializer_list<int32_t> values) { return Tensor::of<int32_t>(std::move(shape), values); }

// Rows of doubles: element (b, h, i, d) of heads that lie in any order.
struct Heads {
  std::vector<double> values;
  int64_t heads, rows, size;
  bool head_first;

  // (batch, rows, heads * size), or with heads first (batch, heads, rows, size).
  Heads(const Tensor& x, int64_t head_count, bool is_head_first = false)
      : values(doubles(x)),
        heads(head_count),
        rows(x.size(is_head_first ? 2 : 1)),
        size(is_head_first ? x.size(3) : x.size(2) / head_count),
        head_first(is_head_first) {}
  double at(int64_t b, int64_t h, int64_t i, int64_t d) const {
    const int64_t row = head_first ? (b * heads + h) * rows + i : (b * rows + i) * heads + h;
    return values[static_cast<size_t>(row * size + d)];
  }
};

struct Rule {
  double scale = 0;
  double softcap = 0;
  std::function<double(int64_t b, int64_t h, int64_t i, int64_t j)> bias = [](int64_t, int64_t, int64_t, int64_t) { return 0.0; };
  std::function<double(int64_t h)> sink = {};  // a score without a value
};

constexpr double kHidden = -std::numeric_limits<double>::infinity();

// softmax(scale * q k' + bias) v as (batch, rows, heads * size).
std::vector<double> attend(int64_t batch, const Heads& q, const Heads& k, const Heads& v, const Rule& rule) {
  std::vector<double> out;
  for (int64_t b = 0; b < batch; ++b)
    for (int64_t i = 0; i < q.rows; ++i)
      for (int64_t h = 0; h < q.heads; ++h) {
        const int64_t kh = h / (q.heads / k.heads);
        std::vector<double> weights;
        double sum = rule.sink ? std::exp(rule.sink(h)) : 0;
        for (int64_t j = 0; j < k.rows; ++j) {
          double score = 0;
          for (int64_t d = 0; d < q.size; ++d) score += q.at(b, h, i, d) * k.at(b, kh, j, d);
          score *= rule.scale;
          if (rule.softcap > 0) score = rule.softcap * std::tanh(score / rule.softcap);
          weights.push_back(std::exp(score + rule.bias(b, h, i, j)));
          sum += weights.back();
        }
        for (int64_t d = 0; d < v.size; ++d) {
          double total = 0;
          for (int64_t j = 0; j < k.rows; ++j) total += weights[static_cast<size_t>(j)] * v.at(b, kh, j, d);
          out.push_back(total / sum);
        }
      }
  return out;
}

double causal(int64_t, int64_t, int64_t i, int64_t j) { return j > i ? kHidden : 0; }

Tensor slice(const Tensor& x, int64_t axis, int64_t from, int64_t to) {
  return OpCase("Slice").run({x, int64s({from}), int64s({to}), int64s({axis})});
}
// (batch, rows, heads * size) as (batch, heads, rows, size).
Tensor heads_first(const Tensor& x, int64_t heads) {
  return OpCase("Transpose").ints("perm", {0, 2, 1, 3}).run({x.reshape({x.size(0), x.size(1), heads, x.size(2) / heads})});
}
Tensor joined(const Tensor& a, const Tensor& b, int64_t axis) { return OpCase("Concat").attribute("axis", axis).run({a, b}); }

// ---- Attention

struct Projection {
  Tensor x, w, bias, projected;
  Projection(std::mt19937& generator, int64_t columns)
      : x(random_tensor(generator, {2, 4, 5})),
        w(random_tensor(generator, {5, columns})),
        bias(random_tensor(generator, {columns})),
        projected(OpCase("Add").run({OpCase("MatMul").run({x, w}), bias})) {}
  Tensor part(int64_t from, int64_t to) const { return slice(projected, 2, from, to); }
};

TEST(MicrosoftAttention, ProjectsAndAttends) {
  std::mt19937 generator(1);
  const Projection q(generator, 6 + 6 + 4), odd(generator, 22);
  OpCase node = microsoft("Attention");
  node.attribute("num_heads", 2).ints("qkv_hidden_sizes", {6, 6, 4}).attribute("scale", 0.4f);
  const Heads query(q.part(0, 6), 2), key(q.part(6, 12), 2), value(q.part(12, 16), 2);
  expect_close(node.run({q.x, q.w, q.bias}), {2, 4, 4}, attend(2, query, key, value, {.scale = 0.4}));
  expect_close(node.run_with_constants({q.x, q.w, q.bias}, 0b110), {2, 4, 4}, attend(2, query, key, value, {.scale = 0.4}));
  node.attribute("unidirectional", 1);
  expect_close(node.run({q.x, q.w, q.bias}), {2, 4, 4}, attend(2, query, key, value, {.scale = 0.4, .bias = causal}));
  EXPECT_THAT(node.error({odd.x, odd.w}).second, HasSubstr("not Q, K and V"));
}

TEST(MicrosoftAttention, MasksOfAllShapes) {
  std::mt19937 generator(2);
  const Projection p(generator, 18);
  const Heads query(p.part(0, 6), 2), key(p.part(6, 12), 2), value(p.part(12, 18), 2);
  OpCase node = microsoft("Attention");
  node.attribute("num_heads", 2).attribute("mask_filter_value", -3.0f);
  const auto expect = [&](const Tensor& mask, const std::function<bool(int64_t b, int64_t i, int64_t j)>& counts) {
    const Rule rule = {.scale = 1 / std::sqrt(3.0),
                       .bias = [&](int64_t b, int64_t, int64_t i, int64_t j) { return counts(b, i, j) ? 0.0 : -3.0; }};
    expect_close(node.run({p.x, p.w, p.bias, mask}), {2, 4, 6}, attend(2, query, key, value, rule));
  };
  expect(int32s({2}, {3, 9}), [](int64_t b, int64_t, int64_t j) { return b == 1 || j < 3; });
  expect(int32s({4}, {3, 4, 1, 0}), [](int64_t b, int64_t, int64_t j) { return b == 1 || (j >= 1 && j < 3); });
  expect(int32s({8}, {1, 4, 0, 0, 0, 0, 0, 0}), [](int64_t b, int64_t, int64_t j) { return b == 1 || j < 1; });
  expect(int32s({2, 1}, {0, 0}), [](int64_t, int64_t, int64_t) { return true; });
  expect(int32s({2, 4}, {0, 1, 1, -1, 1, 1, 2, 1}), [](int64_t b, int64_t, int64_t j) { return b == 1 || j == 1 || j == 2; });
  Tensor rows = Tensor::zeros({2, 4, 4}, DType::kInt32), square = Tensor::zeros({2, 1, 5, 5}, DType::kInt32);
  for (int64_t b = 0; b < 2; ++b) {
    for (int64_t i = 0; i < 4; ++i) {
      rows.mutable_values<int32_t>()[static_cast<size_t>((b * 4 + i) * 4 + (i + b) % 4)] = 1;
      square.mutable_values<int32_t>()[static_cast<size_t>((b * 5 + i) * 5 + (i + b) % 4)] = 1;
    }
  }
  const auto one_key = [](int64_t b, int64_t i, int64_t j) { return j == (i + b) % 4; };
  expect(rows, one_key);
  expect(square, one_key);
  EXPECT_THAT(node.error({p.x, p.w, p.bias, int32s({3}, {1, 2, 3})}).second, HasSubstr("mask_index has shape [3]"));
  EXPECT_THAT(node.error({p.x, p.w, p.bias, int32s({2}, {1, -2})}).second, HasSubstr("negative"));
}

TEST(MicrosoftAttention, PastIsWhatEarlierCallsLeave) {
  std::mt19937 generator(3);
  const Projection p(generator, 18);
  for (const int rotary : {0, 1}) {
    OpCase node = microsoft("Attention");
    node.attribute("num_heads", 1).attribute("unidirectional", 1).outputs({"y", "present"});
    node.attribute("do_rotary", rotary).attribute("rotary_embedding_dim", 4);
    const std::vector<Tensor> whole = node.run_all({p.x, p.w, p.bias});
    const std::vector<Tensor> first = node.run_all({slice(p.x, 1, 0, 3), p.w, p.bias});
    const std::vector<Tensor> rest = node.run_all({slice(p.x, 1, 3, 4), p.w, p.bias, Tensor(), first[1]});
    EXPECT_EQ(rest[1].shape(), (Shape{2, 2, 1, 4, 6}));
    expect_close(rest[1], whole[1].shape(), doubles(whole[1]));
    expect_close(joined(first[0], rest[0], 1), whole[0].shape(), doubles(whole[0]));
  }
}

TEST(MicrosoftAttention, RotatesByPosition) {
  std::mt19937 generator(4);
  const Projection p(generator, 12);
  const auto turned = [](const Tensor& x) {  // heads of size 4, of which all turn
    Tensor cosine({4, 2}), sine({4, 2});
    for (size_t i = 0; i < 8; ++i) {
      const double angle = static_cast<double>(i / 2) / std::pow(10000.0, static_cast<double>(i % 2) / 2);
      cosine.mutable_values<float>()[i] = static_cast<float>(std::cos(angle));
      sine.mutable_values<float>()[i] = static_cast<float>(std::sin(angle));
    }
    return microsoft("RotaryEmbedding").run({x, int64s({0}), cosine, sine});
  };
  const Heads query(turned(p.part(0, 4)), 1), key(turned(p.part(4, 8)), 1), value(p.part(8, 12), 1);
  expect_close(microsoft("Attention").attribute("num_heads", 1).attribute("do_rotary", 1).run({p.x, p.w, p.bias}), {2, 4, 4},
               attend(2, query, key, value, {.scale = 0.5}));
}

TEST(MicrosoftAttention, RefusesWhatDoesNotFit) {
  const Tensor x({2, 3, 4}), w({4, 12});
  const auto node = [] { return microsoft("Attention").attribute("num_heads", 2); };
  EXPECT_THAT(microsoft("Attention").error({x, w}).second, HasSubstr("num_heads"));
  EXPECT_THAT(node().error({x, Tensor({5, 12})}).second, HasSubstr("weights has shape"));
  EXPECT_THAT(node().error({x, w, Tensor({11})}).second, HasSubstr("bias has shape"));
  EXPECT_THAT(node().error({x, w, Tensor(), Tensor(), Tensor({2, 2, 2, 5, 3})}).second, HasSubstr("past has shape"));
  EXPECT_THAT(node().error({x, w, Tensor(), Tensor(), Tensor(), Tensor({2, 3, 3, 3})}).second, HasSubstr("attention_bias"));
  EXPECT_THAT(node().ints("qkv_hidden_sizes", {4, 6, 2}).error({x, w}).second, HasSubstr("must be equal"));
  EXPECT_EQ(node().attribute("past_present_share_buffer", 1).error({x, w}).first, ErrorCode::kUnsupported);
}

// ---- QAttention

TEST(QAttention, IsAttentionOverDequantizedBytes) {
  std::mt19937 generator(5);
  const auto bytes = [&](Shape shape, DType dtype) {
    Tensor wide =
        random_tensor(generator, std::move(shape), dtype == DType::kInt8 ? -128.0f : 0.0f, dtype == DType::kInt8 ? 127.0f : 255.0f);
    return wide.to(dtype);
  };
  for (const DType dtype : {DType::kUInt8, DType::kInt8}) {
    const Tensor x = bytes({2, 3, 4}, DType::kUInt8), w = bytes({4, 12}, dtype), zeros = bytes({12}, dtype);
    const Tensor bias = random_tensor(generator, {12}), scales = random_tensor(generator, {12}, 0.001f, 0.01f);
    const Tensor x_scale = floats({}, {0.02f}), x_zero = Tensor::full({}, 117, DType::kUInt8),
                 past = random_tensor(generator, {2, 2, 2, 2, 2});
    OpCase node = microsoft("QAttention");
    node.attribute("num_heads", 2).attribute("unidirectional", 1).outputs({"y", "present"});
    const Tensor plain_x = OpCase("DequantizeLinear", 21).run({x, x_scale, x_zero});
    const Tensor plain_w = OpCase("DequantizeLinear", 21).attribute("axis", 1).run({w, scales, zeros});
    OpCase expected = microsoft("Attention");
    expected.attribute("num_heads", 2).attribute("unidirectional", 1).outputs({"y", "present"});
    const Tensor mask = int32s({2}, {4, 5});
    const std::vector<Tensor> wanted = expected.run_all({plain_x, plain_w, bias, mask, past});
    const std::vector<Tensor> inputs = {x, w, bias, x_scale, scales, mask, x_zero, zeros, past};
    const std::vector<Tensor> got = node.run_all(inputs);
    expect_close(got[0], wanted[0].shape(), doubles(wanted[0]));
    expect_close(got[1], wanted[1].shape(), doubles(wanted[1]));
    expect_close(node.run_with_constants(inputs, 0b11011110), wanted[0].shape(), doubles(wanted[0]));
  }
  EXPECT_THAT(microsoft("QAttention")
                  .attribute("num_heads", 2)
                  .error({Tensor({1, 1, 4}, DType::kUInt8), Tensor({4, 12}, DType::kUInt8), Tensor({12}), Tensor({2}), Tensor({1})})
                  .second,
              HasSubstr("input_scale"));
}

// ---- MultiHeadAttention

TEST(MultiHeadAttention, OperandsInAnyOrder) {
  std::mt19937 generator(6);
  const Tensor q = random_tensor(generator, {2, 5, 6}), k = random_tensor(generator, {2, 3, 6}), v = random_tensor(generator, {2, 3, 4}),
               bias = random_tensor(generator, {16});
  const double scale = 1 / std::sqrt(3.0);
  const auto node = [] { return microsoft("MultiHeadAttention").attribute("num_heads", 2); };
  const std::vector<double> expected = attend(2, Heads(q, 2), Heads(k, 2), Heads(v, 2), {.scale = scale});
  expect_close(node().run({q, k, v}), {2, 5, 4}, expected);
  expect_close(node().run({q, heads_first(k, 2), heads_first(v, 2)}), {2, 5, 4}, expected);
  const auto biased = [&](const Tensor& x, int64_t from) { return OpCase("Add").run({x, slice(bias, 0, from, from + x.size(2))}); };
  expect_close(node().run({q, k, v, bias}), {2, 5, 4},
               attend(2, Heads(biased(q, 0), 2), Heads(biased(k, 6), 2), Heads(biased(v, 12), 2), {.scale = scale}));
  const auto packed = [](const std::vector<Tensor>& parts) {  // (batch, rows, heads, parts, size)
    std::vector<Tensor> shaped;
    for (const Tensor& part : parts) shaped.push_back(part.reshape({part.size(0), part.size(1), 2, 1, part.size(2) / 2}));
    return OpCase("Concat").attribute("axis", 3).run(shaped);
  };
  const Tensor k2 = random_tensor(generator, {2, 5, 6}), v2 = random_tensor(generator, {2, 5, 6}),
               wide_bias = random_tensor(generator, {18});
  const Tensor apart = node().run({q, k2, v2, wide_bias});
  expect_close(node().run({packed({q, k2, v2}), Tensor(), Tensor(), wide_bias}), {2, 5, 6}, doubles(apart));
  expect_close(node().run({q, packed({k2, v2}), Tensor(), wide_bias}), {2, 5, 6}, doubles(apart));
}

TEST(MultiHeadAttention, PastMaskBiasAndScores) {
  std::mt19937 generator(7);
  const Tensor q = random_tensor(generator, {2, 40, 4}), k = random_tensor(generator, {2, 40, 4}), v = random_tensor(generator, {2, 40, 4}),
               past_k = random_tensor(generator, {2, 2, 3, 2}), past_v = random_tensor(generator, {2, 2, 3, 2}),
               score_bias = random_tensor(generator, {1, 2, 40, 43});
  OpCase node = microsoft("MultiHeadAttention");
  node.attribute("num_heads", 2).attribute("unidirectional", 1).attribute("mask_filter_value", -2.0f);
  node.outputs({"y", "key", "value", "scores"});
  const Tensor ends = int32s({2}, {30, 43});
  const std::vector<Tensor> got = node.run_all({q, k, v, Tensor(), ends, score_bias, past_k, past_v});
  const Tensor all_k = joined(past_k, heads_first(k, 2), 2), all_v = joined(past_v, heads_first(v, 2), 2);
  expect_close(got[1], all_k.shape(), doubles(all_k), 0);
  expect_close(got[2], all_v.shape(), doubles(all_v), 0);
  const std::vector<double> added = doubles(score_bias);
  const Rule rule = {.scale = 1 / std::sqrt(2.0), .bias = [&](int64_t b, int64_t h, int64_t i, int64_t j) {
                       const double mask = b == 0 && j >= 30 ? -2 : 0;
                       return j > 3 + i ? kHidden : mask + added[static_cast<size_t>((h * 40 + i) * 43 + j)];
                     }};
  expect_close(got[0], {2, 40, 4}, attend(2, Heads(q, 2), Heads(all_k, 2, true), Heads(all_v, 2, true), rule));
  // What is hidden shows as the least float; the rest makes the weights.
  EXPECT_EQ(got[3].shape(), (Shape{2, 2, 40, 43}));
  EXPECT_EQ(got[3].values<float>()[4], std::numeric_limits<float>::lowest());
  const Tensor weights = OpCase("Softmax").run({got[3]});
  expect_close(OpCase("MatMul").run({weights, all_v}), {2, 2, 40, 2}, doubles(heads_first(got[0], 2)));
}

TEST(MultiHeadAttention, RefusesWhatDoesNotFit) {
  const Tensor x({2, 3, 4}), first({2, 2, 3, 2});
  const auto node = [] { return microsoft("MultiHeadAttention").attribute("num_heads", 2); };
  EXPECT_THAT(node().error({x, Tensor({2, 3, 6}), x}).second, HasSubstr("heads of query have size 2"));
  EXPECT_THAT(node().error({x, x, Tensor({2, 4, 4})}).second, HasSubstr("key has 3 rows"));
  EXPECT_THAT(node().error({x}).second, HasSubstr("holds Q, K and V"));
  EXPECT_THAT(node().error({x, first, first, Tensor(), Tensor(), Tensor(), first, first}).second, HasSubstr("key of rank 4"));
  EXPECT_THAT(node().error({x, x, x, Tensor({11})}).second, HasSubstr("bias has shape"));
  EXPECT_THAT(node().error({x, x, x, Tensor(), Tensor(), Tensor(), first}).second, HasSubstr("together"));
  EXPECT_EQ(node().error({x, x, x, Tensor(), Tensor(), Tensor(), first, first, int32s({1}, {1})}).first, ErrorCode::kUnsupported);
}

// ---- GroupQueryAttention

struct Group {
  int64_t heads = 4, key_heads = 2, size = 4;
  OpCase node() const { return microsoft("GroupQueryAttention").attribute("num_heads", heads).attribute("kv_num_heads", key_heads); }
  Tensor query(std::mt19937& generator, int64_t batch, int64_t rows) const { return random_tensor(generator, {batch, rows, heads * size}); }
  Tensor key(std::mt19937& generator, int64_t batch, int64_t rows) const {
    return random_tensor(generator, {batch, rows, key_heads * size});
  }
};

TEST(GroupQueryAttention, Prompts) {
  std::mt19937 generator(8);
  const Group g;
  const Tensor q = g.query(generator, 2, 37), k = g.key(generator, 2, 37), v = g.key(generator, 2, 37);
  const Tensor lengths = int32s({2}, {36, 36}), total = int32s({}, {37}), sinks = floats({4}, {0.5f, -1, 2, 0});
  const auto expect = [&](OpCase node, const Rule& rule, std::vector<Tensor> more = {}) {
    std::vector<Tensor> inputs = {q, k, v, Tensor(), Tensor(), lengths, total};
    inputs.insert(inputs.end(), more.begin(), more.end());
    expect_close(node.run(inputs), {2, 37, 16}, attend(2, Heads(q, 4), Heads(k, 2), Heads(v, 2), rule));
  };
  expect(g.node(), {.scale = 0.5, .bias = causal});
  expect(g.node().attribute("causal", 0), {.scale = 0.5});
  expect(g.node().attribute("scale", 0.9f).attribute("softcap", 0.7f), {.scale = 0.9, .softcap = 0.7, .bias = causal});
  expect(g.node().attribute("local_window_size", 5),
         {.scale = 0.5, .bias = [](int64_t, int64_t, int64_t i, int64_t j) { return j > i || j <= i - 5 ? kHidden : 0; }});
  expect(g.node().attribute("smooth_softmax", 1), {.scale = 0.5, .bias = causal, .sink = [](int64_t) { return 0.0; }});
  expect(g.node(), {.scale = 0.5, .bias = causal, .sink = [&](int64_t h) { return doubles(sinks)[static_cast<size_t>(h)]; }},
         {Tensor(), Tensor(), Tensor(), Tensor(), sinks});
  const Tensor packed = OpCase("Concat").attribute("axis", 2).run({q, k, v});
  expect_close(g.node().run({packed, Tensor(), Tensor(), Tensor(), Tensor(), lengths, total}), {2, 37, 16},
               attend(2, Heads(q, 4), Heads(k, 2), Heads(v, 2), {.scale = 0.5, .bias = causal}));
  const Tensor half =
      g.node().run({q.to(DType::kFloat16), k.to(DType::kFloat16), v.to(DType::kFloat16), Tensor(), Tensor(), lengths, total});
  EXPECT_EQ(half.dtype(), DType::kFloat16);
  expect_close(half, {2, 37, 16}, attend(2, Heads(q, 4), Heads(k, 2), Heads(v, 2), {.scale = 0.5, .bias = causal}), 5e-3);
}

// A sequence in one piece, or as a prompt, a chunk and single tokens over a cache with room: the same, with rotary positions and a window.
TEST(GroupQueryAttention, PiecesOfASequence) {
  std::mt19937 generator(9);
  const Group g;
  const Tensor q = g.query(generator, 1, 9), k = g.key(generator, 1, 9), v = g.key(generator, 1, 9);
  const Tensor cosine = random_tensor(generator, {12, 2}), sine = random_tensor(generator, {12, 2});
  OpCase node = g.node();
  node.attribute("do_rotary", 1).attribute("local_window_size", 4).outputs({"y", "key", "value"});
  const auto run = [&](int64_t from, int64_t to, const Tensor& past_k, const Tensor& past_v) {
    const auto part = [&](const Tensor& x) { return slice(x, 1, from, to); };
    const auto total = static_cast<int32_t>(to);
    return node.run_all({part(q), part(k), part(v), past_k, past_v, int32s({1}, {total - 1}), int32s({1}, {total}), cosine, sine});
  };
  const std::vector<Tensor> whole = run(0, 9, Tensor(), Tensor());
  const Tensor room = Tensor::ones({1, 2, 12, 4});
  std::vector<Tensor> piece = run(0, 4, room, room);
  Tensor y = piece[0];
  for (const auto& [from, to] : {std::pair<int64_t, int64_t>{4, 7}, {7, 8}, {8, 9}}) {
    piece = run(from, to, piece[1], piece[2]);
    y = joined(y, piece[0], 1);
  }
  expect_close(y, whole[0].shape(), doubles(whole[0]));
  EXPECT_EQ(piece[1].shape(), (Shape{1, 2, 12, 4}));
  expect_close(slice(piece[1], 2, 0, 9), {1, 2, 9, 4}, doubles(whole[1]));
  expect_close(slice(piece[2], 2, 0, 9), {1, 2, 9, 4}, doubles(whole[2]));
  expect_close(slice(piece[2], 2, 9, 12), {1, 2, 3, 4}, std::vector<double>(24, 0));
}

TEST(GroupQueryAttention, SamplesOfDifferentLength) {
  std::mt19937 generator(10);
  const Group g;
  const Tensor q = g.query(generator, 2, 3), k = g.key(generator, 2, 3), v = g.key(generator, 2, 3),
               past_k = random_tensor(generator, {2, 2, 8, 4}), past_v = random_tensor(generator, {2, 2, 8, 4});
  OpCase node = g.node();
  node.outputs({"y", "key", "value"});
  const Tensor none, total = int32s({1}, {8});
  // Chunks of 3 and 2 new keys behind 1 and 4 old ones.
  const std::vector<Tensor> both = node.run_all(
      {q, k, v, past_k, past_v, int32s({2}, {3, 5}), total, none, none, none, none, none, none, none, none, none, int32s({2}, {3, 2})});
  const int32_t old[] = {1, 4}, fresh[] = {3, 2};
  for (int64_t b = 0; b < 2; ++b) {
    const int32_t keys = old[b] + fresh[b];
    const auto sample = [&](const Tensor& x) { return slice(slice(x, 0, b, b + 1), 1, 0, fresh[b]); };
    const auto past = [&](const Tensor& x) { return slice(slice(x, 0, b, b + 1), 2, 0, old[b]); };
    const std::vector<Tensor> alone =
        node.run_all({sample(q), sample(k), sample(v), past(past_k), past(past_v), int32s({1}, {keys - 1}), int32s({1}, {keys})});
    expect_close(sample(both[0]), alone[0].shape(), doubles(alone[0]));
    expect_close(slice(slice(both[1], 0, b, b + 1), 2, 0, keys), alone[1].shape(), doubles(alone[1]));
  }
}

TEST(GroupQueryAttention, TellsScoresAndWeights) {
  std::mt19937 generator(11);
  const Group g;
  const Tensor q = g.query(generator, 1, 3), k = g.key(generator, 1, 3), v = g.key(generator, 1, 3);
  const std::vector<Tensor> inputs = {q, k, v, Tensor(), Tensor(), int32s({1}, {2}), int32s({1}, {3})};
  const auto scores = [&](int64_t mode) { return g.node().outputs({"y", "", "", "qk"}).attribute("qk_output", mode).run_all(inputs)[3]; };
  const Tensor before = scores(1), after = scores(2);
  EXPECT_EQ(before.shape(), (Shape{1, 4, 3, 3}));
  const std::vector<double> x = doubles(before), p = doubles(after);
  EXPECT_EQ(x[1], 0);  // hidden
  EXPECT_EQ(p[1], 0);
  for (size_t row = 0; row < 12; ++row) {
    double sum = 0;
    for (size_t j = 0; j <= row % 3; ++j) sum += std::exp(x[row * 3 + j]);
    for (size_t j = 0; j <= row % 3; ++j) EXPECT_NEAR(p[row * 3 + j], std::exp(x[row * 3 + j]) / sum, 1e-6);
  }
}

TEST(GroupQueryAttention, RefusesWhatDoesNotFit) {
  const Group g;
  const Tensor q({2, 3, 16}), k({2, 3, 8}), past({2, 2, 4, 4}), none, cache({3, 2});
  const Tensor lengths = int32s({2}, {2, 2}), total = int32s({1}, {3});
  EXPECT_THAT(g.node().error({q, k, k, none, none, lengths, int32s({1}, {2})}).second, HasSubstr("total_sequence_length"));
  EXPECT_THAT(g.node().error({q, k, k, none, none, int32s({2}, {2, 3}), total}).second, HasSubstr("seqlens_k holds 3"));
  EXPECT_THAT(g.node().error({q, k, k, past, past, int32s({2}, {1, 5}), int32s({1}, {6})}).second, HasSubstr("seqlens_k holds 1"));
  EXPECT_THAT(g.node().error({q, Tensor({2, 2, 8}), k, none, none, lengths, total}).second, HasSubstr("key has shape"));
  EXPECT_THAT(g.node().attribute("do_rotary", 1).error({q, k, k, none, none, lengths, total}).second, HasSubstr("cos_cache"));
  EXPECT_THAT(g.node().attribute("do_rotary", 1).error({q, k, k, none, none, lengths, total, Tensor({2, 2}), Tensor({2, 2})}).second,
              HasSubstr("position 2"));
  EXPECT_THAT(g.node().error({q, k, k, none, none, lengths, int32s({1}, {std::numeric_limits<int32_t>::max()})}).second,
              Not(HasSubstr("bad_alloc")));
  EXPECT_EQ(g.node().attribute("k_quant_type", "PER_TENSOR").error({q, k, k, none, none, lengths, total}).first, ErrorCode::kUnsupported);
  EXPECT_EQ(g.node().attribute("local_window_size", 0).error({q, k, k, none, none, lengths, total}).first, ErrorCode::kInvalidModel);
  EXPECT_EQ(OpCase("GroupQueryAttention", 1, "com.microsoft")
                .attribute("num_heads", 3)
                .attribute("kv_num_heads", 2)
                .error({q, k, k, none, none, lengths, total})
                .first,
            ErrorCode::kInvalidModel);
}

// ---- RotaryEmbedding

TEST(MicrosoftRotaryEmbedding, OffsetsAndPositions) {
  std::mt19937 generator(12);
  const Tensor x = random_tensor(generator, {2, 3, 8}), cosine = random_tensor(generator, {9, 2}), sine = random_tensor(generator, {9, 2});
  const Tensor ids = Tensor::of<int64_t>({2, 3}, {4, 5, 6, 4, 5, 6});
  OpCase expected("RotaryEmbedding", 23);
  expected.attribute("num_heads", 2);
  const Tensor y = expected.run({x, cosine, sine, ids});
  expect_close(microsoft("RotaryEmbedding").run({x, ids, cosine, sine}), {2, 3, 8}, doubles(y), 0);
  expect_close(microsoft("RotaryEmbedding").run({x, int64s({4}), cosine, sine}), {2, 3, 8}, doubles(y), 0);
  expect_close(microsoft("RotaryEmbedding").run({heads_first(x, 2), int64s({4}), cosine, sine}), {2, 2, 3, 4}, doubles(heads_first(y, 2)),
               0);
  const Tensor first =
      microsoft("RotaryEmbedding").attribute("num_heads", 1).attribute("rotary_embedding_dim", 4).run({x, ids, cosine, sine});
  expect_close(slice(first, 2, 0, 4), {2, 3, 4}, doubles(slice(y, 2, 0, 4)), 0);
  expect_close(slice(first, 2, 4, 8), {2, 3, 4}, doubles(slice(x, 2, 4, 8)), 0);
  EXPECT_THAT(microsoft("RotaryEmbedding").error({x, int64s({7}), cosine, sine}).second, HasSubstr("position 9 is outside"));
  EXPECT_THAT(microsoft("RotaryEmbedding").error({x, ids, cosine, Tensor({8, 2})}).second, HasSubstr("sin_cache has shape"));
  EXPECT_THAT(microsoft("RotaryEmbedding").attribute("rotary_embedding_dim", 2).error({x, ids, cosine, sine}).second,
              HasSubstr("half as many"));
}

}  // namespace
}  // namespace sardonyx::ops
