#include "runtime/signature.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <unordered_set>

#include "core/closest.h"

namespace sardonyx::runtime {
namespace {

constexpr int64_t kFirstOverridableIr = 4;

using Overrides = std::span<const std::pair<std::string, int64_t>>;

Error argument_error(std::string message) { return Error(ErrorCode::kInvalidArgument, std::move(message)); }

const std::pair<std::string, int64_t>* find_override(Overrides overrides, const std::string& symbol) {
  const auto found = std::ranges::find(overrides, symbol, &std::pair<std::string, int64_t>::first);
  return found == overrides.end() ? nullptr : &*found;
}

void fix_symbols(std::vector<model::ValueInfo>& values, Overrides overrides) {
  for (model::ValueInfo& value : values) {
    model::TensorType* type = value.type.tensor();
    if (!type) continue;
    for (model::Dimension& dim : type->shape.dims) {
      if (!dim.is_symbol()) continue;
      if (const auto* fixed = find_override(overrides, dim.symbol())) dim.value = fixed->second;
    }
  }
}

void check_overrides(const model::Graph& graph, Overrides overrides) {
  std::vector<std::string_view> symbols;
  for (const model::ValueInfo& input : graph.input) {
    if (!input.type.tensor()) continue;
    for (const model::Dimension& dim : input.type.tensor()->shape.dims) {
      if (dim.is_symbol() && std::ranges::find(symbols, dim.symbol()) == symbols.end()) symbols.push_back(dim.symbol());
    }
  }
  for (const auto& [symbol, size] : overrides) {
    if (std::ranges::find(symbols, symbol) == symbols.end()) {
      throw argument_error(
          fmt::format("free_dimension_overrides: no input has a symbolic dimension '{}'{}", symbol, core::closest_hint(symbol, symbols)));
    }
    if (size < 0) throw argument_error(fmt::format("free_dimension_overrides: '{}' cannot be {}", symbol, size));
  }
}

// A name for an axis that an export could make dynamic.
std::string usual_axis_name(size_t axis, size_t rank) {
  constexpr std::array<const char*, 4> kImage = {"batch", "channels", "height", "width"};
  if (rank == kImage.size()) return kImage[axis];
  return axis == 0 ? "batch" : fmt::format("axis{}", axis);
}

std::string declared(const Input& input) { return to_string(input.arg.type.tensor()->shape); }

std::string axis_error(const Input& input, const std::string& symbol, size_t axis, int64_t got) {
  const Axis& rule = input.axes[axis];
  const std::string name = !symbol.empty()            ? fmt::format("'{}', ", symbol)
                           : !rule.denotation.empty() ? fmt::format("'{}', ", rule.denotation)
                                                      : "";
  if (rule.fixed_by_option) {
    return fmt::format(
        "input '{}': axis {} ({}fixed to {} by free_dimension_overrides) got {}. Feed {}, or load the model without that override",
        input.arg.name, axis, name, rule.size, got, rule.size);
  }
  return fmt::format(
      "input '{0}': axis {1} ({2}fixed to {3} by the model) got {4}. Feed {3}, or export the model with a dynamic axis: --dynamic "
      "{0}:{1}={5}",
      input.arg.name, axis, name, rule.size, got, usual_axis_name(axis, input.axes.size()));
}

std::string dtype_hint(DType expected) {
  return fmt::format("Convert it first, to '{}', or export the model for that type", to_string(expected));
}

void check_dtype(const Input& input, const Tensor& tensor) {
  if (input.dtype == DType::kUndefined) return;
  if (input.is_structure && tensor.dtype() != DType::kTensor) {
    throw argument_error(fmt::format("input '{}' got {}, the model declares {}. Feed a tensor of tensors (Tensor::of_tensors)",
                                     input.arg.name, type_string(tensor.dtype()), model::type_string(input.arg.type)));
  }
  if (tensor.dtype() == input.dtype) return;
  throw argument_error(fmt::format("input '{}' got {}, the model declares {}. {}", input.arg.name, type_string(tensor.dtype()),
                                   type_string(input.dtype), dtype_hint(input.dtype)));
}

}  // namespace

Signature::Signature(model::Model& model, Overrides overrides) {
  check_overrides(model.graph, overrides);
  std::vector<const model::ValueInfo*> replaceable;
  std::unordered_set<std::string_view> initializers, names;
  for (const model::TensorData& tensor : model.graph.initializer) initializers.insert(tensor.name);
  for (const model::ValueInfo& input : model.graph.input) {
    if (!names.insert(input.name).second) {
      throw Error(ErrorCode::kInvalidModel, fmt::format("the graph has two inputs named '{}'", input.name));
    }
    if (!initializers.contains(input.name)) {
      add_input(input, Tensor(), overrides);
    } else if (model.ir_version >= kFirstOverridableIr) {
      replaceable.push_back(&input);
    }
  }
  required_ = inputs_.size();
  for (const model::ValueInfo* input : replaceable) {
    Tensor fallback = with_trail([&] { return fmt::format("initializer '{}'", input->name); },
                                 [&] { return model::decode(*model.graph.find_initializer(input->name)); });
    add_input(*input, std::move(fallback), overrides);
    const Input& added = inputs_.back();
    with_trail([] { return "its initializer"; },
               [&] {
                 check_dtype(added, added.fallback);
                 check_shape(inputs_.size() - 1, added.fallback.shape());
               });
  }
  fix_symbols(model.graph.input, overrides);
  fix_symbols(model.graph.output, overrides);
  fix_symbols(model.graph.value_info, overrides);
  for (Input& input : inputs_) {
    std::vector<model::ValueInfo> info(1);
    info[0].type = std::move(input.arg.type);
    fix_symbols(info, overrides);
    input.arg.type = std::move(info[0].type);
  }
}

Signature::Signature(const model::Graph& body) : required_(body.input.size()) {
  for (const model::ValueInfo& input : body.input) {
    Input& added = inputs_.emplace_back(Input{.arg = {input.name, input.type}, .axes = {}, .fallback = {}});
    added.is_structure = added.may_be_empty = true;
  }
}

int Signature::symbol_id(const std::string& symbol) {
  const auto found = std::ranges::find(symbols_, symbol);
  if (found != symbols_.end()) return static_cast<int>(found - symbols_.begin());
  symbols_.push_back(symbol);
  return static_cast<int>(symbols_.size()) - 1;
}

void Signature::add_structure(const model::ValueInfo& info) {
  if (info.type.absent()) throw Error(ErrorCode::kInvalidModel, fmt::format("input '{}' declares no type", info.name));
  if (std::holds_alternative<model::SparseTensorType>(info.type.value)) {
    throw Error(ErrorCode::kUnsupported, fmt::format("input '{}' is {}; sparse tensors cannot be fed, make it a dense tensor of the model",
                                                     info.name, model::type_string(info.type)));
  }
  const bool optional = std::holds_alternative<model::OptionalType>(info.type.value);
  Input input{.arg = {info.name, info.type}, .axes = {}, .fallback = {}};
  input.dtype = optional ? DType::kUndefined : DType::kTensor;
  input.is_structure = true;
  input.may_be_empty = optional;
  inputs_.push_back(std::move(input));
}

void Signature::add_input(const model::ValueInfo& info, Tensor fallback, Overrides overrides) {
  const model::TensorType* type = info.type.tensor();
  if (!type) return add_structure(info);
  if (type->dtype() == DType::kUndefined) {
    throw Error(ErrorCode::kInvalidModel, fmt::format("input '{}' has the unknown element type {}", info.name, type->elem_type));
  }
  Input input{
      .arg = {info.name, info.type}, .dtype = type->dtype(), .has_rank = type->has_shape, .axes = {}, .fallback = std::move(fallback)};
  for (const model::Dimension& dim : type->shape.dims) {
    Axis axis{.denotation = dim.denotation};
    if (dim.is_symbol()) {
      axis.symbol = symbol_id(dim.symbol());
      const auto* fixed = find_override(overrides, dim.symbol());
      axis.fixed_by_option = fixed != nullptr;
      if (fixed) axis.size = fixed->second;
    } else if (dim.is_known() && dim.size() >= 0) {  // exporters of old wrote -1 for a size that may vary
      axis.size = dim.size();
    }
    input.axes.push_back(std::move(axis));
  }
  inputs_.push_back(std::move(input));
}

std::optional<size_t> Signature::find(std::string_view name) const noexcept {
  for (size_t i = 0; i < inputs_.size(); ++i) {
    if (inputs_[i].arg.name == name) return i;
  }
  return std::nullopt;
}

size_t Signature::index_of(std::string_view name) const {
  if (const std::optional<size_t> index = find(name)) return *index;
  std::vector<std::string_view> names;
  for (const Input& input : inputs_) names.push_back(input.arg.name);
  throw argument_error(fmt::format("there is no input '{}'{}", name, core::closest_hint(name, names)));
}

void Signature::report_missing(std::span<const Tensor* const> tensors, std::span<const std::string_view> fed_names) const {
  std::string missing, fed;
  size_t count = 0;
  for (size_t i = 0; i < inputs_.size(); ++i) {
    if (tensors[i]) continue;
    missing += fmt::format("{}'{}' ({}{})", missing.empty() ? "" : ", ", inputs_[i].arg.name, type_string(inputs_[i].dtype),
                           inputs_[i].has_rank ? " " + declared(inputs_[i]) : "");
    ++count;
  }
  for (const std::string_view name : fed_names) fed += fmt::format("{}'{}'", fed.empty() ? "" : ", ", name);
  throw argument_error(fmt::format("{} {} {} not fed; {}", count == 1 ? "input" : "inputs", missing, count == 1 ? "is" : "are",
                                   fed.empty() ? "nothing is" : "fed: " + fed));
}

void Signature::check_shape(size_t index, std::span<const int64_t> shape) const {
  const Input& input = inputs_[index];
  if (!input.has_rank) return;
  if (shape.size() != input.axes.size()) {
    throw argument_error(fmt::format("input '{}' got shape {} of rank {}, the model declares {} of rank {}. Reshape it before it is fed",
                                     input.arg.name, to_string(shape), shape.size(), declared(input), input.axes.size()));
  }
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    const Axis& rule = input.axes[axis];
    if (rule.size < 0 || rule.size == shape[axis]) continue;
    throw argument_error(axis_error(input, rule.symbol < 0 ? "" : symbols_[static_cast<size_t>(rule.symbol)], axis, shape[axis]));
  }
}

template <class ShapeOf>
void Signature::check_symbols(const ShapeOf& shape_of) const {
  if (symbols_.empty()) return;
  struct Seen {
    int64_t size = -1;
    size_t input = 0, axis = 0;
  };
  std::array<std::byte, 1024> stack;
  std::pmr::monotonic_buffer_resource memory(stack.data(), stack.size());
  std::pmr::vector<Seen> seen(symbols_.size(), Seen(), &memory);
  for (size_t i = 0; i < inputs_.size(); ++i) {
    if (inputs_[i].axes.empty()) continue;
    const Shape& shape = shape_of(i);
    for (size_t axis = 0; axis < inputs_[i].axes.size(); ++axis) {
      const int symbol = inputs_[i].axes[axis].symbol;
      if (symbol < 0) continue;
      Seen& first = seen[static_cast<size_t>(symbol)];
      if (first.size < 0) first = {shape[axis], i, axis};
      if (first.size == shape[axis]) continue;
      throw argument_error(fmt::format("'{}' is {} by input '{}' (axis {}) and {} by input '{}' (axis {}); one symbol stands for one size",
                                       symbols_[static_cast<size_t>(symbol)], first.size, inputs_[first.input].arg.name, first.axis,
                                       shape[axis], inputs_[i].arg.name, axis));
    }
  }
}

void Signature::resolve(const Feeds& feeds, std::pmr::vector<const Tensor*>& tensors) const {
  tensors.assign(inputs_.size(), nullptr);
  for (const auto& [name, tensor] : feeds) {
    const size_t index = index_of(name);
    if (tensors[index]) throw argument_error(fmt::format("input '{}' is fed twice", name));
    if (!tensor.defined() && !inputs_[index].may_be_empty) {
      throw argument_error(fmt::format("input '{}' is fed an undefined tensor", name));
    }
    tensors[index] = &tensor;
  }
  std::pmr::vector<std::string_view> fed(tensors.get_allocator());
  for (const auto& [name, tensor] : feeds) fed.push_back(name);
  complete(tensors, fed);
}

void Signature::complete(std::span<const Tensor*> tensors, std::span<const std::string_view> fed) const {
  for (size_t i = required_; i < inputs_.size(); ++i) {
    if (!tensors[i]) tensors[i] = &inputs_[i].fallback;
  }
  if (std::ranges::find(tensors, nullptr) != tensors.end()) report_missing(tensors, fed);
  for (size_t i = 0; i < inputs_.size(); ++i) {
    check_dtype(inputs_[i], *tensors[i]);
    if (inputs_[i].has_rank) check_shape(i, tensors[i]->shape());
  }
  check_symbols([&](size_t i) -> const Shape& { return tensors[i]->shape(); });
}

std::vector<Shape> Signature::resolve(const InputShapes& shapes) const {
  std::vector<std::optional<Shape>> given(inputs_.size());
  for (const auto& [name, shape] : shapes) {
    element_count(shape);
    given[index_of(name)] = shape;
  }
  std::vector<Shape> result(inputs_.size());
  for (size_t i = 0; i < inputs_.size(); ++i) {
    const Input& input = inputs_[i];
    if (input.is_structure) continue;  // its plan is the same for all
    if (given[i]) {
      result[i] = *given[i];
    } else if (input.fallback.defined()) {
      result[i] = input.fallback.shape();
    } else {
      const bool fixed = input.has_rank && std::ranges::all_of(input.axes, [](const Axis& axis) { return axis.size >= 0; });
      if (!fixed) {
        throw argument_error(fmt::format("the shape of input '{}' must be given: the model declares {}", input.arg.name,
                                         input.has_rank ? declared(input) : "no rank"));
      }
      for (const Axis& axis : input.axes) result[i].push_back(axis.size);
    }
    check_shape(i, result[i]);
  }
  check_symbols([&](size_t i) -> const Shape& { return result[i]; });
  return result;
}

}  // namespace sardonyx::runtime
