#include <algorithm>
#include <array>

#include "ops/elements/elements.h"
#include "ops/elementwise/binary.h"
#include "ops/movement/strided.h"
#include "ops/rows.h"
#include "ops/stages.h"

namespace sardonyx::ops {
namespace {

// One pair of operands, bound.
struct Pair {
  const BinaryRow* row;
  kernels::BroadcastShape shape;
  DType a_type, b_type;

  void run(const void* a, const void* b, void* y, core::ThreadPool& pool) const {
    if (row->kernel && a_type == b_type) {
      switch (a_type) {
        case DType::kFloat32:
          return kernel<float>(a, b, y, pool);
        case DType::kInt32:
          return kernel<int32_t>(a, b, y, pool);
        case DType::kInt64:
          return kernel<int64_t>(a, b, y, pool);
        default:
          break;
      }
    }
    row->function(shape, a_type, b_type, a, b, y, pool);
  }

 private:
  template <class T>
  void kernel(const void* a, const void* b, void* y, core::ThreadPool& pool) const {
    kernels::binary(*row->kernel, shape, static_cast<const T*>(a), static_cast<const T*>(b), static_cast<T*>(y), pool);
  }
};

// Rows of a pair of operands. An operand of the result's shape is read by rows; any other is read whole, repeated where it is broadcast.
class PairRows final : public RowKernel {
 public:
  static constexpr size_t kMaxRank = 8;  // of the result

  PairRows(const Pair& pair, const Shape& a, const Shape& b, const Shape& out)
      : pair_(pair),
        sizes_{element_bytes(pair.a_type), element_bytes(pair.b_type)},
        out_(out, 1),
        channels_(to_size(out[1])),
        a_(a, out),
        b_(b, out) {}

  bool by_rows(size_t input) const noexcept override { return operand(input).is_whole_shape; }
  RowRange reads(size_t /*input*/, RowRange rows) const noexcept override { return rows; }

  void run(const RowRun& r) const noexcept override {
    Pair pair = pair_;
    const PlaneShape a = plane_shape(a_, r.rows), b = plane_shape(b_, r.rows);
    const size_t rank = a_.row.size();
    kernels::collapse_broadcast({a.data(), rank}, {b.data(), rank}, pair.shape);  // fits: the whole result's does
    const size_t grain = std::max<size_t>(kTaskElements / std::max<size_t>(r.rows.size() * out_.row_bytes, 1), 1);
    r.pool.for_ranges(out_.planes, grain, [&](size_t begin, size_t end) {
      for (size_t plane = begin; plane < end; ++plane) {
        pair.run(at(r, 0, plane), at(r, 1, plane), r.output.at(r.rows.begin) + plane * r.output.plane_bytes, r.pool);
      }
    });
  }

 private:
  static constexpr size_t kTaskElements = size_t{1} << 14;
  using PlaneShape = std::array<int64_t, kMaxRank - 2>;

  struct Operand {
    // `shape` broadcasts to `out`.
    Operand(const Shape& shape, const Shape& out) : is_whole_shape(shape == out) {
      Shape padded(out.size() - shape.size(), 1);
      padded.insert(padded.end(), shape.begin(), shape.end());
      row.assign(padded.begin() + 2, padded.end());
      repeats_rows = padded[2] == 1;
      const size_t row_size = span_count(padded, 3, padded.size());
      row_stride = repeats_rows ? 0 : row_size;
      const size_t plane_size = row_size * to_size(padded[2]);
      channel_stride = padded[1] == 1 ? 0 : plane_size;
      image_stride = padded[0] == 1 ? 0 : plane_size * to_size(padded[1]);
    }
    bool is_whole_shape, repeats_rows = false;
    Shape row;                                                    // without images and channels
    size_t row_stride = 0, channel_stride = 0, image_stride = 0;  // elements
  };
  const Operand& operand(size_t input) const noexcept { return input == 0 ? a_ : b_; }

  // The shape of the part of one plane that takes part.
  static PlaneShape plane_shape(const Operand& operand, RowRange rows) noexcept {
    PlaneShape shape{};
    std::ranges::copy(operand.row, shape.begin());
    shape[0] = operand.repeats_rows ? 1 : to_int(rows.size());
    return shape;
  }
  const std::byte* at(const RowRun& r, size_t input, size_t plane) const noexcept {
    const ReadRows& rows = r.inputs[input];
    const Operand& operand = this->operand(input);
    if (operand.is_whole_shape) return rows.at(r.rows.begin) + plane * rows.plane_bytes;
    const size_t offset =
        plane / channels_ * operand.image_stride + plane % channels_ * operand.channel_stride + r.rows.begin * operand.row_stride;
    return rows.data + offset * sizes_[input];
  }

  Pair pair_;
  std::array<size_t, 2> sizes_;
  RowShape out_;  // in elements
  size_t channels_;
  Operand a_, b_;
};

const BinaryRow& binary_row(std::string_view op_type) { return *std::ranges::find(binary_rows(), op_type, &BinaryRow::op_type); }

void refuse_zero_divisor(const Tensor& b) {
  const size_t bytes = element_bytes(b.dtype());
  const auto* data = static_cast<const char*>(b.raw());
  for (size_t i = 0; i < to_size(b.numel()); ++i) {
    if (std::all_of(data + i * bytes, data + (i + 1) * bytes, [](char byte) { return byte == 0; })) {
      throw argument_error("integer division by zero: element {} of the divisor is 0", i);
    }
  }
}

std::unique_ptr<Bound> bind_strings_equal(const BinarySpec& spec, const ValueFacts& a, const ValueFacts& b) {
  if (spec.row->op_type != "Equal") throw argument_error("there is no {} of strings", spec.row->op_type);
  return make_bound(output(DType::kBool, broadcast(a.shape, b.shape)), [a_shape = a.shape, b_shape = b.shape](const RunContext& r) {
    const StridedView left = broadcast_view(a_shape, r.outputs[0].shape());
    const StridedView right = broadcast_view(b_shape, r.outputs[0].shape());
    const std::span<bool> y = r.outputs[0].mutable_values<bool>();
    for (size_t i = 0; i < y.size(); ++i) y[i] = r.inputs[0].strings()[left.offset(i)] == r.inputs[1].strings()[right.offset(i)];
  });
}

void check_types(const BinarySpec& spec, const ValueFacts& a, const ValueFacts& b) {
  if (spec.row->op_type == "Mod" && !spec.row->types.has(a.dtype) && kFloats.has(a.dtype)) {
    throw argument_error("Mod of {} needs the attribute fmod = 1", type_string(a.dtype));
  }
  require_dtype(a, spec.row->types, "A");
  require_dtype(b, spec.row->types, "B");
  if (spec.row->op_type != "Pow") require_same_dtype(a, b, "A", "B");
}

std::unique_ptr<Bound> bind_pair(const BinarySpec& spec, const BindContext& context) {
  const ValueFacts& a = required(context, 0, "A");
  const ValueFacts& b = required(context, 1, "B");
  if (a.dtype == DType::kString && b.dtype == DType::kString) return bind_strings_equal(spec, a, b);
  check_types(spec, a, b);
  const Shape b_shape = binary_b_shape(spec, a.shape, b.shape);
  const Shape out = broadcast(a.shape, b_shape);
  const Pair pair = {spec.row, collapsed_broadcast(a.shape, b_shape), a.dtype, b.dtype};
  const bool may_divide_by_zero = divides_integers(*spec.row, a.dtype);
  auto bound = make_bound(output(spec.row->gives_bool ? DType::kBool : a.dtype, out), [pair, may_divide_by_zero](const RunContext& r) {
    if (r.outputs[0].numel() == 0) return;
    if (may_divide_by_zero) refuse_zero_divisor(r.inputs[1]);
    pair.run(r.inputs[0].raw(), r.inputs[1].raw(), r.outputs[0].mutable_raw(), r.pool);
  });
  bound->flops = static_cast<double>(element_count(out));
  const auto may_hold_result = [&](const ValueFacts& operand) { return operand.dtype == bound->outputs[0].dtype && operand.shape == out; };
  if (may_hold_result(a)) {
    bound->in_place_input = 0;
  } else if (may_hold_result(b)) {
    bound->in_place_input = 1;
  }
  const bool by_rows = out.size() >= 3 && out.size() <= PairRows::kMaxRank && !may_divide_by_zero && element_count(out) != 0;
  if (may_divide_by_zero) return without_rows(std::move(bound), "it looks at all divisors before it divides");
  return with_rows(std::move(bound), by_rows ? std::make_shared<PairRows>(pair, a.shape, b_shape, out) : nullptr);
}

// Three operands and more, or one: the first is spread over the result, the others follow one by one.
std::unique_ptr<Bound> bind_many(const BinarySpec& spec, const BindContext& context) {
  Shape out = required(context, 0, "0").shape;
  for (size_t i = 0; i < context.inputs.size(); ++i) {
    const ValueFacts& operand = required(context, i, std::to_string(i));
    check_types(spec, context.inputs[0], operand);
    out = broadcast(out, operand.shape);
  }
  const DType dtype = context.inputs[0].dtype;
  std::vector<Pair> pairs;
  for (size_t i = 1; i < context.inputs.size(); ++i)
    pairs.push_back({spec.row, collapsed_broadcast(out, context.inputs[i].shape), dtype, dtype});
  const StridedMove spread = move_between(broadcast_view(context.inputs[0].shape, out), out, dtype);
  const bool is_mean = spec.row->op_type == "Mean";
  const Tensor count = is_mean ? Tensor::full({}, static_cast<double>(context.inputs.size()), dtype) : Tensor();
  const Pair divide = {is_mean ? &binary_row("Div") : nullptr, collapsed_broadcast(out, {}), dtype, dtype};
  return make_bound(output(dtype, out), [pairs, spread, count, divide](const RunContext& r) {
    if (r.outputs[0].numel() == 0) return;
    void* y = r.outputs[0].mutable_raw();
    spread.run(r.inputs[0].raw(), y, r.pool);
    for (size_t i = 0; i < pairs.size(); ++i) pairs[i].run(y, r.inputs[i + 1].raw(), y, r.pool);
    if (divide.row) divide.run(y, count.raw(), y, r.pool);
  });
}

}  // namespace

std::unique_ptr<Prepared> prepare_binary(const PrepareContext& context) {
  return make_prepared([spec = binary_spec_from_node(context.node, context.opset)](const BindContext& b) {
    return b.inputs.size() == 2 && spec.row->op_type != "Mean" ? bind_pair(spec, b) : bind_many(spec, b);
  });
}

}  // namespace sardonyx::ops
