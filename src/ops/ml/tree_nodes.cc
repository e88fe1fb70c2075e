#include "ops/ml/tree_nodes.h"

#include <algorithm>

namespace sardonyx::ops {
namespace {

// Gives the nodes their places: a tree after the other, a node before its children, the child for passed tests first.
class Placement {
 public:
  Placement(const TreeNodes& trees, std::string_view children)
      : trees_(trees), children_(children), place_(trees.nodes.size(), kNowhere), is_open_(trees.nodes.size()) {
    for (const uint32_t root : trees.roots) visit(root);
  }

  const std::vector<uint32_t>& order() const noexcept { return order_; }  // positions by place
  uint32_t place(uint32_t position) const noexcept { return place_[position]; }
  bool is_placed(uint32_t position) const noexcept { return place_[position] != kNowhere; }

 private:
  static constexpr uint32_t kNowhere = static_cast<uint32_t>(-1);
  struct Step {
    uint32_t position;
    int next;  // child to look at: passed, failed, none
  };

  void visit(uint32_t root) {
    enter(root);
    while (!path_.empty()) {
      Step& step = path_.back();
      const TreeNodes::Node& node = trees_.nodes[step.position];
      if (node.is_leaf || step.next == 2) {
        is_open_[step.position] = false;
        path_.pop_back();
      } else {
        enter(step.next++ == 0 ? node.if_true : node.if_false);
      }
    }
  }

  void enter(uint32_t position) {
    if (is_open_[position])
      throw model_error("attributes {} make a circle: the node at position {} leads back to itself", children_, position);
    if (is_placed(position)) return;
    place_[position] = static_cast<uint32_t>(order_.size());
    order_.push_back(position);
    is_open_[position] = true;
    path_.push_back({position, 0});
  }

  const TreeNodes& trees_;
  std::string_view children_;
  std::vector<uint32_t> place_, order_;
  std::vector<bool> is_open_;
  std::vector<Step> path_;
};

void place_votes(const TreeNodes& trees, const Placement& placement, ForestShape& shape) {
  shape.first_vote.assign(placement.order().size() + 1, 0);
  for (const TreeNodes::Vote& vote : trees.votes) {
    if (placement.is_placed(vote.leaf)) ++shape.first_vote[placement.place(vote.leaf) + 1];
  }
  for (size_t i = 1; i < shape.first_vote.size(); ++i) shape.first_vote[i] += shape.first_vote[i - 1];
  shape.votes.resize(shape.first_vote.back());
  std::vector<uint32_t> next(shape.first_vote.begin(), shape.first_vote.end() - 1);
  for (const TreeNodes::Vote& vote : trees.votes) {
    if (placement.is_placed(vote.leaf)) shape.votes[next[placement.place(vote.leaf)]++] = {vote.target, vote.weight};
  }
}

template <class T>
kernels::TreeNode<T> placed_node(const TreeNodes::Node& node, uint32_t own, const Placement& placement) {
  if (node.is_leaf) return {T{0}, 0, {own, own}};
  const uint32_t flag = node.nan_is_true ? kernels::kNanIsTrue : 0;
  return {static_cast<T>(node.threshold), node.feature | flag, {placement.place(node.if_false), placement.place(node.if_true)}};
}

// Only forests with other tests than x <= threshold keep a list of tests.
void place_tests(const TreeNodes& trees, const Placement& placement, ForestShape& shape) {
  const auto is_other = [&](uint32_t at) { return !trees.nodes[at].is_leaf && trees.nodes[at].test != TreeTest::kLessEqual; };
  if (std::ranges::none_of(placement.order(), is_other)) return;
  for (const uint32_t position : placement.order()) {
    shape.tests.push_back(trees.nodes[position].test);
    shape.sets.push_back(trees.nodes[position].members);
  }
}

}  // namespace

uint32_t tree_feature(int64_t value) {
  if (value < 0 || value > std::numeric_limits<int32_t>::max())
    throw model_error("attribute nodes_featureids holds {}, which is no feature", value);
  return static_cast<uint32_t>(value);
}

template <class T>
Forest<T> lay_out(const TreeNodes& trees, std::string_view children) {
  const Placement placement(trees, children);
  auto shape = std::make_shared<ForestShape>();
  Forest<T> forest;
  shape->targets = trees.targets;
  for (const uint32_t root : trees.roots) shape->roots.push_back(placement.place(root));
  for (const uint32_t position : placement.order()) {
    const TreeNodes::Node& node = trees.nodes[position];
    forest.nodes.push_back(placed_node<T>(node, static_cast<uint32_t>(forest.nodes.size()), placement));
    if (node.is_leaf) continue;
    shape->features = std::max<size_t>(shape->features, size_t{node.feature} + 1);
    shape->nan_matters = shape->nan_matters || node.nan_is_true;
  }
  place_tests(trees, placement, *shape);
  place_votes(trees, placement, *shape);
  for (const std::vector<double>& members : trees.members) {
    forest.members.emplace_back();
    for (const double member : members) forest.members.back().push_back(static_cast<T>(member));
    std::ranges::sort(forest.members.back());
  }
  forest.shape = std::move(shape);
  return forest;
}
template Forest<float> lay_out<float>(const TreeNodes&, std::string_view);
template Forest<double> lay_out<double>(const TreeNodes&, std::string_view);

const Forest<double>& ForestForms::in_double() const {
  const std::lock_guard lock(mutex_);
  if (double_) return *double_;
  Forest<double> wide = {shape_, {}, {}};
  wide.nodes.reserve(float_->nodes.size());
  for (const auto& node : float_->nodes) {
    wide.nodes.push_back({static_cast<double>(node.threshold), node.feature, {node.child[0], node.child[1]}});
  }
  for (const auto& members : float_->members) wide.members.emplace_back(members.begin(), members.end());
  return double_.emplace(std::move(wide));
}

}  // namespace sardonyx::ops
