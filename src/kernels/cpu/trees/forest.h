// Forests of decision trees over rows of features: nodes of all trees in one flat array, in the order in which a walk meets them.
//
// A walk takes several rows through a tree side by side, without branches: a leaf's children are the leaf itself, so that rows that have
// arrived stay. Weights are added in double, in the order of the trees.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace sardonyx::kernels {

// The numbers are those of ONNX's TreeEnsemble.
enum class TreeTest : uint8_t { kLessEqual, kLess, kGreaterEqual, kGreater, kEqual, kNotEqual, kMember };

template <class T>
struct TreeNode {
  T threshold;
  uint32_t feature;   // with kNanIsTrue, if a NaN passes the test
  uint32_t child[2];  // where to go on if the test fails, and if it passes
};
inline constexpr uint32_t kNanIsTrue = uint32_t{1} << 31;

struct TreeVote {
  uint32_t target;
  double weight;
};

// What does not depend on the type that features are compared in.
struct ForestShape {
  std::vector<uint32_t> roots;
  std::vector<uint32_t> first_vote;  // of each node, with the end: votes of leaf i are [first_vote[i], first_vote[i + 1])
  std::vector<TreeVote> votes;
  std::vector<TreeTest> tests;  // of each node; empty: all kLessEqual
  std::vector<uint32_t> sets;   // of each node, for kMember; empty where no test is
  bool nan_matters = false;     // some node has kNanIsTrue
  size_t targets = 0;
  size_t features = 1;  // that rows must have at least
};

template <class T>
struct Forest {
  std::shared_ptr<const ForestShape> shape;
  std::vector<TreeNode<T>> nodes;
  std::vector<std::vector<T>> members;  // sorted
};

enum class TreeFold : uint8_t { kSum, kMin, kMax };

// Scores of rows, [rows, targets]: 0 where no leaf has voted, which `seen` tells.
struct TreeScores {
  double* scores;
  uint8_t* seen;
};

// Sets `to` to what the trees [first, last) give for rows that lie `stride` elements apart. T is float or double.
template <class T>
void walk_trees(const Forest<T>& forest, TreeFold fold, size_t first, size_t last, size_t rows, const T* x, size_t stride,
                const TreeScores& to) noexcept;

// Joins `count` scores of other trees to those in `to`.
void join_scores(TreeFold fold, size_t count, const TreeScores& other, const TreeScores& to) noexcept;

}  // namespace sardonyx::kernels
