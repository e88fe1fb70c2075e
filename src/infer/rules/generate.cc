// Operators that make tensors: constants, random numbers, ranges, windows.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "infer/rules.h"
#include "infer/rules/operands.h"
#include "infer/rules/propagation.h"

namespace sardonyx::infer {

namespace {
constexpr std::array<std::string_view, 8> kConstantForms = {"value",       "sparse_value", "value_int",    "value_ints",
                                                            "value_float", "value_floats", "value_string", "value_strings"};

void set_list(NodeContext& context, DType dtype, size_t count) {
  context.set_type(0, ValueType::tensor(dtype, {static_cast<int64_t>(count)}));
}

// Whole numbers among floats, unknown ones for others; left out where none is whole.
void set_whole_elements(NodeContext& context, std::span<const float> values) {
  constexpr float kExactFloat = 16777216.0f;  // 2^24
  if (values.size() > kMaxElements) return;
  Dims elements;
  for (const float value : values) {
    const bool is_whole = std::abs(value) <= kExactFloat && std::trunc(value) == value;
    elements.push_back(is_whole ? Dim(static_cast<int64_t>(value)) : Dim());
  }
  put_elements(context, 0, std::move(elements));
}

void set_tensor(NodeContext& context, const model::TensorData& tensor) {
  ValueType type = ValueType::tensor(tensor.dtype(), Dims(tensor.dims.begin(), tensor.dims.end()));
  for (Dim& dim : type.dims) dim = dim.value() < 0 ? Dim() : dim;
  context.set_type(0, std::move(type));
  if (tensor.data_type != 0 && tensor.dtype() == DType::kUndefined) {
    context.fail(fmt::format("the tensor has the unknown element type {}", tensor.data_type));
  }
  context.set_constant(0, &tensor);
}

void set_sparse(NodeContext& context, const model::SparseTensorData& tensor) {
  ValueType type = ValueType::tensor(tensor.values.dtype(), Dims(tensor.dims.begin(), tensor.dims.end()));
  for (Dim& dim : type.dims) dim = dim.value() < 0 ? Dim() : dim;
  context.set_type(0, std::move(type));
}

void set_number(NodeContext& context, const model::Attribute& attribute) {
  if (attribute.name == "value_int") {
    context.set_type(0, ValueType::tensor(DType::kInt64, Dims{}));
    context.set_elements(0, Dims{model::get_int(context.node(), attribute.name, 0)});
  } else if (attribute.name == "value_ints") {
    const std::vector<int64_t> values = model::get_ints(context.node(), attribute.name);
    set_list(context, DType::kInt64, values.size());
    context.set_elements(0, elements_of(values));
  } else if (attribute.name == "value_float") {
    const float value = model::get_float(context.node(), attribute.name, 0);
    context.set_type(0, ValueType::tensor(DType::kFloat32, Dims{}));
    set_whole_elements(context, {&value, 1});
  } else if (attribute.name == "value_floats") {
    const std::vector<float> values = model::get_floats(context.node(), attribute.name);
    set_list(context, DType::kFloat32, values.size());
    set_whole_elements(context, values);
  } else if (attribute.name == "value_string") {
    context.set_type(0, ValueType::tensor(DType::kString, Dims{}));
  } else {
    set_list(context, DType::kString, attribute.strings.size());
  }
}

// The size that a scalar input spells, at least `least`; unknown if it is not known.
Dim scalar_size(const NodeContext& context, size_t input, std::string_view name, int64_t least) {
  const Dim size = scalar_operand(context, input);
  if (size.is_unknown()) return size;
  context.expect_rank(input, 0, name);
  if (size.is_known() && size.value() < least) {
    context.fail(fmt::format("input {} ('{}') is {}, it must be at least {}", input, name, size.value(), least));
  }
  return size;
}

void set_random_dtype(NodeContext& context) {
  const DType dtype = dtype_attribute(context, "dtype", context.dtype(0));
  if (dtype != DType::kUndefined) context.set_dtype(0, dtype);
}
}  // namespace

// Constant: exactly one of the attributes says what it is.
void infer_constant(NodeContext& context) {
  const model::Attribute* found = nullptr;
  for (const std::string_view name : kConstantForms) {
    const model::Attribute* attribute = context.attribute(name);
    if (attribute == nullptr) continue;
    if (found != nullptr) context.fail(fmt::format("attributes '{}' and '{}' are both given: one must be", found->name, name));
    found = attribute;
  }
  if (found == nullptr) context.fail("none of the attributes that give the value is there");
  if (found->name == "value") {
    if (found->t == nullptr) context.fail("attribute 'value' holds no tensor");
    set_tensor(context, *found->t);
  } else if (found->name == "sparse_value") {
    if (found->sparse_tensor == nullptr) context.fail("attribute 'sparse_value' holds no sparse tensor");
    set_sparse(context, *found->sparse_tensor);
  } else {
    set_number(context, *found);
  }
}

// ConstantOfShape: the shape is an input, the value a tensor of one element.
void infer_constant_of_shape(NodeContext& context) {
  const model::Attribute* value = context.attribute("value");
  const bool has_tensor = value != nullptr && value->t != nullptr;
  if (has_tensor && value->t->dims.size() != 1) context.fail("attribute 'value' must be a tensor of shape [1]");
  context.set_dtype(0, has_tensor ? value->t->dtype() : DType::kFloat32);
  const std::optional<Dims> dims = shape_operand(context, 0, "input");
  if (!dims) return;
  for (const Dim dim : *dims) {
    if (dim.is_known() && dim.value() < 0) context.fail(fmt::format("the shape {} has a negative size", context.symbols().show(*dims)));
  }
  context.set_shape(0, *dims);
  const Dim count = product(*dims);
  if (dims->size() > 1 || !count.is_known() || static_cast<uint64_t>(count.value()) > kMaxElements) return;
  const Elements element = has_tensor ? small_elements(value->t.get()) : std::make_shared<const Dims>(1, Dim(0));
  if (element != nullptr && element->size() == 1) put_elements(context, 0, Dims(static_cast<size_t>(count.value()), element->front()));
}

void infer_eye_like(NodeContext& context) {
  set_random_dtype(context);
  context.expect_rank(0, 2, "input");
  context.copy_shape(0, 0);
}

// RandomNormal, RandomUniform: the attribute `shape`.
void infer_random(NodeContext& context) {
  context.set_dtype(0, dtype_attribute(context, "dtype", DType::kFloat32));
  const std::optional<std::vector<int64_t>> shape = context.ints_attribute("shape");
  if (!shape) context.fail("attribute 'shape' is missing");
  for (const int64_t size : *shape) {
    if (size < 0) context.fail(fmt::format("attribute 'shape' has the negative size {}", size));
  }
  context.set_shape(0, Dims(shape->begin(), shape->end()));
}

// RandomNormalLike, RandomUniformLike, Bernoulli: the shape, and the type unless `dtype` says another, of the input.
void infer_random_like(NodeContext& context) {
  set_random_dtype(context);
  context.copy_shape(0, 0);
}

void infer_multinomial(NodeContext& context) {
  const DType dtype = dtype_attribute(context, "dtype", DType::kInt32);
  if (dtype != DType::kInt32 && dtype != DType::kInt64) context.fail("attribute 'dtype' must be int32 or int64");
  context.set_dtype(0, dtype);
  context.expect_rank(0, 2, "input");
  const int64_t samples = model::get_int(context.node(), "sample_size", 1);
  if (samples < 0) context.fail(fmt::format("attribute 'sample_size' is {}, it must not be negative", samples));
  const Dims* dims = context.shape(0);
  context.set_shape(0, {dims == nullptr ? Dim() : dims->front(), samples});
}

namespace {
Dim range_count(double span, double delta) {
  constexpr double kTooMany = 9.2e18;
  const double count = std::ceil(span / delta);
  if (std::isnan(count) || count >= kTooMany) return {};
  return count <= 0 ? Dim(0) : Dim(static_cast<int64_t>(count));
}

// Of constant floats, in the precision that they have.
Dim range_count(const NodeContext& context) {
  double bounds[3];
  for (size_t i = 0; i < 3; ++i) {
    const std::optional<std::vector<double>> numbers = context.numbers(i);
    if (!numbers || numbers->size() != 1) return {};
    bounds[i] = numbers->front();
  }
  if (bounds[2] == 0) context.fail("input 2 ('delta') is 0");
  if (context.dtype(0) == DType::kFloat64) return range_count(bounds[1] - bounds[0], bounds[2]);
  if (context.dtype(0) != DType::kFloat32) return {};
  return range_count(static_cast<double>(static_cast<float>(bounds[1]) - static_cast<float>(bounds[0])), bounds[2]);
}
}  // namespace

// Range: one axis; its size where the bounds are known, its elements where they are integers.
void infer_range(NodeContext& context) {
  constexpr std::string_view kNames[] = {"start", "limit", "delta"};
  Dim bounds[3];
  for (size_t i = 0; i < std::size(kNames); ++i) {
    if (context.input(i).constant != nullptr) context.expect_rank(i, 0, kNames[i]);
    bounds[i] = scalar_operand(context, i);
  }
  const auto [start, limit, delta] = bounds;
  if (delta.is(0)) context.fail("input 2 ('delta') is 0");
  const bool are_known = start.is_known() && limit.is_known() && delta.is_known();
  Dim count = is_floating_point(context.dtype(0)) ? range_count(context) : Dim();
  if (are_known && count.is_unknown()) count = count_steps(start.value(), limit.value(), delta.value());
  if (start.is(0) && delta.is(1) && limit.is_symbol()) count = limit;
  context.set_shape(0, {count});
  if (!are_known || !count.is_known() || static_cast<uint64_t>(count.value()) > kMaxElements) return;
  Dims elements;
  for (int64_t i = 0; i < count.value(); ++i) elements.push_back(add(start, multiply(i, delta)));
  put_elements(context, 0, std::move(elements));
}

// HannWindow, HammingWindow, BlackmanWindow.
void infer_window(NodeContext& context) {
  context.set_dtype(0, dtype_attribute(context, "output_datatype", DType::kFloat32));
  context.set_shape(0, {scalar_size(context, 0, "size", 1)});
}

void infer_mel_weight_matrix(NodeContext& context) {
  context.set_dtype(0, dtype_attribute(context, "output_datatype", DType::kFloat32));
  const Dim bins = scalar_size(context, 0, "num_mel_bins", 0), length = scalar_size(context, 1, "dft_length", 0);
  context.set_shape(0, {length.is_known() ? Dim(length.value() / 2 + 1) : Dim(), bins});
}

}  // namespace sardonyx::infer
