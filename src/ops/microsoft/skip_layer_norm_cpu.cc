// SkipLayerNormalization and SkipSimplifiedLayerNormalization of com.microsoft: layer (or root mean square) normalisation of
// input + skip + bias. Outputs: the result, mean and factor of each row, the sum.
#include "ops/elements/real.h"
#include "ops/microsoft/summed_norm.h"
#include "ops/stages.h"
#include "ops/via_float/via_float.h"

namespace sardonyx::ops {
namespace {

struct SkipNormSpec {
  float epsilon = 1e-12f;
  bool centered = true;
  size_t bias = 4;  // input
  SummedNormPlaces places;
};

SkipNormSpec skip_norm_spec_from_node(const model::Node& node) {
  const bool simplified = node.op_type == "SkipSimplifiedLayerNormalization";
  SkipNormSpec spec{.epsilon = epsilon_from_node(node), .centered = !simplified, .bias = simplified ? size_t{3} : size_t{4}, .places = {}};
  spec.places = {.scale = 2, .shift = simplified ? SummedNormPlaces::kNone : 3, .mean = 1, .factor = 2, .sum = 3};
  return spec;
}

struct SkipNormStep {
  SummedNorm norm;
  size_t bias;
  size_t skip_rows;  // after which skip begins anew

  template <class T>
  void run(const RunContext& r) const {
    const size_t size = norm.norm.size;
    const T *x = input_data<T>(r, 0), *skip = input_data<T>(r, 1), *add = input_data<T>(r, bias);
    T* sums = static_cast<T*>(norm.sums(r).mutable_raw());
    r.pool.for_ranges(norm.norm.rows, std::max<size_t>(1, 8192 / size), [&](size_t begin, size_t end) {
      for (size_t row = begin; row < end; ++row) {
        const T *left = x + row * size, *right = skip + row % skip_rows * size;
        T* to = sums + row * size;
        for (size_t i = 0; i < size; ++i) to[i] = left[i] + right[i];
        for (size_t i = 0; add && i < size; ++i) to[i] += add[i];
      }
    });
    norm.run(r);
  }
};

// Skip has the shape of the input, or that of one image of a batch, with or without a leading 1.
size_t rows_of_skip(const ValueFacts& x, const ValueFacts& skip) {
  const Shape& own = skip.shape;
  const Shape one(x.shape.begin() + (x.shape.size() == 3 ? 1 : 0), x.shape.end());
  const bool is_one =
      own == one || (x.shape.size() == 3 && own.size() == 3 && own[0] == 1 && std::equal(one.begin(), one.end(), own.begin() + 1));
  if (own != x.shape && !is_one) {
    throw argument_error("skip has shape {}; it must be that of the input, {}, or of one element of its batch", to_string(own),
                         to_string(x.shape));
  }
  return span_count(own, 0, own.size() - 1);
}

std::unique_ptr<Bound> bind_skip_norm(const SkipNormSpec& spec, const std::vector<bool>& wanted, const BindContext& b) {
  const ValueFacts &x = required(b, 0, "input"), &skip = required(b, 1, "skip");
  require_dtype(x, kReals, "input");
  require_same_dtype(x, skip, "input", "skip");
  if (x.shape.size() != 2 && x.shape.size() != 3)
    throw argument_error("input has shape {}; it must have 2 or 3 dimensions", to_string(x.shape));
  SkipNormStep step{bind_summed_norm(b, x.shape, x.dtype, spec.epsilon, spec.places), spec.bias, rows_of_skip(x, skip)};
  step.norm.norm.centered = spec.centered;
  if (const ValueFacts* bias = optional(b, spec.bias)) {
    require_same_dtype(x, *bias, "input", "bias");
    if (bias->shape != step.norm.norm.parameter_shape) {
      throw argument_error("bias has shape {}; it must be [{}]", to_string(bias->shape), x.shape.back());
    }
  }
  Shape statistics = x.shape;
  statistics.back() = 1;
  const ValueFacts y = output(x.dtype, x.shape), each = output(DType::kFloat32, std::move(statistics));
  auto bound = make_bound(keep_wanted({y, each, each, y}, wanted), [step, dtype = x.dtype](const RunContext& r) {
    if (step.norm.norm.rows != 0) return with_real(dtype, [&]<class T>() { step.run<T>(r); });
    for (size_t i = 1; i < 3 && i < r.outputs.size(); ++i) fill_with_nan(r.outputs[i].defined() ? &r.outputs[i] : nullptr);
  });
  bound->scratch_bytes = row_norm_scratch(step.norm.norm);
  bound->in_place_input = 0;
  bound->flops = 10.0 * static_cast<double>(element_count(x.shape));
  return bound;
}

std::unique_ptr<Prepared> prepare_wide_skip_norm(const PrepareContext& context) {
  std::vector<bool> wanted = wanted_outputs(context.node);
  wanted.front() = true;
  return make_prepared(
      [spec = skip_norm_spec_from_node(context.node), wanted](const BindContext& b) { return bind_skip_norm(spec, wanted, b); });
}

// The statistics stay float.
std::vector<DType> skip_norm_types(const BindContext& context) {
  const DType dtype = context.inputs[0].dtype;
  return {dtype, DType::kFloat32, DType::kFloat32, dtype};
}

}  // namespace

std::unique_ptr<Prepared> prepare_skip_layer_norm(const PrepareContext& context) {
  return via_float(context, prepare_wide_skip_norm, skip_norm_types);
}

}  // namespace sardonyx::ops
