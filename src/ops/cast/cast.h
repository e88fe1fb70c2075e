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

// Elements [first, first + count) of any number type, small floats and packed integers included, as float, double, int64_t or uint64_t.
template <class Acc>
void load_elements(DType dtype, const void* data, size_t first, size_t count, Acc* values) noexcept;
// The reverse. Packed elements are set within their bytes: a byte must not be written by two threads.
template <class Acc>
void store_elements(const CastSpec& spec, DType dtype, const Acc* values, size_t first, size_t count, void* data) noexcept;

}  // namespace sardonyx::ops
