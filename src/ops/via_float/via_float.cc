#include "ops/via_float/via_float.h"

#include "ops/elements/elements.h"
#include "ops/facts.h"
#include "ops/via_float/converted.h"

namespace sardonyx::ops {
namespace {

constexpr DTypeSet kHalves = {DType::kFloat16, DType::kBFloat16};
constexpr size_t kGrain = 8192;

void widen(const Tensor& from, void* to, core::ThreadPool& pool) {
  const LoadRun<float> load = load_run<float>(from.dtype());
  const auto* halves = static_cast<const uint16_t*>(from.raw());
  auto* values = static_cast<float*>(to);
  pool.for_ranges(to_size(from.numel()), kGrain, [&](size_t begin, size_t end) { load(halves + begin, 1, end - begin, values + begin); });
}

void narrow(const void* from, Tensor& to, core::ThreadPool& pool) {
  const StoreRun<float> store = store_run<float>(to.dtype());
  auto* halves = static_cast<uint16_t*>(to.mutable_raw());
  const auto* values = static_cast<const float*>(from);
  pool.for_ranges(to_size(to.numel()), kGrain, [&](size_t begin, size_t end) { store(values + begin, end - begin, halves + begin); });
}

constexpr Conversion kWidening = {.outer = kHalves, .inner = DType::kFloat32, .load = widen, .store = narrow};

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
    return make_converted(std::move(inner), context, types, kWidening);
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
