// Constant, ConstantOfShape, Cast, Expand, Gather.
#include <fmt/format.h>

#include <algorithm>

#include "convert/adapters.h"
#include "schema/schema.h"

namespace sardonyx::convert {

namespace {
using model::Attribute;

Tensor value_of(Rewriter& rewriter) {
  for (const Attribute& value : rewriter.node.attribute) rewriter.attribute(value.name);
  const auto value = constant_tensor(rewriter.node);
  if (!value) rewriter.refuse("its value is sparse, or missing");
  return *value;
}

// Element types by the names that Cast had before opset 6: FLOAT, INT64...
std::string upper(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return result;
}

DType cast_target(Rewriter& rewriter) {
  const auto dtype = static_cast<DType>(rewriter.get_int("to", 0));
  if (!is_valid(dtype)) rewriter.refuse("its 'to' is no element type");
  return dtype;
}

constexpr int64_t kLargestTile = 1 << 20;
}  // namespace

void constant_12_down(Rewriter& rewriter) {
  if (rewriter.has_attribute("value") || rewriter.has_attribute("sparse_value")) return rewriter.finish();
  rewriter.node.attribute = {Attribute::of("value", model::encode(value_of(rewriter)))};
  rewriter.finish();
}

void constant_11_down(Rewriter& rewriter) {
  value_of(rewriter);
  rewriter.finish();
}

// Before opset 9 a node makes floats only; the graph has initializers for the rest.
void constant_9_down(Rewriter& rewriter) {
  const Tensor value = value_of(rewriter);
  const DType dtype = value.dtype();
  if (dtype == DType::kFloat32 || dtype == DType::kFloat64 || dtype == DType::kFloat16) return rewriter.finish();
  if (rewriter.scope().is_function() || rewriter.scope().is_output(rewriter.output(0))) {
    rewriter.emit_as("Identity", {rewriter.constant_value(value)}, {rewriter.output(0)});
  } else {
    rewriter.out().initializers.push_back(model::encode(value, rewriter.output(0)));
  }
  rewriter.drop();
}

void constant_of_shape_9_down(Rewriter& rewriter) {
  const Attribute* given = rewriter.attribute("value");
  const Tensor value = given != nullptr && given->t != nullptr ? decode(*given->t) : Tensor::scalar(0.0F);
  if (value.numel() != 1) rewriter.refuse("its value is not a single number");
  rewriter.emit_as("Expand", {rewriter.constant_value(value.reshape({})), rewriter.input(0)}, {rewriter.output(0)});
  rewriter.drop();
}

void expand_8_down(Rewriter& rewriter) {
  const std::vector<int64_t> have = rewriter.need_shape(rewriter.input(0));
  const std::vector<int64_t> wanted = rewriter.need_ints(1);
  std::vector<int64_t> padded(std::max(have.size(), wanted.size()), 1), repeats(padded.size(), 1);
  std::copy(have.rbegin(), have.rend(), padded.rbegin());
  for (size_t i = 0; i < wanted.size(); ++i) {
    const size_t place = padded.size() - wanted.size() + i;
    if (wanted[i] < 0 || wanted[i] > kLargestTile) rewriter.refuse("its shape is out of range");
    if (padded[place] == 1) repeats[place] = wanted[i];
  }
  if (std::count(padded.begin(), padded.end(), 0) > 0) rewriter.refuse("it expands an empty tensor");
  const std::string shaped = rewriter.emit("Reshape", {rewriter.input(0), rewriter.ints(padded)});
  rewriter.emit_as("Tile", {shaped, rewriter.ints(repeats)}, {rewriter.output(0)});
  rewriter.drop();
}

void cast_6_up(Rewriter& rewriter) {
  const std::string name = rewriter.take_string("to", "");
  for (int32_t number = 1; number < kDTypeCount; ++number) {
    if (upper(to_string(static_cast<DType>(number))) != upper(name)) continue;
    rewriter.set(Attribute::of("to", number));
    return rewriter.finish();
  }
  rewriter.refuse(fmt::format("its 'to' is '{}', which is no element type", name));
}

void cast_6_down(Rewriter& rewriter) {
  rewriter.set(Attribute::of("to", upper(to_string(cast_target(rewriter)))));
  rewriter.finish();
}

// The attributes of later versions matter for the float8 types only, which the versions before do not take.
void cast_down(Rewriter& rewriter) {
  const auto target = schema::find("", "Cast", rewriter.to());
  const DType dtype = cast_target(rewriter);
  if (target && !target->allows(target->output(0).type, type_string(dtype))) {
    rewriter.refuse(fmt::format("it casts to {}, which the operator does not make there", to_string(dtype)));
  }
  const bool to_float8 = is_floating_point(dtype) && bit_width(dtype) <= 8;
  for (const std::string_view name : {"saturate", "round_mode"}) {
    const Attribute* value = rewriter.attribute(name);
    const bool known = target && target->find_attribute(name);
    if (value != nullptr && !known && !to_float8) rewriter.erase_attribute(name);
  }
  same(rewriter);
}

void cast_like_15_down(Rewriter& rewriter) {
  const DType dtype = rewriter.need_dtype(rewriter.input(1));
  rewriter.node.op_type = "Cast";
  rewriter.node.input.resize(1);
  rewriter.node.attribute = {Attribute::of("to", static_cast<int64_t>(dtype))};
  rewriter.finish();
}

// Indices counted from the end came with opset 11.
void gather_11_down(Rewriter& rewriter) {
  const auto indices = rewriter.constant(rewriter.input(1));
  const bool integers = indices && (indices->dtype() == DType::kInt64 || indices->dtype() == DType::kInt32);
  const std::vector<int64_t> values = integers ? rewriter.need_ints(1) : std::vector<int64_t>{-1};
  if (std::all_of(values.begin(), values.end(), [](int64_t i) { return i >= 0; })) return rewriter.finish();
  const int64_t axis = rewriter.get_int("axis", 0);
  const std::string sizes = rewriter.emit("Shape", {rewriter.input(0)});
  const int64_t place = axis < 0 ? rewriter.front_axis(axis, rewriter.need_rank(rewriter.input(0))) : axis;
  std::string size = rewriter.emit("Gather", {sizes, rewriter.constant_value(Tensor::scalar(place))});
  const DType dtype = rewriter.need_dtype(rewriter.input(1));
  if (dtype != DType::kInt64) size = rewriter.cast(size, dtype);
  rewriter.set_input(1, rewriter.emit("Mod", {rewriter.input(1), size}));
  rewriter.finish();
}

// Scatter is the same under its old name; indices counted from the end came with opset 11.
void scatter_elements_11_down(Rewriter& rewriter) {
  const auto indices = rewriter.constant(rewriter.input(1));
  const std::vector<int64_t> values = indices ? rewriter.need_ints(1) : std::vector<int64_t>{-1};
  if (std::any_of(values.begin(), values.end(), [](int64_t i) { return i < 0; })) {
    rewriter.refuse("its indices may count from the end");
  }
  rewriter.node.op_type = "Scatter";
  front_axis_down(rewriter);
}

void mod_10_down(Rewriter& rewriter) {
  const DType dtype = rewriter.need_dtype(rewriter.input(0));
  if (!is_integral(dtype) || bit_width(dtype) < 32) rewriter.refuse("its inputs are not integers of at least 32 bits");
  const bool like_c = rewriter.take_int("fmod", 0) != 0;
  constexpr std::string_view kRemainder = "(A, B) => (C) { q = Div (A, B) p = Mul (q, B) C = Sub (A, p) }";
  constexpr std::string_view kModulo = R"((A, B) => (C) {
    q = Div (A, B)  p = Mul (q, B)  r = Sub (A, p)
    s = Add (r, B)  t = Div (s, B)  u = Mul (t, B)  C = Sub (s, u) })";
  expand(rewriter, like_c ? kRemainder : kModulo);
}

}  // namespace sardonyx::convert
