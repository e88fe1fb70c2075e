#include "infer/rules/propagation.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace sardonyx::infer {

namespace {
constexpr double kExactDouble = 9007199254740992.0;  // 2^53: whole numbers up to here are exact

Dim whole(double value) {
  const bool is_whole = std::abs(value) <= kExactDouble && std::trunc(value) == value;
  return is_whole ? Dim(static_cast<int64_t>(value)) : Dim();
}

struct Range {
  int64_t low = 0, high = 0;
};

// Whole numbers that a type holds exactly, without gaps.
std::optional<Range> exact_range(DType dtype) {
  const auto symmetric = [](int bits) { return Range{-(int64_t{1} << bits), int64_t{1} << bits}; };
  switch (dtype) {
    case DType::kInt64:
      return Range{std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()};
    case DType::kUInt64:
      return Range{0, std::numeric_limits<int64_t>::max()};
    case DType::kInt32:
      return Range{std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max()};
    case DType::kUInt32:
      return Range{0, std::numeric_limits<uint32_t>::max()};
    case DType::kInt16:
      return Range{std::numeric_limits<int16_t>::min(), std::numeric_limits<int16_t>::max()};
    case DType::kUInt16:
      return Range{0, std::numeric_limits<uint16_t>::max()};
    case DType::kInt8:
      return Range{std::numeric_limits<int8_t>::min(), std::numeric_limits<int8_t>::max()};
    case DType::kUInt8:
      return Range{0, std::numeric_limits<uint8_t>::max()};
    case DType::kBool:
      return Range{0, 1};
    case DType::kFloat64:
      return symmetric(53);
    case DType::kFloat32:
      return symmetric(24);
    case DType::kFloat16:
      return symmetric(11);
    case DType::kBFloat16:
      return symmetric(8);
    default:
      return std::nullopt;
  }
}
}  // namespace

std::optional<Dims> elements_of(const NodeContext& context, size_t input) {
  if (const Dims* elements = context.elements(input)) return *elements;
  const model::TensorData* constant = context.input(input).constant;
  if (constant == nullptr || constant->dims.size() > 1 || !is_floating_point(constant->dtype())) return std::nullopt;
  const std::optional<std::vector<double>> numbers = context.numbers(input);
  if (!numbers) return std::nullopt;
  Dims elements;
  for (const double number : *numbers) elements.push_back(whole(number));
  return elements;
}

std::optional<Dims> elements_or_unknown(const NodeContext& context, size_t input) {
  if (std::optional<Dims> elements = elements_of(context, input)) return elements;
  const Dims* shape = context.shape(input);
  if (shape == nullptr || shape->size() > 1) return std::nullopt;
  const Dim count = product(*shape);
  if (!count.is_known() || count.value() < 0 || static_cast<uint64_t>(count.value()) > kMaxElements) return std::nullopt;
  return Dims(static_cast<size_t>(count.value()));
}

Dim fit(Dim element, DType dtype) {
  const std::optional<Range> range = exact_range(dtype);
  if (!range) return {};
  if (element.is_symbol()) return range->high >= int64_t{1} << 24 ? element : Dim();
  return element.is_known() && element.value() >= range->low && element.value() <= range->high ? element : Dim();
}

void put_elements(NodeContext& context, size_t output, Dims elements) {
  if (output >= context.outputs()) return;
  const ValueType& type = context.results()[output].type;
  if (!type.has_rank || type.dims.size() > 1) return;
  for (Dim& element : elements) element = fit(element, type.dtype);
  if (!elements.empty() && std::all_of(elements.begin(), elements.end(), [](Dim element) { return element.is_unknown(); })) return;
  context.set_elements(output, std::move(elements));
}

void propagate_unary(NodeContext& context, UnaryElement function) {
  std::optional<Dims> elements = elements_of(context, 0);
  if (!elements) return;
  for (Dim& element : *elements) element = function(element);
  put_elements(context, 0, std::move(*elements));
}

std::optional<size_t> broadcast_count(std::span<const Dims> lists) {
  size_t count = 1;
  for (const Dims& list : lists) {
    if (list.size() == 1 || list.size() == count) continue;
    if (count != 1) return std::nullopt;
    count = list.size();
  }
  return count;
}

void propagate_nary(NodeContext& context, BinaryElement function) {
  std::vector<Dims> lists;
  for (size_t i = 0; i < context.inputs(); ++i) {
    std::optional<Dims> elements = elements_of(context, i);
    if (!elements) return;
    lists.push_back(std::move(*elements));
  }
  const std::optional<size_t> count = broadcast_count(lists);
  if (!count || lists.empty()) return;
  const DType dtype = context.outputs() > 0 ? context.results()[0].type.dtype : DType::kUndefined;
  Dims result(*count);
  for (size_t i = 0; i < result.size(); ++i) {
    result[i] = broadcast_element(lists[0], i);
    for (size_t k = 1; k < lists.size(); ++k) result[i] = fit(function(result[i], broadcast_element(lists[k], i)), dtype);
  }
  put_elements(context, 0, std::move(result));
}

Elements elements_of(const std::vector<int64_t>& values) {
  return values.size() <= kMaxElements ? std::make_shared<const Dims>(values.begin(), values.end()) : nullptr;
}

}  // namespace sardonyx::infer
