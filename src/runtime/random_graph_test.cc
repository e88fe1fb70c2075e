// Random graphs of operators that alias, run in place and share memory: a run must give the bits of the node-by-node reference.
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "optimize/model_builder.h"
#include "runtime/ops_backend.h"
#include "runtime/session.h"

namespace sardonyx::runtime {
namespace {

using optimize::ModelBuilder;

class RandomGraph {
 public:
  explicit RandomGraph(uint32_t seed) : engine_(seed) {
    builder_.input("x", {"rows", 6}).input("k", {24}).constant("c", optimize::random_tensor({4, 6}, 3));
    builder_.constant("flat", Tensor::of<int64_t>({1}, {24})).constant("tall", Tensor::of<int64_t>({2}, {6, 4}));
    builder_.constant("wide", Tensor::of<int64_t>({2}, {4, 6}));
    values_ = {{"x", 0}, {"c", 0}, {"k", 2}};
    for (int i = 0; i < 25; ++i) add_node("v" + std::to_string(i));
    for (int i = 0; i < 4; ++i) builder_.output(any().name);
  }
  model::Model build() const { return builder_.build(); }

 private:
  struct Value {
    std::string name;
    int shape;  // 0: wide, 1: tall, 2: flat
  };
  uint32_t below(size_t bound) { return static_cast<uint32_t>(engine_() % bound); }
  const Value& any() { return values_[below(values_.size())]; }

  void add_node(const std::string& name) {
    const Value a = any();
    int shape = a.shape;
    const uint32_t kind = below(14);
    if (kind < 3) {
      builder_.node(std::array{"Neg", "Relu", "Identity"}[kind], {a.name}, {name});
    } else if (kind < 6) {
      Value b = any();
      while (b.shape != a.shape) b = any();
      builder_.node(std::array{"Add", "Mul", "Sub"}[kind - 3], {a.name, b.name}, {name});
    } else if (kind == 6 && shape != 2) {
      builder_.node("Transpose", {a.name}, {name});
      shape = 1 - shape;
    } else if (kind == 7) {
      const Value b = any();  // a shape that is known only when the plan is made
      builder_.node("Shape", {b.name}, {name + "_shape"}).node("Reshape", {a.name, name + "_shape"}, {name});
      shape = b.shape;
    } else if (kind >= 10) {
      add_parts(a, name);
    } else {
      shape = static_cast<int>(below(3));
      builder_.node("Reshape", {a.name, std::array{"wide", "tall", "flat"}[static_cast<size_t>(shape)]}, {name});
    }
    values_.push_back({name, shape});
  }

  // Halves of a value, and one of another value of that shape, joined again in some order; the halves themselves may be read by others.
  void add_parts(const Value& a, const std::string& name) {
    Value b = any();
    while (b.shape != a.shape) b = any();
    const std::vector<model::Attribute> axis = {model::Attribute::of("axis", 0)};
    builder_.node("Split", {a.name}, {name + "_0", name + "_1"}, axis);
    builder_.node("Split", {b.name}, {name + "_2", name + "_3"}, axis);
    builder_.node("Neg", {name + "_1"}, {name + "_4"}).node("Abs", {name + "_2"}, {name + "_5"});
    std::vector<std::string> parts;
    for (int i = 0; i < 2; ++i) parts.push_back(name + "_" + std::to_string(below(2) == 0 ? below(6) : 4 + below(2)));
    builder_.node("Concat", parts, {name + "_joined"}, axis);
    if (below(2) == 0)
      builder_.node("Concat", {parts[0], parts[1], name + "_0"}, {name + "_longer"}, axis).node("Sin", {name + "_longer"}, {name + "_sin"});
    builder_.node("Relu", {name + "_joined"}, {name});
  }

  std::mt19937 engine_;
  ModelBuilder builder_;
  std::vector<Value> values_;
};

TEST(RandomGraph, GivesTheBitsOfTheReference) {
  const Feeds feeds = {{"x", optimize::random_tensor({4, 6}, 1)}, {"k", optimize::random_tensor({24}, 2)}};
  for (uint32_t seed = 0; seed < 300; ++seed) {
    const model::Model model = RandomGraph(seed).build();
    const std::vector<Tensor> expected = optimize::reference_outputs(model, feeds);
    for (const bool guarded : {false, true}) {
      const auto level = guarded ? GraphOptimizationLevel::kNone : GraphOptimizationLevel::kAll;
      Session session(model, ops_backend(), {.intra_op_num_threads = 1, .graph_optimization_level = level, .guard_memory = guarded});
      for (int repeat = 0; repeat < 2; ++repeat) {
        const std::vector<Tensor> got = session.run({}, feeds);
        for (size_t i = 0; i < got.size(); ++i) {
          ASSERT_EQ(got[i].shape(), expected[i].shape()) << "seed " << seed << " output " << i;
          ASSERT_EQ(std::memcmp(got[i].raw(), expected[i].raw(), got[i].byte_size()), 0)
              << "seed " << seed << " output " << i << " level " << static_cast<int>(level);
        }
      }
    }
  }
}

}  // namespace
}  // namespace sardonyx::runtime
