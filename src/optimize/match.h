// Recognising what a value is computed from.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "optimize/pass.h"

namespace sardonyx::optimize {

// Whether the node is this operator of ai.onnx, with the inputs that it needs at least. Arithmetic that broadcasts as before opset 7 is
// not.
bool is_onnx_node(const model::Node& node, std::string_view op_type) noexcept;
// The node that makes the value, if it is this operator of ai.onnx.
std::optional<size_t> made_by(const GraphView& graph, std::string_view value, std::string_view op_type) noexcept;
// The operand of a node of two inputs that is not `value`.
const std::string& other_operand(const model::Node& node, std::string_view value) noexcept;

// The number in a constant of one element of a floating-point type.
std::optional<double> number(const GraphView& graph, std::string_view value);
// The same, if a tensor of the shape of `other` keeps it when it is combined with the constant.
std::optional<double> factor_for(const GraphView& graph, std::string_view value, std::string_view other);
// By how much a factor of an expression may differ from that of the operator it stands for, relative to it: as it may be rounded.
bool is_near(double value, double expected, DType dtype) noexcept;

std::optional<size_t> rank(const GraphView& graph, std::string_view value) noexcept;
// Whether the sizes are surely equal.
bool is_same(const model::Dimension& a, const model::Dimension& b) noexcept;
bool is_size(const model::Dimension& dim, int64_t size) noexcept;
bool have_same_dims(const GraphView& graph, std::string_view a, std::string_view b) noexcept;
bool is_float_type(DType dtype) noexcept;  // one that fused operators compute: float, double, float16, bfloat16

// Integers of an attribute or, from the opsets on that take them as an input, of a constant. Nullopt: neither tells.
std::optional<std::vector<int64_t>> ints_of(const GraphView& graph, const model::Node& node, std::string_view attribute, size_t input);
std::optional<std::vector<int64_t>> constant_ints(const GraphView& graph, std::string_view value);

// The nodes that a rule wants to replace by one.
class Match {
 public:
  Match(const GraphView& graph, size_t root) : graph_(&graph), nodes_{root} {}

  const GraphView& graph() const noexcept { return *graph_; }
  size_t root() const noexcept { return nodes_.front(); }
  const model::Node& node(size_t index) const noexcept { return *graph_->node(index); }
  void add(size_t node);
  // The node that makes the value, added, if it is this operator of ai.onnx.
  const model::Node* add(std::string_view value, std::string_view op_type);
  const std::vector<size_t>& nodes() const noexcept { return nodes_; }

  // What is refused, if a value of the inner nodes is read by others.
  std::optional<std::string> refusal() const;
  // All nodes replaced by `fused`; nullopt, with the reason noted, where refusal() tells one.
  std::optional<Patch> replaced_by(model::Node fused) const;

 private:
  const GraphView* graph_;
  std::vector<size_t> nodes_;
};

// Sums of products of powers of a value x and at most one factor g: coefficient[i][j] is that of x^i g^j.
struct Polynomial {
  static constexpr size_t kPowers = 4;
  std::array<std::array<double, 2>, kPowers> coefficient = {};

  static Polynomial constant(double value);
  // Whether these are its coefficients, those not listed being 0.
  struct Term {
    size_t x, g;
    double value;
  };
  bool is(std::span<const Term> terms, DType dtype) const noexcept;
};
// The value as a polynomial of x and g (g may be ""); the nodes on the way are added to the match.
std::optional<Polynomial> polynomial_of(Match& match, const std::string& value, std::string_view x, std::string_view g);

// Values that sums, products and powers lead to from `value`, itself included, nearest first; a few.
std::vector<std::string> reachable_by_arithmetic(const GraphView& graph, const std::string& value);
// The nodes of that operator among what makes these values.
std::vector<size_t> reachable_nodes(const GraphView& graph, const std::string& value, std::string_view op_type);

// A node of one output that takes the name of another one.
model::Node named_like(const model::Node& node, std::string_view domain, std::string_view op_type, std::vector<std::string> inputs,
                       std::string output);

}  // namespace sardonyx::optimize
