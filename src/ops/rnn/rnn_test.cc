#include "ops/rnn/rnn.h"

#include <gmock/gmock.h>

#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

using testing::HasSubstr;

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// One layer of one direction by the equations, in double; weights are those of direction `d`.
struct Oracle {
  std::string op;
  int64_t steps, batch, inputs, hidden;
  bool reverse = false, linear_before_reset = false;
  double clip = 0;
  std::vector<double> x, w, r, b, p, h, c;
  std::vector<int32_t> lengths;
  std::vector<double> y;

  double held(double value) const { return clip > 0 ? std::clamp(value, -clip, clip) : value; }

  // The sum of row `row` of w with x and of r with `state`, without biases.
  double input(int64_t row, int64_t t, int64_t n) const {
    double sum = 0;
    for (int64_t i = 0; i < inputs; ++i)
      sum += w[static_cast<size_t>(row * inputs + i)] * x[static_cast<size_t>((t * batch + n) * inputs + i)];
    return sum;
  }
  double state(int64_t row, const std::vector<double>& from) const {
    double sum = 0;
    for (int64_t i = 0; i < hidden; ++i) sum += r[static_cast<size_t>(row * hidden + i)] * from[static_cast<size_t>(i)];
    return sum;
  }
  double bias(int64_t row) const { return b[static_cast<size_t>(row)]; }

  void run() {
    y.assign(static_cast<size_t>(steps * batch * hidden), 0);
    for (int64_t n = 0; n < batch; ++n) {
      std::vector<double> now(h.begin() + n * hidden, h.begin() + (n + 1) * hidden),
          cell(c.begin() + n * hidden, c.begin() + (n + 1) * hidden);
      const int64_t length = lengths[static_cast<size_t>(n)];
      for (int64_t s = 0; s < length; ++s) {
        const int64_t t = reverse ? length - 1 - s : s;
        now = op == "RNN" ? simple(t, n, now) : op == "GRU" ? gru(t, n, now) : lstm(t, n, now, cell);
        std::ranges::copy(now, y.begin() + (t * batch + n) * hidden);
      }
      std::ranges::copy(now, h.begin() + n * hidden);
      std::ranges::copy(cell, c.begin() + n * hidden);
    }
  }

  std::vector<double> simple(int64_t t, int64_t n, const std::vector<double>& now) const {
    std::vector<double> next;
    for (int64_t i = 0; i < hidden; ++i) next.push_back(std::tanh(held(input(i, t, n) + state(i, now) + bias(i) + bias(hidden + i))));
    return next;
  }

  std::vector<double> gru(int64_t t, int64_t n, const std::vector<double>& now) const {
    const auto gate = [&](int64_t g, int64_t i) {
      const int64_t row = g * hidden + i;
      return sigmoid(held(input(row, t, n) + state(row, now) + bias(row) + bias(3 * hidden + row)));
    };
    std::vector<double> reset, next;
    for (int64_t i = 0; i < hidden; ++i) reset.push_back(gate(1, i) * now[static_cast<size_t>(i)]);
    for (int64_t i = 0; i < hidden; ++i) {
      const int64_t row = 2 * hidden + i;
      const double rest =
          linear_before_reset ? gate(1, i) * (state(row, now) + bias(3 * hidden + row)) : state(row, reset) + bias(3 * hidden + row);
      const double update = gate(0, i);
      next.push_back((1 - update) * std::tanh(held(input(row, t, n) + rest + bias(row))) + update * now[static_cast<size_t>(i)]);
    }
    return next;
  }

  std::vector<double> lstm(int64_t t, int64_t n, const std::vector<double>& now, std::vector<double>& cell) const {
    std::vector<double> next;
    for (int64_t i = 0; i < hidden; ++i) {
      const auto gate = [&](int64_t g) {
        const int64_t row = g * hidden + i;
        return input(row, t, n) + state(row, now) + bias(row) + bias(4 * hidden + row);
      };
      double& here = cell[static_cast<size_t>(i)];
      const auto peep = [&](int64_t g) { return p[static_cast<size_t>(g * hidden + i)] * here; };
      const double in = sigmoid(held(gate(0) + peep(0))), forget = sigmoid(held(gate(2) + peep(2)));
      here = forget * here + in * std::tanh(held(gate(3)));
      next.push_back(sigmoid(held(gate(1) + peep(1))) * std::tanh(here));
    }
    return next;
  }
};

// A tensor's part [d * size, (d + 1) * size).
std::vector<double> part(const Tensor& tensor, int64_t d, size_t parts) {
  const std::vector<double> all = doubles(tensor);
  const size_t size = all.size() / parts;
  return {all.begin() + d * static_cast<int64_t>(size), all.begin() + (d + 1) * static_cast<int64_t>(size)};
}

struct Case {
  const char* op;
  const char* direction;
  int64_t gates;
  bool linear_before_reset;
  float clip;
};
const Case kCases[] = {{"RNN", "forward", 1, false, 0},  {"RNN", "bidirectional", 1, false, 0.3f}, {"GRU", "reverse", 3, false, 0},
                       {"GRU", "forward", 3, true, 0},   {"GRU", "bidirectional", 3, true, 0.5f},  {"LSTM", "forward", 4, false, 0},
                       {"LSTM", "reverse", 4, false, 0}, {"LSTM", "bidirectional", 4, false, 0.5f}};

struct Layer {
  Tensor x, w, r, b, lengths, h, c, p;

  std::vector<Tensor> inputs(bool is_lstm) const {
    std::vector<Tensor> all = {x, w, r, b, lengths, h};
    if (is_lstm) all.insert(all.end(), {c, p});
    return all;
  }
};

Layer random_layer(std::mt19937& generator, const Case& c, int64_t directions) {
  const auto random = [&](Shape shape) { return random_tensor(generator, std::move(shape)); };
  return {random({5, 3, 4}),
          random({directions, c.gates * 6, 4}),
          random({directions, c.gates * 6, 6}),
          random({directions, 2 * c.gates * 6}),
          Tensor::of<int32_t>({3}, {5, 2, 0}),
          random({directions, 3, 6}),
          random({directions, 3, 6}),
          random({directions, 18})};
}

TEST(Recurrent, AgreesWithTheEquations) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 generator(seed);
  for (const Case& c : kCases) {
    SCOPED_TRACE(std::string(c.op) + " " + c.direction);
    const bool both = std::string(c.direction) == "bidirectional", is_lstm = std::string(c.op) == "LSTM";
    const size_t directions = both ? 2 : 1;
    const Layer layer = random_layer(generator, c, both ? 2 : 1);
    OpCase node(c.op, 14);
    node.attribute("direction", c.direction).attribute("hidden_size", 6).attribute("clip", c.clip);
    if (c.linear_before_reset) node.attribute("linear_before_reset", 1);
    node.outputs(is_lstm ? std::vector<std::string>{"y", "h", "c"} : std::vector<std::string>{"y", "h"});
    const std::vector<Tensor> results = node.run_all(layer.inputs(is_lstm));
    std::vector<double> y(5 * directions * 3 * 6), h, cells;
    for (size_t d = 0; d < directions; ++d) {
      const auto of = [&](const Tensor& tensor) { return part(tensor, static_cast<int64_t>(d), directions); };
      Oracle oracle{c.op,
                    5,
                    3,
                    4,
                    6,
                    d == 1 || std::string(c.direction) == "reverse",
                    c.linear_before_reset,
                    static_cast<double>(c.clip),
                    doubles(layer.x),
                    of(layer.w),
                    of(layer.r),
                    of(layer.b),
                    of(layer.p),
                    of(layer.h),
                    of(layer.c),
                    {5, 2, 0},
                    {}};
      oracle.run();
      for (size_t t = 0; t < 5; ++t)
        std::copy_n(oracle.y.begin() + static_cast<int64_t>(t) * 18, 18, y.begin() + static_cast<int64_t>((t * directions + d) * 18));
      h.insert(h.end(), oracle.h.begin(), oracle.h.end());
      cells.insert(cells.end(), oracle.c.begin(), oracle.c.end());
    }
    const auto states = static_cast<int64_t>(directions);
    expect_close(results[0], {5, states, 3, 6}, y);
    expect_close(results[1], {states, 3, 6}, h);
    if (is_lstm) expect_close(results[2], {states, 3, 6}, cells);
  }
}

TEST(Recurrent, LayoutAndTypes) {
  std::mt19937 generator(4);
  const Case c = {"LSTM", "bidirectional", 4, false, 0};
  const Layer layer = random_layer(generator, c, 2);
  OpCase node("LSTM", 22), batch_first("LSTM", 22);
  node.attribute("direction", c.direction).outputs({"y", "h", "c"});
  batch_first.attribute("direction", c.direction).attribute("layout", 1).outputs({"y", "h", "c"});
  const std::vector<Tensor> expected = node.run_all(layer.inputs(true));
  const auto swap = [](const Tensor& x, std::vector<int64_t> perm) { return OpCase("Transpose").ints("perm", std::move(perm)).run({x}); };
  Layer swapped = layer;
  swapped.x = swap(layer.x, {1, 0, 2});
  swapped.h = swap(layer.h, {1, 0, 2});
  swapped.c = swap(layer.c, {1, 0, 2});
  const std::vector<Tensor> results = batch_first.run_all(swapped.inputs(true));
  expect_close(results[0], {3, 5, 2, 6}, doubles(swap(expected[0], {2, 0, 1, 3})));
  for (const size_t i : {1u, 2u}) expect_close(results[i], {3, 2, 6}, doubles(swap(expected[i], {1, 0, 2})));
  for (const DType dtype : {DType::kFloat64, DType::kFloat16}) {
    std::vector<Tensor> inputs = layer.inputs(true);
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (i != 4) inputs[i] = inputs[i].to(dtype);
    }
    const std::vector<Tensor> typed = node.run_all(inputs);
    EXPECT_EQ(typed[0].dtype(), dtype);
    expect_close(typed[0], expected[0].shape(), doubles(expected[0]), dtype == DType::kFloat16 ? 2e-2 : 1e-5);
  }
}

// A layer of one unit whose product with W passes x through, with activation f.
TEST(Recurrent, Activations) {
  struct Row {
    const char* name;
    std::vector<float> alpha, beta;
    double at_minus_one, at_two;
  };
  const Row rows[] = {{"Relu", {}, {}, 0, 2},
                      {"Tanh", {}, {}, std::tanh(-1.0), std::tanh(2.0)},
                      {"sigmoid", {}, {}, sigmoid(-1), sigmoid(2)},
                      {"Affine", {3}, {1}, -2, 7},
                      {"LeakyRelu", {}, {}, -0.01, 2},
                      {"ThresholdedRelu", {1.5f}, {}, 0, 2},
                      {"ScaledTanh", {2}, {0.5f}, 2 * std::tanh(-0.5), 2 * std::tanh(1.0)},
                      {"HardSigmoid", {}, {}, 0.3, 0.9},
                      {"Elu", {0.5f}, {}, 0.5 * std::expm1(-1.0), 2},
                      {"Softsign", {}, {}, -0.5, 2.0 / 3},
                      {"Softplus", {}, {}, std::log1p(std::exp(-1.0)), std::log1p(std::exp(2.0))}};
  for (const Row& row : rows) {
    OpCase node("RNN", 7);
    node.attribute("activations", std::vector<std::string>{row.name}).outputs({"y"});
    if (!row.alpha.empty()) node.attribute("activation_alpha", row.alpha);
    if (!row.beta.empty()) node.attribute("activation_beta", row.beta);
    const Tensor one = Tensor::ones({1, 1, 1}), zero({1, 1, 1});
    expect_close(node.run({floats({2, 1, 1}, {-1, 2}), one, zero}), {2, 1, 1, 1}, {row.at_minus_one, row.at_two});
  }
}

TEST(Recurrent, RefusesWhatDoesNotFit) {
  const Tensor x({2, 1, 3}), w({1, 8, 3}), r({1, 8, 2});
  EXPECT_EQ(OpCase("LSTM", 14).run({x, w, r}).shape(), (Shape{2, 1, 1, 2}));
  EXPECT_THAT(OpCase("LSTM", 14).error({x, r, w}).second, HasSubstr("must be"));
  EXPECT_THAT(OpCase("LSTM", 14).attribute("hidden_size", 3).error({x, w, r}).second, HasSubstr("hidden_size"));
  EXPECT_THAT(OpCase("LSTM", 14).error({x, w, r, Tensor(), Tensor::of<int32_t>({1}, {3})}).second, HasSubstr("sequence_lens holds 3"));
  EXPECT_EQ(OpCase("LSTM", 14).attribute("activations", std::vector<std::string>{"Sin"}).error({x, w, r}).first, ErrorCode::kInvalidModel);
  EXPECT_EQ(OpCase("LSTM", 14).attribute("direction", "up").error({x, w, r}).first, ErrorCode::kInvalidModel);
}

}  // namespace
}  // namespace sardonyx::ops
