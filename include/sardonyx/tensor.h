// Tensor: a shared handle to typed, contiguous, row-major elements.
//
// Copying a Tensor copies the handle, not the elements; clone() copies the elements. The elements are owned, borrowed from the caller,
// or a view on memory that somebody else keeps alive (a mapped file). Views on read-only memory refuse mutable access.
//
// Values of ONNX that are no tensors are tensors of tensors (DType::kTensor): a sequence has rank 1 and its items as elements, a map has
// rank 1 and two elements, its keys and its values (in the same order; values that are no tensors are a sequence), an empty optional is an
// undefined tensor, and an optional that holds something is that something.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sardonyx/dtype.h"
#include "sardonyx/error.h"

namespace sardonyx {

using Shape = std::vector<int64_t>;

// "[1, 3, 224, 224]".
std::string to_string(std::span<const int64_t> shape);

// Product of the sizes; 1 for rank 0. Throws InvalidArgument for a negative size, ResourceLimit where the product exceeds int64.
int64_t element_count(std::span<const int64_t> shape);

// Bytes that hold `count` elements; packed types round up to whole bytes; strings and tensors count as the objects.
// Throws ResourceLimit where that exceeds size_t.
size_t storage_bytes(DType dtype, int64_t count);

class Tensor {
 public:
  Tensor() = default;  // an undefined tensor: defined() is false

  // Owned elements, zero-initialised (empty strings for kString, undefined tensors for kTensor), aligned to 64 bytes. Throws ResourceLimit
  // if they cannot be had.
  explicit Tensor(Shape shape, DType dtype = DType::kFloat32);

  // Owned, uninitialised (strings are empty, tensors undefined).
  static Tensor empty(Shape shape, DType dtype = DType::kFloat32);
  static Tensor zeros(Shape shape, DType dtype = DType::kFloat32) { return Tensor(std::move(shape), dtype); }
  static Tensor ones(Shape shape, DType dtype = DType::kFloat32) { return full(std::move(shape), 1.0, dtype); }
  // Every element is `value`, converted. Throws InvalidArgument for kString and packed types.
  static Tensor full(Shape shape, double value, DType dtype = DType::kFloat32);

  // A copy of `values` with the given shape; the count must fit the shape.
  template <class T>
  static Tensor of(Shape shape, std::span<const T> values);
  template <class T>
  static Tensor of(Shape shape, std::initializer_list<T> values) {
    return of<T>(std::move(shape), std::span<const T>(values.begin(), values.size()));
  }
  static Tensor of_strings(Shape shape, std::vector<std::string> values);
  // A sequence; the items are shared, not copied.
  static Tensor of_tensors(std::vector<Tensor> items);
  template <class T>
  static Tensor scalar(T value) {
    return of<T>({}, {value});
  }

  // Borrowed: the caller keeps `data` alive and unmoved for as long as any handle lives. Not for kString and kTensor.
  static Tensor from_blob(void* data, Shape shape, DType dtype = DType::kFloat32);
  // A read-only view on memory kept alive by `owner` (null: the caller keeps it alive). Not for kString and kTensor.
  static Tensor view(std::shared_ptr<const void> owner, const void* data, Shape shape, DType dtype);
  // A read-only view on elements as a file stores them: at any address, bools of any value. Nothing is read until raw() or values() is
  // first asked for; elements that are not aligned for their type, or bools other than 0 and 1, are then copied once. Not for kString and
  // kTensor.
  static Tensor stored_view(std::shared_ptr<const void> owner, const void* data, Shape shape, DType dtype);

  // Moves a tensor that nobody owns (from_blob, or view without an owner) onto other memory, of at least byte_size() bytes, which the
  // caller keeps alive; all handles to the tensor move. For callers who keep one handle for memory that changes from run to run; nobody may
  // read it meanwhile. Throws InvalidArgument for a tensor that owns its elements.
  void rebind(const void* data);

  bool defined() const noexcept { return impl_ != nullptr; }
  DType dtype() const { return impl().dtype; }
  const Shape& shape() const { return impl().shape; }
  int64_t dim() const { return static_cast<int64_t>(impl().shape.size()); }
  // Size of one axis; negative axes count from the end. Throws InvalidArgument outside the rank.
  int64_t size(int64_t axis) const;
  int64_t numel() const { return impl().count; }
  size_t byte_size() const { return storage_bytes(dtype(), numel()); }
  bool is_read_only() const { return impl().writable == nullptr && impl().count > 0; }

  const void* raw() const {
    const Impl& i = impl();
    return i.settled ? settle(i) : i.data;
  }
  // Where the elements lie, aligned or not: for those who can read them there, so that a stored_view is not copied.
  const void* stored() const { return impl().data; }
  void* mutable_raw();  // throws InvalidArgument for a read-only view: clone() first

  // Elements as T. Throws InvalidArgument if T is not the element type (see kDTypeOf).
  template <class T>
  std::span<const T> values() const {
    expect_dtype(kDTypeOf<T>);
    return {static_cast<const T*>(raw()), static_cast<size_t>(impl().count)};
  }
  template <class T>
  std::span<T> mutable_values() {
    expect_dtype(kDTypeOf<T>);
    return {static_cast<T*>(mutable_raw()), static_cast<size_t>(impl().count)};
  }
  std::span<const std::string> strings() const { return values<std::string>(); }
  std::span<const Tensor> tensors() const;  // the items of a sequence
  // The only element. Throws InvalidArgument unless numel() == 1.
  template <class T>
  T item() const {
    if (numel() != 1) throw Error(ErrorCode::kInvalidArgument, "item(): the tensor has shape " + to_string(shape()) + ", not one element");
    return values<T>()[0];
  }

  Tensor clone() const;  // elements that are tensors are cloned too
  // Same elements, another shape (one size may be -1: inferred). Shares the storage.
  Tensor reshape(Shape shape) const;
  // Each element converted as a C++ cast (floats to float16/bfloat16 round to nearest even). Shares the storage if nothing changes.
  // Numeric and bool types of at least 8 bits, without complex and float8; else throws Unsupported.
  Tensor to(DType dtype) const;

  // Copies the elements of another tensor, as clone() does, into those of this one. Throws InvalidArgument unless both have the same type
  // and shape.
  void copy_from(const Tensor& other);

  // Handles to the same tensor object have the same identity; it is not reused while a handle lives.
  const void* identity() const noexcept { return impl_.get(); }

 private:
  struct Settled;  // of a stored_view: what raw() gives
  struct Impl {
    DType dtype = DType::kUndefined;
    Shape shape;
    int64_t count = 0;
    const void* data = nullptr;
    void* writable = nullptr;  // null for read-only views
    std::shared_ptr<const void> owner;
    std::shared_ptr<Settled> settled = nullptr;
  };
  static const void* settle(const Impl& impl);
  const Impl& impl() const {
    if (!impl_) throw Error(ErrorCode::kInvalidArgument, "the tensor is undefined");
    return *impl_;
  }
  void expect_dtype(DType wanted) const;
  static Tensor from_impl(Impl impl);

  std::shared_ptr<Impl> impl_;
};

template <>
inline constexpr DType kDTypeOf<Tensor> = DType::kTensor;
inline std::span<const Tensor> Tensor::tensors() const { return values<Tensor>(); }

template <class T>
Tensor Tensor::of(Shape shape, std::span<const T> values) {
  Tensor result = empty(std::move(shape), kDTypeOf<T>);
  std::span<T> out = result.mutable_values<T>();
  if (out.size() != values.size()) {
    throw Error(ErrorCode::kInvalidArgument, std::to_string(values.size()) + " values for a tensor of shape " + to_string(result.shape()));
  }
  for (size_t i = 0; i < values.size(); ++i) out[i] = values[i];
  return result;
}

}  // namespace sardonyx
