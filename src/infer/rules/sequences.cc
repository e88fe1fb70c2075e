// Operators on sequences of tensors. What is known of a sequence's element holds for each tensor in it.
#include <fmt/format.h>

#include <algorithm>

#include "infer/arithmetic.h"
#include "infer/rules.h"
#include "infer/rules/subgraph.h"

namespace sardonyx::infer {

namespace {
// The element's type of a sequence; unknown if nothing is known of it.
ValueType element_of(const ValueType& sequence) {
  return sequence.kind == ValueType::Kind::kSequence && sequence.element != nullptr ? *sequence.element : ValueType{};
}

// Only tensors stand in sequences, so that types do not grow without bound.
ValueType as_tensor(const ValueType& type) { return type.is_tensor() ? type : ValueType::tensor(DType::kUndefined); }

// Sizes that got a symbol in a body hold in one run of it, not for all elements.
void forget_symbols(ValueType& type, size_t known) {
  for (Dim& dim : type.dims) {
    if (dim.is_symbol() && dim.id() >= known) dim = Dim();
  }
}
}  // namespace

void infer_sequence_empty(NodeContext& context) {
  const int64_t number = model::get_int(context.node(), "dtype", static_cast<int64_t>(DType::kFloat32));
  const auto dtype = static_cast<DType>(std::clamp<int64_t>(number, 0, 127));
  if (!is_valid(dtype) || static_cast<int64_t>(dtype) != number) {
    context.fail(fmt::format("'dtype' is {}, which is no element type", number));
  }
  context.set_type(0, ValueType::sequence(ValueType::tensor(dtype)));
}

void infer_sequence_construct(NodeContext& context) {
  if (context.inputs() == 0) context.fail("at least one input is needed");
  ValueType element = as_tensor(context.type(0));
  for (size_t i = 1; i < context.inputs(); ++i) element = join_types(context, element, as_tensor(context.type(i)), "the inputs");
  context.set_type(0, ValueType::sequence(std::move(element)));
}

void infer_sequence_insert(NodeContext& context) {
  const ValueType element = as_tensor(element_of(context.type(0)));
  context.set_type(0, ValueType::sequence(join_types(context, element, as_tensor(context.type(1)), "the sequence's tensors and 'tensor'")));
}

void infer_sequence_erase(NodeContext& context) { context.copy_type(0, 0); }

void infer_sequence_at(NodeContext& context) {
  if (context.type(0).kind == ValueType::Kind::kSequence) context.set_type(0, as_tensor(element_of(context.type(0))));
}

void infer_sequence_length(NodeContext& context) { context.set_type(0, ValueType::tensor(DType::kInt64, {})); }

namespace {
// The size of every part along the axis; unknown if they differ or cannot be told.
Dim part_size(const NodeContext& context, Dim whole) {
  if (!context.has_input(1)) return 1;
  const Dims* shape = context.shape(1);
  const std::optional<std::vector<int64_t>> sizes = context.ints(1);
  if (shape == nullptr || !sizes) return {};
  if (sizes->empty()) context.fail("'split' is empty");
  const bool is_scalar = shape->empty();
  const int64_t least = *std::min_element(sizes->begin(), sizes->end());
  if (least < (is_scalar ? 1 : 0)) context.fail(fmt::format("'split' has the size {}", least));
  const int64_t first = sizes->front();
  if (is_scalar) {
    if (first == 1 || (whole.is_known() && whole.value() % first == 0)) return first;
    return whole.is_known() && whole.value() < first ? whole : Dim();
  }
  Dim sum = 0;
  for (const int64_t size : *sizes) sum = add(sum, size);
  if (whole.is_known() && !sum.is(whole.value())) {
    context.fail(fmt::format("the sizes of 'split' sum up to {}, the axis has {}", context.symbols().show(sum), whole.value()));
  }
  return std::all_of(sizes->begin(), sizes->end(), [&](int64_t size) { return size == first; }) ? Dim(first) : Dim();
}
}  // namespace

// SplitToSequence, all versions. Without 'split' the parts have size 1, and may lose the axis.
void infer_split_to_sequence(NodeContext& context) {
  ValueType element = ValueType::tensor(context.dtype(0));
  if (const Dims* dims = context.shape(0)) {
    const size_t axis = context.axis(model::get_int(context.node(), "axis", 0), dims->size());
    element = ValueType::tensor(context.dtype(0), *dims);
    if (!context.has_input(1) && model::get_int(context.node(), "keepdims", 1) == 0) {
      element.dims.erase(element.dims.begin() + static_cast<Dims::difference_type>(axis));
    } else {
      element.dims[axis] = part_size(context, (*dims)[axis]);
    }
  }
  context.set_type(0, ValueType::sequence(std::move(element)));
}

void infer_concat_from_sequence(NodeContext& context) {
  const ValueType element = as_tensor(element_of(context.type(0)));
  context.set_dtype(0, element.dtype);
  if (!element.has_rank) return;
  if (context.attribute("axis") == nullptr) context.fail("attribute 'axis' is missing");
  const int64_t given = model::get_int(context.node(), "axis", 0);
  const int64_t new_axis = model::get_int(context.node(), "new_axis", 0);
  if (new_axis != 0 && new_axis != 1) context.fail(fmt::format("'new_axis' is {}, it must be 0 or 1", new_axis));
  Dims dims = element.dims;
  const size_t axis = context.axis(given, dims.size() + static_cast<size_t>(new_axis));
  if (new_axis == 1) {
    dims.insert(dims.begin() + static_cast<Dims::difference_type>(axis), Dim());
  } else {
    dims[axis] = Dim();
  }
  context.set_shape(0, std::move(dims));
}

// The body sees one element of each sequence, and other inputs as they are.
void infer_sequence_map(NodeContext& context) {
  std::vector<ValueType> inputs;
  for (size_t i = 0; i < context.inputs(); ++i) {
    const ValueType& type = context.type(i);
    const bool is_sequence = type.kind == ValueType::Kind::kSequence;
    if (i == 0 && type.is_known() && !is_sequence) context.fail(fmt::format("input 0 must be a sequence, it is {}", type_text(type)));
    inputs.push_back(is_sequence ? as_tensor(element_of(type)) : type);
  }
  const size_t known_symbols = context.symbols().size();
  const std::vector<Value> made = infer_graph(context, "body", inputs);
  if (made.size() != context.outputs()) {
    context.fail(fmt::format("body makes {} values, the node has {} outputs", made.size(), context.outputs()));
  }
  for (size_t i = 0; i < made.size(); ++i) {
    ValueType element = made[i].type;
    if (element.is_known() && !element.is_tensor()) {
      context.fail(fmt::format("output {} of body must be a tensor, it is {}", i, type_text(element)));
    }
    forget_symbols(element, known_symbols);
    context.set_type(i, ValueType::sequence(as_tensor(element)));
  }
}

}  // namespace sardonyx::infer
