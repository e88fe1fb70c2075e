#include "ops/via_float/converted.h"

#include "core/arena.h"

namespace sardonyx::ops {
namespace {

class ConvertedBound final : public Bound {
 public:
  ConvertedBound(std::unique_ptr<Bound> inner, const BindContext& context, const std::vector<DType>& types, const Conversion& conversion)
      : inner_(std::move(inner)), conversion_(conversion) {
    kernel = inner_->kernel;
    refusals = inner_->refusals;
    flops = inner_->flops;
    scratch_bytes = core::align_up(inner_->scratch_bytes);
    for (const ValueFacts& facts : context.inputs) {
      if (conversion.outer.has(facts.dtype)) scratch_bytes += inner_bytes(facts.shape);
    }
    for (size_t i = 0; i < inner_->outputs.size(); ++i) {
      const ValueFacts& facts = inner_->outputs[i];
      outputs.push_back(facts);
      converts_.push_back(facts.dtype == conversion.inner && i < types.size() && conversion.outer.has(types[i]));
      if (!converts_.back()) continue;
      outputs.back().dtype = types[i];
      scratch_bytes += inner_bytes(facts.shape);
    }
  }

  void run(const RunContext& r) const override {
    std::byte* memory = r.scratch + core::align_up(inner_->scratch_bytes);
    std::vector<Tensor> inputs(r.inputs.begin(), r.inputs.end());
    for (Tensor& input : inputs) {
      if (!input.defined() || !conversion_.outer.has(input.dtype())) continue;
      Tensor converted = take(memory, input.shape());
      conversion_.load(input, converted.mutable_raw(), r.pool);
      input = std::move(converted);
    }
    std::vector<Tensor> results(r.outputs.begin(), r.outputs.end());
    for (size_t i = 0; i < results.size(); ++i) {
      if (converts_[i]) results[i] = take(memory, results[i].shape());
    }
    inner_->run({inputs, results, r.scratch, r.pool, r.interrupt});
    for (size_t i = 0; i < results.size(); ++i) {
      if (converts_[i]) conversion_.store(results[i].raw(), r.outputs[i], r.pool);
    }
  }

 private:
  size_t inner_bytes(const Shape& shape) const { return core::align_up(to_size(element_count(shape)) * element_bytes(conversion_.inner)); }
  Tensor take(std::byte*& memory, const Shape& shape) const {
    Tensor result = Tensor::from_blob(memory, shape, conversion_.inner);
    memory += inner_bytes(shape);
    return result;
  }

  std::unique_ptr<Bound> inner_;
  Conversion conversion_;
  std::vector<bool> converts_;  // for each output
};

}  // namespace

std::unique_ptr<Bound> make_converted(std::unique_ptr<Bound> inner, const BindContext& context, const std::vector<DType>& types,
                                      const Conversion& conversion) {
  return std::make_unique<ConvertedBound>(std::move(inner), context, types, conversion);
}

}  // namespace sardonyx::ops
