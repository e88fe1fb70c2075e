// Einsum: sums of products of tensors whose dimensions are named by letters.
//
// Operands are joined one by one from the left: what only one of the two has and nobody needs later is summed first, and the rest is a
// matrix product over the dimensions that both have and nobody needs later.
#pragma once

#include <string>
#include <vector>

#include "ops/movement/strided.h"

namespace sardonyx::ops {

// A dimension's name: a letter, or a number below kLettersFrom for a dimension of an ellipsis, counted from the last.
using Label = int;
inline constexpr Label kLettersFrom = 64;

struct EinsumTerm {
  std::string before, after;  // letters around the ellipsis
  bool has_ellipsis = false;
};

struct EinsumEquation {
  std::vector<EinsumTerm> inputs;
  EinsumTerm result;
};

// Throws InvalidModel for text that is no equation. Without "->" the result has the ellipsis and the letters that occur once, in order.
EinsumEquation parse_einsum(const std::string& text);

// A tensor whose dimensions have names, each once.
struct Labelled {
  std::vector<Label> labels;
  StridedView view;
};

// Operands as views of the sizes that all of them agree upon, dimensions that one names twice taken along the diagonal; and the labels of
// the result. Throws InvalidArgument where ranks or sizes do not fit.
struct EinsumOperands {
  std::vector<Labelled> inputs;
  std::vector<Label> result;
};
EinsumOperands bind_einsum(const EinsumEquation& equation, const std::vector<Shape>& shapes);

// The same tensor with these of its dimensions, in this order.
Labelled with_labels(const Labelled& tensor, const std::vector<Label>& labels);

}  // namespace sardonyx::ops
