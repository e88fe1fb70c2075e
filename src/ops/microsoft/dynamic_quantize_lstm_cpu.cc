// DynamicQuantizeLSTM of com.microsoft: an LSTM whose weights are bytes. X, and in each step the states, are quantised to uint8 over all of
// their values before they are multiplied, as DynamicQuantizeLinear does.
#include "core/arena.h"
#include "kernels/cpu/quant/integer_gemm.h"
#include "ops/elements/real.h"
#include "ops/microsoft/head_attention.h"
#include "ops/quantize/integer_product.h"
#include "ops/quantize/quantize.h"
#include "ops/rnn/rnn.h"
#include "ops/stages.h"

namespace sardonyx::ops {
namespace {

enum Input { kX, kW, kR, kB, kLengths, kInitialH, kInitialC, kPeepholes, kWScale, kWZero, kRScale, kRZero };

// W or R of one direction: (depth, columns) bytes, with one scale and zero point or one for each column.
struct Weights {
  size_t input, scale_input, zero_input;
  DType dtype = DType::kUndefined;
  size_t depth = 0, columns = 0;
  bool per_column = false;  // scales and zero points

  size_t packed_count() const noexcept { return kernels::packed_integers(columns, depth, kernels::integer_tile().columns); }
  size_t packed_bytes() const noexcept { return core::align_up(packed_count() * sizeof(int16_t)); }

  void pack(const RunContext& r, size_t direction, int16_t* to) const {
    const size_t step = per_column ? columns : 1;
    const kernels::IntegerLines lines = {.data = input_data<std::byte>(r, input) + direction * depth * columns,
                                         .kind = integer_kind(dtype),
                                         .line_stride = 1,
                                         .depth_stride = static_cast<ptrdiff_t>(columns),
                                         .zero = input_data<std::byte>(r, zero_input) + direction * step,
                                         .zero_line_stride = per_column ? 1 : 0};
    kernels::pack_integers(lines, columns, depth, kernels::integer_tile().columns, to, r.pool);
  }
  const float* scales(const RunContext& r, size_t direction) const {
    return input_data<float>(r, scale_input) + direction * (per_column ? columns : 1);
  }
};

// The products of one direction.
struct Products {
  struct Side {
    const int16_t* weights;
    const float* scales;
    size_t depth;
    bool per_column;
  };
  Side sides[2];  // of W and of R
  size_t columns;
  uint8_t* bytes;
  int16_t* packed;
  void* scratch;

  static void add(const void* context, bool recurrent, size_t rows, const float* a, float* c, core::ThreadPool& pool) noexcept {
    const auto* self = static_cast<const Products*>(context);
    self->add(self->sides[recurrent ? 1 : 0], rows, a, c, pool);
  }

 private:
  void add(const Side& side, size_t rows, const float* a, float* c, core::ThreadPool& pool) const noexcept {
    const size_t count = rows * side.depth;
    const DynamicScale scale = dynamic_scale({a, count});
    quantize_bytes(scale, {a, count}, bytes, pool);
    const kernels::IntegerLines lines = {.data = bytes, .line_stride = static_cast<ptrdiff_t>(side.depth), .zero = &scale.zero};
    kernels::pack_integers(lines, rows, side.depth, kernels::integer_tile().rows, packed, pool);
    kernels::integer_gemm(
        {rows, columns, side.depth}, 1, [&](size_t) { return packed; }, [&](size_t) { return side.weights; }, scratch, pool,
        [&](size_t, size_t row, size_t column, size_t length, const int32_t* sums) {
          float* to = c + row * columns + column;
          for (size_t j = 0; j < length; ++j) {
            to[j] += static_cast<float>(sums[j]) * (scale.scale * side.scales[side.per_column ? column + j : 0]);
          }
        });
  }
};

struct QuantizedLstm {
  RnnSpec spec;
  RnnGeometry g;
  Weights w, r;
  size_t layer_bytes = 0;  // of the float layer
  int threads = 1;

  size_t rows() const noexcept { return to_size(g.steps * g.batch); }
  size_t most_values() const noexcept { return std::max(rows() * to_size(g.inputs), to_size(g.batch * g.hidden)); }
  size_t packed_bytes() const noexcept {
    const size_t tile = kernels::integer_tile().rows;
    return core::align_up(sizeof(int16_t) * std::max(kernels::packed_integers(rows(), to_size(g.inputs), tile),
                                                     kernels::packed_integers(to_size(g.batch), to_size(g.hidden), tile)));
  }
  size_t scratch_bytes() const noexcept {
    return layer_bytes + w.packed_bytes() + r.packed_bytes() + core::align_up(most_values()) + packed_bytes() +
           kernels::integer_gemm_scratch_bytes(threads);
  }

  void run(const RunContext& context) const {
    check_rnn_lengths(context, g);
    if (element_count(g.state) == 0) return;
    std::byte* memory = context.scratch + layer_bytes;
    const auto take = [&](size_t bytes) { return std::exchange(memory, memory + bytes); };
    auto* packed_w = reinterpret_cast<int16_t*>(take(w.packed_bytes()));
    auto* packed_r = reinterpret_cast<int16_t*>(take(r.packed_bytes()));
    auto* bytes = reinterpret_cast<uint8_t*>(take(core::align_up(most_values())));
    auto* packed = reinterpret_cast<int16_t*>(take(packed_bytes()));
    for (size_t d = 0; d < to_size(spec.directions()); ++d) {
      w.pack(context, d, packed_w);
      r.pack(context, d, packed_r);
      const Products products = {
          {{packed_w, w.scales(context, d), w.depth, w.per_column}, {packed_r, r.scales(context, d), r.depth, r.per_column}},
          w.columns,
          bytes,
          packed,
          memory};
      kernels::RnnJob<float> job = rnn_job<float>(spec, g, context, d);
      job.w = job.r = nullptr;
      job.add_product = &Products::add;
      job.product_context = &products;
      kernels::rnn<float>(job, context.scratch, context.pool);
    }
  }
};

Weights bind_weights(const RnnSpec& spec, const BindContext& b, Weights weights, std::string_view name) {
  const ValueFacts& data = required(b, weights.input, name);
  require_dtype(data, kBytes, name);
  require_rank(data, 3, name);
  const int64_t directions = spec.directions(), columns = data.shape[2];
  if (data.shape[0] != directions || columns % 4 != 0) {
    throw argument_error("{} has shape {}; it must be [{}, depth, 4 * hidden size]", name, to_string(data.shape), directions);
  }
  const std::string scale_name = fmt::format("the scale of {}", name), zero_name = fmt::format("the zero point of {}", name);
  const ValueFacts &scale = required(b, weights.scale_input, scale_name), &zero = required(b, weights.zero_input, zero_name);
  require_float(scale, scale_name);
  require_same_dtype(data, zero, name, zero_name);
  weights.per_column = scale.shape != Shape{directions};
  if (weights.per_column) require_shape(scale, {directions, columns}, scale_name);
  require_shape(zero, scale.shape, zero_name);
  weights.dtype = data.dtype;
  weights.depth = to_size(data.shape[1]);
  weights.columns = to_size(columns);
  return weights;
}

// The shapes as an LSTM of floats has them: its weights are transposed.
RnnGeometry lstm_geometry(const RnnSpec& spec, const BindContext& b) {
  std::vector<ValueFacts> facts(b.inputs.begin(), b.inputs.begin() + std::min<ptrdiff_t>(std::ssize(b.inputs), kPeepholes + 1));
  for (const size_t i : {kW, kR}) {
    const Shape shape = facts[i].shape;
    facts[i] = {DType::kFloat32, {shape[0], shape[2], shape[1]}, nullptr};
  }
  return rnn_geometry(spec, {facts, b.threads});
}

std::unique_ptr<Bound> bind_quantized_lstm(const RnnSpec& spec, const std::vector<bool>& wanted, const BindContext& b) {
  require_float(required(b, kX, "X"), "X");
  QuantizedLstm step{.spec = spec, .g = {}, .w = {kW, kWScale, kWZero}, .r = {kR, kRScale, kRZero}, .threads = b.threads};
  step.w = bind_weights(spec, b, step.w, "W");
  step.r = bind_weights(spec, b, step.r, "R");
  step.g = lstm_geometry(spec, b);
  const ValueFacts y = output(DType::kFloat32, step.g.y), state = output(DType::kFloat32, step.g.state);
  std::vector<ValueFacts> facts = keep_wanted({y, state, state}, wanted);
  // What lives in scratch must fit the machine as a tensor would.
  output(DType::kFloat32, {step.g.steps, step.g.batch, 4 * step.g.hidden});
  const kernels::RnnShape shape = rnn_shape(spec, step.g, 0);
  const bool is_empty = element_count(step.g.state) == 0;
  if (!is_empty) step.layer_bytes = core::align_up(kernels::rnn_scratch_bytes<float>(shape, b.threads));
  const size_t scratch = is_empty ? 0 : step.scratch_bytes();
  const double flops = 2.0 * static_cast<double>(spec.directions() * step.g.steps) * static_cast<double>(step.g.batch) *
                       static_cast<double>(4 * step.g.hidden) * static_cast<double>(step.g.inputs + step.g.hidden);
  auto bound = make_bound(std::move(facts), [step = std::move(step)](const RunContext& r) { step.run(r); });
  bound->scratch_bytes = scratch;
  bound->flops = flops;
  return bound;
}

}  // namespace

std::unique_ptr<Prepared> prepare_dynamic_quantize_lstm(const PrepareContext& context) {
  RnnSpec spec = rnn_spec_from_node(context.node, context.opset);
  spec.batch_first = false;
  return make_prepared(
      [spec, wanted = wanted_outputs(context.node)](const BindContext& b) { return bind_quantized_lstm(spec, wanted, b); });
}

}  // namespace sardonyx::ops
