#include "ops/facts.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>

#include "core/interrupt.h"
#include "ops/limits.h"

namespace sardonyx::ops {

const ValueFacts& required(const BindContext& context, size_t index, std::string_view name) {
  const ValueFacts* facts = optional(context, index);
  if (!facts) throw argument_error("input {} is missing", name);
  return *facts;
}

const ValueFacts* optional(const BindContext& context, size_t index) noexcept {
  return index < context.inputs.size() && context.inputs[index].present() ? &context.inputs[index] : nullptr;
}

const Tensor* optional(const RunContext& context, size_t index) noexcept {
  return index < context.inputs.size() && context.inputs[index].defined() ? &context.inputs[index] : nullptr;
}

void require_dtype(const ValueFacts& facts, DTypeSet allowed, std::string_view name) {
  if (!allowed.has(facts.dtype)) throw argument_error("{} has type {}, which is not supported here", name, type_string(facts.dtype));
}

void require_same_dtype(const ValueFacts& a, const ValueFacts& b, std::string_view a_name, std::string_view b_name) {
  if (a.dtype == b.dtype) return;
  throw argument_error("{} has type {}, {} has type {}: they must be equal", a_name, type_string(a.dtype), b_name, type_string(b.dtype));
}

void require_rank(const ValueFacts& facts, size_t rank, std::string_view name) {
  if (facts.shape.size() != rank) throw argument_error("{} has shape {}; its rank must be {}", name, to_string(facts.shape), rank);
}

namespace {
std::atomic<size_t> byte_limit{0};

size_t machine_memory() noexcept {
  const long pages = sysconf(_SC_PHYS_PAGES);
  const long page = sysconf(_SC_PAGESIZE);
  return pages > 0 && page > 0 ? static_cast<size_t>(pages) * static_cast<size_t>(page) : size_t{1} << 40;
}
}  // namespace

size_t tensor_byte_limit() noexcept {
  static const size_t memory = machine_memory();
  const size_t limit = byte_limit.load(std::memory_order_relaxed);
  return limit == 0 ? memory : limit;
}

void set_tensor_byte_limit(size_t bytes) noexcept { byte_limit.store(bytes, std::memory_order_relaxed); }

static void refuse_structures(DType dtype) {
  if (dtype == DType::kTensor) throw argument_error("an input is a sequence or a map; the operator takes tensors");
}

ValueFacts output(DType dtype, Shape shape) {
  refuse_structures(dtype);
  if (storage_bytes(dtype, element_count(shape)) > tensor_byte_limit()) {
    throw Error(ErrorCode::kResourceLimit,
                fmt::format("the output {} of type {} is larger than {} bytes, the memory that one tensor may take", to_string(shape),
                            type_string(dtype), tensor_byte_limit()));
  }
  return {dtype, std::move(shape), nullptr};
}

size_t checked_axis(int64_t axis, size_t rank, std::string_view name) {
  const int64_t size = to_int(rank);
  if (axis < -size || axis >= size) throw argument_error("{} {} is outside [-{}, {})", name, axis, rank, rank);
  return to_size(axis < 0 ? axis + size : axis);
}

std::vector<bool> checked_axes(std::span<const int64_t> axes, size_t rank) {
  std::vector<bool> chosen(rank);
  for (const int64_t axis : axes) {
    const size_t index = checked_axis(axis, rank);
    if (chosen[index]) throw argument_error("axis {} is named twice", axis);
    chosen[index] = true;
  }
  return chosen;
}

size_t span_count(std::span<const int64_t> shape, size_t first, size_t last) noexcept {
  size_t result = 1;
  for (size_t i = first; i < last; ++i) result *= to_size(shape[i]);
  return result;
}

std::vector<int64_t> integer_values(const ValueFacts& facts, std::string_view name) {
  if (facts.dtype != DType::kInt64 && facts.dtype != DType::kInt32) {
    throw argument_error("{} has type {}; it must be tensor(int64) or tensor(int32)", name, type_string(facts.dtype));
  }
  if (!facts.constant) throw Error(ErrorCode::kInternal, fmt::format("bound without the values of {}", name));
  std::vector<int64_t> values(to_size(facts.constant->numel()));
  const IndexView view(*facts.constant);
  for (size_t i = 0; i < values.size(); ++i) values[i] = view[i];
  return values;
}

Shape broadcast(std::span<const int64_t> a, std::span<const int64_t> b) {
  Shape result(std::max(a.size(), b.size()));
  for (size_t i = 0; i < result.size(); ++i) {  // i counts from the last dimension
    const int64_t x = i < a.size() ? a[a.size() - 1 - i] : 1;
    const int64_t y = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (x != y && x != 1 && y != 1) throw argument_error("shapes {} and {} do not broadcast", to_string(a), to_string(b));
    result[result.size() - 1 - i] = x == 1 ? y : x;
  }
  return result;
}

size_t element_bytes(DType dtype) {
  if (dtype == DType::kString) return sizeof(std::string);
  refuse_structures(dtype);
  const int bits = bit_width(dtype);
  if (bits < 8)
    throw unsupported_error("elements of type {} cannot be moved one by one; cast to a type of whole bytes first", type_string(dtype));
  return static_cast<size_t>(bits) / 8;
}

void copy_all(const Tensor& from, Tensor& to) {
  if (from.raw() == to.raw() || from.numel() == 0) return;
  if (from.dtype() == DType::kString) {
    std::ranges::copy(from.strings(), to.mutable_values<std::string>().begin());
  } else {
    const auto* data = static_cast<const std::byte*>(from.raw());
    auto* copy = static_cast<std::byte*>(to.mutable_raw());
    core::in_pieces(from.byte_size(), size_t{1} << 20, [&](size_t begin, size_t count) { std::memcpy(copy + begin, data + begin, count); });
  }
}

}  // namespace sardonyx::ops
