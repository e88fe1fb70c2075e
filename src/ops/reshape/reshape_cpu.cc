#include "ops/facts.h"
#include "ops/reshape/reshape.h"
#include "ops/stages.h"

namespace sardonyx::ops {
namespace {

std::optional<std::vector<int64_t>> ints_attribute(const model::Node& node, std::string_view name) {
  if (!node.find_attribute(name)) return std::nullopt;
  return model::get_ints(node, name);
}

// The values of the list that an input (newer versions) or else an attribute (older ones) gives; none if neither does. A scalar is taken
// for a list of one: models have axes like that, ONNX's own tests among them.
std::optional<std::vector<int64_t>> list_of(const BindContext& context, size_t input, const std::optional<std::vector<int64_t>>& attribute,
                                            std::string_view name) {
  const ValueFacts* facts = optional(context, input);
  if (!facts) return attribute;
  if (!facts->shape.empty()) require_rank(*facts, 1, name);
  return integer_values(*facts, name);
}

const ValueDriven kByInput1 = {.value_inputs = 1U << 1, .output_types = {}};

}  // namespace

std::unique_ptr<Prepared> prepare_reshape(const PrepareContext& context) {
  const bool allow_zero = model::get_int(context.node, "allowzero", 0) != 0;
  return make_value_driven(make_prepared([allow_zero, attribute = ints_attribute(context.node, "shape")](const BindContext& b) {
                             const ValueFacts& x = required(b, 0, "data");
                             if (const ValueFacts* shape = optional(b, 1)) require_rank(*shape, 1, "shape");
                             const auto wanted = list_of(b, 1, attribute, "shape");
                             if (!wanted) throw argument_error("the wanted shape is missing");
                             return make_alias(output(x.dtype, reshape_shape(x.shape, *wanted, allow_zero)));
                           }),
                           kByInput1);
}

std::unique_ptr<Prepared> prepare_flatten(const PrepareContext& context) {
  return make_prepared([axis = model::get_int(context.node, "axis", 1)](const BindContext& b) {
    const ValueFacts& x = required(b, 0, "input");
    return make_alias(output(x.dtype, flatten_shape(x.shape, axis)));
  });
}

std::unique_ptr<Prepared> prepare_squeeze(const PrepareContext& context) {
  return make_value_driven(make_prepared([attribute = ints_attribute(context.node, "axes")](const BindContext& b) {
                             const ValueFacts& x = required(b, 0, "data");
                             return make_alias(output(x.dtype, squeeze_shape(x.shape, list_of(b, 1, attribute, "axes"))));
                           }),
                           kByInput1);
}

std::unique_ptr<Prepared> prepare_unsqueeze(const PrepareContext& context) {
  return make_value_driven(make_prepared([attribute = ints_attribute(context.node, "axes")](const BindContext& b) {
                             const ValueFacts& x = required(b, 0, "data");
                             const auto axes = list_of(b, 1, attribute, "axes");
                             if (!axes) throw argument_error("the axes are missing");
                             return make_alias(output(x.dtype, unsqueeze_shape(x.shape, *axes)));
                           }),
                           kByInput1);
}

std::unique_ptr<Prepared> prepare_identity(const PrepareContext& /*context*/) {
  return make_prepared([](const BindContext& b) {
    const ValueFacts* x = optional(b, 0);
    if (!x || x->dtype == DType::kTensor) return make_pass_on(x ? x->dtype : DType::kUndefined);
    return make_alias(output(x->dtype, x->shape));
  });
}

}  // namespace sardonyx::ops
