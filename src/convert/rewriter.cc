#include "convert/rewriter.h"

#include <fmt/format.h>

#include <algorithm>

#include "schema/schema.h"

namespace sardonyx::convert {

namespace {
constexpr int64_t kFirstConstantOfAnyType = 9;
constexpr int64_t kFirstCastLike = 15;
constexpr int64_t kExactInDouble = int64_t{1} << 53;
const std::string kNone;

bool is_early_constant_type(DType dtype) { return dtype == DType::kFloat32 || dtype == DType::kFloat64 || dtype == DType::kFloat16; }

bool has_scalars(DType dtype) {
  return dtype != DType::kString && dtype != DType::kUndefined && dtype != DType::kComplex64 && dtype != DType::kComplex128 &&
         bit_width(dtype) >= 8 && !(is_floating_point(dtype) && bit_width(dtype) == 8);
}
}  // namespace

Rewriter::Rewriter(model::Node original, int64_t from, int64_t to, Scope& scope, Names& names, Output& output)
    : node(std::move(original)), from_(from), to_(to), scope_(scope), names_(names), output_(output), original_(describe(node)) {}

void Rewriter::refuse(std::string_view reason) const {
  throw Error(ErrorCode::kUnsupported,
              fmt::format("{}: not to be expressed in opset {}: {}; the nearest opset that can is {}", original_, to_, reason, from_));
}

const std::string& Rewriter::input(size_t i) const { return i < node.input.size() ? node.input[i] : kNone; }
const std::string& Rewriter::output(size_t i) const { return i < node.output.size() ? node.output[i] : kNone; }

void Rewriter::set_input(size_t i, std::string name) {
  if (node.input.size() <= i) node.input.resize(i + 1);
  node.input[i] = std::move(name);
}

void Rewriter::cut_inputs(size_t count) {
  if (node.input.size() > count) node.input.resize(count);
  while (!node.input.empty() && node.input.back().empty()) node.input.pop_back();
}

void Rewriter::cut_outputs(size_t count) {
  if (node.output.size() > count) node.output.resize(count);
  while (node.output.size() > 1 && node.output.back().empty()) node.output.pop_back();
}

const model::Attribute* Rewriter::attribute(std::string_view name) const {
  const model::Attribute* found = node.find_attribute(name);
  if (found != nullptr && !found->ref_attr_name.empty()) {
    refuse(fmt::format("its attribute '{}' is the attribute '{}' of the function around it, whose value is not known here", name,
                       found->ref_attr_name));
  }
  return found;
}

void Rewriter::erase_attribute(std::string_view name) {
  std::erase_if(node.attribute, [&](const model::Attribute& attribute) { return attribute.name == name; });
}

void Rewriter::set(model::Attribute value) {
  erase_attribute(value.name);
  node.attribute.push_back(std::move(value));
}

int64_t Rewriter::get_int(std::string_view name, int64_t fallback) const {
  attribute(name);
  return model::get_int(node, name, fallback);
}

int64_t Rewriter::take_int(std::string_view name, int64_t fallback) {
  const int64_t value = get_int(name, fallback);
  erase_attribute(name);
  return value;
}

float Rewriter::take_float(std::string_view name, float fallback) {
  attribute(name);
  const float value = model::get_float(node, name, fallback);
  erase_attribute(name);
  return value;
}

std::string Rewriter::take_string(std::string_view name, std::string_view fallback) {
  attribute(name);
  std::string value = model::get_string(node, name, fallback);
  erase_attribute(name);
  return value;
}

std::optional<std::vector<int64_t>> Rewriter::take_ints(std::string_view name) {
  if (attribute(name) == nullptr) return std::nullopt;
  std::vector<int64_t> values = model::get_ints(node, name);
  erase_attribute(name);
  return values;
}

std::string Rewriter::resolved(std::string_view name) const {
  const auto found = casts_.find(std::string(name));
  return found == casts_.end() ? std::string(name) : found->second.original;
}

const model::Type* Rewriter::type(std::string_view name) const { return scope_.type(resolved(name)); }

DType Rewriter::dtype(std::string_view name) const {
  if (const auto found = casts_.find(std::string(name)); found != casts_.end()) return found->second.dtype;
  const model::Type* known = scope_.type(name);
  if (known != nullptr && known->tensor() != nullptr) return known->tensor()->dtype();
  const std::optional<Tensor> value = scope_.constant(name);
  return value ? value->dtype() : DType::kUndefined;
}

std::optional<int64_t> Rewriter::rank(std::string_view name) const {
  const model::Type* known = type(name);
  if (known != nullptr && known->tensor() != nullptr && known->tensor()->has_shape) {
    return static_cast<int64_t>(known->tensor()->shape.dims.size());
  }
  if (const auto value = constant(name)) return value->dim();
  return std::nullopt;
}

std::optional<int64_t> Rewriter::dim(std::string_view name, int64_t axis) const {
  const std::optional<int64_t> known = rank(name);
  if (!known) return std::nullopt;
  const auto place = static_cast<size_t>(front_axis(axis, *known));
  const model::Type* found = type(name);
  if (found != nullptr && found->tensor() != nullptr && found->tensor()->has_shape) {
    const model::Dimension& size = found->tensor()->shape.dims[place];
    return size.is_known() && size.size() >= 0 ? std::optional(size.size()) : std::nullopt;
  }
  if (const auto value = constant(name)) return value->shape()[place];
  return std::nullopt;
}

std::optional<std::vector<int64_t>> Rewriter::shape(std::string_view name) const {
  const std::optional<int64_t> known = rank(name);
  if (!known) return std::nullopt;
  std::vector<int64_t> sizes;
  for (int64_t axis = 0; axis < *known; ++axis) {
    const std::optional<int64_t> size = dim(name, axis);
    if (!size) return std::nullopt;
    sizes.push_back(*size);
  }
  return sizes;
}

std::optional<Tensor> Rewriter::constant(std::string_view name) const {
  const auto found = casts_.find(std::string(name));
  if (found == casts_.end()) return scope_.constant(name);
  const std::optional<Tensor> value = scope_.constant(found->second.original);
  return value ? std::optional(value->to(found->second.dtype)) : std::nullopt;
}

DType Rewriter::need_dtype(std::string_view name) const {
  const DType known = dtype(name);
  if (known == DType::kUndefined) refuse(fmt::format("the element type of '{}' is not known", name));
  return known;
}

int64_t Rewriter::need_rank(std::string_view name) const {
  const std::optional<int64_t> known = rank(name);
  if (!known) refuse(fmt::format("the rank of '{}' is not known", name));
  return *known;
}

std::vector<int64_t> Rewriter::need_shape(std::string_view name) const {
  const auto known = shape(name);
  if (!known) refuse(fmt::format("the shape of '{}' is not known", name));
  return *known;
}

Tensor Rewriter::need_constant(size_t i) const {
  const std::optional<Tensor> value = constant(input(i));
  if (!value) refuse(fmt::format("its input '{}' is not constant, and the older operator takes it as an attribute", input(i)));
  return *value;
}

std::vector<int64_t> Rewriter::need_ints(size_t i) const {
  const Tensor value = need_constant(i);
  if (value.dtype() != DType::kInt64 && value.dtype() != DType::kInt32) {
    throw Error(ErrorCode::kInvalidModel, fmt::format("{}: input '{}' is {}, not integers", original_, input(i), to_string(value.dtype())));
  }
  const Tensor wide = value.to(DType::kInt64);
  return {wide.values<int64_t>().begin(), wide.values<int64_t>().end()};
}

int64_t Rewriter::front_axis(int64_t axis, int64_t count) const {
  if (axis < -count || axis >= count) {
    throw Error(ErrorCode::kInvalidModel, fmt::format("{}: axis {} is outside rank {}", original_, axis, count));
  }
  return axis < 0 ? axis + count : axis;
}

std::string Rewriter::fresh(std::string_view what) {
  const std::string& base = has_output(0) ? output(0) : node.op_type;
  return names_.fresh(fmt::format("{}_{}", base, what));
}

std::string Rewriter::emit(std::string_view op_type, Inputs inputs, Attributes attributes) {
  std::string name = fresh(op_type);
  emit_as(op_type, std::move(inputs), {name}, std::move(attributes));
  return name;
}

void Rewriter::emit_as(std::string_view op_type, Inputs inputs, std::vector<std::string> outputs, Attributes attributes) {
  model::Node made;
  made.op_type = op_type;
  while (!inputs.empty() && inputs.back().empty()) inputs.pop_back();
  made.input = std::move(inputs);
  made.output = std::move(outputs);
  made.attribute = std::move(attributes);
  if (!node.name.empty()) made.name = fmt::format("{}_{}", node.name, op_type);
  output_.nodes.push_back(std::move(made));
}

std::string Rewriter::constant_value(Tensor value) {
  if (to_ >= kFirstConstantOfAnyType || is_early_constant_type(value.dtype())) {
    std::string name = emit("Constant", {}, {model::Attribute::of("value", model::encode(value))});
    scope_.add_constant(name, std::move(value));
    return name;
  }
  if (scope_.is_function()) return constant_by_cast(value);
  std::string name = fresh("Constant");
  output_.initializers.push_back(model::encode(value, name));
  scope_.add_constant(name, std::move(value));
  return name;
}

// Before opset 9 only floats can be made by a node, and a function has no initializers.
std::string Rewriter::constant_by_cast(const Tensor& value) {
  if (!has_scalars(value.dtype())) refuse(fmt::format("a function has no constants of type {}", to_string(value.dtype())));
  if (bit_width(value.dtype()) == 64) {
    const Tensor wide = value.to(DType::kInt64);
    const auto fits = [](int64_t v) { return v >= -kExactInDouble && v <= kExactInDouble; };
    if (!std::all_of(wide.values<int64_t>().begin(), wide.values<int64_t>().end(), fits)) {
      refuse("a function has no constants of 64-bit integers beyond 2^53");
    }
  }
  const std::string floats = emit("Constant", {}, {model::Attribute::of("value", model::encode(value.to(DType::kFloat64)))});
  const std::string name = cast(floats, value.dtype());
  scope_.add_constant(name, value);
  return name;
}

std::string Rewriter::scalar_like(double value, const std::string& like) {
  const DType known = dtype(like);
  if (known == DType::kUndefined && to_ >= kFirstCastLike) {
    return emit("CastLike", {constant_value(Tensor::scalar(static_cast<float>(value))), like});
  }
  if (known != DType::kUndefined && !has_scalars(known)) refuse(fmt::format("there are no constants of type {}", to_string(known)));
  return constant_value(Tensor::full({}, value, need_dtype(like)));
}

std::string Rewriter::cast(const std::string& value, DType wanted) {
  std::string name = emit("Cast", {value}, {model::Attribute::of("to", static_cast<int64_t>(wanted))});
  note_cast(name, value, wanted);
  return name;
}

void Rewriter::check_fits() const {
  const auto target = schema::find("", node.op_type, to_);
  if (!target || target->deprecated()) refuse(fmt::format("the opset has no operator '{}'", node.op_type));
  if (node.input.size() > target->max_inputs()) refuse(fmt::format("'{}' has at most {} inputs there", node.op_type, target->max_inputs()));
  if (node.input.size() < target->min_inputs())
    refuse(fmt::format("'{}' has at least {} inputs there", node.op_type, target->min_inputs()));
  if (node.output.size() > target->max_outputs()) {
    refuse(fmt::format("'{}' has at most {} outputs there", node.op_type, target->max_outputs()));
  }
  for (const model::Attribute& value : node.attribute) {
    if (!target->find_attribute(value.name)) refuse(fmt::format("'{}' has no attribute '{}' there", node.op_type, value.name));
  }
}

void Rewriter::finish() {
  if (done_) return;
  cut_inputs(node.input.size());
  check_fits();
  output_.nodes.push_back(node);
  done_ = true;
}

std::string Rewriter::finish_with(size_t i) {
  std::string name = fresh(node.op_type);
  const std::string old = std::exchange(node.output.at(i), name);
  finish();
  node.output[i] = old;
  return name;
}

}  // namespace sardonyx::convert
