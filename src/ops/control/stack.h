// What the iterations of Loop and Scan read and leave: slices of tensors, and tensors made of them.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "ops/op.h"

namespace sardonyx::ops {

// The part at `index` of an axis, without that axis; along axis 0 a view that lives as long as the tensor does (strings and
// packed elements are copied).
Tensor slice_at(const Tensor& tensor, size_t axis, int64_t index, core::ThreadPool& pool);

// A tensor whose slices along `axis` are `items`, all of one type and shape (`name` is told where they are not); each place behind the last
// of them, up to `size`, is zero.
Tensor stack(const std::vector<Tensor>& items, size_t axis, int64_t size, std::string_view name, core::ThreadPool& pool);

// What stacking gives where there are no iterations, from the declared type of one slice. Throws Unsupported where none is declared.
Tensor empty_stack(const model::ValueInfo& slice, size_t axis);

}  // namespace sardonyx::ops
