#include "sardonyx/tensor.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <complex>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <mutex>

#include "core/memory_budget.h"
#include "core/pages.h"

namespace sardonyx {

namespace {
constexpr size_t kTensorAlignment = 64;
constexpr size_t kAlignedHere = size_t{64} << 10;  // bytes from which on large_block serves

[[noreturn]] void fail(ErrorCode code, std::string message) { throw Error(code, std::move(message)); }

// Bytes of an element that is an object; 0 for all others.
size_t object_bytes(DType dtype) noexcept {
  return dtype == DType::kString ? sizeof(std::string) : dtype == DType::kTensor ? sizeof(Tensor) : 0;
}

void require_element_type(DType dtype) {
  if (!is_valid(dtype) && dtype != DType::kTensor) fail(ErrorCode::kInvalidArgument, "a tensor needs an element type");
}

std::shared_ptr<void> aligned_block(size_t bytes) {
  void* data = std::aligned_alloc(kTensorAlignment, bytes);
  return data == nullptr ? nullptr : std::shared_ptr<void>(data, &std::free);
}

// Aligned within a plain block: memory of large blocks that were aligned by the C library serves no later one of the same size in glibc
// before 2.38, so that a loop of such tensors takes ever more of it.
std::shared_ptr<void> large_block(size_t bytes) {
  if (bytes > SIZE_MAX - kTensorAlignment) return nullptr;
  void* data = std::malloc(bytes + kTensorAlignment);
  if (data == nullptr) return nullptr;
  const std::shared_ptr<void> block(data, &std::free);
  return {block, reinterpret_cast<void*>((reinterpret_cast<uintptr_t>(data) + kTensorAlignment - 1) / kTensorAlignment * kTensorAlignment)};
}

std::shared_ptr<void> allocate_uncounted(DType dtype, int64_t count, size_t bytes, bool zero) {
  if (dtype == DType::kString) {
    return std::shared_ptr<std::string[]>(new std::string[static_cast<size_t>(count)]);
  }
  if (dtype == DType::kTensor) return std::shared_ptr<Tensor[]>(new Tensor[static_cast<size_t>(count)]);
  if (bytes > std::numeric_limits<size_t>::max() - kTensorAlignment)
    fail(ErrorCode::kResourceLimit, "a tensor larger than the address space");
  const size_t rounded = std::max(core::roomy_bytes(bytes), kTensorAlignment);
  std::shared_ptr<void> block = bytes < kAlignedHere ? aligned_block(rounded) : large_block(rounded);
  if (block == nullptr) fail(ErrorCode::kResourceLimit, fmt::format("no memory for a tensor of {} bytes", bytes));
  void* data = block.get();
  if (rounded >= core::kManyPages) core::prefer_large_pages(data, rounded);
  if (zero) std::memset(data, 0, bytes);
  return block;
}

// Memory that counts against the run's budget while it lives.
struct Counted {
  explicit Counted(size_t bytes) : charge(bytes) {}
  core::MemoryCharge charge;
  std::shared_ptr<void> storage;
};

std::shared_ptr<void> allocate(DType dtype, int64_t count, bool zero) {
  const size_t bytes = storage_bytes(dtype, count);
  if (!core::MemoryScope::current()) return allocate_uncounted(dtype, count, bytes, zero);
  const auto counted = std::make_shared<Counted>(bytes);
  counted->storage = allocate_uncounted(dtype, count, bytes, zero);
  return {counted, counted->storage.get()};
}

bool is_aligned(const void* data, DType dtype) {
  auto bytes = static_cast<size_t>(bit_width(dtype)) / 8;
  if (dtype == DType::kComplex64 || dtype == DType::kComplex128) bytes /= 2;
  return reinterpret_cast<uintptr_t>(data) % std::max<size_t>(bytes, 1) == 0;
}

// Calls visit(T{}) for the C++ type of a plain arithmetic DType, or float16/bfloat16. Returns false for all others.
template <class Visit>
bool visit_number(DType dtype, Visit&& visit) {
  switch (dtype) {
    case DType::kFloat32:
      return visit(float{}), true;
    case DType::kFloat64:
      return visit(double{}), true;
    case DType::kFloat16:
      return visit(Float16{}), true;
    case DType::kBFloat16:
      return visit(BFloat16{}), true;
    case DType::kInt8:
      return visit(int8_t{}), true;
    case DType::kInt16:
      return visit(int16_t{}), true;
    case DType::kInt32:
      return visit(int32_t{}), true;
    case DType::kInt64:
      return visit(int64_t{}), true;
    case DType::kUInt8:
      return visit(uint8_t{}), true;
    case DType::kUInt16:
      return visit(uint16_t{}), true;
    case DType::kUInt32:
      return visit(uint32_t{}), true;
    case DType::kUInt64:
      return visit(uint64_t{}), true;
    case DType::kBool:
      return visit(bool{}), true;
    default:
      return false;
  }
}

template <class T>
inline constexpr bool kIsSmallFloat = std::is_same_v<T, Float16> || std::is_same_v<T, BFloat16>;

// A float out of an integer's range has no C++ meaning: it saturates, NaN becomes 0.
template <class To, class From>
To convert(From value) {
  if constexpr (kIsSmallFloat<From>) {
    return convert<To>(value.to_float());
  } else if constexpr (kIsSmallFloat<To>) {
    return To::from_float(static_cast<float>(value));
  } else if constexpr (std::is_same_v<To, bool>) {
    return value != From{};
  } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    if (!(value == value)) return To{};
    constexpr auto kLowest = static_cast<From>(std::numeric_limits<To>::lowest());
    constexpr auto kHighest = static_cast<From>(std::numeric_limits<To>::max());
    if (value <= kLowest) return std::numeric_limits<To>::lowest();
    if (value >= kHighest) return std::numeric_limits<To>::max();
    return static_cast<To>(value);
  } else {
    return static_cast<To>(value);
  }
}
}  // namespace

std::string to_string(std::span<const int64_t> shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

int64_t element_count(std::span<const int64_t> shape) {
  for (const int64_t size : shape) {
    if (size < 0) fail(ErrorCode::kInvalidArgument, "shape " + to_string(shape) + " has a negative size");
  }
  int64_t count = 1;
  bool overflow = false;
  for (const int64_t size : shape) {
    if (size == 0) return 0;
    overflow = overflow || __builtin_mul_overflow(count, size, &count);
  }
  if (overflow) fail(ErrorCode::kResourceLimit, "shape " + to_string(shape) + " has more elements than an int64 counts");
  return count;
}

size_t storage_bytes(DType dtype, int64_t count) {
  const auto elements = static_cast<size_t>(count);
  size_t bytes = 0;
  if (const size_t object = object_bytes(dtype); object != 0) {
    if (!__builtin_mul_overflow(elements, object, &bytes)) return bytes;
  } else {
    const auto bits = static_cast<size_t>(bit_width(dtype));
    if (bits < 8) return elements / 8 * bits + (elements % 8 * bits + 7) / 8;
    if (!__builtin_mul_overflow(elements, bits / 8, &bytes)) return bytes;
  }
  fail(ErrorCode::kResourceLimit, fmt::format("{} elements of {} exceed the address space", count, to_string(dtype)));
}

Tensor Tensor::from_impl(Impl impl) {
  Tensor tensor;
  tensor.impl_ = std::make_shared<Impl>(std::move(impl));
  return tensor;
}

Tensor::Tensor(Shape shape, DType dtype) {
  Impl impl{.dtype = dtype, .shape = std::move(shape), .owner = nullptr};
  require_element_type(dtype);
  impl.count = element_count(impl.shape);
  std::shared_ptr<void> storage = allocate(dtype, impl.count, true);
  impl.data = impl.writable = storage.get();
  impl.owner = std::move(storage);
  impl_ = std::make_shared<Impl>(std::move(impl));
}

Tensor Tensor::empty(Shape shape, DType dtype) {
  Impl impl{.dtype = dtype, .shape = std::move(shape), .owner = nullptr};
  require_element_type(dtype);
  impl.count = element_count(impl.shape);
  std::shared_ptr<void> storage = allocate(dtype, impl.count, false);
  impl.data = impl.writable = storage.get();
  impl.owner = std::move(storage);
  return from_impl(std::move(impl));
}

Tensor Tensor::full(Shape shape, double value, DType dtype) {
  Tensor result = empty(std::move(shape), dtype);
  const bool known = visit_number(dtype, [&](auto zero) {
    using T = decltype(zero);
    const T element = convert<T>(value);
    for (T& slot : result.mutable_values<T>()) slot = element;
  });
  if (!known) fail(ErrorCode::kInvalidArgument, "full() cannot make elements of " + std::string(to_string(dtype)));
  return result;
}

Tensor Tensor::of_strings(Shape shape, std::vector<std::string> values) {
  Tensor result(std::move(shape), DType::kString);
  const std::span<std::string> out = result.mutable_values<std::string>();
  if (out.size() != values.size()) {
    fail(ErrorCode::kInvalidArgument, fmt::format("{} strings for a tensor of shape {}", values.size(), to_string(result.shape())));
  }
  for (size_t i = 0; i < values.size(); ++i) out[i] = std::move(values[i]);
  return result;
}

Tensor Tensor::of_tensors(std::vector<Tensor> items) {
  Tensor result({static_cast<int64_t>(items.size())}, DType::kTensor);
  std::ranges::move(items, result.mutable_values<Tensor>().begin());
  return result;
}

Tensor Tensor::from_blob(void* data, Shape shape, DType dtype) {
  Tensor result = view(nullptr, data, std::move(shape), dtype);
  result.impl_->writable = data;
  return result;
}

Tensor Tensor::view(std::shared_ptr<const void> owner, const void* data, Shape shape, DType dtype) {
  if (!is_valid(dtype) || object_bytes(dtype) != 0) fail(ErrorCode::kInvalidArgument, "a view needs a numeric element type");
  Impl impl{.dtype = dtype, .shape = std::move(shape), .data = data, .owner = std::move(owner)};
  impl.count = element_count(impl.shape);
  storage_bytes(dtype, impl.count);
  return from_impl(std::move(impl));
}

void Tensor::rebind(const void* data) {
  if (impl().owner) fail(ErrorCode::kInvalidArgument, "rebind(): the tensor owns its elements");
  impl_->data = data;
  if (impl_->writable != nullptr) impl_->writable = const_cast<void*>(data);
}

struct Tensor::Settled {
  std::once_flag once;
  const void* data = nullptr;
  std::shared_ptr<void> copy;
};

Tensor Tensor::stored_view(std::shared_ptr<const void> owner, const void* data, Shape shape, DType dtype) {
  Tensor result = view(std::move(owner), data, std::move(shape), dtype);
  if (result.numel() > 0 && (dtype == DType::kBool || !is_aligned(data, dtype))) result.impl_->settled = std::make_shared<Settled>();
  return result;
}

const void* Tensor::settle(const Impl& impl) {
  Settled& settled = *impl.settled;
  std::call_once(settled.once, [&] {
    const auto* bytes = static_cast<const unsigned char*>(impl.data);
    const size_t size = storage_bytes(impl.dtype, impl.count);
    const bool is_bool = impl.dtype == DType::kBool;
    if (is_bool && std::all_of(bytes, bytes + size, [](unsigned char byte) { return byte <= 1; })) {
      settled.data = bytes;
      return;
    }
    settled.copy = allocate(impl.dtype, impl.count, false);
    settled.data = settled.copy.get();
    if (is_bool) {
      std::transform(bytes, bytes + size, static_cast<bool*>(settled.copy.get()), [](unsigned char byte) { return byte != 0; });
    } else {
      std::memcpy(settled.copy.get(), bytes, size);
    }
    core::give_back_pages(bytes, size);
  });
  return settled.data;
}

int64_t Tensor::size(int64_t axis) const {
  const int64_t rank = dim();
  if (axis < -rank || axis >= rank) {
    fail(ErrorCode::kInvalidArgument, fmt::format("axis {} of a tensor of shape {}", axis, to_string(shape())));
  }
  return shape()[static_cast<size_t>(axis < 0 ? axis + rank : axis)];
}

void* Tensor::mutable_raw() {
  if (is_read_only()) fail(ErrorCode::kInvalidArgument, "the tensor is a read-only view; clone() it to get elements to write");
  return impl_->writable;
}

void Tensor::expect_dtype(DType wanted) const {
  if (impl().dtype == wanted) return;
  fail(ErrorCode::kInvalidArgument, fmt::format("the tensor holds {}, it was read as {}", to_string(dtype()), to_string(wanted)));
}

Tensor Tensor::clone() const {
  Tensor copy = empty(shape(), dtype());
  copy.copy_from(*this);
  return copy;
}

void Tensor::copy_from(const Tensor& other) {
  if (dtype() != other.dtype() || shape() != other.shape()) {
    fail(ErrorCode::kInvalidArgument, fmt::format("a tensor of {} {} cannot take the elements of one of {} {}", to_string(dtype()),
                                                  to_string(shape()), to_string(other.dtype()), to_string(other.shape())));
  }
  if (dtype() == DType::kString) {
    std::ranges::copy(other.strings(), mutable_values<std::string>().begin());
  } else if (dtype() == DType::kTensor) {
    std::ranges::transform(other.tensors(), mutable_values<Tensor>().begin(), [](const Tensor& t) { return t.defined() ? t.clone() : t; });
  } else if (numel() > 0) {
    std::memcpy(mutable_raw(), other.raw(), byte_size());
  }
}

Tensor Tensor::reshape(Shape shape) const {
  int64_t* inferred = nullptr;
  int64_t known = 1;
  for (int64_t& size : shape) {
    if (size == -1) {
      if (inferred != nullptr) fail(ErrorCode::kInvalidArgument, "reshape to " + to_string(shape) + ": only one size may be -1");
      inferred = &size;
    } else if (size < 0 || __builtin_mul_overflow(known, size, &known)) {
      fail(ErrorCode::kInvalidArgument, "reshape to " + to_string(shape) + ": a size is negative or too large");
    }
  }
  if (inferred != nullptr) *inferred = known > 0 && numel() % known == 0 ? numel() / known : -2;
  if ((inferred != nullptr && *inferred < 0) || element_count(shape) != numel()) {
    if (inferred != nullptr) *inferred = -1;
    fail(ErrorCode::kInvalidArgument,
         fmt::format("a tensor of shape {} cannot be reshaped to {}", to_string(this->shape()), to_string(shape)));
  }
  Impl changed = impl();
  changed.shape = std::move(shape);
  return from_impl(std::move(changed));
}

Tensor Tensor::to(DType dtype) const {
  if (dtype == this->dtype()) return *this;
  Tensor result;
  bool known = false;
  visit_number(this->dtype(), [&](auto from_zero) {
    using From = decltype(from_zero);
    known = visit_number(dtype, [&](auto to_zero) {
      using To = decltype(to_zero);
      result = empty(shape(), dtype);
      const std::span<const From> from = values<From>();
      const std::span<To> out = result.mutable_values<To>();
      for (size_t i = 0; i < out.size(); ++i) out[i] = convert<To>(from[i]);
    });
  });
  if (!known) {
    fail(ErrorCode::kUnsupported, fmt::format("conversion of a tensor from {} to {}", to_string(this->dtype()), to_string(dtype)));
  }
  return result;
}

}  // namespace sardonyx
