// ai.onnx.ml: TreeEnsembleClassifier and TreeEnsembleRegressor (versions 1 and 3). Nodes are told by the ids of their tree and themselves.
//
// Votes for one of two classes alone are the score of the second, as ONNX Runtime has it and converters rely on. Votes for both make the
// class with the greater score the label, as the specification says; ONNX Runtime looks at the sign of the second score there.
#include <algorithm>
#include <unordered_set>

#include "ops/attributes/attributes.h"
#include "ops/elements/real.h"
#include "ops/ml/class_labels.h"
#include "ops/ml/post_transform.h"
#include "ops/ml/row_scores.h"
#include "ops/ml/tree_aggregate.h"
#include "ops/ml/tree_scores.h"
#include "ops/stages.h"

namespace sardonyx::ops {
namespace {

// Reads attributes and remembers whether some stood as a tensor of double.
class TreeReader {
 public:
  explicit TreeReader(const model::Node& node) : node_(node) {}

  bool in_double() const noexcept { return in_double_; }
  const model::Node& node() const noexcept { return node_; }

  // Floats as `name`, or as a tensor <name>_as_tensor.
  std::vector<double> numbers(const std::string& name) {
    const std::vector<float> list = model::get_floats(node_, name);
    const model::Attribute* attribute = node_.find_attribute(name + "_as_tensor");
    if (!attribute) return {list.begin(), list.end()};
    if (!list.empty()) throw model_error("only one of the attributes {0} and {0}_as_tensor may be given", name);
    if (attribute->type != model::Attribute::Type::kTensor || !attribute->t)
      throw model_error("attribute {}_as_tensor must be a tensor", name);
    const Tensor tensor = model::decode(*attribute->t);
    if (tensor.dim() != 1 || !kReals.has(tensor.dtype()))
      throw model_error("attribute {}_as_tensor is a {} of shape {}; it must be floating-point and of rank 1", name,
                        type_string(tensor.dtype()), to_string(tensor.shape()));
    in_double_ = in_double_ || tensor.dtype() == DType::kFloat64;
    const Tensor wide = tensor.to(DType::kFloat64);
    const auto values = wide.values<double>();
    return {values.begin(), values.end()};
  }

  std::vector<int64_t> ints(const std::string& name, size_t count) const { return sized(model::get_ints(node_, name), count, name); }
  template <class T>
  static std::vector<T> sized(std::vector<T> values, size_t count, const std::string& name) {
    if (values.size() != count)
      throw model_error("attribute {} has {} entries; it must have {}, as the lists beside it", name, values.size(), count);
    return values;
  }

 private:
  const model::Node& node_;
  bool in_double_ = false;
};

// Positions of nodes by the ids of tree and node.
class NodeIds {
 public:
  NodeIds(const std::vector<int64_t>& trees, const std::vector<int64_t>& nodes) {
    for (size_t i = 0; i < nodes.size(); ++i) ids_.push_back({trees[i], nodes[i], static_cast<uint32_t>(i)});
    std::ranges::sort(ids_);
    const auto same = std::ranges::adjacent_find(ids_, [](const Id& a, const Id& b) { return a.tree == b.tree && a.node == b.node; });
    if (same != ids_.end())
      throw model_error("attributes nodes_treeids and nodes_nodeids have node {} of tree {} twice", same->node, same->tree);
  }

  uint32_t find(int64_t tree, int64_t node, std::string_view name) const {
    const auto found = std::ranges::lower_bound(ids_, Id{tree, node, 0});
    if (found == ids_.end() || found->tree != tree || found->node != node)
      throw model_error("attribute {} names node {} of tree {}, which attribute nodes_nodeids does not have", name, node, tree);
    return found->position;
  }

 private:
  struct Id {
    int64_t tree, node;
    uint32_t position;
    auto operator<=>(const Id&) const = default;
  };
  std::vector<Id> ids_;
};

constexpr std::string_view kLeaf = "LEAF";

TreeTest test_from_word(std::string_view word) {
  constexpr std::pair<std::string_view, TreeTest> kWords[] = {{"BRANCH_LEQ", TreeTest::kLessEqual},    {"BRANCH_LT", TreeTest::kLess},
                                                              {"BRANCH_GTE", TreeTest::kGreaterEqual}, {"BRANCH_GT", TreeTest::kGreater},
                                                              {"BRANCH_EQ", TreeTest::kEqual},         {"BRANCH_NEQ", TreeTest::kNotEqual}};
  for (const auto& [text, test] : kWords) {
    if (text == word) return test;
  }
  throw model_error("attribute nodes_modes holds '{}', which is no mode of this operator", word);
}

// The root of a tree is the node that is listed first, and no node's child.
void read_roots(const std::vector<int64_t>& tree_ids, const std::vector<bool>& is_child, TreeNodes& trees) {
  std::unordered_set<int64_t> known;
  for (size_t i = 0; i < tree_ids.size(); ++i) {
    if (!known.insert(tree_ids[i]).second) continue;
    if (is_child[i])
      throw model_error("the first node of tree {} in attribute nodes_nodeids is its root, but the child of another node", tree_ids[i]);
    trees.roots.push_back(static_cast<uint32_t>(i));
  }
}

void read_children(const TreeReader& reader, const std::vector<int64_t>& tree_ids, const NodeIds& ids, TreeNodes& trees) {
  const auto true_ids = reader.ints("nodes_truenodeids", tree_ids.size()), false_ids = reader.ints("nodes_falsenodeids", tree_ids.size());
  std::vector<bool> is_child(tree_ids.size());
  for (size_t i = 0; i < tree_ids.size(); ++i) {
    TreeNodes::Node& node = trees.nodes[i];
    if (node.is_leaf) continue;
    node.if_true = ids.find(tree_ids[i], true_ids[i], "nodes_truenodeids");
    node.if_false = ids.find(tree_ids[i], false_ids[i], "nodes_falsenodeids");
    is_child[node.if_true] = is_child[node.if_false] = true;
  }
  read_roots(tree_ids, is_child, trees);
}

// What a classifier calls class_* and a regressor target_*: votes of leaves. Votes of branches never count.
void read_votes(TreeReader& reader, const std::string& prefix, const std::string& targets_name, const NodeIds& ids, TreeNodes& trees) {
  const std::vector<double> weights = reader.numbers(prefix + "_weights");
  const auto tree_ids = reader.ints(prefix + "_treeids", weights.size()), node_ids = reader.ints(prefix + "_nodeids", weights.size());
  const auto targets = reader.ints(targets_name, weights.size());
  for (size_t i = 0; i < weights.size(); ++i) {
    if (targets[i] < 0 || targets[i] >= to_int(trees.targets))
      throw model_error("attribute {} holds {}; it must lie in [0, {})", targets_name, targets[i], trees.targets);
    const uint32_t leaf = ids.find(tree_ids[i], node_ids[i], prefix + "_nodeids");
    if (trees.nodes[leaf].is_leaf) trees.votes.push_back({leaf, static_cast<uint32_t>(targets[i]), weights[i]});
  }
}

TreeNodes read_trees(TreeReader& reader, size_t targets, const std::string& prefix, const std::string& targets_name) {
  const auto tree_ids = model::get_ints(reader.node(), "nodes_treeids");
  const size_t count = tree_ids.size();
  const auto features = reader.ints("nodes_featureids", count);
  const auto modes = TreeReader::sized(get_strings(reader.node(), "nodes_modes"), count, "nodes_modes");
  const auto thresholds = TreeReader::sized(reader.numbers("nodes_values"), count, "nodes_values");
  const bool has_missing = !model::get_ints(reader.node(), "nodes_missing_value_tracks_true").empty();
  const auto missing = has_missing ? reader.ints("nodes_missing_value_tracks_true", count) : std::vector<int64_t>(count);
  const NodeIds ids(tree_ids, reader.ints("nodes_nodeids", count));
  TreeNodes trees;
  trees.targets = targets;
  trees.nodes.resize(count);
  for (size_t i = 0; i < count; ++i) {
    TreeNodes::Node& node = trees.nodes[i];
    node.is_leaf = modes[i] == kLeaf;
    if (node.is_leaf) continue;
    node.test = test_from_word(modes[i]);
    node.nan_is_true = missing[i] != 0;
    node.feature = tree_feature(features[i]);
    node.threshold = thresholds[i];
  }
  read_children(reader, tree_ids, ids, trees);
  read_votes(reader, prefix, targets_name, ids, trees);
  return trees;
}

std::unique_ptr<ForestForms> forms_of(const TreeReader& reader, const TreeNodes& trees) {
  constexpr std::string_view kChildren = "nodes_truenodeids and nodes_falsenodeids";
  return reader.in_double() ? std::make_unique<ForestForms>(lay_out<double>(trees, kChildren))
                            : std::make_unique<ForestForms>(lay_out<float>(trees, kChildren));
}

// Throws unless there is a base value for each target, or none at all.
std::vector<double> read_base(TreeReader& reader, size_t targets, bool one_is_enough) {
  std::vector<double> base = reader.numbers("base_values");
  if (!base.empty() && base.size() != targets && !(one_is_enough && base.size() == 1))
    throw model_error("attribute base_values has {} entries; it must have none or {}", base.size(), targets);
  return base;
}

struct ClassifierSpec {
  std::unique_ptr<ForestForms> forms;
  ClassLabels labels;
  PostTransform transform;
  std::vector<bool> wanted;
  std::vector<double> base;
  // All votes are for one of two classes: a row is of the second class if its score exceeds the border.
  bool is_binary = false;
  uint32_t voted = 0;
  double border = 0;  // 1/2 where no weight is negative, as of probabilities
};

std::shared_ptr<const ClassifierSpec> classifier_spec_from_node(const model::Node& node) {
  TreeReader reader(node);
  ClassLabels labels = ClassLabels::from_node(node, "classlabels_int64s");
  const TreeNodes trees = read_trees(reader, labels.size(), "class", "class_ids");
  auto spec = std::make_shared<ClassifierSpec>(
      ClassifierSpec{nullptr, std::move(labels), post_transform_from_word(node), wanted_outputs(node), {}});
  if (!trees.votes.empty()) spec->voted = trees.votes[0].target;
  spec->is_binary =
      spec->labels.size() == 2 && std::ranges::all_of(trees.votes, [&](const auto& vote) { return vote.target == spec->voted; });
  spec->border = std::ranges::all_of(trees.votes, [](const auto& vote) { return vote.weight >= 0; }) ? 0.5 : 0.0;
  spec->base = read_base(reader, spec->labels.size(), spec->is_binary);
  spec->is_binary = spec->is_binary && spec->base.size() < 2;
  spec->forms = forms_of(reader, trees);
  return spec;
}

// The score for the voted class of two.
size_t finish_binary(const ClassifierSpec& spec, size_t row, const double* scores, RowScores& z) noexcept {
  const double score = scores[spec.voted] + (spec.base.empty() ? 0.0 : spec.base[0]);
  if (spec.voted == 1) {
    const double both[] = {0, score};
    z.write(row, spec.transform, both);
  } else {
    z.write_pair(row, transform_pair(spec.transform, spec.border > 0 ? FirstScore::kComplement : FirstScore::kNegative, score));
  }
  return score > spec.border;
}

// The top class is one that some leaf has voted for, if there is any.
size_t finish_classes(const ClassifierSpec& spec, size_t row, double* scores, const uint8_t* seen, RowScores& z) noexcept {
  const size_t classes = spec.labels.size();
  size_t top = classes;
  for (size_t i = 0; i < classes; ++i) {
    if (!spec.base.empty()) scores[i] += spec.base[i];
    const bool counts = seen[i] != 0 || !spec.base.empty();
    if (counts && (top == classes || scores[i] > scores[top])) top = i;
  }
  z.write(row, spec.transform, scores);
  return top == classes ? 0 : top;
}

void run_classifier(const ClassifierSpec& spec, const TreeScorer& scorer, const RunContext& r) {
  Tensor *labels = wanted_output(r, 0), *scores = wanted_output(r, 1);
  const size_t classes = spec.labels.size();
  scorer.run(r, [&](size_t first, size_t count, const kernels::TreeScores& block) {
    RowScores z(scores, classes);
    for (size_t row = 0; row < count; ++row) {
      double* own = block.scores + row * classes;
      const size_t label =
          spec.is_binary ? finish_binary(spec, first + row, own, z) : finish_classes(spec, first + row, own, block.seen + row * classes, z);
      if (labels) spec.labels.write(label, first + row, *labels);
    }
  });
}

struct RegressorSpec {
  std::unique_ptr<ForestForms> forms;
  TreeAggregate aggregate;
  PostTransform transform;
  size_t targets;
};

std::shared_ptr<const RegressorSpec> regressor_spec_from_node(const model::Node& node) {
  TreeReader reader(node);
  const size_t targets = to_size(get_count(node, "n_targets", 0, 1));
  const TreeNodes trees = read_trees(reader, targets, "target", "target_ids");
  const int64_t function = get_choice<int64_t>(node, "aggregate_function", "SUM", {{"AVERAGE", 0}, {"SUM", 1}, {"MIN", 2}, {"MAX", 3}});
  auto spec = std::make_shared<RegressorSpec>(
      RegressorSpec{nullptr, TreeAggregate::from_number(function, trees.roots.size()), post_transform_from_word(node), targets});
  spec->aggregate.base = read_base(reader, targets, false);
  spec->forms = forms_of(reader, trees);
  return spec;
}

}  // namespace

std::unique_ptr<Prepared> prepare_tree_ensemble_classifier(const PrepareContext& context) {
  return make_prepared([spec = classifier_spec_from_node(context.node)](const BindContext& b) {
    const ValueFacts& x = required(b, 0, "X");
    const Rows rows = feature_rows(x);
    const int64_t count = to_int(rows.count);
    std::vector<ValueFacts> outputs = {output(spec->labels.dtype(), {count}),
                                       output(DType::kFloat32, {count, to_int(spec->labels.size())})};
    const TreeScorer scorer(*spec->forms, kernels::TreeFold::kSum, x, rows, b.threads);
    auto bound = make_bound(keep_wanted(std::move(outputs), spec->wanted),
                            [spec, scorer](const RunContext& r) { run_classifier(*spec, scorer, r); });
    bound->scratch_bytes = scorer.scratch_bytes();
    return bound;
  });
}

std::unique_ptr<Prepared> prepare_tree_ensemble_regressor(const PrepareContext& context) {
  return make_prepared([spec = regressor_spec_from_node(context.node)](const BindContext& b) {
    const ValueFacts& x = required(b, 0, "X");
    const Rows rows = feature_rows(x);
    const TreeScorer scorer(*spec->forms, spec->aggregate.fold, x, rows, b.threads);
    auto bound = make_bound(output(DType::kFloat32, {to_int(rows.count), to_int(spec->targets)}), [spec, scorer](const RunContext& r) {
      write_tree_scores(scorer, spec->targets, spec->aggregate, spec->transform, r);
    });
    bound->scratch_bytes = scorer.scratch_bytes();
    return bound;
  });
}

}  // namespace sardonyx::ops
