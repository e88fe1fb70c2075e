#include <gmock/gmock.h>

#include <algorithm>
#include <functional>

#include "ops/op_case.h"

namespace sardonyx::ops {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Floats = std::vector<float>;
using Ints = std::vector<int64_t>;
using Strings = std::vector<std::string>;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// Trees as version 1 has them, with an oracle that follows the ids.
struct Trees {
  Ints tree, node, feature, if_true, if_false, missing, vote_tree, vote_node, vote_target;
  Strings mode;
  Floats value, weight;

  void add(int64_t t, int64_t id, const char* test, int64_t f, float threshold, int64_t yes, int64_t no, int64_t nan = 0) {
    tree.push_back(t), node.push_back(id), mode.push_back(test), feature.push_back(f), value.push_back(threshold);
    if_true.push_back(yes), if_false.push_back(no), missing.push_back(nan);
  }
  void leaf(int64_t t, int64_t id, int64_t target, float w) {
    add(t, id, "LEAF", 0, 0, 0, 0);
    vote(t, id, target, w);
  }
  void vote(int64_t t, int64_t id, int64_t target, float w) {
    vote_tree.push_back(t), vote_node.push_back(id), vote_target.push_back(target), weight.push_back(w);
  }

  OpCase op(const char* name, const std::string& prefix, const char* targets) const {
    OpCase op(name, 3, "ai.onnx.ml");
    op.ints("nodes_treeids", tree).ints("nodes_nodeids", node).ints("nodes_featureids", feature).attribute("nodes_modes", mode);
    op.attribute("nodes_values", value).ints("nodes_truenodeids", if_true).ints("nodes_falsenodeids", if_false);
    op.ints("nodes_missing_value_tracks_true", missing).ints(prefix + "_treeids", vote_tree).ints(prefix + "_nodeids", vote_node);
    op.ints(targets, vote_target).attribute(prefix + "_weights", weight);
    return op;
  }
  OpCase regressor(int targets = 1) const { return op("TreeEnsembleRegressor", "target", "target_ids").attribute("n_targets", targets); }
  OpCase classifier() const { return op("TreeEnsembleClassifier", "class", "class_ids").outputs({"y", "z"}); }

  size_t position(int64_t t, int64_t id) const {
    for (size_t i = 0; i < tree.size(); ++i) {
      if (tree[i] == t && node[i] == id) return i;
    }
    ADD_FAILURE() << "no node " << id;
    return 0;
  }
  // Position of the leaf that a row comes to.
  size_t leaf_of(int64_t t, const float* row) const {
    size_t at = position(t, 0);
    while (mode[at] != "LEAF") {
      const float x = row[feature[at]], v = value[at];
      const std::string& m = mode[at];
      bool yes = m == "BRANCH_LEQ" ? x <= v : m == "BRANCH_LT" ? x < v : m == "BRANCH_GTE" ? x >= v : m == "BRANCH_GT" ? x > v : false;
      if (m == "BRANCH_EQ") yes = x == v;
      if (m == "BRANCH_NEQ") yes = x != v;
      yes = yes || (std::isnan(x) && missing[at] != 0);
      at = position(t, yes ? if_true[at] : if_false[at]);
    }
    return at;
  }
};

// Complete trees of that depth over thresholds on a small grid, so that rows often stand on them.
Trees random_trees(std::mt19937& generator, int64_t count, int64_t depth, int64_t features, int64_t targets, bool all_modes) {
  const char* modes[] = {"BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ"};
  const auto number = [&](int64_t least, int64_t most) { return std::uniform_int_distribution<int64_t>(least, most)(generator); };
  Trees trees;
  for (int64_t t = 0; t < count; ++t) {
    const int64_t inner = (int64_t{1} << depth) - 1;
    for (int64_t id = 0; id < 2 * inner + 1; ++id) {
      if (id < inner) {
        trees.add(t, id, modes[all_modes ? number(0, 5) : 0], number(0, features - 1), static_cast<float>(number(-2, 2)), 2 * id + 1,
                  2 * id + 2, number(0, 1));
      } else {
        trees.leaf(t, id, number(0, targets - 1), static_cast<float>(number(-9, 9)) / 4);
      }
    }
  }
  return trees;
}

Tensor grid_rows(std::mt19937& generator, int64_t rows, int64_t features, bool with_nan) {
  Tensor x({rows, features});
  for (float& value : x.mutable_values<float>()) {
    value = static_cast<float>(std::uniform_int_distribution<int>(-2, 2)(generator));
    if (with_nan && generator() % 8 == 0) value = kNan;
  }
  return x;
}

TEST(MlTrees, RegressorFollowsTheIds) {
  std::mt19937 generator(11);
  for (const int64_t rows : {1, 7, 64, 65, 200, 700}) {
    for (const bool all_modes : {false, true}) {
      const Trees trees = random_trees(generator, rows == 7 ? 300 : 5, 4, 3, 2, all_modes);
      const Tensor x = grid_rows(generator, rows, 3, all_modes);
      std::vector<double> expected(static_cast<size_t>(rows) * 2, 0.5);
      for (int64_t row = 0; row < rows; ++row) {
        for (int64_t t = 0; t <= trees.tree.back(); ++t) {
          const size_t leaf = trees.leaf_of(t, x.values<float>().data() + row * 3);
          for (size_t v = 0; v < trees.weight.size(); ++v) {
            if (trees.vote_tree[v] == t && trees.vote_node[v] == trees.node[leaf])
              expected[static_cast<size_t>(row * 2 + trees.vote_target[v])] += static_cast<double>(trees.weight[v]);
          }
        }
      }
      OpCase node = trees.regressor(2).attribute("base_values", Floats{0.5f, 0.5f});
      expect_close(node.run({x}), {rows, 2}, expected, 1e-7);
      expect_close(node.run({x.to(DType::kFloat64)}), {rows, 2}, expected, 1e-7);
    }
  }
}

// All attributes but the weights.
model::Node regressor_node(const Trees& trees) {
  model::Node node;
  node.op_type = "TreeEnsembleRegressor";
  node.domain = "ai.onnx.ml";
  node.input = {"x"};
  node.output = {"y"};
  const std::pair<const char*, const Ints*> lists[] = {{"nodes_treeids", &trees.tree},          {"nodes_nodeids", &trees.node},
                                                       {"nodes_featureids", &trees.feature},    {"nodes_truenodeids", &trees.if_true},
                                                       {"nodes_falsenodeids", &trees.if_false}, {"target_treeids", &trees.vote_tree},
                                                       {"target_nodeids", &trees.vote_node},    {"target_ids", &trees.vote_target}};
  for (const auto& [name, values] : lists) node.attribute.push_back(model::Attribute::of(name, *values));
  node.attribute.push_back(model::Attribute::of("nodes_modes", trees.mode));
  node.attribute.push_back(model::Attribute::of("nodes_values", trees.value));
  node.attribute.push_back(model::Attribute::of("n_targets", 1));
  return node;
}

// The node's output for x, on that many threads.
Tensor run_on_threads(const model::Node& node, const Tensor& x, int threads) {
  core::ThreadPool pool(threads);
  const Tensor* none = nullptr;
  const ValueFacts facts = {x.dtype(), x.shape(), nullptr};
  const auto bound = prepare({node, 3, std::span(&none, 1)})->bind({std::span(&facts, 1), threads});
  return run_step(*bound, std::span(&x, 1), pool).at(0);
}

// Sums whose order shows: neither the threads nor the rows beside it change the bits of a row.
TEST(MlTrees, BitsDependOnTheRowAlone) {
  std::mt19937 generator(13);
  const Trees trees = random_trees(generator, 400, 3, 2, 1, false);
  model::Node node = regressor_node(trees);
  Tensor weights({static_cast<int64_t>(trees.weight.size())}, DType::kFloat64);
  for (double& weight : weights.mutable_values<double>()) weight = std::normal_distribution<double>()(generator);
  node.attribute.push_back(model::Attribute::of("target_weights_as_tensor", model::encode(weights)));
  for (const int64_t rows : {3, 700}) {
    const Tensor x = grid_rows(generator, rows, 2, false);
    const Tensor one = run_on_threads(node, x, 1), three = run_on_threads(node, x, 3);
    for (int64_t row = 0; row < rows; ++row) {
      const auto i = static_cast<size_t>(row);
      const Tensor alone = run_on_threads(node, Tensor::of<float>({1, 2}, x.values<float>().subspan(i * 2, 2)), 1);
      ASSERT_EQ(one.values<float>()[i], alone.values<float>()[0]) << row;
      ASSERT_EQ(one.values<float>()[i], three.values<float>()[i]) << row;
      if (row == 9) break;
    }
    EXPECT_TRUE(std::ranges::equal(one.values<float>(), three.values<float>()));
  }
}

// x <= 0 ? a : b
Trees stump(float a, float b, int64_t target = 0) {
  Trees trees;
  trees.add(0, 0, "BRANCH_LEQ", 0, 0, 1, 2, 1);
  trees.leaf(0, 1, target, a);
  trees.leaf(0, 2, target, b);
  return trees;
}

TEST(MlTrees, Aggregates) {
  Trees trees = stump(1, 4);
  trees.add(1, 0, "LEAF", 0, 0, 0, 0);
  trees.vote(1, 0, 0, 2);
  trees.vote(1, 0, 1, -3);
  const Tensor x = floats({2, 1}, {-1, 1});
  const auto run = [&](const char* how) { return doubles(trees.regressor(2).attribute("aggregate_function", how).run({x})); };
  EXPECT_THAT(run("SUM"), ElementsAre(3, -3, 6, -3));
  EXPECT_THAT(run("AVERAGE"), ElementsAre(1.5, -1.5, 3, -1.5));
  EXPECT_THAT(run("MIN"), ElementsAre(1, -3, 2, -3));
  EXPECT_THAT(run("MAX"), ElementsAre(2, -3, 4, -3));
  EXPECT_THAT(trees.regressor(2).attribute("aggregate_function", "MEAN").error({x}).second, HasSubstr("aggregate_function"));
}

TEST(MlTrees, ThresholdsInDouble) {
  const double close = 0.1;
  Trees trees = stump(1, 2);
  trees.value.clear();
  OpCase node = trees.regressor().attribute("nodes_values_as_tensor", model::encode(Tensor::of<double>({3}, {close, 0, 0})));
  EXPECT_THAT(trees.regressor().attribute("nodes_values_as_tensor", model::encode(int64s({0, 0, 0}))).error({Tensor({1, 1})}).second,
              HasSubstr("nodes_values_as_tensor"));
  const Tensor x = Tensor::of<double>({2, 1}, {close, std::nextafter(close, 1.0)});
  EXPECT_THAT(doubles(node.run({x})), ElementsAre(1, 2));
}

TEST(MlTrees, ClassifierWithVotesForOneOfTwo) {
  const Tensor x = floats({3, 1}, {-1, 1, kNan});
  const auto run = [&](const Trees& trees, const char* transform) {
    return trees.classifier().ints("classlabels_int64s", {7, 9}).attribute("post_transform", transform).run_all({x});
  };
  // No weight is negative: probabilities of the second class.
  const std::vector<Tensor> likely = run(stump(0.25f, 0.75f), "NONE");
  EXPECT_THAT(likely[0].values<int64_t>(), ElementsAre(7, 9, 7));
  EXPECT_THAT(doubles(likely[1]), ElementsAre(0.75, 0.25, 0.25, 0.75, 0.75, 0.25));
  // Else: scores on both sides of 0.
  const std::vector<Tensor> scored = run(stump(-1, 0.25f), "NONE");
  EXPECT_THAT(scored[0].values<int64_t>(), ElementsAre(7, 9, 7));
  EXPECT_THAT(doubles(scored[1]), ElementsAre(1, -1, -0.25, 0.25, 1, -1));
  const double p = 1 / (1 + std::exp(1.0)), q = 1 / (1 + std::exp(-0.25));
  expect_close(run(stump(-1, 0.25f), "LOGISTIC")[1], {3, 2}, {1 - p, p, 1 - q, q, 1 - p, p});
  EXPECT_THAT(doubles(run(stump(0.25f, 0.75f, 1), "NONE")[1]), ElementsAre(0, 0.25, 0, 0.75, 0, 0.25));
}

TEST(MlTrees, ClassifierTakesTheTopClass) {
  Trees trees = stump(-1, -2, 2);
  trees.vote(0, 2, 0, -1.5f);
  OpCase node = trees.classifier().attribute("classlabels_strings", Strings{"a", "b", "c"});
  const std::vector<Tensor> results = node.run_all({floats({2, 1}, {-1, 1})});
  EXPECT_THAT(results[0].strings(), ElementsAre("c", "a"));  // of the classes that were voted for
  EXPECT_THAT(doubles(results[1]), ElementsAre(0, 0, -1, -1.5, 0, -2));
  node.attribute("base_values", Floats{0, 5, 0});
  EXPECT_THAT(node.run_all({floats({2, 1}, {-1, 1})})[0].strings(), ElementsAre("b", "b"));
}

// A tree for each way to break one.
TEST(MlTrees, RefusesBrokenTrees) {
  const auto refused = [](const std::function<void(Trees&)>& change, const char* attribute) {
    Trees trees = stump(1, 2);
    change(trees);
    const auto [code, text] = trees.regressor().error({floats({1, 1}, {0})});
    EXPECT_EQ(code, ErrorCode::kInvalidModel) << attribute;
    EXPECT_THAT(text, HasSubstr(attribute));
  };
  refused([](Trees& t) { t.if_true[0] = 9; }, "nodes_truenodeids");
  refused([](Trees& t) { t.if_false[0] = -1; }, "nodes_falsenodeids");
  refused([](Trees& t) { t.if_true[0] = 0; }, "root");
  refused([](Trees& t) { t.tree.pop_back(); }, "nodes_");
  refused([](Trees& t) { t.mode.pop_back(); }, "nodes_modes");
  refused([](Trees& t) { t.mode[0] = "BRANCH"; }, "nodes_modes");
  refused([](Trees& t) { t.value.pop_back(); }, "nodes_values");
  refused([](Trees& t) { t.missing.pop_back(); }, "nodes_missing_value_tracks_true");
  refused([](Trees& t) { t.feature[0] = -1; }, "nodes_featureids");
  refused([](Trees& t) { t.feature[0] = int64_t{1} << 31; }, "nodes_featureids");
  refused([](Trees& t) { t.node[2] = 1; }, "twice");
  refused([](Trees& t) { t.vote_node[0] = 5; }, "target_nodeids");
  refused([](Trees& t) { t.vote_target[0] = 1; }, "target_ids");
  refused([](Trees& t) { t.vote_target[0] = -1; }, "target_ids");
  refused([](Trees& t) { t.weight.pop_back(); }, "target_");
  // 0 -> 1 -> 3 -> 1
  refused(
      [](Trees& t) {
        t.mode[1] = "BRANCH_LEQ", t.if_true[1] = 3, t.if_false[1] = 2;
        t.add(0, 3, "BRANCH_LEQ", 0, 0, 1, 2);
      },
      "circle");
}

TEST(MlTrees, RefusesWhatDoesNotFitTheRows) {
  Trees trees = stump(1, 2);
  trees.feature[0] = 3;
  EXPECT_THAT(trees.regressor().error({Tensor({1, 3})}).second, HasSubstr("feature 3"));
  EXPECT_THAT(stump(1, 2).regressor(0).error({Tensor({1, 1})}).second, HasSubstr("n_targets"));
  EXPECT_THAT(stump(1, 2).regressor().attribute("base_values", Floats{1, 2}).error({Tensor({1, 1})}).second, HasSubstr("base_values"));
  EXPECT_EQ(stump(1, 2).regressor().run({Tensor({0, 1})}).shape(), (Shape{0, 1}));
}

// A chain of branches as long as a list allows is walked and checked without recursion; branches may share what follows them.
TEST(MlTrees, DeepAndSharedBranches) {
  Trees trees;
  constexpr int64_t kDepth = 20000;
  for (int64_t i = 0; i < kDepth; ++i) trees.add(0, i, "BRANCH_GT", 0, static_cast<float>(i), i + 1, i % 2 == 0 ? kDepth : i + 1);
  trees.leaf(0, kDepth, 0, 3);
  EXPECT_THAT(doubles(trees.regressor().run({floats({2, 1}, {1e6f, -1})})), ElementsAre(3, 3));
}

// Version 5: x < 1 ? (x in {-1, 0} ? 10 : 20) : 30, and a tree that is one leaf.
OpCase ensemble(DType dtype, const std::function<void(Ints&, Ints&)>& change = {}, Floats members = {-1, 0, kNan}) {
  const auto encoded = [&](Floats values) {
    return model::encode(Tensor::of<float>({static_cast<int64_t>(values.size())}, std::span<const float>(values)).to(dtype));
  };
  Ints yes = {1, 0, 3}, no = {2, 1, 3};
  if (change) change(yes, no);
  return OpCase("TreeEnsemble", 5, "ai.onnx.ml")
      .attribute("nodes_splits", encoded({1, 0, 0}))
      .attribute("nodes_modes", model::encode(Tensor::of<uint8_t>({3}, {1, 6, 0})))
      .ints("nodes_featureids", {0, 0, 0})
      .ints("nodes_truenodeids", yes)
      .ints("nodes_falsenodeids", no)
      .ints("nodes_trueleafs", {0, 1, 1})
      .ints("nodes_falseleafs", {1, 1, 1})
      .ints("nodes_missing_value_tracks_true", {1, 0, 0})
      .ints("leaf_targetids", {0, 0, 0, 1})
      .attribute("leaf_weights", encoded({10, 20, 30, 5}))
      .attribute("membership_values", encoded(std::move(members)))
      .ints("tree_roots", {0, 2})
      .attribute("n_targets", 2);
}

TEST(MlTrees, EnsembleOfVersion5) {
  for (const DType dtype : {DType::kFloat32, DType::kFloat64, DType::kFloat16}) {
    const Tensor y = ensemble(dtype).run({floats({5, 1}, {-1, 0, -2, 1, kNan}).to(dtype)});
    EXPECT_EQ(y.dtype(), dtype);
    EXPECT_THAT(doubles(y), ElementsAre(10, 5, 10, 5, 20, 5, 30, 5, 20, 5));
  }
  EXPECT_THAT(doubles(ensemble(DType::kFloat32, {}, {-1, 0}).run({floats({1, 1}, {0})})), ElementsAre(10, 5));
  EXPECT_THAT(doubles(ensemble(DType::kFloat32).attribute("aggregate_function", 0).run({floats({1, 1}, {0})})), ElementsAre(5, 2.5));
}

TEST(MlTrees, EnsembleOfVersion5Refuses) {
  const Tensor x = floats({1, 1}, {0});
  const auto text = [&](const std::function<void(Ints&, Ints&)>& change) { return ensemble(DType::kFloat32, change).error({x}).second; };
  EXPECT_THAT(text([](Ints& yes, Ints&) { yes[0] = 0; }), HasSubstr("circle"));
  EXPECT_THAT(text([](Ints& yes, Ints&) { yes[0] = 3; }), HasSubstr("nodes_truenodeids"));
  EXPECT_THAT(text([](Ints&, Ints& no) { no[0] = 4; }), HasSubstr("nodes_falsenodeids"));
  EXPECT_THAT(text([](Ints&, Ints& no) { no.pop_back(); }), HasSubstr("nodes_falsenodeids"));
  EXPECT_THAT(ensemble(DType::kFloat32, {}, {1, kNan, 2}).error({x}).second, HasSubstr("membership_values"));
  EXPECT_THAT(ensemble(DType::kFloat32).attribute("post_transform", 5).error({x}).second, HasSubstr("post_transform"));
  EXPECT_THAT(ensemble(DType::kFloat32).attribute("aggregate_function", -1).error({x}).second, HasSubstr("aggregate_function"));
  EXPECT_EQ(ensemble(DType::kFloat32).error({x.to(DType::kFloat64)}).first, ErrorCode::kInvalidArgument);
  OpCase bare("TreeEnsemble", 5, "ai.onnx.ml");
  EXPECT_THAT(bare.error({x}).second, HasSubstr("nodes_splits"));
}

}  // namespace
}  // namespace sardonyx::ops
