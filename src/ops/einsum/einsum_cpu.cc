#include <algorithm>
#include <functional>
#include <optional>

#include "core/arena.h"
#include "core/interrupt.h"
#include "ops/einsum/einsum.h"
#include "ops/elements/elements.h"
#include "ops/facts.h"
#include "ops/stages.h"
#include "ops/via_float/via_float.h"
#include "sardonyx/model.h"

namespace sardonyx::ops {

std::unique_ptr<Prepared> prepare_matmul(const PrepareContext& context);

namespace {

// Where a tensor lies: an input of the node, or an offset of the scratch.
struct Place {
  std::optional<size_t> input;
  size_t offset = 0;

  const std::byte* data(const RunContext& r) const {
    return input ? static_cast<const std::byte*>(r.inputs[*input].raw()) : r.scratch + offset;
  }
};

struct Value {
  Labelled tensor;
  Place place;
};

bool has(const std::vector<Label>& labels, Label label) { return std::ranges::find(labels, label) != labels.end(); }

std::vector<Label> joined(std::initializer_list<const std::vector<Label>*> parts) {
  std::vector<Label> all;
  for (const std::vector<Label>* part : parts) all.insert(all.end(), part->begin(), part->end());
  return all;
}

// Sums a view over its last `summed` dimensions, in order.
template <class T>
void sum_view(const StridedView& kept, const StridedView& summed, const void* from, void* to, core::ThreadPool& pool) {
  const T* data = static_cast<const T*>(from);
  T* sums = static_cast<T*>(to);
  const size_t rank = summed.shape.size(), inner = rank == 0 ? 1 : to_size(summed.shape[rank - 1]);
  const size_t terms = to_size(element_count(summed.shape)), rows = inner == 0 ? 0 : terms / inner;
  const ptrdiff_t step = rank == 0 ? 0 : summed.stride[rank - 1];
  pool.for_ranges(to_size(element_count(kept.shape)), std::max<size_t>(1, 8192 / std::max<size_t>(terms, 1)),
                  [&](size_t begin, size_t end) {
                    for (size_t i = begin; i < end; ++i) {
                      const T* first = data + kept.offset(i);
                      T sum{};
                      for (size_t row = 0; row < rows; ++row) {
                        const T* at = first + summed.offset(row * inner);
                        core::in_pieces(inner, size_t{1} << 14, [&](size_t begin_j, size_t count) {
                          for (size_t j = begin_j; j < begin_j + count; ++j)
                            sum = static_cast<T>(sum + at[static_cast<ptrdiff_t>(j) * step]);
                        });
                        if (row % 64 == 63 && core::interrupted()) break;
                      }
                      sums[i] = sum;
                    }
                  });
}

using SumView = void (*)(const StridedView&, const StridedView&, const void*, void*, core::ThreadPool&);

// Signed integers as unsigned ones, which wrap around.
SumView sum_view_of(DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
      return sum_view<float>;
    case DType::kFloat64:
      return sum_view<double>;
    case DType::kInt32:
    case DType::kUInt32:
      return sum_view<uint32_t>;
    default:
      return sum_view<uint64_t>;
  }
}

// Collects the steps and the scratch of one bound node.
class EinsumPlan {
 public:
  // `spare`: scratch behind that of the tensors, which every product uses anew.
  using Step = std::function<void(const RunContext& r, std::byte* spare)>;

  EinsumPlan(DType dtype, int threads) : dtype_(dtype), threads_(threads) {}

  // The type in which is computed: small integers in 64 bits.
  static DType work_type(DType dtype) {
    if (dtype == DType::kInt8 || dtype == DType::kInt16) return DType::kInt64;
    if (dtype == DType::kUInt8 || dtype == DType::kUInt16) return DType::kUInt64;
    return dtype;
  }

  Place widened(size_t input, DType from, size_t count) {
    const Place place = take(count);
    const LoadRun<int64_t> load = load_run<int64_t>(from);
    steps_.push_back([=](const RunContext& r, std::byte* /*spare*/) {
      load(r.inputs[input].raw(), 1, count, reinterpret_cast<int64_t*>(r.scratch + place.offset));
    });
    return place;
  }

  // Sums over all dimensions that nobody needs.
  Value reduced(const Value& value, const std::vector<Label>& needed) {
    std::vector<Label> kept, summed;
    for (const Label label : value.tensor.labels) (has(needed, label) ? kept : summed).push_back(label);
    if (summed.empty()) return value;
    const StridedView keep = with_labels(value.tensor, kept).view, sum = with_labels(value.tensor, summed).view;
    const Value result = fresh(kept, keep.shape);
    steps_.push_back([keep, sum, from = value.place, to = result.place.offset, run = sum_view_of(dtype_)](
                         const RunContext& r, std::byte* /*spare*/) { run(keep, sum, from.data(r), r.scratch + to, r.pool); });
    return result;
  }

  Value product(Value a, Value b, const std::vector<Label>& needed) {
    const std::vector<Label> a_needs = joined({&needed, &b.tensor.labels}), b_needs = joined({&needed, &a.tensor.labels});
    a = reduced(a, a_needs);
    b = reduced(b, b_needs);
    std::vector<Label> batch, rows, columns, inner;
    for (const Label label : a.tensor.labels) {
      const bool both = has(b.tensor.labels, label);
      (!both ? rows : has(needed, label) ? batch : inner).push_back(label);
    }
    for (const Label label : b.tensor.labels) {
      if (!has(a.tensor.labels, label)) columns.push_back(label);
    }
    const Place left = packed(a, joined({&batch, &rows, &inner})), right = packed(b, joined({&batch, &inner, &columns}));
    const auto count = [](const Value& of, const std::vector<Label>& labels) {
      return element_count(with_labels(of.tensor, labels).view.shape);
    };
    const int64_t batches = count(a, batch), m = count(a, rows), k = count(a, inner), n = count(b, columns);
    Shape shape = with_labels(a.tensor, joined({&batch, &rows})).view.shape;
    for (const int64_t size : with_labels(b.tensor, columns).view.shape) shape.push_back(size);
    const Value result = fresh(joined({&batch, &rows, &columns}), shape);
    add_matmul(left, {batches, m, k}, right, {batches, k, n}, result.place);
    return result;
  }

  // The last step: the result in the asked order, in its own type.
  void deliver(const Value& value, const std::vector<Label>& labels, DType dtype) {
    const StridedView view = with_labels(value.tensor, labels).view;
    const StridedMove move = move_between(view, view.shape, dtype_);
    if (dtype == dtype_) {
      steps_.push_back([move, from = value.place](const RunContext& r, std::byte* /*spare*/) {
        move.run(from.data(r), r.outputs[0].mutable_raw(), r.pool);
      });
      return;
    }
    const size_t count = to_size(element_count(view.shape));
    const Place place = take(count);
    steps_.push_back(
        [move, from = value.place, place, count, store = store_run<int64_t>(dtype)](const RunContext& r, std::byte* /*spare*/) {
          move.run(from.data(r), r.scratch + place.offset, r.pool);
          store(reinterpret_cast<const int64_t*>(r.scratch + place.offset), count, r.outputs[0].mutable_raw());
        });
  }

  std::unique_ptr<Bound> finish(ValueFacts y) {
    auto bound = make_bound(std::move(y), [steps = std::move(steps_), used = used_](const RunContext& r) {
      if (r.outputs[0].numel() == 0) return;
      for (const Step& step : steps) step(r, r.scratch + used);
    });
    bound->scratch_bytes = used_ + product_scratch_;
    bound->flops = flops_;
    return bound;
  }

 private:
  Place take(size_t count) {
    const Place place = {std::nullopt, used_};
    used_ += core::align_up(count * element_bytes(dtype_));
    return place;
  }

  Value fresh(const std::vector<Label>& labels, const Shape& shape) {
    output(dtype_, shape);  // refuses absurd sizes
    return {{labels, contiguous_view(shape)}, take(to_size(element_count(shape)))};
  }

  // The value's elements one after another, its dimensions in this order.
  Place packed(const Value& value, const std::vector<Label>& labels) {
    const StridedView view = with_labels(value.tensor, labels).view;
    if (view.stride == contiguous_view(view.shape).stride) return value.place;
    const Value result = fresh(labels, view.shape);
    steps_.push_back([move = move_between(view, view.shape, dtype_), from = value.place, to = result.place.offset](
                         const RunContext& r, std::byte* /*spare*/) { move.run(from.data(r), r.scratch + to, r.pool); });
    return result.place;
  }

  void add_matmul(const Place& a, const Shape& a_shape, const Place& b, const Shape& b_shape, const Place& c) {
    model::Node node;
    node.op_type = "MatMul";
    node.output = {"product"};
    const std::vector<const Tensor*> unknown(2);
    const std::vector<ValueFacts> facts = {{dtype_, a_shape, nullptr}, {dtype_, b_shape, nullptr}};
    std::shared_ptr<const Bound> bound = prepare_matmul({node, 13, unknown})->bind({facts, threads_});
    product_scratch_ = std::max(product_scratch_, bound->scratch_bytes);
    flops_ += bound->flops;
    steps_.push_back([=, dtype = dtype_](const RunContext& r, std::byte* spare) {
      const auto view = [&](const Place& place, const Shape& shape) { return Tensor::view(nullptr, place.data(r), shape, dtype); };
      const std::vector<Tensor> inputs = {view(a, a_shape), view(b, b_shape)};
      std::vector<Tensor> outputs = {Tensor::from_blob(r.scratch + c.offset, bound->outputs[0].shape, dtype)};
      bound->run({inputs, outputs, spare, r.pool});
    });
  }

  DType dtype_;
  int threads_;
  size_t used_ = 0;
  size_t product_scratch_ = 0;
  double flops_ = 0;
  std::vector<Step> steps_;
};

// The labels that the result or an operand from `first` on has.
std::vector<Label> needed_after(const EinsumOperands& operands, size_t first) {
  std::vector<Label> needed = operands.result;
  for (size_t i = first; i < operands.inputs.size(); ++i) {
    const std::vector<Label>& labels = operands.inputs[i].labels;
    needed.insert(needed.end(), labels.begin(), labels.end());
  }
  return needed;
}

std::unique_ptr<Bound> bind_einsum_node(const EinsumEquation& equation, const BindContext& b) {
  std::vector<Shape> shapes;
  for (size_t i = 0; i < b.inputs.size(); ++i) {
    const ValueFacts& input = required(b, i, std::to_string(i));
    require_dtype(input, kNumbers, "an operand");
    require_same_dtype(input, b.inputs[0], "an operand", "the first");
    shapes.push_back(input.shape);
  }
  EinsumOperands operands = bind_einsum(equation, shapes);
  const DType dtype = b.inputs[0].dtype, work = EinsumPlan::work_type(dtype);
  EinsumPlan plan(work, b.threads);
  std::vector<Value> values;
  for (size_t i = 0; i < shapes.size(); ++i) {
    const Place place = work == dtype ? Place{i, 0} : plan.widened(i, dtype, to_size(element_count(shapes[i])));
    values.push_back({operands.inputs[i], place});
  }
  Value result = values[0];
  for (size_t i = 1; i < values.size(); ++i) result = plan.product(result, values[i], needed_after(operands, i + 1));
  result = plan.reduced(result, operands.result);
  ValueFacts y = output(dtype, with_labels(result.tensor, operands.result).view.shape);
  plan.deliver(result, operands.result, dtype);
  return plan.finish(std::move(y));
}

std::unique_ptr<Prepared> prepare_wide_einsum(const PrepareContext& context) {
  return make_prepared([equation = parse_einsum(model::get_string(context.node, "equation", ""))](const BindContext& b) {
    return bind_einsum_node(equation, b);
  });
}

}  // namespace

std::unique_ptr<Prepared> prepare_einsum(const PrepareContext& context) { return via_float(context, prepare_wide_einsum); }

}  // namespace sardonyx::ops
