// Operators on sequences: SequenceEmpty, SequenceConstruct, SequenceAt, SequenceInsert, SequenceErase, SequenceLength, SplitToSequence,
// ConcatFromSequence (opset 11; SplitToSequence again in 24). A sequence is a tensor of tensors; its items are shared, not copied.
#include <algorithm>

#include "ops/facts.h"
#include "ops/like/inner_step.h"
#include "ops/movement/strided.h"
#include "ops/stages.h"

namespace sardonyx::ops {
namespace {

// A step that makes its output itself. `dtype`: kUndefined where it is known at run time alone.
template <class Run>
std::unique_ptr<Bound> make_dynamic(DType dtype, const char* kernel, Run run) {
  auto bound = make_bound(ValueFacts{dtype, {}, nullptr}, std::move(run));
  bound->dynamic = true;
  bound->kernel = kernel;
  return bound;
}

void require_sequence(const BindContext& b, std::string_view name) {
  const ValueFacts& x = required(b, 0, name);
  if (x.dtype != DType::kTensor) throw argument_error("{} is {}; it must be a sequence", name, type_string(x.dtype));
}

void require_position(const BindContext& b, size_t index) {
  const ValueFacts* position = optional(b, index);
  if (!position) return;
  require_dtype(*position, {DType::kInt32, DType::kInt64}, "position");
  if (element_count(position->shape) != 1) throw argument_error("position has shape {}; it must be one number", to_string(position->shape));
}

// A position counted from the front, in [0, end).
size_t position_of(const Tensor& tensor, size_t items, size_t end) {
  const int64_t position = IndexView(tensor)[0], count = to_int(items);
  const int64_t from_front = position < 0 ? position + count : position;
  if (from_front < 0 || from_front >= to_int(end)) {
    throw argument_error("position {} is outside [{}, {}): the sequence has {} items", position, -count, end, items);
  }
  return to_size(from_front);
}

// Items of a sequence are all tensors of one type, or all sequences.
void require_same_kind(const Tensor& item, const Tensor& first) {
  if (!item.defined()) throw argument_error("an empty optional cannot be an item of a sequence");
  if (item.dtype() == first.dtype()) return;
  throw argument_error("an item is {}, another is {}: the items of a sequence have one type", type_string(item.dtype()),
                       type_string(first.dtype()));
}

void run_insert(const RunContext& r) {
  const std::span<const Tensor> items = r.inputs[0].tensors();
  const Tensor* position = optional(r, 2);
  const size_t at = position ? position_of(*position, items.size(), items.size() + 1) : items.size();
  require_same_kind(r.inputs[1], items.empty() ? r.inputs[1] : items[0]);
  std::vector<Tensor> result(items.begin(), items.end());
  result.insert(result.begin() + static_cast<ptrdiff_t>(at), r.inputs[1]);
  r.outputs[0] = Tensor::of_tensors(std::move(result));
}

void run_erase(const RunContext& r) {
  const std::span<const Tensor> items = r.inputs[0].tensors();
  if (items.empty()) throw argument_error("the sequence is empty: there is nothing to erase");
  const Tensor* position = optional(r, 1);
  const size_t at = position ? position_of(*position, items.size(), items.size()) : items.size() - 1;
  std::vector<Tensor> result(items.begin(), items.end());
  result.erase(result.begin() + static_cast<ptrdiff_t>(at));
  r.outputs[0] = Tensor::of_tensors(std::move(result));
}

struct SplitSequenceSpec {
  int64_t axis = 0;
  bool keep_dims = true;
};

// Sizes of the parts of an axis of that size. One number cuts it into parts of that size, of which the last may be smaller.
std::vector<int64_t> part_sizes(const Tensor* split, int64_t size) {
  if (!split) return std::vector<int64_t>(to_size(size), 1);
  const IndexView values(*split);
  if (split->dim() == 0) {
    if (values[0] < 1) throw argument_error("split is {}; parts must have at least one element", values[0]);
    std::vector<int64_t> sizes(to_size(size / values[0]), values[0]);
    if (size % values[0] != 0) sizes.push_back(size % values[0]);
    return sizes;
  }
  std::vector<int64_t> sizes;
  int64_t left = size;
  for (size_t i = 0; i < to_size(split->numel()); ++i) {
    if (values[i] < 0 || values[i] > left) throw argument_error("split {} does not add up to the axis, which has {}", values[i], size);
    sizes.push_back(values[i]);
    left -= values[i];
  }
  if (left != 0) throw argument_error("split adds up to {}, the axis has {}", size - left, size);
  return sizes;
}

void run_split_to_sequence(const SplitSequenceSpec& spec, const RunContext& r) {
  const Tensor& x = r.inputs[0];
  const Tensor* split = optional(r, 1);
  const size_t axis = checked_axis(spec.axis, x.shape().size());
  const bool drops_axis = !split && !spec.keep_dims;
  std::vector<Tensor> items;
  int64_t start = 0;
  for (const int64_t size : part_sizes(split, x.shape()[axis])) {
    const StridedView part = part_of(x.shape(), axis, start, size);
    Tensor item = Tensor::empty(part.shape, x.dtype());
    move_between(part, part.shape, x.dtype()).run(x.raw(), item.mutable_raw(), r.pool);
    Shape shape = part.shape;
    if (drops_axis) shape.erase(shape.begin() + static_cast<ptrdiff_t>(axis));
    items.push_back(drops_axis ? item.reshape(std::move(shape)) : std::move(item));
    start += size;
  }
  r.outputs[0] = Tensor::of_tensors(std::move(items));
}

void run_concat_from_sequence(int64_t axis_attribute, bool new_axis, const RunContext& r) {
  const std::span<const Tensor> items = r.inputs[0].tensors();
  if (items.empty()) throw argument_error("the sequence is empty: the result has no type");
  if (items[0].dtype() == DType::kTensor) throw argument_error("the items are sequences; only tensors can be joined");
  const size_t rank = items[0].shape().size() + (new_axis ? 1 : 0);
  const size_t axis = checked_axis(axis_attribute, rank);
  std::vector<Tensor> parts(items.begin(), items.end());
  std::vector<ValueFacts> facts;
  for (Tensor& part : parts) {
    require_same_kind(part, items[0]);
    if (new_axis) {
      Shape shape = part.shape();
      if (shape.size() + 1 != rank) throw argument_error("items of rank {} and {} cannot be joined on a new axis", rank - 1, shape.size());
      shape.insert(shape.begin() + static_cast<ptrdiff_t>(axis), 1);
      part = part.reshape(std::move(shape));
    }
    facts.push_back({part.dtype(), part.shape(), nullptr});
  }
  const InnerStep concat("Concat", 13, {model::Attribute::of("axis", to_int(axis))}, facts, r.pool.threads());
  r.outputs[0] = Tensor::empty(concat.facts().shape, concat.facts().dtype);
  concat.run(parts, r.outputs[0], nullptr, r.pool);
}

}  // namespace

std::unique_ptr<Prepared> prepare_sequence_empty(const PrepareContext& /*context*/) {
  return make_prepared([](const BindContext&) {
    return make_dynamic(DType::kTensor, "empty", [](const RunContext& r) { r.outputs[0] = Tensor::of_tensors({}); });
  });
}

std::unique_ptr<Prepared> prepare_sequence_construct(const PrepareContext& /*context*/) {
  return make_prepared([](const BindContext&) {
    return make_dynamic(DType::kTensor, "construct", [](const RunContext& r) {
      for (const Tensor& item : r.inputs) require_same_kind(item, r.inputs[0].defined() ? r.inputs[0] : item);
      r.outputs[0] = Tensor::of_tensors({r.inputs.begin(), r.inputs.end()});
    });
  });
}

std::unique_ptr<Prepared> prepare_sequence_at(const PrepareContext& /*context*/) {
  return make_prepared([](const BindContext& b) {
    require_sequence(b, "input_sequence");
    required(b, 1, "position");
    require_position(b, 1);
    return make_dynamic(DType::kUndefined, "item", [](const RunContext& r) {
      const std::span<const Tensor> items = r.inputs[0].tensors();
      r.outputs[0] = items[position_of(r.inputs[1], items.size(), items.size())];
    });
  });
}

std::unique_ptr<Prepared> prepare_sequence_insert(const PrepareContext& /*context*/) {
  return make_prepared([](const BindContext& b) {
    require_sequence(b, "input_sequence");
    required(b, 1, "tensor");
    require_position(b, 2);
    return make_dynamic(DType::kTensor, "insert", run_insert);
  });
}

std::unique_ptr<Prepared> prepare_sequence_erase(const PrepareContext& /*context*/) {
  return make_prepared([](const BindContext& b) {
    require_sequence(b, "input_sequence");
    require_position(b, 1);
    return make_dynamic(DType::kTensor, "erase", run_erase);
  });
}

std::unique_ptr<Prepared> prepare_sequence_length(const PrepareContext& /*context*/) {
  return make_prepared([](const BindContext& b) {
    require_sequence(b, "input_sequence");
    return make_dynamic(DType::kInt64, "length",
                        [](const RunContext& r) { r.outputs[0] = Tensor::scalar<int64_t>(to_int(r.inputs[0].tensors().size())); });
  });
}

std::unique_ptr<Prepared> prepare_split_to_sequence(const PrepareContext& context) {
  const SplitSequenceSpec spec{.axis = model::get_int(context.node, "axis", 0),
                               .keep_dims = model::get_int(context.node, "keepdims", 1) != 0};
  return make_prepared([spec](const BindContext& b) {
    const ValueFacts& x = required(b, 0, "input");
    element_bytes(x.dtype);  // refuses packed types and sequences
    checked_axis(spec.axis, x.shape.size());
    if (const ValueFacts* split = optional(b, 1)) {
      require_dtype(*split, {DType::kInt32, DType::kInt64}, "split");
      if (split->shape.size() > 1) throw argument_error("split has shape {}; its rank must be 0 or 1", to_string(split->shape));
    }
    return make_dynamic(DType::kTensor, "split", [spec](const RunContext& r) { run_split_to_sequence(spec, r); });
  });
}

std::unique_ptr<Prepared> prepare_concat_from_sequence(const PrepareContext& context) {
  if (!context.node.find_attribute("axis")) throw model_error("attribute axis is missing");
  const int64_t axis = model::get_int(context.node, "axis", 0);
  const bool new_axis = model::get_int(context.node, "new_axis", 0) != 0;
  return make_prepared([axis, new_axis](const BindContext& b) {
    require_sequence(b, "input_sequence");
    return make_dynamic(DType::kUndefined, "join", [=](const RunContext& r) { run_concat_from_sequence(axis, new_axis, r); });
  });
}

// ---- Optionals (opset 15; HasElement and GetElement again in 18): one that holds a value is that value ----

std::unique_ptr<Prepared> prepare_optional(const PrepareContext& /*context*/) {
  return make_prepared([](const BindContext& b) {
    if (const ValueFacts* x = optional(b, 0)) return make_pass_on(x->dtype);
    auto bound = make_dynamic(DType::kUndefined, "empty", [](const RunContext& r) { r.outputs[0] = Tensor(); });
    bound->may_empty = true;
    return bound;
  });
}

std::unique_ptr<Prepared> prepare_optional_has_element(const PrepareContext& /*context*/) {
  return make_prepared([](const BindContext&) {
    return make_bound(output(DType::kBool, {}),
                      [](const RunContext& r) { r.outputs[0].mutable_values<bool>()[0] = optional(r, 0) != nullptr; });
  });
}

std::unique_ptr<Prepared> prepare_optional_get_element(const PrepareContext& /*context*/) {
  return make_prepared([](const BindContext& b) {
    const ValueFacts* x = optional(b, 0);
    if (!x) throw argument_error("the optional is empty: it has no element to get (OptionalHasElement tells)");
    return make_pass_on(x->dtype);
  });
}

}  // namespace sardonyx::ops
