// Cast and CastLike between all element types but complex numbers.
#pragma once

#include "core/float8.h"
#include "ops/op.h"

namespace sardonyx::ops {

struct CastSpec {
  DType to = DType::kUndefined;  // kUndefined: the type of input 1 (CastLike)
  core::Overflow overflow = core::Overflow::kSaturate;
  core::ScaleRounding rounding = core::ScaleRounding::kUp;
};
CastSpec cast_spec_from_node(const model::Node& node, int64_t opset);

// Converts all elements; the tensors have the same shape. Throws InvalidArgument for text that is no number.
void cast_elements(const CastSpec& spec, const Tensor& from, Tensor& to, core::ThreadPool& pool);

}  // namespace sardonyx::ops
