// MatMulNBits of com.microsoft: A * B, where B has 2, 4 or 8 bits in blocks along K. accuracy_level allows less than float32 for A, which
// is not made use of.
#include <bit>

#include "kernels/cpu/quant/nbits.h"
#include "ops/attributes/attributes.h"
#include "ops/elements/real.h"
#include "ops/microsoft/head_attention.h"
#include "ops/stages.h"
#include "ops/via_float/via_float.h"

namespace sardonyx::ops {
namespace {

enum Input { kA, kB, kScales, kZeros, kGroups, kBias };

struct NBitsSpec {
  int64_t k = 0, n = 0, bits = 4, block = 0;
  int64_t blocks() const noexcept { return (k + block - 1) / block; }
  int64_t blob() const noexcept { return block * bits / 8; }
};

NBitsSpec nbits_spec_from_node(const model::Node& node) {
  const NBitsSpec spec = {.k = get_count(node, "K", 0, 1),
                          .n = get_count(node, "N", 0, 1),
                          .bits = model::get_int(node, "bits", 4),
                          .block = get_count(node, "block_size", 0, 16)};
  if (spec.bits != 2 && spec.bits != 4 && spec.bits != 8) {
    throw unsupported_error("attribute bits is {}; weights of 2, 4 and 8 bits are supported", spec.bits);
  }
  if (!std::has_single_bit(static_cast<uint64_t>(spec.block))) {
    throw model_error("attribute block_size is {}; it must be a power of two", spec.block);
  }
  if (model::get_int(node, "weight_prepacked", 0) != 0) {
    throw unsupported_error("attribute weight_prepacked tells of a layout for GPUs; give the weights as the operator defines them");
  }
  return spec;
}

void require_one_of(const ValueFacts& facts, const Shape& a, const Shape& b, std::string_view name) {
  if (facts.shape == a || facts.shape == b) return;
  throw argument_error("{} has shape {}; it must be {} or {}", name, to_string(facts.shape), to_string(a), to_string(b));
}

struct NBitsStep {
  NBitsSpec spec;
  size_t rows = 0;
  bool is_omitted = false;  // B holds nothing: the product is 0
  bool packed_zeros = false;

  kernels::BlockWeights weights(const RunContext& r) const {
    return {.depth = to_size(spec.k),
            .columns = to_size(spec.n),
            .bits = to_size(spec.bits),
            .block = to_size(spec.block),
            .data = input_data<uint8_t>(r, kB),
            .scales = input_data<float>(r, kScales),
            .packed_zeros = packed_zeros ? input_data<uint8_t>(r, kZeros) : nullptr,
            .zeros = packed_zeros ? nullptr : input_data<float>(r, kZeros),
            .groups = input_data<int32_t>(r, kGroups)};
  }

  void run(const RunContext& r) const {
    if (r.outputs[0].numel() == 0) return;
    auto* y = output_data<float>(r, 0);
    const float* bias = input_data<float>(r, kBias);
    if (is_omitted) return fill(bias, y);
    check_groups(r);
    kernels::block_product(weights(r), rows, input_data<float>(r, kA), bias, y, r.scratch, r.pool);
  }

 private:
  void fill(const float* bias, float* y) const {
    const size_t columns = to_size(spec.n);
    for (size_t i = 0; i < rows * columns; ++i) y[i] = bias ? bias[i % columns] : 0;
  }
  void check_groups(const RunContext& r) const {
    const Tensor* groups = optional(r, kGroups);
    if (!groups) return;
    for (const int32_t group : groups->values<int32_t>().first(to_size(spec.k))) {
      if (group < 0 || group >= spec.blocks()) throw argument_error("g_idx holds {}; there are {} blocks", group, spec.blocks());
    }
  }
};

void bind_weights(NBitsStep& step, const BindContext& b) {
  const NBitsSpec& s = step.spec;
  const ValueFacts &weights = required(b, kB, "B"), &scales = required(b, kScales, "scales");
  require_dtype(weights, {DType::kUInt8}, "B");
  require_float(scales, "scales");
  const Shape full = {s.n, s.blocks(), s.blob()};
  if (weights.shape.size() == 3 && element_count(weights.shape) == 0) {
    for (size_t i = 0; i < 3; ++i) {
      if (weights.shape[i] != 0 && weights.shape[i] != full[i]) require_shape(weights, full, "B");
    }
    step.is_omitted = true;
    return;
  }
  require_one_of(weights, full, {s.n, s.blocks() * s.blob()}, "B");
  require_one_of(scales, {s.n, s.blocks()}, {s.n * s.blocks()}, "scales");
  if (const ValueFacts* zeros = optional(b, kZeros)) {
    step.packed_zeros = zeros->dtype == DType::kUInt8;
    require_dtype(*zeros, {DType::kUInt8, DType::kFloat32}, "zero_points");
    const int64_t each = step.packed_zeros ? (s.blocks() * s.bits + 7) / 8 : s.blocks();
    require_one_of(*zeros, {s.n, each}, {s.n * each}, "zero_points");
  }
  if (const ValueFacts* groups = optional(b, kGroups)) {
    require_dtype(*groups, {DType::kInt32}, "g_idx");
    require_one_of(*groups, {s.k}, {s.blocks() * s.block}, "g_idx");
  }
}

std::unique_ptr<Bound> bind_nbits(const NBitsSpec& spec, const BindContext& b) {
  const ValueFacts& a = required(b, kA, "A");
  require_float(a, "A");
  if (a.shape.empty() || a.shape.back() != spec.k) {
    throw argument_error("A has shape {}; its last size must be K, {}", to_string(a.shape), spec.k);
  }
  NBitsStep step{.spec = spec};
  bind_weights(step, b);
  if (const ValueFacts* bias = optional(b, kBias)) {
    require_float(*bias, "bias");
    require_shape(*bias, {spec.n}, "bias");
  }
  Shape out = a.shape;
  out.back() = spec.n;
  ValueFacts y = output(a.dtype, out);
  step.rows = to_size(element_count(y.shape)) / to_size(spec.n);
  auto bound = make_bound(std::move(y), [step](const RunContext& r) { step.run(r); });
  if (step.rows > 0 && !step.is_omitted) {
    const kernels::BlockWeights weights = {.depth = to_size(spec.k), .columns = to_size(spec.n)};
    bound->scratch_bytes = kernels::block_product_scratch_bytes(weights, step.rows, b.threads);
  }
  bound->flops = 2.0 * static_cast<double>(step.rows) * static_cast<double>(spec.k) * static_cast<double>(spec.n);
  return bound;
}

std::unique_ptr<Prepared> prepare_float_nbits(const PrepareContext& context) {
  return make_prepared([spec = nbits_spec_from_node(context.node)](const BindContext& b) { return bind_nbits(spec, b); });
}

std::vector<DType> type_of_a(const BindContext& b) { return {b.inputs[kA].dtype}; }

}  // namespace

std::unique_ptr<Prepared> prepare_matmul_nbits(const PrepareContext& context) { return via_float(context, prepare_float_nbits, type_of_a); }

}  // namespace sardonyx::ops
