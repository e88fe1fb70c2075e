#include "ops/movement/packed.h"

#include "kernels/cpu/copy/packed_elements.h"
#include "ops/via_float/converted.h"

namespace sardonyx::ops {
namespace {

void unpack(const Tensor& from, void* to, core::ThreadPool& pool) {
  kernels::unpack_elements(bit_width(from.dtype()), static_cast<const uint8_t*>(from.raw()), to_size(from.numel()),
                           static_cast<uint8_t*>(to), pool);
}

void pack(const void* from, Tensor& to, core::ThreadPool& pool) {
  kernels::pack_elements(bit_width(to.dtype()), static_cast<const uint8_t*>(from), to_size(to.numel()),
                         static_cast<uint8_t*>(to.mutable_raw()), pool);
}

// The packed type among the inputs; kUndefined if there is none. Bytes must not stand beside it: the inner step could not tell them apart.
DType packed_type(const BindContext& context) {
  const ValueFacts* packed = nullptr;
  for (const ValueFacts& input : context.inputs) {
    if (kPacked.has(input.dtype)) packed = &input;
  }
  if (!packed) return DType::kUndefined;
  for (const ValueFacts& input : context.inputs) {
    if ((kPacked.has(input.dtype) || input.dtype == DType::kUInt8) && input.dtype != packed->dtype) {
      throw argument_error("inputs mix {} and {}", type_string(input.dtype), type_string(packed->dtype));
    }
  }
  return packed->dtype;
}

class UnpackingPrepared final : public Prepared {
 public:
  explicit UnpackingPrepared(std::unique_ptr<Prepared> inner) : inner_(std::move(inner)) {}

  bool consumed_constant(size_t input) const override { return inner_->consumed_constant(input); }

  std::unique_ptr<Bound> bind(const BindContext& context) const override {
    const DType packed = packed_type(context);
    if (packed == DType::kUndefined) return inner_->bind(context);
    std::vector<ValueFacts> facts(context.inputs.begin(), context.inputs.end());
    for (ValueFacts& input : facts) {
      if (input.dtype == packed) input = {DType::kUInt8, input.shape, nullptr};
    }
    std::unique_ptr<Bound> inner = inner_->bind({facts, context.threads});
    const std::vector<DType> types(inner->outputs.size(), packed);
    return make_converted(std::move(inner), context, types, {.outer = kPacked, .inner = DType::kUInt8, .load = unpack, .store = pack});
  }

 private:
  std::unique_ptr<Prepared> inner_;
};

}  // namespace

std::unique_ptr<Prepared> via_bytes(std::unique_ptr<Prepared> prepared) { return std::make_unique<UnpackingPrepared>(std::move(prepared)); }

void copy_packed_run(const Tensor& from, size_t from_first, Tensor& to, size_t to_first, size_t count) {
  kernels::copy_packed(bit_width(from.dtype()), static_cast<const uint8_t*>(from.raw()), from_first,
                       static_cast<uint8_t*>(to.mutable_raw()), to_first, count);
}

}  // namespace sardonyx::ops
