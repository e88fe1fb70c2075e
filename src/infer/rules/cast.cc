#include <fmt/format.h>

#include <algorithm>

#include "infer/rules.h"
#include "infer/rules/operands.h"
#include "infer/rules/propagation.h"

namespace sardonyx::infer {

namespace {
void cast_to(NodeContext& context, DType dtype) {
  context.set_dtype(0, dtype);
  context.copy_shape(0, 0);
  std::optional<Dims> elements = elements_of(context, 0);
  if (!elements) return;
  for (Dim& element : *elements) {
    if (dtype == DType::kBool) element = element.is_known() ? Dim(element.is(0) ? 0 : 1) : Dim();
  }
  put_elements(context, 0, std::move(*elements));
}

// Version 1 names the type: "FLOAT", "INT64".
DType named_dtype(const NodeContext& context) {
  const std::string given = model::get_string(context.node(), "to", "");
  std::string name = given;
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  const std::optional<DType> dtype = dtype_from_string(name);
  if (!dtype || *dtype == DType::kUndefined) context.fail(fmt::format("attribute 'to' is '{}', which names no element type", given));
  return *dtype;
}

void expect_target(const NodeContext& context) {
  if (context.attribute("to") == nullptr) context.fail("attribute 'to', the type to cast to, is missing");
}
}  // namespace

void infer_cast(NodeContext& context) {
  expect_target(context);
  cast_to(context, context.version() == 1 ? named_dtype(context) : dtype_attribute(context, "to", DType::kUndefined));
}

void infer_cast_like(NodeContext& context) {
  if (context.dtype(1) == DType::kUndefined) {
    context.copy_shape(0, 0);
  } else {
    cast_to(context, context.dtype(1));
  }
}

void infer_bit_cast(NodeContext& context) {
  expect_target(context);
  const DType from = context.dtype(0), to = dtype_attribute(context, "to", DType::kUndefined);
  const int width = bit_width(from);
  if (width != 0 && bit_width(to) != 0 && width != bit_width(to)) {
    context.fail(fmt::format("an element of {} has {} bits, one of {} has {}: they must be the same", to_string(from), width, to_string(to),
                             bit_width(to)));
  }
  context.set_dtype(0, to);
  context.copy_shape(0, 0);
}

}  // namespace sardonyx::infer
