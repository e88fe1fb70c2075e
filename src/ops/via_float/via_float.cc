#include "ops/via_float/via_float.h"

#include <algorithm>

#include "core/arena.h"
#include "ops/elements/elements.h"
#include "ops/facts.h"
#include "ops/via_float/via_double.h"

namespace sardonyx::ops {
namespace {

constexpr DTypeSet kHalves = {DType::kFloat16, DType::kBFloat16};
constexpr size_t kGrain = 8192;

// What becomes Wide: float or double.
template <class Wide>
constexpr DTypeSet kNarrower = kHalves;
template <>
constexpr DTypeSet kNarrower<double> = kHalves | DTypeSet{DType::kFloat32};

template <class Wide>
size_t wide_bytes(const ValueFacts& facts) {
  return core::align_up(to_size(element_count(facts.shape)) * sizeof(Wide));
}

template <class Wide>
void widen(const Tensor& from, Wide* to, core::ThreadPool& pool) {
  const LoadRun<Wide> load = load_run<Wide>(from.dtype());
  const auto* data = static_cast<const std::byte*>(from.raw());
  const size_t bytes = element_bytes(from.dtype());
  pool.for_ranges(to_size(from.numel()), kGrain, [&](size_t begin, size_t end) { load(data + begin * bytes, 1, end - begin, to + begin); });
}

template <class Wide>
void narrow(const Wide* from, Tensor& to, core::ThreadPool& pool) {
  const StoreRun<Wide> store = store_run<Wide>(to.dtype());
  auto* data = static_cast<std::byte*>(to.mutable_raw());
  const size_t bytes = element_bytes(to.dtype());
  pool.for_ranges(to_size(to.numel()), kGrain, [&](size_t begin, size_t end) { store(from + begin, end - begin, data + begin * bytes); });
}

template <class Wide>
class WideningBound final : public Bound {
 public:
  // `types`: what the outputs of type Wide become.
  WideningBound(std::unique_ptr<Bound> inner, const BindContext& context, const std::vector<DType>& types) : inner_(std::move(inner)) {
    kernel = inner_->kernel;
    refusals = inner_->refusals;
    flops = inner_->flops;
    scratch_bytes = core::align_up(inner_->scratch_bytes);
    for (const ValueFacts& facts : context.inputs) {
      if (kNarrower<Wide>.has(facts.dtype)) scratch_bytes += wide_bytes<Wide>(facts);
    }
    for (size_t i = 0; i < inner_->outputs.size(); ++i) {
      const ValueFacts& facts = inner_->outputs[i];
      outputs.push_back(facts);
      narrows_.push_back(facts.dtype == kDTypeOf<Wide> && i < types.size() && kNarrower<Wide>.has(types[i]));
      if (!narrows_.back()) continue;
      outputs.back().dtype = types[i];
      scratch_bytes += wide_bytes<Wide>(facts);
    }
  }

  void run(const RunContext& r) const override {
    std::byte* memory = r.scratch + core::align_up(inner_->scratch_bytes);
    std::vector<Tensor> inputs(r.inputs.begin(), r.inputs.end());
    for (Tensor& input : inputs) {
      if (!input.defined() || !kNarrower<Wide>.has(input.dtype())) continue;
      Wide* values = take(memory, input);
      widen(input, values, r.pool);
      input = Tensor::from_blob(values, input.shape(), kDTypeOf<Wide>);
    }
    std::vector<Tensor> results(r.outputs.begin(), r.outputs.end());
    for (size_t i = 0; i < results.size(); ++i) {
      if (narrows_[i]) results[i] = Tensor::from_blob(take(memory, results[i]), results[i].shape(), kDTypeOf<Wide>);
    }
    inner_->run({inputs, results, r.scratch, r.pool});
    for (size_t i = 0; i < results.size(); ++i) {
      if (narrows_[i]) narrow(results[i].template values<Wide>().data(), r.outputs[i], r.pool);
    }
  }

 private:
  static Wide* take(std::byte*& memory, const Tensor& tensor) {
    auto* values = reinterpret_cast<Wide*>(memory);
    memory += core::align_up(to_size(tensor.numel()) * sizeof(Wide));
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
    return std::make_unique<WideningBound<float>>(std::move(inner), context, types);
  }

 private:
  std::unique_ptr<Prepared> inner_;
  OutputTypeRule rule_;  // null: all inputs and outputs have one type
};

class MixedPrepared final : public Prepared {
 public:
  MixedPrepared(std::unique_ptr<Prepared> uniform, std::unique_ptr<Prepared> mixed, OutputTypeRule rule)
      : uniform_(std::move(uniform)), mixed_(std::move(mixed)), rule_(rule) {}

  std::unique_ptr<Bound> bind(const BindContext& context) const override {
    const std::vector<DType> types = rule_(context);
    const auto is_narrow = [](DType type) { return kNarrower<double>.has(type); };
    if (std::ranges::count(types, DType::kFloat64) == 0 || std::ranges::none_of(types, is_narrow)) return uniform_->bind(context);
    std::vector<ValueFacts> facts(context.inputs.begin(), context.inputs.end());
    for (ValueFacts& input : facts) {
      if (is_narrow(input.dtype)) input = {DType::kFloat64, input.shape, nullptr};
    }
    return std::make_unique<WideningBound<double>>(mixed_->bind({facts, context.threads}), context, types);
  }

 private:
  std::unique_ptr<Prepared> uniform_, mixed_;
  OutputTypeRule rule_;
};

}  // namespace

std::unique_ptr<Prepared> via_float_or_double(const PrepareContext& context, PrepareFunction prepare, OutputTypeRule rule) {
  const std::vector<const Tensor*> none(context.constants.size());
  return std::make_unique<MixedPrepared>(via_float(context, prepare, rule), prepare({context.node, context.opset, none}), rule);
}

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
