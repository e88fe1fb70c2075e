#include "ops/microsoft/fused_function.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "ops/elements/real.h"

namespace sardonyx::ops {
namespace {

constexpr size_t kGrain = 8192;
constexpr int64_t kLatestFunctions = 24;  // the opset by which the functions of ai.onnx are read

class FollowedBound final : public Bound {
 public:
  FollowedBound(std::unique_ptr<Bound> inner, const FusedFunction& function) : inner_(std::move(inner)), function_(function) {
    outputs = inner_->outputs;
    require_dtype(outputs[0], kFloats, "Y");
    scratch_bytes = inner_->scratch_bytes;
    in_place_input = inner_->in_place_input;
    flops = inner_->flops + static_cast<double>(element_count(outputs[0].shape));
    kernel = inner_->kernel;
    refusals = inner_->refusals;
  }

  void run(const RunContext& r) const override {
    inner_->run(r);
    Tensor& y = r.outputs[0];
    scale(function_.input_scale, y, r.pool);
    run_unary(function_.function, y.dtype(), y.raw(), y.mutable_raw(), to_size(y.numel()), r.pool);
    scale(function_.output_scale, y, r.pool);
  }

 private:
  static void scale(float factor, Tensor& y, core::ThreadPool& pool) {
    if (factor == 1.0f) return;
    with_real(y.dtype(), [&]<class T>() {
      T* values = static_cast<T*>(y.mutable_raw());
      pool.for_ranges(to_size(y.numel()), kGrain, [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) values[i] *= static_cast<T>(factor);
      });
    });
  }

  std::unique_ptr<Bound> inner_;
  FusedFunction function_;
};

class FollowedPrepared final : public Prepared {
 public:
  FollowedPrepared(std::unique_ptr<Prepared> inner, const FusedFunction& function) : inner_(std::move(inner)), function_(function) {}

  bool consumed_constant(size_t input) const override { return inner_->consumed_constant(input); }

  std::unique_ptr<Bound> bind(const BindContext& context) const override {
    return std::make_unique<FollowedBound>(inner_->bind(context), function_);
  }

 private:
  std::unique_ptr<Prepared> inner_;
  FusedFunction function_;
};

}  // namespace

FusedFunction fused_function(std::string_view name, std::vector<model::Attribute> params, std::span<const std::string_view> allowed) {
  if (std::ranges::find(allowed, name) == allowed.end()) {
    throw model_error("attribute activation is '{}'; it must be one of {}", name, fmt::join(allowed, ", "));
  }
  model::Node node;
  node.op_type = name;
  node.attribute = std::move(params);
  FusedFunction result;
  if (name == "ParametricSoftplus" || name == "ScaledTanh") {  // alpha * function(beta * x)
    node.op_type = name == "ScaledTanh" ? "Tanh" : "Softplus";
    result.output_scale = model::get_float(node, "alpha", 1.0f);
    result.input_scale = model::get_float(node, "beta", 1.0f);
  }
  if (name == "Silu") node.op_type = "Swish";
  result.function = unary_spec_from_node(node, kLatestFunctions);
  return result;
}

std::unique_ptr<Prepared> with_function(std::unique_ptr<Prepared> inner, const FusedFunction& function) {
  return std::make_unique<FollowedPrepared>(std::move(inner), function);
}

}  // namespace sardonyx::ops
