// Chains against the same plan without them: every bit of the results must be the same.
#include "runtime/chain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <set>

#include "core/expect_error.h"
#include "optimize/model_builder.h"
#include "runtime/ops_backend.h"
#include "runtime/session.h"

namespace sardonyx::runtime {
namespace {

using model::Attribute;
using optimize::ModelBuilder;
using optimize::random_tensor;
using Ints = std::vector<int64_t>;

constexpr int64_t kOpset = 19;

// A graph of operators that run by rows, each reading values made before; its values are computed while it is built.
class RandomChain {
 public:
  explicit RandomChain(uint32_t seed) : engine_(seed), builder_(kOpset, 9) {
    const size_t spatial = below(8) == 0 ? 1 : below(8) == 0 ? 3 : 2;
    Shape shape = {below(4) == 0 ? 2 : 1, from(1, 4)};
    for (size_t i = 0; i < spatial; ++i) shape.push_back(from(1, spatial == 3 ? 6 : 14));
    if (below(4) == 0) shape[2] = from(14, 40);
    builder_.input("x", {shape.begin(), shape.end()});
    values_.push_back({"x", random_tensor(shape, seed)});
    feed_ = values_[0].second;
    const size_t nodes = 2 + below(9);
    for (int tries = 0; values_.size() <= nodes && tries < 60; ++tries) add_node();
    std::set<std::string> outputs = {values_.back().first};
    if (below(3) == 0) outputs.insert(any().first);
    outputs.erase("x");
    for (const std::string& name : outputs) builder_.output(name);
  }
  model::Model build() const { return builder_.build(); }
  Feeds feeds() const { return {{"x", feed_}}; }

 private:
  using Value = std::pair<std::string, Tensor>;

  uint32_t below(size_t bound) { return static_cast<uint32_t>(engine_() % bound); }
  int64_t from(int64_t low, int64_t high) { return low + below(static_cast<size_t>(high - low + 1)); }
  const Value& any() { return values_[below(values_.size())]; }
  // Mostly the last value.
  const Value& next() { return below(5) == 0 ? any() : values_.back(); }

  std::string constant(Shape shape) {
    std::string name = "c" + std::to_string(constants_.size());
    constants_.emplace_back(name, random_tensor(std::move(shape), below(1000)));
    builder_.constant(name, constants_.back().second);
    return name;
  }
  const Tensor& tensor(const std::string& name) const {
    for (const auto* list : {&values_, &constants_}) {
      for (const Value& value : *list) {
        if (value.first == name) return value.second;
      }
    }
    throw std::out_of_range(name);
  }

  // Adds the node unless the operator refuses it.
  void add(const std::string& op, const std::vector<std::string>& inputs, std::vector<Attribute> attributes = {}) {
    const std::string name = "v" + std::to_string(values_.size());
    model::Node node;
    node.op_type = op;
    node.input = inputs;
    node.output = {name};
    node.attribute = attributes;
    std::vector<Tensor> given;
    for (const std::string& input : inputs) given.push_back(input.empty() ? Tensor() : tensor(input));
    try {
      const Tensor result = ops::evaluate(node, kOpset, given)[0];
      if (result.numel() == 0 || result.numel() > 20'000) return;
      values_.push_back({name, result});
    } catch (const Error&) {
      return;
    }
    builder_.node(op, inputs, {name}, std::move(attributes));
  }

  std::vector<Attribute> window(const Shape& x, int64_t largest, bool pads_below_kernel) {
    Ints kernel, strides, dilations, begin, end;
    for (size_t i = 2; i < x.size(); ++i) {
      kernel.push_back(from(1, largest));
      strides.push_back(below(3) == 0 ? from(2, 3) : 1);
      dilations.push_back(below(4) == 0 ? 2 : 1);
      const int64_t most = pads_below_kernel ? kernel.back() - 1 : kernel.back() + 2;
      begin.push_back(from(0, most));
      end.push_back(from(0, most));
    }
    begin.insert(begin.end(), end.begin(), end.end());
    return {Attribute::of("kernel_shape", kernel), Attribute::of("strides", strides), Attribute::of("dilations", dilations),
            Attribute::of("pads", begin)};
  }

  void add_conv() {
    const Value& x = next();
    const Shape shape = x.second.shape();
    std::vector<Attribute> attributes = window(shape, 7, false);
    const int64_t channels = shape[1];
    const int64_t groups = std::array<int64_t, 3>{1, channels, channels % 2 == 0 ? 2 : 1}[below(3)];
    const int64_t out = groups * from(1, 3);
    attributes.push_back(Attribute::of("group", groups));
    Shape weight = {out, channels / groups};
    const Ints& kernel = attributes[0].ints;
    weight.insert(weight.end(), kernel.begin(), kernel.end());
    std::vector<std::string> inputs = {x.first, constant(std::move(weight))};
    if (below(2) == 0) inputs.push_back(constant({out}));
    add("Conv", inputs, std::move(attributes));
  }

  void add_pool() {
    const Value& x = next();
    std::vector<Attribute> attributes = window(x.second.shape(), 4, true);
    attributes.push_back(Attribute::of("ceil_mode", int64_t{below(2)}));
    const bool is_mean = below(2) == 0;
    if (is_mean) attributes.push_back(Attribute::of("count_include_pad", int64_t{below(2)}));
    add(is_mean ? "AveragePool" : "MaxPool", {x.first}, std::move(attributes));
  }

  void add_pair() {
    const Value& x = next();
    const std::string op = std::array{"Add", "Mul", "Sub", "Max"}[below(4)];
    Shape shape = x.second.shape();
    const uint32_t kind = below(4);
    if (kind == 0) return add(op, {x.first, any().first});  // fits if it is of the same shape, or broadcasts
    if (kind == 1) shape.assign(shape.size(), 1), shape[1] = x.second.shape()[1];
    if (kind == 2) {
      for (int64_t& size : shape) size = below(2) == 0 ? 1 : size;
      shape.erase(shape.begin(), shape.begin() + below(shape.size()));
    }
    std::vector<std::string> inputs = {x.first, constant(std::move(shape))};
    if (below(3) == 0) std::swap(inputs[0], inputs[1]);
    add(op, inputs);
  }

  void add_node() {
    switch (below(9)) {
      case 0:
      case 1:
      case 2:
        return add_conv();
      case 3:
        return add_pool();
      case 4:
        return add(std::array{"Relu", "Sigmoid", "HardSwish"}[below(3)], {next().first});
      case 5:
        return add("Clip", {next().first, constant({}), ""});
      case 6:
        return add_pair();
      case 7: {
        const Ints block = {2 + below(2)};
        return add(below(2) == 0 ? "DepthToSpace" : "SpaceToDepth", {next().first},
                   {Attribute::of("blocksize", block[0]), Attribute::of("mode", below(2) == 0 ? "CRD" : "DCR")});
      }
      default:
        return add("Concat", {next().first, any().first}, {Attribute::of("axis", int64_t{1})});
    }
  }

  std::mt19937 engine_;
  ModelBuilder builder_;
  std::vector<Value> values_, constants_;
  Tensor feed_;
};

struct PolicySession : Session {
  PolicySession(const model::Model& model, const ChainPolicy& policy, int threads = 1, bool guarded = false)
      : Session(model, ops_backend(), {.intra_op_num_threads = threads, .guard_memory = guarded}) {
    set_chain_policy(policy);
  }
};

size_t chains_of(Session& session, const InputShapes& shapes) {
  size_t chains = 0;
  for (const StepReport& step : session.explain(shapes).steps) chains += step.chain.has_value();
  return chains;
}

void expect_same_bits(const std::vector<Tensor>& expected, const std::vector<Tensor>& got, const std::string& what) {
  ASSERT_EQ(got.size(), expected.size()) << what;
  for (size_t i = 0; i < got.size(); ++i) {
    ASSERT_EQ(got[i].shape(), expected[i].shape()) << what << " output " << i;
    ASSERT_EQ(std::memcmp(got[i].raw(), expected[i].raw(), got[i].byte_size()), 0) << what << " output " << i;
  }
}

TEST(Chain, GivesTheBitsOfTheStepsAlone) {
  size_t chains = 0;
  for (uint32_t seed = 0; seed < 600; ++seed) {
    const RandomChain random(seed);
    const model::Model model = random.build();
    PolicySession plain(model, {});
    const std::vector<Tensor> expected = plain.run({}, random.feeds());
    EXPECT_EQ(chains_of(plain, {}), 0u);
    for (const size_t rows : {size_t{1}, size_t{2} + seed % 7}) {
      for (const int threads : seed % 8 == 0 ? std::vector{1, 3} : std::vector{1}) {
        PolicySession tiled(model, {.enabled = true, .tile_rows = rows}, threads, threads == 1);
        const std::string what = "seed " + std::to_string(seed) + ", tiles of " + std::to_string(rows);
        for (int repeat = 0; repeat < 2; ++repeat) expect_same_bits(expected, tiled.run({}, random.feeds()), what);
        chains += chains_of(tiled, {});
        if (testing::Test::HasFatalFailure()) return;
      }
    }
  }
  EXPECT_GT(chains, 1000u);
}

// Convolutions of `channels` channels on a picture.
ModelBuilder conv_stack(int64_t channels, const Shape& picture) {
  ModelBuilder builder(kOpset, 9);
  builder.input("x", {picture.begin(), picture.end()});
  const std::vector<Attribute> same = {Attribute::of("pads", Ints{1, 1, 1, 1})};
  builder.constant("w0", random_tensor({channels, picture[1], 3, 3}, 1)).node("Conv", {"x", "w0"}, {"a"}, same);
  builder.constant("w1", random_tensor({channels, channels, 3, 3}, 2)).node("Conv", {"a", "w1"}, {"b"}, same);
  builder.constant("w2", random_tensor({1, channels, 3, 3}, 3)).node("Conv", {"b", "w2"}, {"y"}, same);
  return builder;
}

TEST(Chain, HoldsBandsOfWhatExceedsTheCache) {
  const Shape picture = {1, 1, 4000, 1024};  // 16 channels of it are 262 MB
  const model::Model model = conv_stack(16, picture).output("y").build();
  PolicySession tiled(model, {.enabled = true});
  const PlanReport report = tiled.explain({});
  ASSERT_EQ(report.steps.size(), 1u);
  const StepReport& step = report.steps[0];
  ASSERT_TRUE(step.chain);
  EXPECT_EQ(step.op, "ai.sardonyx.RowChain");
  EXPECT_EQ(step.kernel, "row_tiles");
  ASSERT_EQ(step.nodes.size(), 3u);
  EXPECT_EQ(step.nodes[0].node, "node_a");
  EXPECT_EQ(step.nodes[1].kernel, "winograd");
  EXPECT_EQ(step.nodes[2].flops, 2.0 * 9 * 16 * 4000 * 1024);
  EXPECT_EQ(step.nodes[2].outputs.at(0).name, "y");
  EXPECT_EQ(step.chain->end, "");
  EXPECT_EQ(step.chain->saved_bytes, size_t{2} * 16 * 4000 * 1024 * 4);
  EXPECT_LT(report.peak_memory, step.chain->saved_bytes / 4);
  EXPECT_GE(report.peak_memory, step.chain->band_bytes);
  EXPECT_EQ(step.flops, 2.0 * 9 * (16 + 16 * 16 + 16) * 4000 * 1024);
  PolicySession plain(model, {});
  EXPECT_GE(plain.explain({}).peak_memory, step.chain->saved_bytes);
}

TEST(Chain, IsLeftOutWhereItDoesNotPayOrIsSwitchedOff) {
  const model::Model small = conv_stack(4, {1, 1, 16, 16}).output("y").build();
  Session fits(small, ops_backend(), {.intra_op_num_threads = 1});
  EXPECT_EQ(chains_of(fits, {}), 0u);
  const model::Model large = conv_stack(16, {1, 1, 4000, 1024}).output("y").build();
  Session on(large, ops_backend(), {.intra_op_num_threads = 1});
  EXPECT_EQ(chains_of(on, {}), 1u);
  Session off(large, ops_backend(), {.intra_op_num_threads = 1, .disabled_passes = {"tile_chains"}});
  EXPECT_EQ(chains_of(off, {}), 0u);
  Session extended(large, ops_backend(), {.intra_op_num_threads = 1, .graph_optimization_level = GraphOptimizationLevel::kExtended});
  EXPECT_EQ(chains_of(extended, {}), 0u);
}

TEST(Chain, KeepsAsAWholeWhatOthersRead) {
  const model::Model model = conv_stack(3, {1, 1, 30, 9}).output("y").output("a").build();
  PolicySession tiled(model, {.enabled = true, .tile_rows = 4});
  const PlanReport report = tiled.explain({});
  ASSERT_EQ(report.steps.size(), 1u);
  EXPECT_EQ(report.steps[0].chain->saved_bytes, size_t{3} * 30 * 9 * 4);  // b alone
  EXPECT_EQ(report.steps[0].chain->bands, 8u);
  const Feeds feeds = {{"x", random_tensor({1, 1, 30, 9})}};
  PolicySession plain(model, {});
  expect_same_bits(plain.run({}, feeds), tiled.run({}, feeds), "two outputs");
  expect_same_bits(plain.run({"y"}, feeds), tiled.run({"y"}, feeds), "one output");
}

// Copies rows, and asks for the end of the run.
class StoppingKernel final : public ops::RowKernel {
 public:
  explicit StoppingKernel(std::stop_source& source) : source_(source) {}
  bool by_rows(size_t) const noexcept override { return true; }
  ops::RowRange reads(size_t, ops::RowRange rows) const noexcept override { return rows; }
  void run(const ops::RowRun&) const noexcept override {
    ++runs;
    source_.request_stop();
  }
  mutable int runs = 0;

 private:
  std::stop_source& source_;
};

TEST(Chain, StopsBetweenBands) {
  std::stop_source source;
  const StoppingKernel kernel(source);
  const ops::RowShape shape({1, 1, 10, 2}, sizeof(float));
  ChainGraph graph;
  graph.values.push_back({.id = 0, .kind = ChainGraph::Kind::kOutside, .shape = shape, .bytes = 80, .readers = {{0, 0}}});
  graph.values.push_back({.id = 1, .kind = ChainGraph::Kind::kResult, .shape = shape, .bytes = 80});
  graph.steps.push_back({.kernel = &kernel, .inputs = {0}, .output = 1});
  ChainSchedule schedule(graph, 2);
  EXPECT_EQ(schedule.bands, 5u);
  model::Node relu;
  relu.op_type = "Relu";
  relu.input = {"x"};
  relu.output = {"y"};
  const std::vector<const Tensor*> constants = {nullptr};
  const std::vector<ops::ValueFacts> facts = {{DType::kFloat32, {1, 1, 10, 2}}};
  std::vector<Chain::Member> members;
  members.push_back({nullptr, ops::prepare({.node = relu, .opset = kOpset, .constants = constants})->bind({.inputs = facts})});
  const Chain chain(std::move(graph), std::move(schedule), std::move(members), {}, {});
  core::ThreadPool pool(1);
  core::Arena scratch(chain.scratch_bytes);
  const core::Interrupt interrupt(source.get_token(), std::nullopt);
  const std::vector<Tensor> inputs = {random_tensor({1, 1, 10, 2})};
  std::vector<Tensor> outputs = {Tensor({1, 1, 10, 2})};
  error_of([&] { chain.run({inputs, outputs, scratch.data(), pool, &interrupt}); }, ErrorCode::kCancelled);
  EXPECT_EQ(kernel.runs, 1);
}

}  // namespace
}  // namespace sardonyx::runtime
