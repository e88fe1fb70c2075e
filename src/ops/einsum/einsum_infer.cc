#include <algorithm>
#include <cctype>
#include <map>

#include "ops/einsum/einsum.h"
#include "ops/facts.h"

namespace sardonyx::ops {
namespace {

EinsumTerm parse_term(std::string_view text) {
  EinsumTerm term;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == ' ') continue;
    if (std::isalpha(static_cast<unsigned char>(c)) != 0) {
      (term.has_ellipsis ? term.after : term.before) += c;
    } else if (text.substr(i, 3) == "..." && !term.has_ellipsis) {
      term.has_ellipsis = true;
      i += 2;
    } else {
      throw model_error("the equation's term '{}' is not made of letters and at most one ellipsis", text);
    }
  }
  return term;
}

EinsumTerm implied_result(const std::vector<EinsumTerm>& inputs) {
  std::map<char, int> uses;
  EinsumTerm result;
  for (const EinsumTerm& term : inputs) {
    for (const char c : term.before + term.after) ++uses[c];
    result.has_ellipsis |= term.has_ellipsis;
  }
  for (const auto& [letter, count] : uses) {
    if (count == 1) result.after += letter;
  }
  return result;
}

// A name for each dimension of a tensor of that rank.
std::vector<Label> labels_of(const EinsumTerm& term, size_t rank) {
  const size_t letters = term.before.size() + term.after.size();
  if (rank < letters || (rank > letters && !term.has_ellipsis)) {
    throw argument_error("the equation names {} dimensions of an operand of rank {}", letters, rank);
  }
  if (rank - letters >= to_size(kLettersFrom)) throw argument_error("an ellipsis stands for {} dimensions", rank - letters);
  std::vector<Label> labels;
  for (const char c : term.before) labels.push_back(kLettersFrom + c);
  for (size_t i = rank - letters; i-- > 0;) labels.push_back(static_cast<Label>(i));
  for (const char c : term.after) labels.push_back(kLettersFrom + c);
  return labels;
}

using Sizes = std::map<Label, int64_t>;

void agree(Sizes& sizes, const std::vector<Label>& labels, const Shape& shape) {
  for (size_t i = 0; i < labels.size(); ++i) {
    int64_t& size = sizes.try_emplace(labels[i], shape[i]).first->second;
    if (size != shape[i] && size != 1 && shape[i] != 1) {
      throw argument_error("a dimension of the equation has size {} in one place and {} in another (shape {})", size, shape[i],
                           to_string(shape));
    }
    if (size == 1) size = shape[i];
  }
}

Labelled label_operand(const Sizes& sizes, const std::vector<Label>& labels, const Shape& shape) {
  const StridedView plain = contiguous_view(shape);
  Labelled operand;
  for (size_t i = 0; i < labels.size(); ++i) {
    const ptrdiff_t stride = shape[i] == 1 ? 0 : plain.stride[i];
    const auto known = std::ranges::find(operand.labels, labels[i]);
    if (known != operand.labels.end()) {
      operand.view.stride[to_size(known - operand.labels.begin())] += stride;
      continue;
    }
    operand.labels.push_back(labels[i]);
    operand.view.shape.push_back(sizes.at(labels[i]));
    operand.view.stride.push_back(stride);
  }
  return operand;
}

}  // namespace

EinsumEquation parse_einsum(const std::string& text) {
  const std::string_view all = text;
  const size_t arrow = all.find("->");
  EinsumEquation equation;
  std::string_view left = all.substr(0, arrow);
  for (size_t comma = left.find(','); comma != std::string_view::npos; comma = left.find(',')) {
    equation.inputs.push_back(parse_term(left.substr(0, comma)));
    left.remove_prefix(comma + 1);
  }
  equation.inputs.push_back(parse_term(left));
  equation.result = arrow == std::string_view::npos ? implied_result(equation.inputs) : parse_term(all.substr(arrow + 2));
  std::string letters = equation.result.before + equation.result.after;
  std::ranges::sort(letters);
  if (std::ranges::adjacent_find(letters) != letters.end())
    throw model_error("the equation '{}' names a dimension of the result twice", text);
  return equation;
}

EinsumOperands bind_einsum(const EinsumEquation& equation, const std::vector<Shape>& shapes) {
  if (equation.inputs.size() != shapes.size()) {
    throw argument_error("the equation has {} operands, the node {}", equation.inputs.size(), shapes.size());
  }
  Sizes sizes;
  std::vector<std::vector<Label>> labels;
  for (size_t i = 0; i < shapes.size(); ++i) {
    labels.push_back(labels_of(equation.inputs[i], shapes[i].size()));
    agree(sizes, labels.back(), shapes[i]);
  }
  EinsumOperands operands;
  for (size_t i = 0; i < shapes.size(); ++i) operands.inputs.push_back(label_operand(sizes, labels[i], shapes[i]));
  const EinsumTerm& result = equation.result;
  const auto ellipsis = std::ranges::count_if(sizes, [](const auto& entry) { return entry.first < kLettersFrom; });
  operands.result = labels_of(result, result.before.size() + result.after.size() + (result.has_ellipsis ? to_size(ellipsis) : 0));
  for (const Label label : operands.result) {
    if (!sizes.contains(label))
      throw argument_error("the result names '{}', which no operand has", static_cast<char>(label - kLettersFrom));
  }
  return operands;
}

Labelled with_labels(const Labelled& tensor, const std::vector<Label>& labels) {
  Labelled result{.labels = labels, .view = {}};
  for (const Label label : labels) {
    const size_t i = to_size(std::ranges::find(tensor.labels, label) - tensor.labels.begin());
    result.view.shape.push_back(tensor.view.shape[i]);
    result.view.stride.push_back(tensor.view.stride[i]);
  }
  return result;
}

}  // namespace sardonyx::ops
