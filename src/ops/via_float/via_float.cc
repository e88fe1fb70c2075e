#include "ops/via_float/via_float.h"

#include <algorithm>

#include "core/arena.h"
#include "ops/elements/elements.h"
#include "ops/facts.h"

namespace sardonyx::ops {
namespace {

constexpr DTypeSet kHalves = {DType::kFloat16, DType::kBFloat16};
constexpr size_t kGrain = 8192;

size_t float_bytes(const ValueFacts& facts) { return core::align_up(to_size(element_count(facts.shape)) * sizeof(float)); }

void widen(const Tensor& from, float* to, core::ThreadPool& pool) noexcept {
  const LoadRun<float> load = load_run<float>(from.dtype());
  const auto* halves = static_cast<const uint16_t*>(from.raw());
  pool.for_ranges(to_size(from.numel()), kGrain, [&](size_t begin, size_t end) { load(halves + begin, 1, end - begin, to + begin); });
}

void narrow(const float* from, Tensor& to, core::ThreadPool& pool) {
  const StoreRun<float> store = store_run<float>(to.dtype());
  auto* halves = static_cast<uint16_t*>(to.mutable_raw());
  pool.for_ranges(to_size(to.numel()), kGrain, [&](size_t begin, size_t end) { store(from + begin, end - begin, halves + begin); });
}

class WideningBound final : public Bound {
 public:
  WideningBound(std::unique_ptr<Bound> inner, const BindContext& context, DType half) : inner_(std::move(inner)), half_(half) {
    kernel = inner_->kernel;
    refusals = inner_->refusals;
    flops = inner_->flops;
    scratch_bytes = core::align_up(inner_->scratch_bytes);
    for (const ValueFacts& facts : context.inputs) {
      if (kHalves.has(facts.dtype)) scratch_bytes += float_bytes(facts);
    }
    for (const ValueFacts& facts : inner_->outputs) {
      outputs.push_back(facts);
      if (facts.dtype != DType::kFloat32) continue;
      outputs.back().dtype = half_;
      scratch_bytes += float_bytes(facts);
    }
  }

  void run(const RunContext& r) const override {
    std::byte* memory = r.scratch + core::align_up(inner_->scratch_bytes);
    std::vector<Tensor> inputs(r.inputs.begin(), r.inputs.end());
    for (Tensor& input : inputs) {
      if (!input.defined() || !kHalves.has(input.dtype())) continue;
      float* values = take(memory, input);
      widen(input, values, r.pool);
      input = Tensor::from_blob(values, input.shape());
    }
    std::vector<Tensor> results(r.outputs.begin(), r.outputs.end());
    for (Tensor& result : results) {
      if (result.defined() && result.dtype() == half_) result = Tensor::from_blob(take(memory, result), result.shape());
    }
    inner_->run({inputs, results, r.scratch, r.pool});
    for (size_t i = 0; i < results.size(); ++i) {
      if (results[i].defined() && r.outputs[i].dtype() == half_) narrow(results[i].values<float>().data(), r.outputs[i], r.pool);
    }
  }

 private:
  static float* take(std::byte*& memory, const Tensor& tensor) {
    auto* values = reinterpret_cast<float*>(memory);
    memory += core::align_up(to_size(tensor.numel()) * sizeof(float));
    return values;
  }

  std::unique_ptr<Bound> inner_;
  DType half_;
};

class WideningPrepared final : public Prepared {
 public:
  explicit WideningPrepared(std::unique_ptr<Prepared> inner) : inner_(std::move(inner)) {}

  bool consumed_constant(size_t input) const override { return inner_->consumed_constant(input); }

  std::unique_ptr<Bound> bind(const BindContext& context) const override {
    DType half = DType::kUndefined;
    std::vector<ValueFacts> facts(context.inputs.begin(), context.inputs.end());
    for (ValueFacts& input : facts) {
      if (!kHalves.has(input.dtype)) continue;
      if (half != DType::kUndefined && half != input.dtype) throw argument_error("inputs mix float16 and bfloat16");
      half = input.dtype;
      input = {DType::kFloat32, input.shape, nullptr};
    }
    std::unique_ptr<Bound> inner = inner_->bind({facts, context.threads});
    if (half == DType::kUndefined || inner->dynamic) return inner;
    return std::make_unique<WideningBound>(std::move(inner), context, half);
  }

 private:
  std::unique_ptr<Prepared> inner_;
};

}  // namespace

std::unique_ptr<Prepared> via_float(const PrepareContext& context, PrepareFunction prepare) {
  std::vector<Tensor> widened(context.constants.size());
  std::vector<const Tensor*> constants(context.constants.begin(), context.constants.end());
  for (size_t i = 0; i < constants.size(); ++i) {
    if (!constants[i] || !kHalves.has(constants[i]->dtype())) continue;
    widened[i] = constants[i]->to(DType::kFloat32);
    constants[i] = &widened[i];
  }
  return std::make_unique<WideningPrepared>(prepare({context.node, context.opset, constants}));
}

}  // namespace sardonyx::ops
