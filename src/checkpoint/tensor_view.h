// From bytes of a file to tensors: views where the elements lie as a Tensor wants them, else copies within a budget.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "core/arena.h"
#include "sardonyx/tensor.h"

namespace sardonyx::checkpoint {

// Bytes, and what keeps them alive.
struct Bytes {
  std::span<const std::byte> data;
  std::shared_ptr<const void> owner;
};

// What one file may cause to be copied, in all.
class CopyBudget {
 public:
  explicit CopyBudget(uint64_t limit) : left_(limit), limit_(limit) {}
  // Throws ResourceLimit where the rest does not suffice; `what` names the thing to be copied.
  void take(uint64_t bytes, std::string_view what);
  // A block of that size, accounted for.
  std::shared_ptr<core::Arena> block(uint64_t bytes, std::string_view what);

 private:
  uint64_t left_;
  uint64_t limit_;
};

// The elements of a tensor within a storage, as torch describes them; sizes and strides count elements.
struct ElementView {
  DType dtype = DType::kUndefined;
  int64_t offset = 0;
  Shape size = {};
  Shape stride = {};
  bool swapped = false;     // big-endian elements
  bool conjugated = false;  // the imaginary part is stored negated
  bool negated = false;     // stored negated
};

Shape contiguous_strides(const Shape& size);

// Throws InvalidModel for negative or inconsistent numbers and for a view that leaves the storage, ResourceLimit beyond the budget.
// A misaligned storage is replaced in place by an aligned copy, so that its views still share memory.
Tensor make_tensor(Bytes& storage, const ElementView& view, CopyBudget& budget);

}  // namespace sardonyx::checkpoint
