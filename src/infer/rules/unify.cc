#include "infer/rules/unify.h"

#include <fmt/format.h>

namespace sardonyx::infer {

void unify(const NodeContext& context, size_t input, std::string_view name, std::initializer_list<Dim*> dims) {
  const Dims* shape = context.shape(input);
  if (shape == nullptr) return;
  context.expect_rank(input, dims.size(), name);
  size_t i = 0;
  for (Dim* dim : dims) {
    *dim = merge(context, *dim, (*shape)[i], fmt::format("dimension {} of input {} ('{}')", i, input, name));
    ++i;
  }
}

Dim scalar_input(const NodeContext& context, size_t input, std::string_view name) {
  if (context.input(input).constant != nullptr) context.expect_rank(input, 0, name);
  const Dims* elements = context.elements(input);
  return elements != nullptr && elements->size() == 1 ? elements->front() : Dim();
}

}  // namespace sardonyx::infer
