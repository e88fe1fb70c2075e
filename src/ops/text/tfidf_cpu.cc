// TfIdfVectorizer: counts of known n-grams of tokens (integers or strings), as they stand or weighted.
#include <map>
#include <unordered_map>

#include "ops/attributes/attributes.h"
#include "ops/elements/real.h"
#include "ops/stages.h"

namespace sardonyx::ops {
namespace {

enum class Weighting { kCount, kFound, kWeightedCount };

// The known n-grams as a tree of tokens, which are numbered.
class GramTree {
 public:
  static constexpr size_t kNone = static_cast<size_t>(-1);

  void add(std::span<const int64_t> tokens, size_t gram) {
    size_t node = 0;
    for (const int64_t token : tokens) {
      const auto [child, is_new] = nodes_[node].children.try_emplace(token, nodes_.size());
      node = child->second;
      if (is_new) nodes_.emplace_back();
    }
    nodes_[node].gram = gram;
  }
  // The node under `node` for the token; kNone if there is none.
  size_t child(size_t node, int64_t token) const {
    const auto found = nodes_[node].children.find(token);
    return found == nodes_[node].children.end() ? kNone : found->second;
  }
  size_t gram(size_t node) const noexcept { return nodes_[node].gram; }

 private:
  struct Node {
    std::map<int64_t, size_t> children;
    size_t gram = kNone;
  };
  std::vector<Node> nodes_ = std::vector<Node>(1);
};

struct TfIdfSpec {
  Weighting weighting = Weighting::kCount;
  size_t least = 1, most = 1, skips = 0;  // lengths of n-grams, tokens left out between two of one n-gram
  std::vector<int64_t> columns;           // of each n-gram
  std::vector<float> weights;             // of each n-gram; empty: 1
  int64_t width = 0;
  bool of_strings = false;
  std::unordered_map<std::string, int64_t> numbers;  // of the tokens, if they are strings
  GramTree tree;

  int64_t number(const std::string& token) const {
    const auto found = numbers.find(token);
    return found == numbers.end() ? -1 : found->second;
  }
};

std::vector<int64_t> read_pool(TfIdfSpec& spec, const model::Node& node) {
  const std::vector<std::string> strings = get_strings(node, "pool_strings");
  std::vector<int64_t> pool = model::get_ints(node, "pool_int64s");
  if (strings.empty() == pool.empty()) throw model_error("one of the attributes pool_strings and pool_int64s must be given");
  spec.of_strings = !strings.empty();
  for (const std::string& token : strings) pool.push_back(spec.numbers.try_emplace(token, to_int(spec.numbers.size())).first->second);
  return pool;
}

void fill_tree(TfIdfSpec& spec, const model::Node& node) {
  const std::vector<int64_t> pool = read_pool(spec, node), starts = model::get_ints(node, "ngram_counts");
  size_t gram = 0;
  for (size_t i = 0; i < starts.size(); ++i) {
    const int64_t begin = starts[i], end = i + 1 < starts.size() ? starts[i + 1] : to_int(pool.size());
    if (begin < 0 || end < begin || end > to_int(pool.size()))
      throw model_error("attribute ngram_counts does not rise from 0 to the size of the pool");
    const size_t length = i + 1, count = to_size(end - begin) / length;
    for (size_t j = 0; j < count; ++j, ++gram) {
      if (length >= spec.least && length <= spec.most) spec.tree.add(std::span(pool).subspan(to_size(begin) + j * length, length), gram);
    }
  }
  if (gram != spec.columns.size())
    throw model_error("the pool has {} n-grams, attribute ngram_indexes {} values", gram, spec.columns.size());
  if (!spec.weights.empty() && spec.weights.size() != gram)
    throw model_error("the pool has {} n-grams, attribute weights {} values", gram, spec.weights.size());
}

TfIdfSpec tfidf_spec_from_node(const model::Node& node) {
  TfIdfSpec spec;
  spec.weighting = get_choice<Weighting>(node, "mode", "",
                                         {{"TF", Weighting::kCount}, {"IDF", Weighting::kFound}, {"TFIDF", Weighting::kWeightedCount}});
  spec.least = to_size(get_count(node, "min_gram_length", 0, 1));
  spec.most = to_size(get_count(node, "max_gram_length", 0, 1));
  spec.skips = to_size(get_count(node, "max_skip_count", 0, 0));
  spec.columns = model::get_ints(node, "ngram_indexes");
  spec.weights = model::get_floats(node, "weights");
  for (const int64_t column : spec.columns) {
    if (column < 0 || column > std::numeric_limits<int32_t>::max()) throw model_error("attribute ngram_indexes holds {}", column);
    spec.width = std::max(spec.width, column + 1);
  }
  fill_tree(spec, node);
  return spec;
}

// Adds the n-grams of one row of tokens to `y`.
class RowCounter {
 public:
  RowCounter(const TfIdfSpec& spec, std::span<const int64_t> tokens, float* y) : spec_(spec), tokens_(tokens), y_(y) {}

  void run() const {
    // n-grams of one token have nothing to leave out: they count once.
    size_t least = spec_.least;
    for (size_t step = 1; step <= spec_.skips + 1 && least <= spec_.most; ++step) {
      if ((least - 1) * step >= tokens_.size()) break;
      for (size_t first = 0; first < tokens_.size(); ++first) count_from(first, step, least);
      if (least == 1) ++least;
    }
  }

 private:
  void count_from(size_t first, size_t step, size_t least) const {
    size_t node = 0;
    for (size_t length = 1, at = first; length <= spec_.most && at < tokens_.size(); ++length, at += step) {
      node = spec_.tree.child(node, tokens_[at]);
      if (node == GramTree::kNone) return;
      if (length >= least && spec_.tree.gram(node) != GramTree::kNone) add(spec_.tree.gram(node));
    }
  }

  void add(size_t gram) const {
    const float weight = spec_.weighting == Weighting::kCount || spec_.weights.empty() ? 1.0f : spec_.weights[gram];
    float& value = y_[to_size(spec_.columns[gram])];
    value = spec_.weighting == Weighting::kFound ? weight : value + weight;
  }

  const TfIdfSpec& spec_;
  std::span<const int64_t> tokens_;
  float* y_;
};

std::vector<int64_t> numbered_tokens(const TfIdfSpec& spec, const Tensor& x) {
  std::vector<int64_t> tokens(to_size(x.numel()));
  if (spec.of_strings) {
    for (size_t i = 0; i < tokens.size(); ++i) tokens[i] = spec.number(x.strings()[i]);
  } else {
    const IndexView view(x);
    for (size_t i = 0; i < tokens.size(); ++i) tokens[i] = view[i];
  }
  return tokens;
}

void run_tfidf(const TfIdfSpec& spec, const RunContext& r) {
  const std::vector<int64_t> tokens = numbered_tokens(spec, r.inputs[0]);
  const std::span<float> y = r.outputs[0].mutable_values<float>();
  std::ranges::fill(y, 0.0f);
  if (y.empty()) return;
  const size_t width = to_size(spec.width), rows = y.size() / width, columns = tokens.size() / rows;
  for (size_t row = 0; row < rows; ++row) RowCounter(spec, std::span(tokens).subspan(row * columns, columns), &y[row * width]).run();
}

std::unique_ptr<Bound> bind_tfidf(const std::shared_ptr<const TfIdfSpec>& spec, const BindContext& b) {
  const ValueFacts& x = required(b, 0, "X");
  require_dtype(x, spec->of_strings ? DTypeSet{DType::kString} : DTypeSet{DType::kInt32, DType::kInt64}, "X");
  if (x.shape.size() > 2) throw argument_error("X has shape {}; its rank must be 1 or 2", to_string(x.shape));
  Shape out = {spec->width};
  if (x.shape.size() == 2) out.insert(out.begin(), x.shape[0]);
  return make_bound(output(DType::kFloat32, out), [spec](const RunContext& r) { run_tfidf(*spec, r); });
}

}  // namespace

std::unique_ptr<Prepared> prepare_tfidf_vectorizer(const PrepareContext& context) {
  return make_prepared(
      [spec = std::make_shared<const TfIdfSpec>(tfidf_spec_from_node(context.node))](const BindContext& b) { return bind_tfidf(spec, b); });
}

}  // namespace sardonyx::ops
