// Attention as exporters write it: MatMul of queries and transposed keys, scaled, with a mask added or chosen by Where, Softmax, MatMul
// with the values; and the Reshape and Transpose that split heads off before and join them behind.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "optimize/match.h"
#include "optimize/rules.h"

namespace sardonyx::optimize {
namespace {

constexpr int64_t kShapeIsInput = 5;  // of Reshape, from this opset on

using Perm = std::vector<int64_t>;
const Perm kHeadsFirst = {0, 2, 1, 3};  // from (batch, rows, heads, size) and back

// What the scores are made of.
struct Scores {
  std::string query, keys;  // `keys` transposed
  double scale = 1;
  std::string mask;         // "": none
  bool is_choice = false;   // the mask is boolean,
  bool hides_true = false;  // hides where it is true
  double hidden = 0;        // and gives this score
  std::string product;      // what MatMul makes
};

// The operand of Mul or Div by a constant, and the factor.
std::optional<std::pair<std::string, double>> add_scaling(Match& match, const std::string& value) {
  const GraphView& graph = match.graph();
  for (const char* op_type : {"Mul", "Div"}) {
    const auto found = made_by(graph, value, op_type);
    if (!found || graph.node(*found)->input.size() != 2) continue;
    const model::Node& node = *graph.node(*found);
    for (size_t i = 0; i < (node.op_type == "Mul" ? 2 : 1); ++i) {
      const auto factor = factor_for(graph, node.input[1 - i], node.input[i]);
      if (!factor || *factor == 0) continue;
      match.add(*found);
      return std::pair(node.input[i], node.op_type == "Mul" ? *factor : 1 / *factor);
    }
  }
  return std::nullopt;
}

bool add_scaled_product(Match& match, const std::string& value, Scores& scores) {
  if (const model::Node* product = match.add(value, "MatMul")) {
    scores.query = product->input.at(0), scores.keys = product->input.at(1), scores.product = value;
    return true;
  }
  const auto scaling = add_scaling(match, value);
  if (!scaling) return false;
  scores.scale *= scaling->second;
  return add_scaled_product(match, scaling->first, scores);
}

bool add_masked_by_sum(Match& match, const model::Node& add, Scores& scores) {
  for (size_t i = 0; i < 2; ++i) {
    Match trial = match;
    Scores found;
    if (!add_scaled_product(trial, add.input.at(i), found)) continue;
    match = trial;
    scores = std::move(found);
    scores.mask = add.input[1 - i];
    return true;
  }
  return false;
}

bool add_masked_by_choice(Match& match, const model::Node& where, Scores& scores) {
  for (size_t i = 1; i < 3; ++i) {
    const auto hidden = factor_for(match.graph(), where.input.at(i), where.input.at(3 - i));
    if (!hidden || std::isnan(*hidden)) continue;
    if (!add_scaled_product(match, where.input[3 - i], scores)) return false;
    scores.mask = where.input[0], scores.is_choice = true, scores.hides_true = i == 1, scores.hidden = *hidden;
    return true;
  }
  return false;
}

// The boolean behind casts and negations, which need not be computed.
void look_behind_negations(const GraphView& graph, Scores& scores) {
  for (bool moved = scores.is_choice; moved;) {
    moved = false;
    const auto negation = made_by(graph, scores.mask, "Not"), cast = made_by(graph, scores.mask, "Cast");
    if (negation) {
      scores.hides_true = !scores.hides_true;
      scores.mask = graph.node(*negation)->input.at(0);
      moved = true;
    } else if (cast && graph.dtype(graph.node(*cast)->input.at(0)) == DType::kBool) {
      scores.mask = graph.node(*cast)->input[0];
      moved = true;
    }
  }
}

std::optional<Scores> add_scores(Match& match, const std::string& value) {
  Scores scores;
  const model::Node *add = match.add(value, "Add"), *where = add ? nullptr : match.add(value, "Where");
  const bool found = add     ? add_masked_by_sum(match, *add, scores)
                     : where ? add_masked_by_choice(match, *where, scores)
                             : add_scaled_product(match, value, scores);
  if (!found) return std::nullopt;
  look_behind_negations(match.graph(), scores);
  return scores;
}

// Whether the value broadcasts to the scores without making them larger, its last dimension being theirs.
bool is_mask(const GraphView& graph, const std::string& mask, const std::string& scores) {
  const auto *own = graph.dims(mask), *whole = graph.dims(scores);
  if (!own || !whole || own->empty() || own->size() > whole->size()) return false;
  if (!is_same(own->back(), whole->back())) return false;
  return std::equal(own->rbegin(), own->rend(), whole->rbegin(),
                    [](const model::Dimension& a, const model::Dimension& b) { return is_size(a, 1) || is_same(a, b); });
}

// A value as a permutation of another one.
struct Permuted {
  std::string source;
  Perm perm;
};

Permuted behind_transpose(const GraphView& graph, const std::string& value, size_t rank) {
  Permuted result{value, Perm(rank)};
  for (size_t i = 0; i < rank; ++i) result.perm[i] = static_cast<int64_t>(i);
  const auto found = made_by(graph, value, "Transpose");
  if (!found) return result;
  result.source = graph.node(*found)->input.at(0);
  std::ranges::reverse(result.perm);
  result.perm = model::get_ints(*graph.node(*found), "perm", result.perm);
  return result;
}

bool is_identity(const Perm& perm) { return std::ranges::is_sorted(perm); }

// Collects what replaces the nodes.
class Builder {
 public:
  Builder(const Match& match, std::string base) : match_(match), base_(std::move(base)) {}

  std::string node(const char* op_type, std::vector<std::string> inputs, std::vector<model::Attribute> attributes = {}) {
    std::string output = fresh(op_type);
    add(named_like(root(), "", op_type, std::move(inputs), output), std::move(attributes));
    return output;
  }
  void add(model::Node made, std::vector<model::Attribute> attributes = {}) {
    for (model::Attribute& attribute : attributes) made.attribute.push_back(std::move(attribute));
    patch_.add.push_back(std::move(made));
  }
  std::string constant(const char* what, const Tensor& tensor) {
    std::string name = fresh(what);
    patch_.constants.push_back(model::encode(tensor, name));
    return name;
  }
  std::string reshaped(const std::string& value, Shape target) {
    return node("Reshape",
                {value, constant("shape", Tensor::of<int64_t>({static_cast<int64_t>(target.size())}, std::span<const int64_t>(target)))});
  }
  std::string transposed(const Permuted& value) {
    return is_identity(value.perm) ? value.source : node("Transpose", {value.source}, {model::Attribute::of("perm", value.perm)});
  }
  Patch take(const Match& match) {
    patch_.remove = match.nodes();
    return std::move(patch_);
  }
  const model::Node& root() const { return match_.node(match_.root()); }

 private:
  std::string fresh(const char* what) { return match_.graph().fresh_name(fmt::format("{}_{}{}", base_, what, next_++)); }

  const Match& match_;
  std::string base_;
  Patch patch_;
  int next_ = 0;
};

struct Heads {
  int64_t count = 0, size = 0;
};

// Heads and their size, if the source is (batch, rows, heads, size) and is read heads first.
std::optional<Heads> heads_of(const GraphView& graph, const Permuted& value) {
  const auto* dims = graph.dims(value.source);
  if (value.perm != kHeadsFirst || !dims || !(*dims)[2].is_known() || !(*dims)[3].is_known()) return std::nullopt;
  const Heads heads{(*dims)[2].size(), (*dims)[3].size()};
  return heads.count > 0 && heads.size > 0 ? std::optional(heads) : std::nullopt;
}

// (batch, rows, heads * size): what was reshaped into the source, or the source reshaped, which costs nothing.
std::string joined_heads(const GraphView& graph, Builder& builder, const std::string& source, const Heads& heads) {
  if (const auto reshape = made_by(graph, source, "Reshape")) {
    const std::string& packed = graph.node(*reshape)->input.at(0);
    const auto *from = graph.dims(packed), *to = graph.dims(source);
    if (from && from->size() == 3 && is_same((*from)[0], (*to)[0]) && is_same((*from)[1], (*to)[1]) &&
        is_size((*from)[2], heads.count * heads.size)) {
      return packed;
    }
  }
  return builder.reshaped(source, {0, 0, heads.count * heads.size});
}

// A Reshape of (batch, rows, heads, size) to (batch, rows, heads * size).
bool joins_heads(const GraphView& graph, const model::Node& node, const std::string& from, const Heads& heads) {
  const auto *before = graph.dims(from), *after = graph.dims(first_output(node));
  return is_onnx_node(node, "Reshape") && node.input[0] == from && before && after && after->size() == 3 &&
         is_same((*after)[0], (*before)[0]) && is_same((*after)[1], (*before)[1]) && is_size((*after)[2], heads.count * heads.size);
}

class Fusion {
 public:
  Fusion(Match& match, Scores scores, std::string values)
      : graph_(match.graph()), match_(match), scores_(std::move(scores)), values_(std::move(values)) {}

  std::optional<Patch> patch() {
    const auto own_rank = rank(graph_, scores_.query);
    const size_t index = match_.root();
    if (!own_rank || own_rank != rank(graph_, scores_.keys) || own_rank != rank(graph_, values_) || (*own_rank != 3 && *own_rank != 4)) {
      return graph_.refuse(index, "Attention: queries, keys and values are not known to have one rank, 3 or 4");
    }
    const DType dtype = graph_.dtype(scores_.query);
    if (!is_float_type(dtype)) return graph_.refuse(index, "Attention: the element type is not known");
    absorb_scale(scores_.query);
    const std::string keys = scores_.keys;
    absorb_scale(scores_.keys);
    if (!made_by(graph_, scores_.keys, "Transpose"))
      return graph_.refuse(index, fmt::format("Attention: no Transpose makes the keys '{}'", keys));
    if (!scores_.mask.empty() && !is_mask(graph_, scores_.mask, scores_.product)) {
      return graph_.refuse(index, fmt::format("Attention: mask '{}' is not known to broadcast to the scores", scores_.mask));
    }
    if (auto reason = match_.refusal()) return graph_.refuse(index, "Attention: " + std::move(*reason));
    return build(*own_rank);
  }

 private:
  void absorb_scale(std::string& operand) {
    Match trial = match_;
    if (const auto scaling = add_scaling(trial, operand); scaling && !trial.refusal()) {
      match_ = trial;
      operand = scaling->first;
      scores_.scale *= scaling->second;
    }
  }

  Permuted keys(size_t own_rank) {
    Permuted result = behind_transpose(graph_, scores_.keys, own_rank);
    std::swap(result.perm[own_rank - 2], result.perm[own_rank - 1]);
    Match trial = match_;
    if (const auto transpose = made_by(graph_, scores_.keys, "Transpose")) trial.add(*transpose);
    if (const auto scaling = add_scaling(trial, result.source); scaling && !trial.refusal()) {
      match_ = trial;
      result.source = scaling->first;
      scores_.scale *= scaling->second;
    }
    return result;
  }

  std::string mask(Builder& builder, size_t own_rank) {
    std::string value = scores_.mask;
    if (scores_.hides_true) value = builder.node("Not", {value});
    const auto dims = *graph_.dims(scores_.mask);
    if (own_rank != 3 || dims.size() != 3 || is_size(dims[0], 1)) return value;
    // The scores of heads in one dimension with the batch are (batch, 1, rows, keys) to the operator.
    if (graph_.opset("") >= 13) return builder.node("Unsqueeze", {value, builder.constant("axes", Tensor::of<int64_t>({1}, {1}))});
    return builder.node("Unsqueeze", {value}, {model::Attribute::of("axes", Perm{1})});
  }

  std::vector<model::Attribute> attributes(int64_t heads, bool packed) const {
    std::vector<model::Attribute> list = {model::Attribute::of("scale", static_cast<float>(scores_.scale))};
    if (packed) list.push_back(model::Attribute::of("q_num_heads", heads));
    if (packed) list.push_back(model::Attribute::of("kv_num_heads", heads));
    if (scores_.is_choice) list.push_back(model::Attribute::of("mask_value", static_cast<float>(scores_.hidden)));
    return list;
  }

  std::optional<Patch> build(size_t own_rank) {
    const model::Node& root = match_.node(match_.root());
    Builder builder(match_, first_output(root));
    const Permuted q = behind_transpose(graph_, scores_.query, own_rank), k = keys(own_rank),
                   v = behind_transpose(graph_, values_, own_rank);
    if (static_cast<double>(static_cast<float>(scores_.scale)) != scores_.scale && graph_.dtype(scores_.query) == DType::kFloat64) {
      return graph_.refuse(match_.root(), "Attention: the scale has more digits than its attribute");
    }
    if (!std::isnormal(static_cast<float>(scores_.scale))) return graph_.refuse(match_.root(), "Attention: the scale is no float");
    std::vector<std::string> inputs;
    if (auto patch = own_rank == 4 ? with_heads_inside(builder, q, k, v) : std::nullopt) return patch;
    inputs = {scores_.query, builder.transposed(k), values_};
    if (!scores_.mask.empty()) inputs.push_back(mask(builder, own_rank));
    builder.add(named_like(root, kFusedDomain, "Attention", std::move(inputs), first_output(root)), attributes(1, own_rank == 3));
    return builder.take(match_);
  }

  // All operands as (batch, rows, heads * size), and the result too.
  std::optional<Patch> with_heads_inside(Builder& builder, const Permuted& q, const Permuted& k, const Permuted& v) {
    const model::Node& root = match_.node(match_.root());
    const auto of_q = heads_of(graph_, q), of_k = heads_of(graph_, k), of_v = heads_of(graph_, v);
    if (!of_q || !of_k || !of_v || of_q->count != of_k->count || of_q->count != of_v->count) return std::nullopt;
    const auto back = graph_.sole_consumer(first_output(root));
    if (!back || !is_onnx_node(*graph_.node(*back), "Transpose") || model::get_ints(*graph_.node(*back), "perm") != kHeadsFirst)
      return std::nullopt;
    const std::string& result = first_output(*graph_.node(*back));
    match_.add(*back);
    std::vector<std::string> inputs = {joined_heads(graph_, builder, q.source, *of_q), joined_heads(graph_, builder, k.source, *of_k),
                                       joined_heads(graph_, builder, v.source, *of_v)};
    if (!scores_.mask.empty()) inputs.push_back(mask(builder, 4));
    const auto join = graph_.sole_consumer(result);
    const bool joins = join && joins_heads(graph_, *graph_.node(*join), result, *of_v);
    if (joins) match_.add(*join);
    const std::string output = joins ? first_output(*graph_.node(*join)) : graph_.fresh_name(result + "_packed");
    builder.add(named_like(root, kFusedDomain, "Attention", std::move(inputs), output), attributes(of_q->count, true));
    if (!joins) {
      const std::string shape = builder.constant("heads", Tensor::of<int64_t>({4}, {0, 0, of_v->count, of_v->size}));
      builder.add(named_like(root, "", "Reshape", {output, shape}, result));
    }
    return builder.take(match_);
  }

  const GraphView& graph_;
  Match& match_;
  Scores scores_;
  std::string values_;
};

// Whether Softmax runs along the last dimension alone.
bool is_along_last(const GraphView& graph, const model::Node& softmax) {
  constexpr int64_t kOneAxis = 13;  // before, Softmax runs along all dimensions from its axis on
  const int64_t axis = model::get_int(softmax, "axis", graph.opset("") >= kOneAxis ? -1 : 1);
  const auto own_rank = rank(graph, softmax.input.at(0));
  return axis == -1 || (own_rank && axis == static_cast<int64_t>(*own_rank) - 1);
}

}  // namespace

std::optional<Patch> fuse_attention(const GraphView& graph, size_t index) {
  const model::Node& root = *graph.node(index);
  if (!is_onnx_node(root, "MatMul") || root.input.size() != 2 || graph.opset("") < kShapeIsInput) return std::nullopt;
  Match match(graph, index);
  const model::Node* softmax = match.add(root.input[0], "Softmax");
  if (!softmax || !is_along_last(graph, *softmax)) return std::nullopt;
  std::optional<Scores> scores = add_scores(match, softmax->input[0]);
  if (!scores) return graph.refuse(index, "Attention: the scores are no product with at most a scale and one mask");
  return Fusion(match, std::move(*scores), root.input[1]).patch();
}

}  // namespace sardonyx::optimize
