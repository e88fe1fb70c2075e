#include "infer/context.h"

#include <fmt/format.h>

#include <algorithm>

namespace sardonyx::infer {

namespace {
const Value kNothing;

// Elements of a constant, if it is small; null for what has no such elements or is damaged (the checker tells of that).
std::optional<Tensor> decode_small(const model::TensorData* constant) {
  if (constant == nullptr || constant->dtype() == DType::kString || constant->dtype() == DType::kUndefined) return std::nullopt;
  int64_t count = 1;
  for (const int64_t dim : constant->dims) {
    if (dim < 0 || dim > static_cast<int64_t>(kMaxElements)) return std::nullopt;
    count *= dim;
    if (count > static_cast<int64_t>(kMaxElements)) return std::nullopt;
  }
  try {
    return model::decode(*constant);
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace

Elements small_elements(const model::TensorData* constant) {
  if (constant == nullptr || constant->dims.size() > 1) return nullptr;
  const DType dtype = constant->dtype();
  if (dtype != DType::kInt64 && dtype != DType::kInt32 && dtype != DType::kInt16 && dtype != DType::kInt8 && dtype != DType::kUInt8 &&
      dtype != DType::kBool) {
    return nullptr;
  }
  const std::optional<Tensor> tensor = decode_small(constant);
  if (!tensor) return nullptr;
  const Tensor wide = tensor->to(DType::kInt64);
  const auto values = wide.values<int64_t>();
  return std::make_shared<const Dims>(values.begin(), values.end());
}

NodeContext::NodeContext(const model::Node& node, int version, std::vector<const Value*> inputs, Symbols& symbols, BodyInference& bodies)
    : node_(node),
      version_(version),
      inputs_(std::move(inputs)),
      outputs_(node.output.size()),
      decoded_(inputs_.size()),
      symbols_(symbols),
      bodies_(bodies) {}

std::optional<std::vector<int64_t>> NodeContext::ints_attribute(std::string_view name) const {
  if (attribute(name) == nullptr) return std::nullopt;
  return model::get_ints(node_, name);
}

const Value& NodeContext::input(size_t i) const noexcept { return i < inputs_.size() && inputs_[i] != nullptr ? *inputs_[i] : kNothing; }

DType NodeContext::dtype(size_t i) const noexcept {
  const ValueType& given = type(i);
  return given.is_dense_or_sparse() ? given.dtype : DType::kUndefined;
}

const Dims* NodeContext::shape(size_t i) const noexcept {
  const ValueType& given = type(i);
  return given.is_dense_or_sparse() && given.has_rank ? &given.dims : nullptr;
}

const Dims* NodeContext::elements(size_t i) const {
  const Value& value = input(i);
  if (value.elements != nullptr) return value.elements.get();
  if (value.constant == nullptr) return nullptr;
  if (decoded_[i] == nullptr) decoded_[i] = small_elements(value.constant);
  return decoded_[i].get();
}

std::optional<std::vector<int64_t>> NodeContext::ints(size_t i) const {
  const Dims* known = elements(i);
  if (known == nullptr || !std::all_of(known->begin(), known->end(), [](Dim dim) { return dim.is_known(); })) return std::nullopt;
  std::vector<int64_t> result;
  for (const Dim dim : *known) result.push_back(dim.value());
  return result;
}

std::optional<std::vector<double>> NodeContext::numbers(size_t i) const {
  const std::optional<Tensor> tensor = decode_small(input(i).constant);
  if (!tensor || tensor->dtype() == DType::kComplex64 || tensor->dtype() == DType::kComplex128) return std::nullopt;
  const Tensor wide = tensor->to(DType::kFloat64);
  const auto values = wide.values<double>();
  return std::vector<double>(values.begin(), values.end());
}

void NodeContext::set_type(size_t output, ValueType type) {
  if (output < outputs_.size()) outputs_[output].type = std::move(type);
}

void NodeContext::set_dtype(size_t output, DType dtype) {
  if (output >= outputs_.size()) return;
  ValueType& type = outputs_[output].type;
  if (!type.is_dense_or_sparse()) type = ValueType::tensor(dtype);
  type.dtype = dtype;
}

void NodeContext::set_shape(size_t output, Dims dims) {
  if (output >= outputs_.size()) return;
  ValueType& type = outputs_[output].type;
  if (!type.is_dense_or_sparse()) type = ValueType::tensor(DType::kUndefined);
  type.has_rank = dims.size() <= kMaxRank;
  type.dims = type.has_rank ? std::move(dims) : Dims();
}

void NodeContext::set_elements(size_t output, Dims elements) {
  if (elements.size() <= kMaxElements) set_elements(output, std::make_shared<const Dims>(std::move(elements)));
}

void NodeContext::set_elements(size_t output, Elements elements) {
  if (output < outputs_.size()) outputs_[output].elements = std::move(elements);
}

void NodeContext::copy_type(size_t from, size_t output) {
  if (type(from).is_known()) set_type(output, type(from));
}

void NodeContext::copy_shape(size_t from, size_t output) {
  if (const Dims* dims = shape(from)) set_shape(output, *dims);
}

void NodeContext::set_constant(size_t output, const model::TensorData* tensor) {
  if (output < outputs_.size()) outputs_[output].constant = tensor;
}

std::vector<Value> NodeContext::infer_body(const model::Graph& body, std::string_view name, std::span<const Value> body_inputs) const {
  return bodies_.infer_body(body, name, body_inputs);
}

std::optional<std::vector<Value>> NodeContext::try_body(const model::Graph& body, std::string_view name,
                                                        std::span<const Value> body_inputs) const {
  return bodies_.try_body(body, name, body_inputs);
}

void NodeContext::infer_untaken(const model::Graph& body, std::string_view name) const { bodies_.infer_untaken(body, name); }

int NodeContext::tries() const noexcept { return bodies_.tries(); }

void NodeContext::fail(const std::string& message) const { throw Error(ErrorCode::kInvalidModel, message); }

void NodeContext::expect_rank(size_t i, size_t rank, std::string_view name) const {
  const Dims* dims = shape(i);
  if (dims != nullptr && dims->size() != rank) {
    fail(fmt::format("input {} ('{}') must have rank {}, its shape is {}", i, name, rank, symbols_.show(*dims)));
  }
}

void NodeContext::expect_min_rank(size_t i, size_t rank, std::string_view name) const {
  const Dims* dims = shape(i);
  if (dims != nullptr && dims->size() < rank) {
    fail(fmt::format("input {} ('{}') must have at least rank {}, its shape is {}", i, name, rank, symbols_.show(*dims)));
  }
}

size_t NodeContext::axis(int64_t given, size_t rank) const {
  const auto bound = static_cast<int64_t>(rank);
  if (given < -bound || given >= bound) fail(fmt::format("axis {} is not within [{}, {}) of rank {}", given, -bound, bound, rank));
  return static_cast<size_t>(given < 0 ? given + bound : given);
}

}  // namespace sardonyx::infer
