// The adapters: each carries a node over one step between two versions of its operator, up or down. steps.inc says which serves where.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "convert/adapter_list.h"
#include "convert/rewriter.h"

namespace sardonyx::convert {

using Adapter = void (*)(Rewriter&);

// What happens to a node with a type that the target's version of the operator does not take.
enum class Types {
  kRefuse,  // it is refused
  kCast,    // it is computed in a wider type that holds every value: exact, or rounded once
  kOwn,     // the adapter sees to it
};

// The step between two versions of an operator; `older` is 0 where the operator begins with `newer`.
struct Step {
  std::string_view op_type;
  int older, newer;
  Adapter up, down;
  Types types;
};

// Null where no step ends in that version of that operator.
const Step* find_step(std::string_view op_type, int newer) noexcept;
std::span<const Step> all_steps() noexcept;

// Replaces the node by the nodes of `text`: "(X, Y) => (Z) { a = Mul (X, Y) Z = Relu (a) }" in ONNX's text syntax. Its inputs and outputs
// are the node's, in order; ones that the node leaves out are "" inside. A value "@name" of an attribute is the one of that name in
// `values`, and the attribute is left out where there is none. Three operators more make constants:
//   c = Like <v = 0.5> (X)        a scalar of the type of X
//   c = Ints <v = [0, -1]> ()     a list of int64
//   c = Float <v = 0.5> ()        a float
void expand(Rewriter& rewriter, std::string_view text, const Attributes& values = {});

// Casts inputs and outputs whose type the target's version does not take, as `types` says. Returns the casts that follow the node.
struct OutputCast {
  std::string from, to;
  DType dtype;
};
std::vector<OutputCast> settle_types(Rewriter& rewriter, Types types);

}  // namespace sardonyx::convert
