#include <algorithm>

#include "ops/concat/concat.h"
#include "ops/facts.h"

namespace sardonyx::ops {

Shape concat_shape(std::span<const ValueFacts> inputs, size_t axis) {
  Shape out = inputs[0].shape;
  for (size_t i = 1; i < inputs.size(); ++i) {
    const Shape& shape = inputs[i].shape;
    Shape expected = out;
    if (shape.size() == out.size()) expected[axis] = shape[axis];
    if (shape != expected) {
      throw argument_error("input {} has shape {}, input 0 has {}; only axis {} may differ", i, to_string(shape),
                           to_string(inputs[0].shape), axis);
    }
    if (__builtin_add_overflow(out[axis], shape[axis], &out[axis]))
      throw Error(ErrorCode::kResourceLimit, "the sizes add up to more than int64 holds");
  }
  return out;
}

SplitSpec split_spec_from_node(const model::Node& node, int64_t opset) {
  SplitSpec spec{.axis = model::get_int(node, "axis", 0), .sizes = std::nullopt, .parts = node.output.size(), .may_be_uneven = opset >= 18};
  if (node.find_attribute("split")) spec.sizes = model::get_ints(node, "split");
  const int64_t parts = model::get_int(node, "num_outputs", to_int(spec.parts));
  if (parts != to_int(spec.parts)) throw model_error("attribute num_outputs is {}, the node has {} outputs", parts, spec.parts);
  return spec;
}

std::vector<int64_t> split_sizes(const SplitSpec& spec, int64_t size, const std::optional<std::vector<int64_t>>& sizes) {
  if (sizes) {
    int64_t left = size;
    for (const int64_t part : *sizes) left = part < 0 || part > left ? -1 : left - part;
    if (sizes->size() != spec.parts || left != 0) {
      throw argument_error("split {} does not divide {} elements into {} parts", to_string(*sizes), size, spec.parts);
    }
    return *sizes;
  }
  const int64_t parts = to_int(spec.parts);
  if (size % parts != 0 && !spec.may_be_uneven) throw argument_error("{} elements do not divide into {} equal parts", size, parts);
  const int64_t each = (size + parts - 1) / parts;
  std::vector<int64_t> result(spec.parts);
  for (int64_t i = 0; i < parts; ++i) result[to_size(i)] = std::clamp<int64_t>(size - i * each, 0, each);
  return result;
}

}  // namespace sardonyx::ops
