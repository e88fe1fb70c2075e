#include <algorithm>
#include <cmath>

#include "ops/constant/constant.h"
#include "ops/facts.h"

namespace sardonyx::ops {
namespace {

const model::TensorData& tensor_attribute(const model::Attribute& attribute) {
  if (!attribute.t) throw model_error("attribute {} holds no tensor", attribute.name);
  return *attribute.t;
}

Tensor strings_of(const model::Attribute& attribute) {
  std::vector<std::string> values;
  for (const model::Bytes& text : attribute.strings) values.emplace_back(text.text());
  Shape shape = {to_int(values.size())};
  return Tensor::of_strings(std::move(shape), std::move(values));
}

template <class T>
Tensor vector_of(const std::vector<T>& values) {
  return Tensor::of<T>({to_int(values.size())}, values);
}

}  // namespace

static Tensor sparse_constant(const model::Attribute& attribute) {
  if (!attribute.sparse_tensor) throw model_error("attribute sparse_value holds no sparse tensor");
  return model::decode(*attribute.sparse_tensor);
}

Tensor constant_from_node(const model::Node& node, int64_t /*opset*/) {
  for (const model::Attribute& attribute : node.attribute) {
    const std::string_view name = attribute.name;
    if (name == "value") return model::decode(tensor_attribute(attribute));
    if (name == "value_float") return Tensor::scalar(model::get_float(node, name, 0));
    if (name == "value_int") return Tensor::scalar(model::get_int(node, name, 0));
    if (name == "value_string") return Tensor::of_strings({}, {model::get_string(node, name, "")});
    if (name == "value_floats") return vector_of(model::get_floats(node, name));
    if (name == "value_ints") return vector_of(model::get_ints(node, name));
    if (name == "value_strings") return strings_of(attribute);
    if (name == "sparse_value") return sparse_constant(attribute);
  }
  throw model_error("the node has no attribute that gives its value");
}

Tensor fill_value_from_node(const model::Node& node, int64_t /*opset*/) {
  const model::Attribute* attribute = node.find_attribute("value");
  if (!attribute) return Tensor::scalar(0.0f);
  Tensor value = model::decode(tensor_attribute(*attribute));
  if (value.numel() != 1) throw model_error("attribute value has {} elements; it must have one", value.numel());
  return value;
}

int64_t range_count(double start, double limit, double delta) {
  if (!std::isfinite(start) || !std::isfinite(limit) || !std::isfinite(delta) || delta == 0) {
    throw argument_error("start {}, limit {}, delta {} make no range: they must be finite and delta not 0", start, limit, delta);
  }
  const double count = std::max(std::ceil((limit - start) / delta), 0.0);
  if (!(count < 9.0e18)) throw Error(ErrorCode::kResourceLimit, fmt::format("the range would have {} elements", count));
  return static_cast<int64_t>(count);
}

int64_t range_count(int64_t start, int64_t limit, int64_t delta) {
  if (delta == 0) throw argument_error("delta is 0, which makes no range");
  if (delta > 0 ? start >= limit : start <= limit) return 0;
  // Distance and step as unsigned numbers, which cannot overflow.
  const uint64_t distance =
      delta > 0 ? static_cast<uint64_t>(limit) - static_cast<uint64_t>(start) : static_cast<uint64_t>(start) - static_cast<uint64_t>(limit);
  const uint64_t step = delta > 0 ? static_cast<uint64_t>(delta) : uint64_t{0} - static_cast<uint64_t>(delta);
  const uint64_t count = (distance - 1) / step + 1;
  if (count > uint64_t{1} << 62) throw Error(ErrorCode::kResourceLimit, fmt::format("the range would have {} elements", count));
  return static_cast<int64_t>(count);
}

}  // namespace sardonyx::ops
