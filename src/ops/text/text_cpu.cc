// StringConcat, StringNormalizer and StringSplit.
#include <algorithm>
#include <set>

#include "ops/attributes/attributes.h"
#include "ops/elements/real.h"
#include "ops/movement/strided.h"
#include "ops/stages.h"
#include "ops/text/string_case.h"

namespace sardonyx::ops {
namespace {

const ValueFacts& string_input(const BindContext& b, size_t index, std::string_view name) {
  const ValueFacts& x = required(b, index, name);
  require_dtype(x, {DType::kString}, name);
  return x;
}

struct NormalizerSpec {
  std::set<std::string> stopwords;  // in the case in which they are compared
  bool is_case_sensitive = false;
  CaseChange change = CaseChange::kNone;

  bool is_stopword(const std::string& word) const {
    return stopwords.contains(is_case_sensitive ? word : change_case(word, CaseChange::kLower));
  }
};

NormalizerSpec normalizer_spec_from_node(const model::Node& node) {
  NormalizerSpec spec;
  spec.is_case_sensitive = model::get_int(node, "is_case_sensitive", 0) != 0;
  spec.change = get_choice<CaseChange>(node, "case_change_action", "NONE",
                                       {{"NONE", CaseChange::kNone}, {"LOWER", CaseChange::kLower}, {"UPPER", CaseChange::kUpper}});
  for (const std::string& word : get_strings(node, "stopwords")) {
    spec.stopwords.insert(spec.is_case_sensitive ? word : change_case(word, CaseChange::kLower));
  }
  return spec;
}

void run_normalizer(const NormalizerSpec& spec, const RunContext& r) {
  std::vector<std::string> kept;
  for (const std::string& word : r.inputs[0].strings()) {
    if (spec.stopwords.empty() || !spec.is_stopword(word)) kept.push_back(change_case(word, spec.change));
  }
  if (kept.empty()) kept.emplace_back();
  Shape shape(r.inputs[0].shape().size(), 1);
  shape.back() = to_int(kept.size());
  r.outputs[0] = Tensor::of_strings(std::move(shape), std::move(kept));
}

struct SplitSpec {
  std::string delimiter;            // empty: white space
  size_t most = std::string::npos;  // splits
};

std::vector<std::string> split_at_space(std::string_view text, size_t most) {
  constexpr std::string_view kSpace = " \t\n\r\f\v";
  std::vector<std::string> parts;
  for (size_t at = text.find_first_not_of(kSpace); at != std::string_view::npos;) {
    const size_t end = parts.size() == most ? std::string_view::npos : text.find_first_of(kSpace, at);
    std::string_view part = text.substr(at, end == std::string_view::npos ? end : end - at);
    if (end == std::string_view::npos) part = part.substr(0, part.find_last_not_of(kSpace) + 1);
    parts.emplace_back(part);
    at = text.find_first_not_of(kSpace, end);
  }
  return parts;
}

std::vector<std::string> split(std::string_view text, const SplitSpec& spec) {
  if (spec.delimiter.empty()) return split_at_space(text, spec.most);
  std::vector<std::string> parts;
  while (true) {
    const size_t end = parts.size() == spec.most ? std::string_view::npos : text.find(spec.delimiter);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + spec.delimiter.size());
  }
}

void run_split(const SplitSpec& spec, bool wants_counts, const RunContext& r) {
  const Tensor& x = r.inputs[0];
  std::vector<std::vector<std::string>> parts;
  size_t most = 0;
  for (const std::string& text : x.strings()) {
    parts.push_back(split(text, spec));
    most = std::max(most, parts.back().size());
  }
  Shape shape = x.shape();
  shape.push_back(to_int(most));
  const ValueFacts facts = output(DType::kString, shape);  // one long text among many short ones may ask for too much
  r.outputs[0] = Tensor::empty(facts.shape, DType::kString);
  std::string* to = r.outputs[0].mutable_values<std::string>().data();
  for (size_t i = 0; i < parts.size(); ++i) std::ranges::move(parts[i], to + i * most);
  if (!wants_counts) return;
  r.outputs[1] = Tensor::empty(x.shape(), DType::kInt64);
  int64_t* counts = r.outputs[1].mutable_values<int64_t>().data();
  for (size_t i = 0; i < parts.size(); ++i) counts[i] = to_int(parts[i].size());
}

SplitSpec split_spec_from_node(const model::Node& node) {
  SplitSpec spec{.delimiter = model::get_string(node, "delimiter", "")};
  const int64_t most = model::get_int(node, "maxsplit", -1);
  if (most >= 0) spec.most = to_size(most);
  return spec;
}

}  // namespace

std::unique_ptr<Prepared> prepare_string_concat(const PrepareContext& /*context*/) {
  return make_prepared([](const BindContext& b) {
    const Shape &x = string_input(b, 0, "X").shape, &y = string_input(b, 1, "Y").shape;
    return make_bound(output(DType::kString, broadcast(x, y)), [x, y](const RunContext& r) {
      const std::span<std::string> z = r.outputs[0].mutable_values<std::string>();
      const StridedView left = broadcast_view(x, r.outputs[0].shape()), right = broadcast_view(y, r.outputs[0].shape());
      for (size_t i = 0; i < z.size(); ++i) {
        z[i] = r.inputs[0].strings()[static_cast<size_t>(left.offset(i))] + r.inputs[1].strings()[static_cast<size_t>(right.offset(i))];
      }
    });
  });
}

std::unique_ptr<Prepared> prepare_string_normalizer(const PrepareContext& context) {
  return make_prepared([spec = normalizer_spec_from_node(context.node)](const BindContext& b) {
    const Shape& x = string_input(b, 0, "X").shape;
    if (x.size() != 1 && (x.size() != 2 || x[0] != 1))
      throw argument_error("X has shape {}; it must be [words] or [1, words]", to_string(x));
    auto bound = make_bound(ValueFacts{DType::kString, {}, nullptr}, [spec](const RunContext& r) { run_normalizer(spec, r); });
    bound->dynamic = true;
    return bound;
  });
}

std::unique_ptr<Prepared> prepare_string_split(const PrepareContext& context) {
  return make_prepared([spec = split_spec_from_node(context.node), wanted = wanted_outputs(context.node)](const BindContext& b) {
    string_input(b, 0, "X");
    const bool wants_counts = wanted.size() > 1 && wanted[1];
    auto bound = make_bound(keep_wanted({{DType::kString, {}, nullptr}, {DType::kInt64, {}, nullptr}}, wanted),
                            [spec, wants_counts](const RunContext& r) { run_split(spec, wants_counts, r); });
    bound->dynamic = true;
    return bound;
  });
}

}  // namespace sardonyx::ops
