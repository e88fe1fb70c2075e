// ai.onnx.ml: TreeEnsemble (version 5).
#include <cmath>

#include "ops/attributes/attributes.h"
#include "ops/ml/post_transform.h"
#include "ops/ml/row_scores.h"
#include "ops/ml/tree_aggregate.h"
#include "ops/ml/tree_scores.h"
#include "ops/stages.h"

namespace sardonyx::ops {
namespace {

constexpr DTypeSet kTreeTypes = {DType::kFloat32, DType::kFloat64, DType::kFloat16};

// A tensor of rank 1; undefined where the attribute is absent.
Tensor tensor_list(const model::Node& node, std::string_view name, DTypeSet types) {
  const model::Attribute* attribute = node.find_attribute(name);
  if (!attribute) return {};
  if (attribute->type != model::Attribute::Type::kTensor || !attribute->t) throw model_error("attribute {} must be a tensor", name);
  Tensor tensor = model::decode(*attribute->t);
  if (tensor.dim() != 1 || !types.has(tensor.dtype()))
    throw model_error("attribute {} is a {} of shape {}; it must be of rank 1 and a type that the operator knows", name,
                      type_string(tensor.dtype()), to_string(tensor.shape()));
  return tensor;
}

std::vector<double> number_list(const Tensor& tensor) {
  if (!tensor.defined()) return {};
  const Tensor wide = tensor.to(DType::kFloat64);
  const auto values = wide.values<double>();
  return {values.begin(), values.end()};
}

// Attributes with an entry for each node.
class NodeLists {
 public:
  NodeLists(const model::Node& node, size_t count) : node_(node), count_(count) {}

  std::vector<int64_t> ints(std::string_view name) const {
    std::vector<int64_t> values = model::get_ints(node_, name);
    if (values.size() != count_)
      throw model_error("attribute {} has {} entries; it must have {}, one for each node", name, values.size(), count_);
    return values;
  }
  std::vector<int64_t> optional_ints(std::string_view name) const {
    return model::get_ints(node_, name).empty() ? std::vector<int64_t>(count_) : ints(name);
  }

 private:
  const model::Node& node_;
  size_t count_;
};

uint32_t position(int64_t value, size_t count, std::string_view name) {
  if (value < 0 || value >= to_int(count)) throw model_error("attribute {} holds {}; it must lie in [0, {})", name, value, count);
  return static_cast<uint32_t>(value);
}

// Interior nodes stand first, leaves follow them.
void read_children(const NodeLists& lists, size_t leaves, TreeNodes& trees) {
  const size_t count = trees.nodes.size();
  const auto true_ids = lists.ints("nodes_truenodeids"), false_ids = lists.ints("nodes_falsenodeids");
  const auto true_leaf = lists.ints("nodes_trueleafs"), false_leaf = lists.ints("nodes_falseleafs");
  const auto offset = static_cast<uint32_t>(count);
  for (size_t i = 0; i < count; ++i) {
    trees.nodes[i].if_true =
        true_leaf[i] != 0 ? offset + position(true_ids[i], leaves, "nodes_truenodeids") : position(true_ids[i], count, "nodes_truenodeids");
    trees.nodes[i].if_false = false_leaf[i] != 0 ? offset + position(false_ids[i], leaves, "nodes_falsenodeids")
                                                 : position(false_ids[i], count, "nodes_falsenodeids");
  }
}

// The sets follow each other in the order of the nodes that test for one, each ended by a NaN, which the last may lack.
void read_members(const std::vector<double>& values, TreeNodes& trees) {
  bool is_open = false;
  for (const double value : values) {
    if (!is_open) trees.members.emplace_back();
    is_open = !std::isnan(value);
    if (is_open) trees.members.back().push_back(value);
  }
  size_t sets = 0;
  for (TreeNodes::Node& node : trees.nodes) {
    if (!node.is_leaf && node.test == TreeTest::kMember) node.members = static_cast<uint32_t>(sets++);
  }
  if (sets != trees.members.size())
    throw model_error("attribute membership_values has {} sets; {} nodes test for one", trees.members.size(), sets);
}

void read_leaves(const model::Node& node, const std::vector<double>& weights, size_t nodes, TreeNodes& trees) {
  const std::vector<int64_t> targets = model::get_ints(node, "leaf_targetids");
  if (targets.size() != weights.size())
    throw model_error("attribute leaf_targetids has {} entries, leaf_weights {}", targets.size(), weights.size());
  for (size_t i = 0; i < weights.size(); ++i) {
    trees.votes.push_back({static_cast<uint32_t>(nodes + i), position(targets[i], trees.targets, "leaf_targetids"), weights[i]});
    trees.nodes.emplace_back().is_leaf = true;
  }
}

TreeNodes tree_nodes_from_node(const model::Node& node, const Tensor& splits, const Tensor& weights) {
  TreeNodes trees;
  const std::vector<double> thresholds = number_list(splits);
  const size_t count = thresholds.size();
  const NodeLists lists(node, count);
  const auto features = lists.ints("nodes_featureids"), missing = lists.optional_ints("nodes_missing_value_tracks_true");
  const Tensor modes = tensor_list(node, "nodes_modes", {DType::kUInt8});
  if (!modes.defined() || to_size(modes.numel()) != count)
    throw model_error("attribute nodes_modes must have {} entries, one for each node", count);
  trees.targets = to_size(get_count(node, "n_targets", 0, 1));
  trees.nodes.resize(count);
  for (size_t i = 0; i < count; ++i) {
    const uint8_t mode = modes.values<uint8_t>()[i];
    if (mode > static_cast<uint8_t>(TreeTest::kMember)) throw model_error("attribute nodes_modes holds {}; it must lie in [0, 6]", mode);
    trees.nodes[i].test = static_cast<TreeTest>(mode);
    trees.nodes[i].nan_is_true = missing[i] != 0;
    trees.nodes[i].feature = tree_feature(features[i]);
    trees.nodes[i].threshold = thresholds[i];
  }
  read_children(lists, to_size(weights.numel()), trees);
  read_members(number_list(tensor_list(node, "membership_values", kTreeTypes)), trees);
  read_leaves(node, number_list(weights), count, trees);
  const std::vector<int64_t> roots = model::get_ints(node, "tree_roots");
  if (roots.empty()) throw model_error("attribute tree_roots is missing or empty");
  for (const int64_t root : roots) trees.roots.push_back(position(root, count, "tree_roots"));
  return trees;
}

struct EnsembleSpec {
  std::unique_ptr<ForestForms> forms;
  TreeAggregate aggregate;
  PostTransform transform = PostTransform::kNone;
  DType dtype = DType::kUndefined;
};

std::shared_ptr<const EnsembleSpec> ensemble_spec_from_node(const model::Node& node) {
  const Tensor splits = tensor_list(node, "nodes_splits", kTreeTypes), weights = tensor_list(node, "leaf_weights", kTreeTypes);
  if (!splits.defined() || !weights.defined()) throw model_error("attributes nodes_splits and leaf_weights must be given");
  if (splits.dtype() != weights.dtype())
    throw model_error("attribute nodes_splits is a {}, leaf_weights a {}", type_string(splits.dtype()), type_string(weights.dtype()));
  const TreeNodes trees = tree_nodes_from_node(node, splits, weights);
  constexpr std::string_view kChildren = "nodes_truenodeids and nodes_falsenodeids";
  auto spec = std::make_shared<EnsembleSpec>();
  spec->dtype = splits.dtype();
  spec->forms = spec->dtype == DType::kFloat64 ? std::make_unique<ForestForms>(lay_out<double>(trees, kChildren))
                                               : std::make_unique<ForestForms>(lay_out<float>(trees, kChildren));
  spec->aggregate = TreeAggregate::from_number(model::get_int(node, "aggregate_function", 1), trees.roots.size());
  spec->transform = post_transform_from_number(node);
  return spec;
}

}  // namespace

std::unique_ptr<Prepared> prepare_tree_ensemble(const PrepareContext& context) {
  return make_prepared([spec = ensemble_spec_from_node(context.node)](const BindContext& b) {
    const ValueFacts& x = required(b, 0, "X");
    require_dtype(x, kTreeTypes, "X");
    require_rank(x, 2, "X");
    if (x.dtype != spec->dtype)
      throw argument_error("X is a {}; attribute nodes_splits is a {}", type_string(x.dtype), type_string(spec->dtype));
    const Rows rows = {to_size(x.shape[0]), to_size(x.shape[1])};
    const TreeScorer scorer(*spec->forms, spec->aggregate.fold, x, rows, b.threads);
    auto bound = make_bound(output(x.dtype, {x.shape[0], to_int(spec->forms->shape().targets)}), [spec, scorer](const RunContext& r) {
      write_tree_scores(scorer, spec->forms->shape().targets, spec->aggregate, spec->transform, r);
    });
    bound->scratch_bytes = scorer.scratch_bytes();
    return bound;
  });
}

}  // namespace sardonyx::ops
