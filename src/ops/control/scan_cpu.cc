// Scan: opset 8 (a batch of sequences, each with its own length) and from 9 on (axes and directions of their own).
#include <algorithm>

#include "ops/control/bodies.h"
#include "ops/control/stack.h"
#include "ops/facts.h"

namespace sardonyx::ops {
namespace {

struct ScanSpec {
  std::shared_ptr<const Body> body;
  size_t first = 0;  // input of the node: 1 in opset 8, where the lengths come before the rest
  size_t states = 0, scanned = 0, stacked = 0;
  bool batched = false;
  std::vector<int64_t> input_axes, output_axes;  // one for each scanned input, stacked output
  std::vector<int64_t> input_reversed, output_reversed;
};

std::vector<int64_t> list(const PrepareContext& context, std::string_view name, size_t count, bool is_flag) {
  std::vector<int64_t> values = model::get_ints(context.node, name, std::vector<int64_t>(count, 0));
  if (values.size() != count) throw model_error("attribute {} has {} entries; it needs {}", name, values.size(), count);
  const auto is_bad = [&](int64_t value) { return is_flag && value != 0 && value != 1; };
  if (std::ranges::any_of(values, is_bad)) throw model_error("attribute {} holds a direction other than 0 and 1", name);
  return values;
}

ScanSpec spec_from_node(const PrepareContext& context) {
  ScanSpec spec;
  spec.body = body_of(context, "body");
  spec.batched = context.opset < 9;
  spec.first = spec.batched ? 1 : 0;
  const size_t inputs = context.node.input.size(), outputs = context.node.output.size();
  const int64_t scanned = model::get_int(context.node, "num_scan_inputs", 0);
  if (scanned < 1 || inputs < spec.first || to_size(scanned) > inputs - spec.first) {
    throw model_error("num_scan_inputs is {}; the node has {} inputs to choose from", scanned, inputs - std::min(inputs, spec.first));
  }
  spec.scanned = to_size(scanned);
  spec.states = inputs - spec.first - spec.scanned;
  if (outputs < spec.states) throw model_error("the node has {} outputs for {} state variables", outputs, spec.states);
  spec.stacked = outputs - spec.states;
  require_body_inputs(*spec.body, "body", spec.states + spec.scanned);
  require_body_outputs(*spec.body, "body", outputs);
  spec.input_axes = list(context, "scan_input_axes", spec.scanned, false);
  spec.output_axes = list(context, "scan_output_axes", spec.stacked, false);
  spec.input_reversed = list(context, spec.batched ? "directions" : "scan_input_directions", spec.scanned, true);
  spec.output_reversed = list(context, "scan_output_directions", spec.stacked, true);
  return spec;
}

// One pass over one set of scanned tensors.
class Pass {
 public:
  Pass(const ScanSpec& spec, const RunContext& context, std::vector<Tensor> states, std::vector<Tensor> scanned)
      : spec_(spec), context_(context), states_(std::move(states)), scanned_(std::move(scanned)), slices_(spec.stacked) {
    for (size_t i = 0; i < scanned_.size(); ++i) {
      if (!scanned_[i].defined() || scanned_[i].dtype() == DType::kTensor) throw argument_error("scan input {} is no tensor", i);
      axes_.push_back(checked_axis(spec.input_axes[i], scanned_[i].shape().size(), "scan_input_axes"));
      const int64_t size = scanned_[i].size(to_int(axes_[i]));
      if (i > 0 && size != length()) throw argument_error("scan input {} has length {}, scan input 0 has {}", i, size, length());
    }
  }

  int64_t length() const { return scanned_[0].size(to_int(axes_[0])); }

  // Over the first `length` slices.
  void run(int64_t length) {
    for (int64_t i = 0; i < length; ++i) {
      with_trail([&] { return fmt::format("iteration {}", i); }, [&] { step(i, length); });
    }
  }

  const std::vector<Tensor>& states() const noexcept { return states_; }

  // Output `index`, with room for `size` slices.
  Tensor stacked(size_t index, int64_t size) const {
    const model::ValueInfo& slice = spec_.body->signature().output[spec_.states + index];
    const int64_t given = spec_.output_axes[index];
    std::vector<Tensor> items = slices_[index];
    const model::TensorType* type = slice.type.tensor();
    const size_t rank = !items.empty() && items[0].defined() ? items[0].shape().size() : type ? type->shape.dims.size() : 0;
    const size_t axis = checked_axis(given, rank + 1, "scan_output_axes");
    if (items.empty()) return empty_stack(slice, axis);
    if (spec_.output_reversed[index] != 0) std::ranges::reverse(items);
    return stack(items, axis, size, slice.name, context_.pool);
  }

 private:
  void step(int64_t iteration, int64_t length) {
    if (context_.interrupt) context_.interrupt->check();
    std::vector<Tensor> inputs = states_;
    for (size_t i = 0; i < scanned_.size(); ++i) {
      const int64_t at = spec_.input_reversed[i] != 0 ? length - 1 - iteration : iteration;
      inputs.push_back(slice_at(scanned_[i], axes_[i], at, context_.pool));
    }
    std::vector<Tensor> results = spec_.body->run(inputs, context_);
    for (size_t i = 0; i < spec_.states; ++i) states_[i] = std::move(results[i]);
    for (size_t i = 0; i < spec_.stacked; ++i) slices_[i].push_back(std::move(results[spec_.states + i]));
  }

  const ScanSpec& spec_;
  const RunContext& context_;
  std::vector<Tensor> states_, scanned_;
  std::vector<size_t> axes_;
  std::vector<std::vector<Tensor>> slices_;
};

void run_plain(const ScanSpec& spec, const RunContext& context) {
  const auto states = context.inputs.first(spec.states), scanned = context.inputs.subspan(spec.states, spec.scanned);
  Pass pass(spec, context, {states.begin(), states.end()}, {scanned.begin(), scanned.end()});
  const int64_t length = pass.length();
  pass.run(length);
  for (size_t i = 0; i < spec.states; ++i) context.outputs[i] = pass.states()[i];
  for (size_t i = 0; i < spec.stacked; ++i) context.outputs[spec.states + i] = pass.stacked(i, length);
}

// The elements of one batch entry.
std::vector<Tensor> entries(std::span<const Tensor> tensors, int64_t entry, core::ThreadPool& pool) {
  std::vector<Tensor> result;
  for (const Tensor& tensor : tensors) result.push_back(slice_at(tensor, 0, entry, pool));
  return result;
}

int64_t batch_of(std::span<const Tensor> tensors) {
  for (const Tensor& tensor : tensors) {
    if (!tensor.defined() || tensor.dtype() == DType::kTensor || tensor.dim() == 0) throw argument_error("an input has no batch axis");
    if (tensor.size(0) != tensors[0].size(0))
      throw argument_error("the inputs have batches of {} and {}", tensors[0].size(0), tensor.size(0));
  }
  return tensors[0].size(0);
}

int64_t length_of(const Tensor* lengths, int64_t entry, int64_t longest) {
  if (!lengths) return longest;
  if (lengths->dtype() != DType::kInt64 || lengths->dim() != 1 || entry >= lengths->numel()) {
    throw argument_error("sequence_lens must be a vector of int64, one for each entry of the batch");
  }
  const int64_t length = lengths->values<int64_t>()[to_size(entry)];
  if (length < 0 || length > longest) throw argument_error("sequence_lens holds {}; the sequences have {} places", length, longest);
  return length;
}

void run_batched(const ScanSpec& spec, const RunContext& context) {
  const auto states = context.inputs.subspan(1, spec.states), scanned = context.inputs.subspan(1 + spec.states, spec.scanned);
  const int64_t batch = batch_of(context.inputs.subspan(1, spec.states + spec.scanned));
  std::vector<std::vector<Tensor>> columns(spec.states + spec.stacked);
  for (int64_t entry = 0; entry < batch; ++entry) {
    Pass pass(spec, context, entries(states, entry, context.pool), entries(scanned, entry, context.pool));
    const int64_t longest = pass.length();
    pass.run(length_of(optional(context, 0), entry, longest));
    for (size_t i = 0; i < spec.states; ++i) columns[i].push_back(pass.states()[i]);
    for (size_t i = 0; i < spec.stacked; ++i) columns[spec.states + i].push_back(pass.stacked(i, longest));
  }
  for (size_t i = 0; i < columns.size(); ++i) {
    const model::ValueInfo& slice = spec.body->signature().output[i];
    context.outputs[i] = columns[i].empty() ? empty_stack(slice, 0) : stack(columns[i], 0, batch, slice.name, context.pool);
  }
}

// Of one iteration, if one is certain to come.
size_t iteration_bytes(const ScanSpec& spec, const BindContext& context) {
  if (spec.batched) return 0;
  std::vector<ValueFacts> inputs(context.inputs.begin(), context.inputs.begin() + to_int(spec.states));
  for (size_t i = 0; i < spec.scanned; ++i) {
    ValueFacts slice = context.inputs[spec.states + i];
    const int64_t rank = to_int(slice.shape.size()), axis = spec.input_axes[i] + (spec.input_axes[i] < 0 ? rank : 0);
    if (axis < 0 || axis >= rank || slice.shape[to_size(axis)] == 0) return 0;  // the run tells what is wrong
    slice.shape.erase(slice.shape.begin() + axis);
    inputs.push_back({slice.dtype, slice.shape, nullptr});
  }
  return bytes_of(*spec.body, inputs, context);
}

}  // namespace

std::unique_ptr<Prepared> prepare_scan_body(const PrepareContext& context) {
  const ScanSpec spec = spec_from_node(context);
  const auto run = [spec](const RunContext& r) { spec.batched ? run_batched(spec, r) : run_plain(spec, r); };
  return make_control(context.node.output.size(), "scan", run, [spec](const BindContext& b) { return iteration_bytes(spec, b); });
}

}  // namespace sardonyx::ops
