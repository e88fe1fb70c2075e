// Operators on optional values.
#include <fmt/format.h>

#include "infer/rules.h"

namespace sardonyx::infer {

namespace {
bool may_be_optional(const ValueType& type) {
  return !type.is_known() || type.kind == ValueType::Kind::kTensor || type.kind == ValueType::Kind::kSequence;
}
}  // namespace

// Optional: encloses its input, or is empty and of the type that an attribute gives.
void infer_optional(NodeContext& context) {
  ValueType element;
  if (context.has_input(0)) {
    element = context.type(0);
  } else {
    const model::Attribute* type = context.attribute("type");
    if (type == nullptr || type->tp == nullptr) context.fail("neither an input nor a type as attribute 'type' is given, one is needed");
    element = from_model(*type->tp, context.symbols());
  }
  // An optional of an optional does not exist; refused here too, so that types do not grow without bound.
  if (!may_be_optional(element)) context.fail(fmt::format("the element must be a tensor or a sequence, it is {}", type_text(element)));
  context.set_type(0, ValueType::optional(std::move(element)));
}

// OptionalGetElement: since version 18 the input may also be the element itself.
void infer_optional_get_element(NodeContext& context) {
  const ValueType& type = context.type(0);
  if (!type.is_known()) return;
  if (type.kind == ValueType::Kind::kOptional) {
    if (type.element != nullptr) context.set_type(0, *type.element);
    return;
  }
  if (context.version() < 18) context.fail(fmt::format("the input must be optional, it is {}", type_text(type)));
  context.copy_type(0, 0);
  context.set_elements(0, context.input(0).elements);
  context.set_constant(0, context.input(0).constant);
}

void infer_optional_has_element(NodeContext& context) {
  if (context.version() < 18 && !context.has_input(0)) context.fail("the input is missing");
  context.set_type(0, ValueType::tensor(DType::kBool, {}));
}

}  // namespace sardonyx::infer
