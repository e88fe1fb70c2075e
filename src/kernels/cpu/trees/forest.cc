#include "kernels/cpu/trees/forest.h"

#include <algorithm>
#include <cmath>

namespace sardonyx::kernels {
namespace {

constexpr size_t kLanes = 8;  // rows that walk side by side
constexpr size_t kSteps = 4;  // between two looks at whether all have arrived

template <class T>
struct LessEqual {
  bool operator()(const TreeNode<T>& node, uint32_t, const T* row) const noexcept { return row[node.feature] <= node.threshold; }
};

template <class T>
struct LessEqualOrNan {
  bool operator()(const TreeNode<T>& node, uint32_t, const T* row) const noexcept {
    const T value = row[node.feature & ~kNanIsTrue];
    return (value <= node.threshold) | (((node.feature & kNanIsTrue) != 0) & (value != value));
  }
};

template <class T>
struct AnyTest {
  const Forest<T>& forest;

  bool operator()(const TreeNode<T>& node, uint32_t at, const T* row) const noexcept {
    const T value = row[node.feature & ~kNanIsTrue];
    if ((node.feature & kNanIsTrue) != 0 && value != value) return true;
    switch (forest.shape->tests[at]) {
      case TreeTest::kLessEqual:
        return value <= node.threshold;
      case TreeTest::kLess:
        return value < node.threshold;
      case TreeTest::kGreaterEqual:
        return value >= node.threshold;
      case TreeTest::kGreater:
        return value > node.threshold;
      case TreeTest::kEqual:
        return value == node.threshold;
      case TreeTest::kNotEqual:
        return value != node.threshold;
      case TreeTest::kMember:
        break;
    }
    const std::vector<T>& members = forest.members[forest.shape->sets[at]];
    return std::binary_search(members.begin(), members.end(), value) && value == value;
  }
};

// Takes kLanes rows from the nodes in `at` to their leaves.
template <class T, class Test>
void walk(const TreeNode<T>* nodes, const T* const* rows, const Test& test, uint32_t* at) noexcept {
  for (bool is_walking = true; is_walking;) {
    for (size_t step = 0; step < kSteps; ++step) {
      for (size_t lane = 0; lane < kLanes; ++lane) {
        const TreeNode<T>& node = nodes[at[lane]];
        at[lane] = node.child[test(node, at[lane], rows[lane])];
      }
    }
    is_walking = false;
    for (size_t lane = 0; lane < kLanes; ++lane) is_walking |= nodes[at[lane]].child[0] != at[lane];
  }
}

template <TreeFold kFold>
void fold_in(double value, double& score, uint8_t& seen) noexcept {
  if constexpr (kFold == TreeFold::kSum) {
    score += value;
  } else if constexpr (kFold == TreeFold::kMin) {
    score = seen != 0 ? std::min(score, value) : value;
  } else {
    score = seen != 0 ? std::max(score, value) : value;
  }
  seen = 1;
}

template <TreeFold kFold>
void vote(const ForestShape& shape, uint32_t leaf, double* scores, uint8_t* seen) noexcept {
  for (uint32_t i = shape.first_vote[leaf]; i < shape.first_vote[leaf + 1]; ++i) {
    const TreeVote& vote = shape.votes[i];
    fold_in<kFold>(vote.weight, scores[vote.target], seen[vote.target]);
  }
}

template <class T>
struct Trees {
  const Forest<T>& forest;
  size_t first, last;
};

// Rows side by side through one tree; `rows` is a multiple of kLanes.
template <TreeFold kFold, class T, class Test>
void walk_rows(const Forest<T>& forest, size_t tree, size_t rows, const T* x, size_t stride, const Test& test, TreeScores to) noexcept {
  const ForestShape& shape = *forest.shape;
  for (size_t row = 0; row < rows; row += kLanes) {
    const T* lines[kLanes];
    uint32_t at[kLanes];
    for (size_t lane = 0; lane < kLanes; ++lane) lines[lane] = x + (row + lane) * stride;
    std::fill_n(at, kLanes, shape.roots[tree]);
    walk(forest.nodes.data(), lines, test, at);
    for (const uint32_t leaf : at) {
      vote<kFold>(shape, leaf, to.scores, to.seen);
      to.scores += shape.targets;
      to.seen += shape.targets;
    }
  }
}

// One row, kLanes trees side by side.
template <TreeFold kFold, class T, class Test>
void walk_row(const Trees<T>& trees, const T* x, const Test& test, double* scores, uint8_t* seen) noexcept {
  const ForestShape& shape = *trees.forest.shape;
  const T* rows[kLanes];
  std::fill_n(rows, kLanes, x);
  for (size_t tree = trees.first; tree < trees.last; tree += kLanes) {
    uint32_t at[kLanes];
    for (size_t lane = 0; lane < kLanes; ++lane) at[lane] = shape.roots[std::min(tree + lane, trees.last - 1)];
    walk(trees.forest.nodes.data(), rows, test, at);
    for (size_t lane = 0; lane < std::min(kLanes, trees.last - tree); ++lane) vote<kFold>(shape, at[lane], scores, seen);
  }
}

// A tree stays in the cache while all rows pass it.
template <TreeFold kFold, class T, class Test>
void walk_all(const Trees<T>& trees, size_t rows, const T* x, size_t stride, const Test& test, const TreeScores& to) noexcept {
  const size_t targets = trees.forest.shape->targets, full = rows / kLanes * kLanes;
  for (size_t tree = trees.first; tree < trees.last && full > 0; ++tree) walk_rows<kFold>(trees.forest, tree, full, x, stride, test, to);
  for (size_t row = full; row < rows; ++row)
    walk_row<kFold>(trees, x + row * stride, test, to.scores + row * targets, to.seen + row * targets);
}

// Calls body.template operator()<kFold>().
template <class Body>
void with_fold(TreeFold fold, const Body& body) noexcept {
  if (fold == TreeFold::kMin) return body.template operator()<TreeFold::kMin>();
  if (fold == TreeFold::kMax) return body.template operator()<TreeFold::kMax>();
  body.template operator()<TreeFold::kSum>();
}

}  // namespace

template <class T>
void walk_trees(const Forest<T>& forest, TreeFold fold, size_t first, size_t last, size_t rows, const T* x, size_t stride,
                const TreeScores& to) noexcept {
  std::fill_n(to.scores, rows * forest.shape->targets, 0.0);
  std::fill_n(to.seen, rows * forest.shape->targets, uint8_t{0});
  const Trees<T> trees = {forest, first, last};
  with_fold(fold, [&]<TreeFold kFold>() noexcept {
    if (!forest.shape->tests.empty()) {
      walk_all<kFold>(trees, rows, x, stride, AnyTest<T>{forest}, to);
    } else if (forest.shape->nan_matters) {
      walk_all<kFold>(trees, rows, x, stride, LessEqualOrNan<T>(), to);
    } else {
      walk_all<kFold>(trees, rows, x, stride, LessEqual<T>(), to);
    }
  });
}

void join_scores(TreeFold fold, size_t count, const TreeScores& other, const TreeScores& to) noexcept {
  with_fold(fold, [&]<TreeFold kFold>() noexcept {
    for (size_t i = 0; i < count; ++i) {
      if (other.seen[i] != 0) fold_in<kFold>(other.scores[i], to.scores[i], to.seen[i]);
    }
  });
}

template void walk_trees<float>(const Forest<float>&, TreeFold, size_t, size_t, size_t, const float*, size_t, const TreeScores&) noexcept;
template void walk_trees<double>(const Forest<double>&, TreeFold, size_t, size_t, size_t, const double*, size_t,
                                 const TreeScores&) noexcept;

}  // namespace sardonyx::kernels
