// Decision trees as the attributes of a node tell of them, checked, and laid out for walking.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "kernels/cpu/trees/forest.h"
#include "ops/facts.h"

namespace sardonyx::ops {

using kernels::Forest;
using kernels::ForestShape;
using kernels::TreeTest;

// Nodes by position. A leaf's test, feature, threshold and children say nothing.
struct TreeNodes {
  struct Node {
    TreeTest test = TreeTest::kLessEqual;
    bool is_leaf = false, nan_is_true = false;
    uint32_t feature = 0, if_false = 0, if_true = 0;
    uint32_t members = 0;  // for kMember: its set in TreeNodes::members
    double threshold = 0;
  };
  struct Vote {
    uint32_t leaf, target;
    double weight;
  };
  std::vector<Node> nodes;
  std::vector<uint32_t> roots;
  std::vector<Vote> votes;
  std::vector<std::vector<double>> members;
  size_t targets = 1;
};

// A feature that a node tests, from attribute nodes_featureids. Throws InvalidModel outside [0, 2^31).
uint32_t tree_feature(int64_t value);

// The forest of the trees whose numbers are given as T (float, double). Nodes that no root leads to are left out. Throws InvalidModel for
// nodes that lead back to themselves, naming `children`, the attributes that say so. Children, roots, votes and sets lie within their
// lists.
template <class T>
Forest<T> lay_out(const TreeNodes& trees, std::string_view children);

// A forest compared in float, and in double where features or the model are double; the double form of a float model is made when a plan
// first needs it.
class ForestForms {
 public:
  explicit ForestForms(Forest<float> forest) : shape_(forest.shape), float_(std::move(forest)) {}
  explicit ForestForms(Forest<double> forest) : shape_(forest.shape), double_(std::move(forest)) {}

  const ForestShape& shape() const noexcept { return *shape_; }
  // Whether features of that type are compared in double.
  bool is_double(DType features) const noexcept { return !float_ || features == DType::kFloat64; }
  const Forest<float>& in_float() const { return *float_; }
  const Forest<double>& in_double() const;

 private:
  std::shared_ptr<const ForestShape> shape_;
  std::optional<Forest<float>> float_;
  mutable std::mutex mutex_;
  mutable std::optional<Forest<double>> double_;
};

}  // namespace sardonyx::ops
