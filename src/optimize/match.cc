#include "optimize/match.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "ops/op.h"

namespace sardonyx::optimize {
namespace {

constexpr int kMaxDepth = 6;          // of an expression
constexpr size_t kMaxReachable = 24;  // values of one expression

constexpr std::array<std::string_view, 6> kArithmetic = {"Add", "Sub", "Mul", "Div", "Pow", "Neg"};

Polynomial scaled(Polynomial p, double factor) {
  for (auto& powers : p.coefficient) {
    for (double& value : powers) value *= factor;
  }
  return p;
}

Polynomial sum(Polynomial a, const Polynomial& b) {
  for (size_t i = 0; i < Polynomial::kPowers; ++i) {
    for (size_t j = 0; j < 2; ++j) a.coefficient[i][j] += b.coefficient[i][j];
  }
  return a;
}

std::optional<Polynomial> product(const Polynomial& a, const Polynomial& b) {
  Polynomial result;
  for (size_t i = 0; i < 2 * Polynomial::kPowers; ++i) {
    for (size_t k = 0; k < 2 * Polynomial::kPowers; ++k) {
      const double value = a.coefficient[i / 2][i % 2] * b.coefficient[k / 2][k % 2];
      if (value == 0) continue;
      const size_t x = i / 2 + k / 2, g = i % 2 + k % 2;
      if (x >= Polynomial::kPowers || g > 1) return std::nullopt;
      result.coefficient[x][g] += value;
    }
  }
  return result;
}

class Evaluation {
 public:
  Evaluation(Match& match, std::string_view x, std::string_view g) : match_(match), x_(x), g_(g) {}

  std::optional<Polynomial> value(const std::string& name, int depth) {
    if (name == x_) return variable(1, 0);
    if (!g_.empty() && name == g_) return variable(0, 1);
    const std::optional<size_t> producer = match_.graph().producer(name);
    if (!producer || depth == 0) return std::nullopt;
    const model::Node& node = match_.node(*producer);
    if (std::ranges::none_of(kArithmetic, [&](std::string_view op) { return is_onnx_node(node, op); })) return std::nullopt;
    match_.add(*producer);
    if (node.op_type == "Neg") {
      const auto operand = node.input.size() == 1 ? value(node.input[0], depth - 1) : std::nullopt;
      return operand ? std::optional(scaled(*operand, -1)) : std::nullopt;
    }
    return node.input.size() == 2 ? binary(node, depth) : std::nullopt;
  }

 private:
  static Polynomial variable(size_t x, size_t g) {
    Polynomial p;
    p.coefficient[x][g] = 1;
    return p;
  }

  std::optional<Polynomial> operand(const std::string& name, const std::string& other, int depth) {
    if (const auto constant = factor_for(match_.graph(), name, other)) return Polynomial::constant(*constant);
    return value(name, depth - 1);
  }

  std::optional<Polynomial> binary(const model::Node& node, int depth) {
    const std::string &left = node.input[0], &right = node.input[1];
    if (node.op_type == "Pow" || node.op_type == "Div") {
      const auto constant = factor_for(match_.graph(), right, left);
      const auto base = constant ? value(left, depth - 1) : std::nullopt;
      if (!base) return std::nullopt;
      if (node.op_type == "Div") return *constant == 0 ? std::nullopt : std::optional(scaled(*base, 1 / *constant));
      if (*constant != 2 && *constant != 3) return std::nullopt;
      const auto square = product(*base, *base);
      return *constant == 2 || !square ? square : product(*square, *base);
    }
    const auto a = operand(left, right, depth), b = a ? operand(right, left, depth) : std::nullopt;
    if (!b) return std::nullopt;
    if (node.op_type == "Mul") return product(*a, *b);
    return sum(*a, node.op_type == "Sub" ? scaled(*b, -1) : *b);
  }

  Match& match_;
  std::string_view x_, g_;
};

}  // namespace

bool is_onnx_node(const model::Node& node, std::string_view op_type) noexcept {
  if (node.op_type != op_type || !is_onnx_domain(node.domain) || node.find_attribute("broadcast")) return false;
  const ops::Operator* op = ops::find_operator("", op_type);
  return op && node.input.size() >= static_cast<size_t>(op->min_inputs) && !node.output.empty();
}

std::optional<size_t> made_by(const GraphView& graph, std::string_view value, std::string_view op_type) noexcept {
  const std::optional<size_t> producer = graph.producer(value);
  return producer && is_onnx_node(*graph.node(*producer), op_type) && first_output(*graph.node(*producer)) == value ? producer
                                                                                                                    : std::nullopt;
}

const std::string& other_operand(const model::Node& node, std::string_view value) noexcept {
  return node.input[node.input[0] == value ? 1 : 0];
}

std::optional<double> number(const GraphView& graph, std::string_view value) {
  const Tensor* constant = graph.constant(value);
  if (!constant || constant->numel() != 1 || !is_float_type(constant->dtype())) return std::nullopt;
  return constant->to(DType::kFloat64).values<double>()[0];
}

std::optional<double> factor_for(const GraphView& graph, std::string_view value, std::string_view other) {
  const std::optional<double> result = number(graph, value);
  if (!result || graph.constant(value)->dim() == 0) return result;
  const std::optional<size_t> other_rank = rank(graph, other);
  return other_rank && static_cast<size_t>(graph.constant(value)->dim()) <= *other_rank ? result : std::nullopt;
}

bool is_near(double value, double expected, DType dtype) noexcept {
  double tolerance = 1e-6;
  if (dtype == DType::kFloat64) tolerance = 1e-12;
  if (dtype == DType::kFloat16) tolerance = 1e-3;
  if (dtype == DType::kBFloat16) tolerance = 8e-3;
  return std::abs(value - expected) <= tolerance * std::abs(expected);
}

std::optional<size_t> rank(const GraphView& graph, std::string_view value) noexcept {
  const std::vector<model::Dimension>* dims = graph.dims(value);
  return dims ? std::optional(dims->size()) : std::nullopt;
}

bool is_same(const model::Dimension& a, const model::Dimension& b) noexcept {
  return a.value == b.value && !std::holds_alternative<std::monostate>(a.value) && !(a.is_symbol() && a.symbol().empty());
}

bool is_size(const model::Dimension& dim, int64_t size) noexcept { return dim.is_known() && dim.size() == size; }

bool have_same_dims(const GraphView& graph, std::string_view a, std::string_view b) noexcept {
  const std::vector<model::Dimension>*left = graph.dims(a), *right = graph.dims(b);
  return left && right && std::equal(left->begin(), left->end(), right->begin(), right->end(), is_same);
}

bool is_float_type(DType dtype) noexcept {
  return dtype == DType::kFloat32 || dtype == DType::kFloat64 || dtype == DType::kFloat16 || dtype == DType::kBFloat16;
}

std::optional<std::vector<int64_t>> constant_ints(const GraphView& graph, std::string_view value) {
  const Tensor* constant = graph.constant(value);
  if (!constant || constant->dim() > 1 || (constant->dtype() != DType::kInt64 && constant->dtype() != DType::kInt32)) return std::nullopt;
  const Tensor wide = constant->to(DType::kInt64);
  const std::span<const int64_t> values = wide.values<int64_t>();
  return std::vector<int64_t>(values.begin(), values.end());
}

std::optional<std::vector<int64_t>> ints_of(const GraphView& graph, const model::Node& node, std::string_view attribute, size_t input) {
  if (node.find_attribute(attribute)) return model::get_ints(node, attribute);
  if (input >= node.input.size() || node.input[input].empty()) return std::nullopt;
  return constant_ints(graph, node.input[input]);
}

void Match::add(size_t node) {
  if (std::ranges::find(nodes_, node) == nodes_.end()) nodes_.push_back(node);
}

const model::Node* Match::add(std::string_view value, std::string_view op_type) {
  const std::optional<size_t> found = made_by(*graph_, value, op_type);
  if (!found) return nullptr;
  add(*found);
  return graph_->node(*found);
}

std::optional<std::string> Match::refusal() const {
  for (size_t i = 1; i < nodes_.size(); ++i) {
    for (const std::string& output : node(nodes_[i]).output) {
      const auto is_inner = [&](size_t reader) { return std::ranges::find(nodes_, reader) != nodes_.end(); };
      if (output.empty() || (!graph_->is_pinned(output) && std::ranges::all_of(graph_->consumers(output), is_inner))) continue;
      return fmt::format("'{}' inside the expression is read elsewhere, too", output);
    }
  }
  return std::nullopt;
}

std::optional<Patch> Match::replaced_by(model::Node fused) const {
  if (std::optional<std::string> reason = refusal()) return graph_->refuse(root(), fused.op_type + ": " + std::move(*reason));
  Patch patch{.remove = nodes_};
  patch.add.push_back(std::move(fused));
  return patch;
}

Polynomial Polynomial::constant(double value) {
  Polynomial p;
  p.coefficient[0][0] = value;
  return p;
}

bool Polynomial::is(std::span<const Term> terms, DType dtype) const noexcept {
  for (size_t x = 0; x < kPowers; ++x) {
    for (size_t g = 0; g < 2; ++g) {
      const auto term = std::ranges::find_if(terms, [&](const Term& t) { return t.x == x && t.g == g; });
      if (!is_near(coefficient[x][g], term == terms.end() ? 0 : term->value, dtype)) return false;
    }
  }
  return true;
}

std::optional<Polynomial> polynomial_of(Match& match, const std::string& value, std::string_view x, std::string_view g) {
  return Evaluation(match, x, g).value(value, kMaxDepth);
}

std::vector<std::string> reachable_by_arithmetic(const GraphView& graph, const std::string& value) {
  std::vector<std::string> found = {value};
  for (size_t i = 0; i < found.size(); ++i) {
    const std::optional<size_t> producer = graph.producer(found[i]);
    if (!producer) continue;
    const model::Node& node = *graph.node(*producer);
    if (!is_onnx_domain(node.domain) || std::ranges::find(kArithmetic, node.op_type) == kArithmetic.end()) continue;
    for (const std::string& input : node.input) {
      if (found.size() >= kMaxReachable) return found;
      if (!graph.constant(input) && std::ranges::find(found, input) == found.end()) found.push_back(input);
    }
  }
  return found;
}

std::vector<size_t> reachable_nodes(const GraphView& graph, const std::string& value, std::string_view op_type) {
  std::vector<size_t> nodes;
  for (const std::string& name : reachable_by_arithmetic(graph, value)) {
    if (const std::optional<size_t> node = made_by(graph, name, op_type)) nodes.push_back(*node);
  }
  return nodes;
}

model::Node named_like(const model::Node& node, std::string_view domain, std::string_view op_type, std::vector<std::string> inputs,
                       std::string output) {
  model::Node made;
  made.name = node.name;
  made.domain = domain;
  made.op_type = op_type;
  made.input = std::move(inputs);
  made.output = {std::move(output)};
  return made;
}

}  // namespace sardonyx::optimize
