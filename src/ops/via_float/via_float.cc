#include "ops/via_float/via_float.h"

#include <algorithm>

#include "ops/elements/elements.h"
#include "ops/facts.h"
#include "ops/via_float/converted.h"
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
void widen(const Tensor& from, void* to, core::ThreadPool& pool) {
  const LoadRun<Wide> load = load_run<Wide>(from.dtype());
  const auto* data = static_cast<const std::byte*>(from.raw());
  auto* values = static_cast<Wide*>(to);
  const size_t bytes = element_bytes(from.dtype());
  pool.for_ranges(to_size(from.numel()), kGrain,
                  [&](size_t begin, size_t end) { load(data + begin * bytes, 1, end - begin, values + begin); });
}

template <class Wide>
void narrow(const void* from, Tensor& to, core::ThreadPool& pool) {
  const StoreRun<Wide> store = store_run<Wide>(to.dtype());
  const auto* values = static_cast<const Wide*>(from);
  auto* data = static_cast<std::byte*>(to.mutable_raw());
  const size_t bytes = element_bytes(to.dtype());
  pool.for_ranges(to_size(to.numel()), kGrain, [&](size_t begin, size_t end) { store(values + begin, end - begin, data + begin * bytes); });
}

template <class Wide>
constexpr Conversion kWidening = {.outer = kNarrower<Wide>, .inner = kDTypeOf<Wide>, .load = widen<Wide>, .store = narrow<Wide>};

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
    std::unique_ptr<Bound> inner = inner_->bind({facts, context.threads, context.packing, context.winograd});
    if (half == DType::kUndefined || inner->dynamic) return inner;
    const std::vector<DType> types = rule_ ? rule_(context) : std::vector<DType>(inner->outputs.size(), half);
    return make_converted(std::move(inner), context, types, kWidening<float>);
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
    return make_converted(mixed_->bind({facts, context.threads, context.packing}), context, types, kWidening<double>);
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
