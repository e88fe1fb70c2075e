#include "checkpoint/tensor_view.h"

#include <algorithm>
#include <complex>
#include <cstring>
#include <string>

#include "checkpoint/element_types.h"

namespace sardonyx::checkpoint {

namespace {

[[noreturn]] void invalid(const std::string& message) { throw Error(ErrorCode::kInvalidModel, message); }

std::string describe(const ElementView& view) {
  return "a tensor of shape " + to_string(view.size) + ", strides " + to_string(view.stride) + ", offset " + std::to_string(view.offset);
}

// Elements of the view; checks that every one of them lies within `available` elements.
int64_t checked_count(const ElementView& view, int64_t available) {
  if (view.size.size() != view.stride.size()) invalid(describe(view) + " has not one stride per axis");
  const auto negative = [](int64_t value) { return value < 0; };
  if (view.offset < 0 || std::ranges::any_of(view.size, negative) || std::ranges::any_of(view.stride, negative)) {
    invalid(describe(view) + " has negative numbers");
  }
  const int64_t count = element_count(view.size);
  if (count == 0) return 0;
  int64_t last = view.offset;
  for (size_t axis = 0; axis < view.size.size(); ++axis) {
    int64_t step = 0;
    if (__builtin_mul_overflow(view.size[axis] - 1, view.stride[axis], &step) || __builtin_add_overflow(last, step, &last)) {
      invalid(describe(view) + " reaches beyond any storage");
    }
  }
  if (last >= available) {
    invalid(describe(view) + " reaches element " + std::to_string(last) + " of a storage of " + std::to_string(available) + " elements");
  }
  return count;
}

bool is_contiguous(const ElementView& view) noexcept {
  int64_t expected = 1;
  for (size_t axis = view.size.size(); axis-- > 0;) {
    if (view.size[axis] != 1 && view.stride[axis] != expected) return false;
    expected *= view.size[axis];
  }
  return true;
}

template <size_t kSize>
void gather(const std::byte* source, const ElementView& view, std::byte* out) noexcept {
  const size_t rank = view.size.size();
  const int64_t inner = rank == 0 ? 1 : view.size[rank - 1];
  const size_t step = (rank == 0 ? 1 : static_cast<size_t>(view.stride[rank - 1])) * kSize;
  Shape index(rank, 0);
  for (;;) {
    const std::byte* from = source;
    for (size_t axis = 0; axis + 1 < rank; ++axis) from += static_cast<size_t>(index[axis] * view.stride[axis]) * kSize;
    for (int64_t i = 0; i < inner; ++i, out += kSize) std::memcpy(out, from + static_cast<size_t>(i) * step, kSize);
    size_t axis = rank < 2 ? 0 : rank - 1;
    while (axis > 0 && ++index[axis - 1] == view.size[axis - 1]) index[--axis] = 0;
    if (axis == 0) return;
  }
}

void gather_items(size_t item, const std::byte* source, const ElementView& view, std::byte* out) noexcept {
  switch (item) {
    case 1:
      return gather<1>(source, view, out);
    case 2:
      return gather<2>(source, view, out);
    case 4:
      return gather<4>(source, view, out);
    case 8:
      return gather<8>(source, view, out);
    default:
      return gather<16>(source, view, out);
  }
}

bool is_complex(DType dtype) noexcept { return dtype == DType::kComplex64 || dtype == DType::kComplex128; }

// Reverses the bytes of each number; a complex element is two numbers.
void swap_bytes(Tensor& tensor) {
  const size_t width = item_size(tensor.dtype()) / (is_complex(tensor.dtype()) ? 2 : 1);
  std::byte* data = static_cast<std::byte*>(tensor.mutable_raw());
  for (size_t at = 0; at < tensor.byte_size(); at += width) std::reverse(data + at, data + at + width);
}

template <class T, class Function>
bool apply_to(Tensor& tensor, const Function& function) {
  if (tensor.dtype() != kDTypeOf<T>) return false;
  for (T& value : tensor.mutable_values<T>()) value = function(value);
  return true;
}

void conjugate(Tensor& tensor) {
  const auto conj = [](const auto& value) { return std::conj(value); };
  if (!apply_to<std::complex<float>>(tensor, conj) && !apply_to<std::complex<double>>(tensor, conj)) {
    invalid("a tensor of type " + std::string(to_string(tensor.dtype())) + " is marked as conjugated, which only complex ones can be");
  }
}

void negate(Tensor& tensor) {
  const auto minus = [](const auto& value) { return -value; };
  if (!apply_to<float>(tensor, minus) && !apply_to<double>(tensor, minus) && !apply_to<std::complex<float>>(tensor, minus) &&
      !apply_to<std::complex<double>>(tensor, minus)) {
    throw Error(ErrorCode::kUnsupported, "a tensor of type " + std::string(to_string(tensor.dtype())) +
                                             " is marked as lazily negated. Cure: re-save it after t.resolve_neg()");
  }
}

// A C++ bool holds 0 or 1 only, a file any byte.
bool needs_bool_repair(const Tensor& tensor) {
  if (tensor.dtype() != DType::kBool) return false;
  const uint8_t* data = static_cast<const uint8_t*>(tensor.raw());
  return std::any_of(data, data + tensor.byte_size(), [](uint8_t byte) { return byte > 1; });
}

Tensor repaired_bools(const Tensor& tensor, CopyBudget& budget) {
  budget.take(tensor.byte_size(), "a bool tensor");
  Tensor result = Tensor::empty(tensor.shape(), DType::kBool);
  const uint8_t* source = static_cast<const uint8_t*>(tensor.raw());
  uint8_t* out = static_cast<uint8_t*>(result.mutable_raw());
  for (size_t i = 0; i < tensor.byte_size(); ++i) out[i] = source[i] != 0 ? 1 : 0;
  return result;
}

void align(Bytes& storage, size_t item, CopyBudget& budget) {
  const size_t alignment = std::min<size_t>(item, alignof(double));
  if (reinterpret_cast<uintptr_t>(storage.data.data()) % alignment == 0) return;
  std::shared_ptr<core::Arena> block = budget.block(storage.data.size(), "a storage that is not aligned");
  std::memcpy(block->data(), storage.data.data(), storage.data.size());
  storage = {{block->data(), storage.data.size()}, block};
}

Tensor copied(const std::byte* first, const ElementView& view, int64_t count, CopyBudget& budget) {
  budget.take(storage_bytes(view.dtype, count), describe(view));
  Tensor result = Tensor::empty(view.size, view.dtype);
  gather_items(item_size(view.dtype), first, view, static_cast<std::byte*>(result.mutable_raw()));
  if (view.swapped) swap_bytes(result);
  if (view.conjugated) conjugate(result);
  if (view.negated) negate(result);
  return result;
}

}  // namespace

void CopyBudget::take(uint64_t bytes, std::string_view what) {
  if (bytes > left_) {
    throw Error(ErrorCode::kResourceLimit, std::string(what) + " needs a copy of " + std::to_string(bytes) + " bytes, of " +
                                               std::to_string(limit_) + " that copies of this file may take. Cure: if the file is " +
                                               "trusted, raise CheckpointLimits::max_copied_bytes");
  }
  left_ -= bytes;
}

std::shared_ptr<core::Arena> CopyBudget::block(uint64_t bytes, std::string_view what) {
  take(bytes, what);
  return std::make_shared<core::Arena>(static_cast<size_t>(std::max<uint64_t>(bytes, 1)));
}

Shape contiguous_strides(const Shape& size) {
  Shape stride(size.size(), 1);
  for (size_t axis = size.size(); axis-- > 1;) {
    if (__builtin_mul_overflow(stride[axis], std::max<int64_t>(size[axis], 1), &stride[axis - 1])) {
      throw Error(ErrorCode::kResourceLimit, "the shape " + to_string(size) + " has too many elements");
    }
  }
  return stride;
}

Tensor make_tensor(Bytes& storage, const ElementView& view, CopyBudget& budget) {
  const size_t item = item_size(view.dtype);
  const int64_t count = checked_count(view, static_cast<int64_t>(storage.data.size() / item));
  if (count == 0) return Tensor::empty(view.size, view.dtype);
  align(storage, item, budget);
  const std::byte* first = storage.data.data() + static_cast<size_t>(view.offset) * item;
  const bool as_stored = !(view.swapped && item > 1) && !view.conjugated && !view.negated;
  const Tensor result =
      as_stored && is_contiguous(view) ? Tensor::view(storage.owner, first, view.size, view.dtype) : copied(first, view, count, budget);
  return needs_bool_repair(result) ? repaired_bools(result, budget) : result;
}

}  // namespace sardonyx::checkpoint
