#include <algorithm>
#include <cmath>

#include "ops/attributes/attributes.h"
#include "ops/rnn/rnn.h"

namespace sardonyx::ops {
namespace {

using kernels::GateActivation;
using kernels::GateFunction;
using kernels::RnnCell;

struct FunctionRow {
  std::string_view name;  // lower case
  GateFunction function;
  bool takes_alpha = false, takes_beta = false;
  float alpha = 0, beta = 0;  // where the node gives none
};
constexpr FunctionRow kFunctions[] = {
    {"relu", GateFunction::kRelu},
    {"tanh", GateFunction::kTanh},
    {"sigmoid", GateFunction::kSigmoid},
    {"affine", GateFunction::kAffine, true, true, 1, 0},
    {"leakyrelu", GateFunction::kLeakyRelu, true, false, 0.01f, 0},
    {"thresholdedrelu", GateFunction::kThresholdedRelu, true, false, 1, 0},
    {"scaledtanh", GateFunction::kScaledTanh, true, true, 1, 1},
    {"hardsigmoid", GateFunction::kHardSigmoid, true, true, 0.2f, 0.5f},
    {"elu", GateFunction::kElu, true, false, 1, 0},
    {"softsign", GateFunction::kSoftsign},
    {"softplus", GateFunction::kSoftplus},
};

size_t functions_of(RnnCell cell) { return cell == RnnCell::kSimple ? 1 : cell == RnnCell::kGru ? 2 : 3; }

// Takes the values that activation functions need from the lists, in the order of the functions.
class Scalings {
 public:
  explicit Scalings(const model::Node& node)
      : alpha_(model::get_floats(node, "activation_alpha")), beta_(model::get_floats(node, "activation_beta")) {}

  GateActivation take(const FunctionRow& row) {
    GateActivation result = {row.function, row.alpha, row.beta};
    if (row.takes_alpha && next_alpha_ < alpha_.size()) result.alpha = alpha_[next_alpha_++];
    if (row.takes_beta && next_beta_ < beta_.size()) result.beta = beta_[next_beta_++];
    return result;
  }

 private:
  std::vector<float> alpha_, beta_;
  size_t next_alpha_ = 0, next_beta_ = 0;
};

const FunctionRow& find_function(std::string name) {
  std::ranges::transform(name, name.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  const auto* found = std::ranges::find(kFunctions, name, &FunctionRow::name);
  if (found == std::end(kFunctions)) throw model_error("'{}' is no activation function of recurrent layers", name);
  return *found;
}

void read_activations(RnnSpec& spec, const model::Node& node) {
  const size_t each = functions_of(spec.cell), all = each * to_size(spec.directions());
  std::vector<std::string> names = get_strings(node, "activations");
  if (names.empty()) {
    const std::string first = spec.cell == RnnCell::kSimple ? "tanh" : "sigmoid";
    for (size_t i = 0; i < all; ++i) names.push_back(i % each == 0 ? first : "tanh");
  }
  if (names.size() < all) throw model_error("attribute activations has {} names; {} are needed", names.size(), all);
  Scalings scalings(node);
  for (size_t i = 0; i < all; ++i) spec.activations[i / each][i % each] = scalings.take(find_function(names[i]));
}

void check_input(const BindContext& b, size_t index, std::string_view name, const Shape& expected) {
  const ValueFacts* facts = optional(b, index);
  if (!facts) return;
  if (index == 4) {
    require_dtype(*facts, {DType::kInt32}, name);
  } else {
    require_same_dtype(b.inputs[0], *facts, "X", name);
  }
  if (facts->shape != expected) throw argument_error("{} has shape {}; it must be {}", name, to_string(facts->shape), to_string(expected));
}

}  // namespace

RnnSpec rnn_spec_from_node(const model::Node& node, int64_t /*opset*/) {
  RnnSpec spec;
  spec.cell = node.op_type.ends_with("LSTM") ? RnnCell::kLstm : node.op_type == "GRU" ? RnnCell::kGru : RnnCell::kSimple;
  spec.direction =
      get_choice<Direction>(node, "direction", "forward",
                            {{"forward", Direction::kForward}, {"reverse", Direction::kReverse}, {"bidirectional", Direction::kBoth}});
  spec.batch_first = model::get_int(node, "layout", 0) != 0;
  spec.linear_before_reset = model::get_int(node, "linear_before_reset", 0) != 0;
  spec.couples_forget = model::get_int(node, "input_forget", 0) != 0;
  spec.clip = model::get_float(node, "clip", 0);
  spec.hidden = get_count(node, "hidden_size", 0, 0);
  if (!(spec.clip >= 0)) throw model_error("attribute clip is {}; it must not be negative", spec.clip);
  read_activations(spec, node);
  return spec;
}

RnnGeometry rnn_geometry(const RnnSpec& spec, const BindContext& b) {
  const ValueFacts &x = required(b, 0, "X"), &w = required(b, 1, "W"), &r = required(b, 2, "R");
  require_rank(x, 3, "X");
  require_rank(r, 3, "R");
  RnnGeometry g;
  g.steps = x.shape[spec.batch_first ? 1 : 0];
  g.batch = x.shape[spec.batch_first ? 0 : 1];
  g.inputs = x.shape[2];
  g.hidden = r.shape[2];
  if (g.hidden > (int64_t{1} << 40) || g.inputs > (int64_t{1} << 40)) throw argument_error("R has shape {}", to_string(r.shape));
  if (spec.hidden != 0 && spec.hidden != g.hidden)
    throw argument_error("attribute hidden_size is {}, R has shape {}", spec.hidden, to_string(r.shape));
  const int64_t directions = spec.directions(), gates = static_cast<int64_t>(kernels::gate_count(spec.cell)) * g.hidden;
  g.y = spec.batch_first ? Shape{g.batch, g.steps, directions, g.hidden} : Shape{g.steps, directions, g.batch, g.hidden};
  g.state = spec.batch_first ? Shape{g.batch, directions, g.hidden} : Shape{directions, g.batch, g.hidden};
  require_same_dtype(x, w, "X", "W");
  check_input(b, 1, "W", {directions, gates, g.inputs});
  check_input(b, 2, "R", {directions, gates, g.hidden});
  check_input(b, 3, "B", {directions, 2 * gates});
  check_input(b, 4, "sequence_lens", {g.batch});
  check_input(b, 5, "initial_h", g.state);
  check_input(b, 6, "initial_c", g.state);
  check_input(b, 7, "P", {directions, 3 * g.hidden});
  return g;
}

}  // namespace sardonyx::ops
