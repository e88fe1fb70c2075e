#include "runtime/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <functional>
#include <thread>

#include "optimize/model_builder.h"
#include "runtime/ops_backend.h"

namespace sardonyx::runtime {
namespace {

using model::Attribute;
using optimize::ModelBuilder;
using optimize::random_tensor;
using optimize::reference_outputs;
using testing::HasSubstr;

constexpr auto kNone = GraphOptimizationLevel::kNone;
constexpr auto kAll = GraphOptimizationLevel::kAll;

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.dtype() == b.dtype() && a.shape() == b.shape() && std::memcmp(a.raw(), b.raw(), a.byte_size()) == 0;
}

Session open(const ModelBuilder& builder, SessionOptions options = {}) {
  return Session(builder.build(), ops_backend(), std::move(options));
}

void expect_error(ErrorCode code, std::string_view text, const std::function<void()>& body) {
  try {
    body();
    ADD_FAILURE() << "nothing thrown; expected: " << text;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    EXPECT_THAT(error.what(), HasSubstr(std::string(text)));
  }
}

// Two convolutions with activations, a residual, shape arithmetic and a reshape: what a plan has to deal with.
ModelBuilder small_network() {
  ModelBuilder builder;
  const auto pads = Attribute::of("pads", std::vector<int64_t>{1, 1, 1, 1});
  builder.input("x", {"batch", 3, "height", "width"}).output("y").output("z");
  builder.constant("w1", random_tensor({8, 3, 3, 3}, 1)).constant("b1", random_tensor({8}, 2));
  builder.constant("w2", random_tensor({8, 8, 3, 3}, 3)).constant("half", Tensor::scalar(0.5f));
  builder.constant("tail", Tensor::of<int64_t>({1}, {-1})).constant("two", Tensor::of<int64_t>({2}, {0, 1}));
  builder.node("Conv", {"x", "w1", "b1"}, {"c1"}, {pads}).node("Relu", {"c1"}, {"r1"});
  builder.node("Conv", {"r1", "w2"}, {"c2"}, {pads}).node("Add", {"c2", "r1"}, {"sum"});
  builder.node("Mul", {"sum", "half"}, {"scaled"}).node("Sigmoid", {"scaled"}, {"z"});
  builder.node("Shape", {"scaled"}, {"s"}).node("Gather", {"s", "two"}, {"front"});
  builder.node("Concat", {"front", "tail"}, {"flat_shape"}, {Attribute::of("axis", 0)});
  builder.node("Reshape", {"scaled", "flat_shape"}, {"y"});
  return builder;
}

bool has_kernels(const ModelBuilder& builder) {
  return std::ranges::all_of(builder.build().graph.node, [](const model::Node& n) { return ops::find_operator(n.domain, n.op_type); });
}

TEST(Session, ComputesWhatTheReferenceComputes) {
  ASSERT_TRUE(has_kernels(small_network()));
  const model::Model model = small_network().build();
  Session plain = open(small_network(), {.graph_optimization_level = kNone});
  Session optimized = open(small_network());
  for (const int64_t height : {1, 5, 17}) {
    const Feeds feeds = {{"x", random_tensor({2, 3, height, 7}, 9)}};
    const std::vector<Tensor> expected = reference_outputs(model, feeds);
    const std::vector<Tensor> a = plain.run({}, feeds), b = optimized.run({}, feeds);
    ASSERT_EQ(a.size(), 2U);
    for (size_t i = 0; i < 2; ++i) {
      EXPECT_TRUE(same_bits(a[i], expected[i])) << "output " << i;
      EXPECT_TRUE(same_bits(b[i], expected[i])) << "output " << i;
    }
  }
}

TEST(Session, BitsDoNotDependOnThreads) {
  const Feeds feeds = {{"x", random_tensor({2, 3, 33, 41}, 9)}};
  const std::vector<Tensor> one = open(small_network(), {.intra_op_num_threads = 1}).run({}, feeds);
  for (const int threads : {2, 3}) {
    const std::vector<Tensor> more = open(small_network(), {.intra_op_num_threads = threads}).run({}, feeds);
    for (size_t i = 0; i < one.size(); ++i) EXPECT_TRUE(same_bits(one[i], more[i])) << threads << " threads, output " << i;
  }
}

TEST(Session, RunsFromManyThreadsWithDifferentShapes) {
  Session session = open(small_network(), {.intra_op_num_threads = 2, .max_plans = 2});
  const auto feeds_of = [](int64_t size) { return Feeds{{"x", random_tensor({1, 3, size, size}, static_cast<uint32_t>(size))}}; };
  std::vector<std::vector<Tensor>> expected;
  for (int64_t size = 4; size < 8; ++size) expected.push_back(reference_outputs(small_network().build(), feeds_of(size)));
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (size_t i = 0; i < 12; ++i) {
        const size_t which = (t + i) % 4;
        const std::vector<Tensor> got = session.run({}, feeds_of(static_cast<int64_t>(which) + 4));
        for (size_t k = 0; k < got.size(); ++k) wrong += same_bits(got[k], expected[which][k]) ? 0 : 1;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong.load(), 0);
  EXPECT_EQ(session.plan_count(), 2U);
}

TEST(Session, ShapeArithmeticVanishesAndReshapeCostsNothing) {
  const PlanReport report = open(small_network(), {.graph_optimization_level = kNone}).explain({{"x", {1, 3, 8, 8}}});
  EXPECT_EQ(report.evaluated_nodes, 3U);  // Shape, Gather, Concat
  const auto reshape = std::ranges::find(report.steps, "Reshape", &StepReport::op);
  ASSERT_NE(reshape, report.steps.end());
  EXPECT_FALSE(reshape->late);
  EXPECT_EQ(reshape->output_shape, (Shape{1, 8, 64}));
  EXPECT_GE(report.peak_memory, report.lower_bound_memory);
  EXPECT_EQ(report.output_memory, 2 * 8 * 64 * sizeof(float));
  const auto conv = std::ranges::find(report.steps, "Conv", &StepReport::op);
  EXPECT_EQ(conv->flops, 2.0 * 3 * 9 * 8 * 64);
  EXPECT_STRNE(conv->kernel.c_str(), "");
}

TEST(Session, ElementwiseChainRunsInPlace) {
  ModelBuilder builder;
  builder.input("x", {4, 100}).output("y");
  builder.node("Neg", {"x"}, {"a"}).node("Relu", {"a"}, {"b"}).node("Sigmoid", {"b"}, {"c"}).node("Add", {"c", "x"}, {"y"});
  Session session = open(builder);
  const PlanReport report = session.explain({});
  EXPECT_TRUE(report.steps[1].in_place);
  EXPECT_TRUE(report.steps[2].in_place);
  EXPECT_LE(report.peak_memory, 4 * 100 * sizeof(float));
  const Tensor x = random_tensor({4, 100}), kept = x.clone();
  EXPECT_TRUE(same_bits(session.run({}, {{"x", x}})[0], reference_outputs(builder.build(), {{"x", x}})[0]));
  EXPECT_TRUE(same_bits(x, kept));  // a feed is never overwritten
}

TEST(Session, InPlaceWaitsForLaterReaders) {
  ModelBuilder builder;
  builder.input("x", {64}).output("y").constant("shape", Tensor::of<int64_t>({2}, {8, 8}));
  builder.node("Neg", {"x"}, {"a"}).node("Reshape", {"a", "shape"}, {"view"}).node("Relu", {"a"}, {"b"});
  builder.node("Flatten", {"view"}, {"flat"}, {Attribute::of("axis", 0)})
      .node("Squeeze", {"flat"}, {"back"})
      .node("Sub", {"b", "back"}, {"y"});
  const Feeds feeds = {{"x", random_tensor({64})}};
  EXPECT_TRUE(same_bits(open(builder).run({}, feeds)[0], reference_outputs(builder.build(), feeds)[0]));
}

TEST(Session, ResultsShareMemoryWithNothing) {
  ModelBuilder builder;
  builder.input("x", {4}).output("x").output("same").output("twice").output("w").output("flat");
  builder.constant("w", random_tensor({4}, 2)).constant("shape", Tensor::of<int64_t>({2}, {2, 2}));
  builder.node("Neg", {"x"}, {"same"}).node("Identity", {"same"}, {"twice"}).node("Reshape", {"x", "shape"}, {"flat"});
  for (const auto level : {kNone, kAll}) {
    Session session = open(builder, {.graph_optimization_level = level});
    const Feeds feeds = {{"x", random_tensor({4})}};
    const std::vector<Tensor> first = session.run({}, feeds), expected = reference_outputs(builder.build(), feeds);
    std::vector<const void*> places = {feeds[0].second.raw()};
    for (size_t i = 0; i < first.size(); ++i) {
      EXPECT_TRUE(same_bits(first[i], expected[i])) << i;
      EXPECT_EQ(std::ranges::count(places, first[i].raw()), 0) << i;
      EXPECT_FALSE(first[i].is_read_only()) << i;
      places.push_back(first[i].raw());
    }
    const std::vector<Tensor> second = session.run({}, feeds);
    for (size_t i = 0; i < first.size(); ++i) EXPECT_EQ(std::ranges::count(places, second[i].raw()), 0) << i;
  }
}

TEST(Session, RequestedOutputsOnlyAndInTheirOrder) {
  Session session = open(small_network());
  const Feeds feeds = {{"x", random_tensor({1, 3, 4, 4})}};
  const std::vector<Tensor> all = session.run({}, feeds), some = session.run({"z", "y", "z"}, feeds);
  ASSERT_EQ(some.size(), 3U);
  EXPECT_TRUE(same_bits(some[0], all[1]));
  EXPECT_TRUE(same_bits(some[1], all[0]));
  EXPECT_TRUE(same_bits(some[2], all[1]));
  EXPECT_NE(some[0].raw(), some[2].raw());
  EXPECT_EQ(session.run({"z"}, feeds).size(), 1U);
}

TEST(Session, DataDependentShapesAreBoundWhileRunning) {
  ModelBuilder builder;
  builder.input("x", {"n"}).input("shape", {"rank"}, DType::kInt64).output("y").output("r");
  builder.node("Neg", {"x"}, {"a"}).node("Reshape", {"a", "shape"}, {"r"}).node("Relu", {"r"}, {"b"});
  builder.node("Add", {"b", "r"}, {"c"}).node("Transpose", {"c"}, {"y"});
  Session session = open(builder);
  for (const Shape& shape : {Shape{2, 6}, Shape{6, 2}, Shape{12, 1}, Shape{3, 4}, Shape{4, 3}, Shape{2, 6}}) {
    const Feeds feeds = {{"x", random_tensor({12})}, {"shape", Tensor::of<int64_t>({2}, std::span<const int64_t>(shape))}};
    const std::vector<Tensor> got = session.run({}, feeds), expected = reference_outputs(builder.build(), feeds);
    EXPECT_TRUE(same_bits(got[0], expected[0]));
    EXPECT_TRUE(same_bits(got[1], expected[1]));
  }
  EXPECT_EQ(session.plan_count(), 1U);
  const PlanReport report = session.explain({{"x", {12}}, {"shape", {2}}});
  EXPECT_FALSE(report.steps[0].late);
  EXPECT_TRUE(report.steps[1].late);
  expect_error(ErrorCode::kInvalidArgument, "node 'node_r' (Reshape, opset 17): ", [&] {
    session.run({}, {{"x", random_tensor({12})}, {"shape", Tensor::of<int64_t>({1}, {5})}});
  });
  // An error leaves the session usable.
  EXPECT_EQ(session.run({}, {{"x", random_tensor({12})}, {"shape", Tensor::of<int64_t>({2}, {2, 6})}}).size(), 2U);
}

// What is bound while running goes the way that a plan of known shapes would take, to the bit.
TEST(Session, LateConvolutionsGoByWinogradToo) {
  ModelBuilder late, known;
  for (ModelBuilder* builder : {&late, &known}) {
    builder->input("x", {1, 16, 12, 13}).output("y").constant("w", random_tensor({16, 16, 3, 3}, 3));
  }
  late.input("shape", {4}, DType::kInt64).node("Reshape", {"x", "shape"}, {"r"}).node("Conv", {"r", "w"}, {"y"});
  known.node("Conv", {"x", "w"}, {"y"});
  const Tensor x = random_tensor({1, 16, 12, 13}, 4), shape = Tensor::of<int64_t>({4}, {1, 16, 12, 13});
  const auto run = [&](const ModelBuilder& builder, Feeds feeds, std::vector<std::string> disabled) {
    feeds.emplace_back("x", x);
    return open(builder, {.disabled_passes = std::move(disabled)}).run({}, feeds)[0];
  };
  const Tensor got = run(late, {{"shape", shape}}, {});
  EXPECT_TRUE(same_bits(got, run(known, {}, {"block_channels"})));
  EXPECT_FALSE(same_bits(got, run(known, {}, {"block_channels", "winograd"})));
}

TEST(Session, StringsAreValuesToo) {
  ModelBuilder builder;
  builder.input("x", {"n"}, DType::kString).output("y", DType::kString).output("x", DType::kString);
  builder.constant("shape", Tensor::of<int64_t>({2}, {-1, 2})).node("Identity", {"x"}, {"a"}).node("Reshape", {"a", "shape"}, {"y"});
  for (const auto level : {kNone, kAll}) {
    Session session = open(builder, {.graph_optimization_level = level});
    const Tensor x = Tensor::of_strings({4}, {"a", "b", "c", "a string that is too long to be kept inside"});
    for (int repeat = 0; repeat < 2; ++repeat) {
      const std::vector<Tensor> got = session.run({}, {{"x", x}});
      EXPECT_EQ(got[0].shape(), (Shape{2, 2}));
      EXPECT_THAT(got[0].strings(), testing::ElementsAreArray(x.strings()));
      EXPECT_THAT(got[1].strings(), testing::ElementsAreArray(x.strings()));
    }
  }
}

TEST(Session, PlansAreBoundedAndTheOldestGoes) {
  Session session = open(small_network(), {.max_plans = 3});
  for (int64_t size = 1; size <= 6; ++size) session.run({}, {{"x", random_tensor({1, 3, size, 2})}});
  EXPECT_EQ(session.plan_count(), 3U);
  session.trim();
  EXPECT_EQ(session.run({}, {{"x", random_tensor({1, 3, 6, 2})}}).size(), 2U);
}

TEST(Session, RefusesWhatDoesNotFitMemory) {
  Session session = open(small_network(), {.max_memory = 100000});
  EXPECT_EQ(session.run({}, {{"x", random_tensor({1, 3, 8, 8})}}).size(), 2U);
  expect_error(ErrorCode::kResourceLimit, "max_memory is 0.1 MB. Feed less at once, or raise max_memory to at least", [&] {
    session.run({}, {{"x", random_tensor({1, 3, 100, 100})}});
  });
}

TEST(Session, FeedErrorsNameInputAxisAndCure) {
  ModelBuilder builder;
  builder.input("input", {"batch", 3, 224, 224}).input("mask", {"batch", 4}).output("y").output("m");
  builder.node("Relu", {"input"}, {"y"}).node("Neg", {"mask"}, {"m"});
  Session session = open(builder);
  const Tensor image = Tensor::zeros({2, 3, 224, 224}), mask = Tensor::zeros({2, 4});
  const auto refuses = [&](std::string_view text, const Feeds& feeds) {
    expect_error(ErrorCode::kInvalidArgument, text, [&] { session.run({}, feeds); });
  };
  refuses(
      "input 'input': axis 2 (fixed to 224 by the model) got 960. Feed 224, or export the model with a dynamic axis: "
      "--dynamic input:2=height",
      {{"input", Tensor::zeros({2, 3, 960, 224})}, {"mask", mask}});
  refuses("input 'mask' got tensor(double), the model declares tensor(float)", {{"input", image}, {"mask", mask.to(DType::kFloat64)}});
  refuses("input 'mask' got shape [2] of rank 1, the model declares [batch, 4] of rank 2",
          {{"input", image}, {"mask", Tensor::zeros({2})}});
  refuses("'batch' is 2 by input 'input' (axis 0) and 3 by input 'mask' (axis 0)", {{"input", image}, {"mask", Tensor::zeros({3, 4})}});
  refuses("inputs 'input' (tensor(float) [batch, 3, 224, 224]), 'mask' (tensor(float) [batch, 4]) are not fed; nothing is", {});
  refuses("input 'mask' (tensor(float) [batch, 4]) is not fed; fed: 'input'", {{"input", image}});
  refuses("there is no input 'imput'; did you mean 'input'", {{"imput", image}, {"mask", mask}});
  refuses("input 'mask' is fed twice", {{"input", image}, {"mask", mask}, {"mask", mask}});
  refuses("input 'mask' is fed an undefined tensor", {{"input", image}, {"mask", Tensor()}});
  expect_error(ErrorCode::kInvalidArgument, "there is no output 'q'", [&] { session.run({"q"}, {{"input", image}, {"mask", mask}}); });
  expect_error(ErrorCode::kInvalidArgument, "the shape of input 'input' must be given: the model declares [batch, 3, 224, 224]",
               [&] { session.explain({}); });
}

TEST(Session, FreeDimensionsCanBeFixed) {
  Session session = open(small_network(), {.free_dimension_overrides = {{"height", 4}, {"batch", 1}}});
  EXPECT_EQ(to_string(session.program().signature().inputs()[0].arg.type.tensor()->shape), "[1, 3, 4, width]");
  EXPECT_EQ(session.run({}, {{"x", random_tensor({1, 3, 4, 5})}}).size(), 2U);
  expect_error(ErrorCode::kInvalidArgument, "axis 2 ('height', fixed to 4 by free_dimension_overrides) got 5", [&] {
    session.run({}, {{"x", random_tensor({1, 3, 5, 5})}});
  });
  expect_error(ErrorCode::kInvalidArgument, "no input has a symbolic dimension 'heigth'; did you mean 'height'", [&] {
    open(small_network(), {.free_dimension_overrides = {{"heigth", 4}}});
  });
}

TEST(Session, InitializersThatAreInputsCanBeFed) {
  ModelBuilder builder;
  builder.input("x", {2}).input("w", {2}).output("y").constant("w", Tensor::of<float>({2}, {1, 2})).node("Add", {"x", "w"}, {"y"});
  Session session = open(builder);
  EXPECT_EQ(session.program().signature().required_inputs(), 1U);
  const Tensor x = Tensor::of<float>({2}, {10, 20});
  EXPECT_THAT(session.run({}, {{"x", x}})[0].values<float>(), testing::ElementsAre(11, 22));
  EXPECT_THAT(session.run({}, {{"x", x}, {"w", x}})[0].values<float>(), testing::ElementsAre(20, 40));
  EXPECT_THAT(session.run({}, {{"x", x}})[0].values<float>(), testing::ElementsAre(11, 22));
}

TEST(Session, RefusesAtLoadWhatItCannotRun) {
  ModelBuilder unknown;
  unknown.input("x", {2}).output("y").import("com.example", 1).node("Frobnicate", {"x"}, {"y"}, {}, "com.example");
  expect_error(ErrorCode::kUnsupported, "node 'node_y' (Frobnicate, opset 1): no kernel for operator Frobnicate", [&] { open(unknown); });

  ModelBuilder no_opset;
  no_opset.input("x", {2}).output("y").node("Relu", {"x"}, {"y"}, {}, "com.example");
  expect_error(ErrorCode::kInvalidModel, "the model imports no opset of domain 'com.example'", [&] { open(no_opset); });

  model::Model function = ModelBuilder().import("f", 1).input("x", {2}).output("y").node("Twice", {"x"}, {"y"}, {}, "f").build();
  function.functions.resize(1);
  function.functions[0].name = "Twice";
  function.functions[0].domain = "f";
  expect_error(ErrorCode::kUnsupported, "it calls the model-local function 'Twice'", [&] { Session(function, ops_backend(), {}); });

  expect_error(ErrorCode::kInvalidModel, "graph output 'q' is produced by no node",
               [&] { open(ModelBuilder().input("x", {2}).output("q")); });
  expect_error(ErrorCode::kInvalidModel, "the model has no graph", [] { Session(model::Model(), ops_backend(), {}); });
  expect_error(ErrorCode::kInvalidArgument, "max_plans is 0", [&] { open(small_network(), {.max_plans = 0}); });
}

TEST(Session, DenormalsAreFlushed) {
  ModelBuilder builder;
  builder.input("x", {3}).output("y").constant("tiny", Tensor::of<float>({3}, {1e-30f, 1e-30f, 1e-30f})).node("Mul", {"x", "tiny"}, {"y"});
  const std::vector<Tensor> got = open(builder).run({}, {{"x", Tensor::of<float>({3}, {1e-10f, 1.0f, -1e-12f})}});
  EXPECT_EQ(got[0].values<float>()[0], 0.0f);
  EXPECT_EQ(got[0].values<float>()[1], 1e-30f);
  volatile float small = 1e-30f;
  EXPECT_NE(small * 1e-10f, 0.0f);  // the caller's mode is restored
}

TEST(Session, ProfileGivesTimes) {
  const PlanReport report = open(small_network()).profile({{"x", random_tensor({1, 3, 32, 32})}});
  double seconds = 0;
  for (const StepReport& step : report.steps) seconds += step.seconds;
  EXPECT_GT(seconds, 0);
  EXPECT_GT(report.flops, 0);
}

}  // namespace
}  // namespace sardonyx::runtime
