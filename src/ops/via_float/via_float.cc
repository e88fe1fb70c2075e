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
  // `types`: what the float32 outputs become.
  WideningBound(std::unique_ptr<Bound> inner, const BindContext& context, const std::vector<DType>& types) : inner_(std::move(inner)) {
    kernel = inner_->kernel;
    refusals = inner_->refusals;
    flops = inner_->flops;
    scratch_bytes = core::align_up(inner_->scratch_bytes);
    for (const ValueFacts& facts : context.inputs) {
      if (kHalves.has(facts.dtype)) scratch_bytes += float_bytes(facts);
    }
    for (size_t i = 0; i < inner_->outputs.size(); ++i) {
      const ValueFacts& facts = inner_->outputs[i];
      outputs.push_back(facts);
      narrows_.push_back(facts.dtype == DType::kFloat32 && i < types.size() && kHalves.has(types[i]));
      if (!narrows_.back()) continue;
      outputs.back().dtype = types[i];
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
    for (size_t i = 0; i < results.size(); ++i) {
      if (narrows_[i]) results[i] = Tensor::from_blob(take(memory, results[i]), results[i].shape());
    }
    inner_->run({inputs, results, r.scratch, r.pool});
    for (size_t i = 0; i < results.size(); ++i) {
      if (narrows_[i]) narrow(results[i].values<float>().data(), r.outputs[i], r.pool);
    }
  }

 private:
  static float* take(std::byte*& memory, const Tensor& tensor) {
    auto* values = reinterpret_cast<float*>(memory);
    memory += core::align_up(to_size(tensor.numel()) * sizeof(float));
    return values;
  }

  std::unique_ptr<Bound> inner_;
  std::vector<bool> narrows_;  // for each output
};

class WideningPrepared final : public Prepared {
 public:
  WideningPrepared(std::unique_ptr<Prepared> inner, OutputTypeRule rule) : inner_(std::move(inner)), rule_(rule) {}

  bool consumed_constant(size_t input) const override { return inner_->consumed_constant(input); }

  std::unique_ptr<Bound> bind(const BindContext& context) const override {
    DType half = DType::kUndefined;
    std::vector<ValueFacts> facts(context.inputs.begin(), context.inputs.end());
    for (ValueFacts& input : facts) {
      if (!kHalves.has(input.dtype)) continue;
      if (!rule_ && half != DType::kUndefined && half != input.dtype) throw argument_error("inputs mix float16 and bfloat16");
      half = input.dtype;
      input = {DType::kFloat32, input.shape, nullptr};
    }
    std::unique_ptr<Bound> inner = inner_->bind({facts, context.threads});
    if (half == DType::kUndefined || inner->dynamic) return inner;
    const std::vector<DType> types = rule_ ? rule_(context) : std::vector<DType>(inner->outputs.size(), half);
    return std::make_unique<WideningBound>(std::move(inner), context, types);
  }

 private:
  std::unique_ptr<Prepared> inner_;
  OutputTypeRule rule_;  // null: all inputs and outputs have one type
};

}  // namespace

std::unique_ptr<Prepared> via_float(const PrepareContext& context, PrepareFunction prepare) { return via_float(context, prepare, nullptr); }

std::unique_ptr<Prepared> via_float(const PrepareContext& context, PrepareFunction prepare, OutputTypeRule rule) {
  std::vector<Tensor> widened(context.constants.size());
  std::vector<const Tensor*> constants(context.constants.begin(), context.constants.end());
  for (size_t i = 0; i < constants.size(); ++i) {
    if (!constants[i] || !kHalves.has(constants[i]->dtype())) continue;
    widened[i] = constants[i]->to(DType::kFloat32);
    constants[i] = &widened[i];
  }
  return std::make_unique<WideningPrepared>(prepare({context.node, context.opset, constants}), rule);
}

}  // namespace sardonyx::ops
