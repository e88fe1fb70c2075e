#include <fmt/format.h>

#include "infer/arithmetic.h"
#include "infer/rules.h"

namespace sardonyx::infer {

namespace {
// What holds whichever branch is taken.
ValueType common_type(const NodeContext& context, size_t output, const ValueType& a, const ValueType& b) {
  if (!a.is_known() || !b.is_known()) return a.is_known() ? a : b;
  if (a.kind != b.kind || a.dtype != b.dtype) {
    context.fail(fmt::format("output {} is {} in then_branch and {} in else_branch", output, type_text(a), type_text(b)));
  }
  ValueType result = a;
  if (a.element != nullptr && b.element != nullptr) {
    result.element = std::make_shared<const ValueType>(common_type(context, output, *a.element, *b.element));
  }
  if (!a.has_rank || !b.has_rank || a.dims.size() != b.dims.size()) {
    result.has_rank = false;
    result.dims.clear();
    return result;
  }
  for (size_t i = 0; i < result.dims.size(); ++i) {
    if (!same(a.dims[i], b.dims[i])) result.dims[i] = Dim();
  }
  return result;
}
}  // namespace

// If, all versions: each output has what both branches say of it.
void infer_if(NodeContext& context) {
  const model::Attribute* then_branch = context.attribute("then_branch");
  const model::Attribute* else_branch = context.attribute("else_branch");
  if (then_branch == nullptr || else_branch == nullptr || !then_branch->g || !else_branch->g) context.fail("a branch is missing");
  const std::vector<Value> then_values = context.infer_body(*then_branch->g, "then_branch", {});
  const std::vector<Value> else_values = context.infer_body(*else_branch->g, "else_branch", {});
  if (then_values.size() != context.outputs() || else_values.size() != context.outputs()) {
    context.fail(
        fmt::format("the node has {} outputs, then_branch {}, else_branch {}", context.outputs(), then_values.size(), else_values.size()));
  }
  for (size_t i = 0; i < context.outputs(); ++i) {
    context.set_type(i, common_type(context, i, then_values[i].type, else_values[i].type));
  }
}

}  // namespace sardonyx::infer
