// Attention and QAttention of com.microsoft: one projection makes Q, K and V, in float or from quantised operands.
#include "core/arena.h"
#include "kernels/cpu/gemm/gemm.h"
#include "ops/elements/real.h"
#include "ops/gemm/packed_matrix.h"
#include "ops/microsoft/projected_attention.h"
#include "ops/quantize/integer_product.h"
#include "ops/stages.h"
#include "ops/via_float/via_float.h"

namespace sardonyx::ops {
namespace {

bool wants_present(const std::vector<bool>& wanted) { return wanted.size() > 1 && wanted[1]; }

// The outputs, after sizes that live in scratch have been found to be sane.
std::vector<ValueFacts> output_facts(const ProjectedAttention& attention, const std::vector<bool>& wanted) {
  output(DType::kFloat32, {to_int(attention.rows()), to_int(attention.columns())});
  std::vector<ValueFacts> facts = {output(DType::kFloat32, attention.out())};
  if (wants_present(wanted)) facts.push_back(output(DType::kFloat32, attention.present()));
  facts.resize(2);
  return keep_wanted(std::move(facts), wanted);
}

size_t projected_bytes(const ProjectedAttention& attention) {
  return core::align_up(attention.rows() * attention.columns() * sizeof(float));
}

class AttentionPrepared final : public Prepared {
 public:
  AttentionPrepared(ProjectedSpec spec, std::vector<bool> wanted, const Tensor* weights)
      : spec_(std::move(spec)), wanted_(std::move(wanted)), weights_(std::make_shared<PackedConstant>(weights, false)) {}

  bool consumed_constant(size_t input) const override { return input == 1 && weights_->is_constant(); }

  std::unique_ptr<Bound> bind(const BindContext& b) const override {
    const ValueFacts &input = required(b, 0, "input"), &weights = required(b, 1, "weights");
    require_float(input, "input");
    require_float(weights, "weights");
    if (optional(b, 6)) throw unsupported_error("input past_sequence_length belongs to past_present_share_buffer, which is not supported");
    const ProjectedAttention attention(spec_, {.mask = 3, .past = 4, .bias = 5}, b, input.shape, weights.shape, wants_present(wanted_));
    const kernels::GemmShape shape = {attention.rows(), attention.columns(), attention.input_size()};
    if (const ValueFacts* bias = optional(b, 2)) {
      require_float(*bias, "bias");
      require_shape(*bias, {to_int(shape.n)}, "bias");
    }
    std::vector<ValueFacts> facts = output_facts(attention, wanted_);
    const kernels::Matrix view = kernels::Matrix::view(nullptr, static_cast<ptrdiff_t>(shape.n));
    const float* packed = weights_->is_constant() ? packed_right(*weights_, b.packing, shape, view) : nullptr;
    const size_t product = core::align_up(kernels::gemm_scratch_bytes(shape, false, packed != nullptr, b.threads));
    auto bound = make_bound(std::move(facts), [attention, shape, packed, product, keep = weights_](const RunContext& r) {
      attention.check(r);
      auto* projected = reinterpret_cast<float*>(r.scratch);
      std::byte* memory = r.scratch ? r.scratch + projected_bytes(attention) : nullptr;  // none where there are no rows
      kernels::Epilogue epilogue;
      epilogue.column_bias = input_data<float>(r, 2);
      const auto columns = static_cast<ptrdiff_t>(shape.n);
      kernels::gemm(shape, kernels::Matrix::view(input_data<float>(r, 0), static_cast<ptrdiff_t>(shape.k)),
                    packed ? kernels::Matrix::packed(packed) : kernels::Matrix::view(input_data<float>(r, 1), columns), epilogue, projected,
                    columns, memory, r.pool);
      attention.run(r, projected, memory ? memory + product : nullptr);
    });
    if (attention.rows() > 0) bound->scratch_bytes = projected_bytes(attention) + product + attention.scratch_bytes(b.threads);
    bound->flops = attention.flops();
    bound->kernel = packed ? "gemm_packed" : "gemm";
    return bound;
  }

 private:
  ProjectedSpec spec_;
  std::vector<bool> wanted_;
  std::shared_ptr<PackedConstant> weights_;
};

std::unique_ptr<Prepared> prepare_float_attention(const PrepareContext& context) {
  const Tensor* weights = context.constants.size() > 1 ? context.constants[1] : nullptr;
  const bool packs = weights && weights->dtype() == DType::kFloat32 && weights->dim() == 2;
  return std::make_unique<AttentionPrepared>(projected_spec_from_node(context.node), wanted_outputs(context.node),
                                             packs ? weights : nullptr);
}

// The projection of bytes: (input - its zero point) * (weights - theirs) * scales + bias.
enum QInput { kInput, kWeights, kBias, kInputScale, kWeightScale, kMask, kInputZero, kWeightZero, kPast };

struct QuantizedProjection {
  IntegerProduct product;
  bool scale_per_column = false;

  void run(const RunContext& r, float* to, std::byte* memory) const {
    const float *bias = input_data<float>(r, kBias), *weight_scale = input_data<float>(r, kWeightScale);
    const float scale = *input_data<float>(r, kInputScale);
    const size_t columns_of_row = product.shape().n;
    product.run(source_of(r, kInput, kInputZero), source_of(r, kWeights, kWeightZero), memory, r.pool,
                [&](size_t row, size_t column, size_t columns, const int32_t* sums) {
                  float* target = to + row * columns_of_row + column;
                  for (size_t j = 0; j < columns; ++j) {
                    const float both = scale * weight_scale[scale_per_column ? column + j : 0];
                    target[j] = static_cast<float>(sums[j]) * both + bias[column + j];
                  }
                });
  }
};

void require_one(const ValueFacts& facts, std::string_view name) {
  if (element_count(facts.shape) != 1) throw argument_error("{} has shape {}; it must be one value", name, to_string(facts.shape));
}

// `attention` has found the shapes of input and weights to fit.
QuantizedProjection bind_projection(const BindContext& b, const ProjectedAttention& attention, const ConstantOperand& weights) {
  const int64_t columns = to_int(attention.columns());
  const ValueFacts &bias = required(b, kBias, "bias"), &input_scale = required(b, kInputScale, "input_scale"),
                   &weight_scale = required(b, kWeightScale, "weight_scale");
  require_float(bias, "bias");
  require_shape(bias, {columns}, "bias");
  require_float(input_scale, "input_scale");
  require_one(input_scale, "input_scale");
  require_float(weight_scale, "weight_scale");
  const bool per_column = element_count(weight_scale.shape) != 1;
  if (per_column) require_shape(weight_scale, {columns}, "weight_scale");
  if (const ValueFacts* zero = optional(b, kInputZero)) require_one(*zero, "input_zero_point");
  if (const ValueFacts* zero = optional(b, kWeightZero); zero && element_count(zero->shape) != 1) {
    require_shape(*zero, {columns}, "weight_zero_point");
  }
  return {bind_integer_product(b, {kInput, kInputZero, kWeights, kWeightZero}, weights), per_column};
}

std::unique_ptr<Bound> bind_quantized(const ProjectedSpec& spec, const std::vector<bool>& wanted, const BindContext& b,
                                      const ConstantOperand& constant) {
  const ValueFacts &input = required(b, kInput, "input"), &weights = required(b, kWeights, "weight");
  const ProjectedAttention attention(spec, {.mask = kMask, .past = kPast}, b, input.shape, weights.shape, wants_present(wanted));
  std::vector<ValueFacts> facts = output_facts(attention, wanted);
  const QuantizedProjection projection = bind_projection(b, attention, constant);
  const size_t product = core::align_up(projection.product.scratch_bytes(b.threads));
  auto bound = make_bound(std::move(facts), [attention, projection, product](const RunContext& r) {
    attention.check(r);
    auto* projected = reinterpret_cast<float*>(r.scratch);
    std::byte* memory = r.scratch + projected_bytes(attention);
    if (attention.rows() > 0) projection.run(r, projected, memory);
    attention.run(r, projected, memory + product);
  });
  if (attention.rows() > 0) bound->scratch_bytes = projected_bytes(attention) + product + attention.scratch_bytes(b.threads);
  bound->flops = attention.flops();
  return bound;
}

std::unique_ptr<Prepared> prepare_wide_qattention(const PrepareContext& context) {
  const auto bind = [spec = projected_spec_from_node(context.node), wanted = wanted_outputs(context.node)](
                        const BindContext& b, const ConstantOperand& weights) { return bind_quantized(spec, wanted, b, weights); };
  return prepare_integer_product(context, kWeights, kWeightZero, bind);
}

}  // namespace

std::unique_ptr<Prepared> prepare_microsoft_attention(const PrepareContext& context) { return via_float(context, prepare_float_attention); }
std::unique_ptr<Prepared> prepare_qattention(const PrepareContext& context) { return via_float(context, prepare_wide_qattention); }

}  // namespace sardonyx::ops
