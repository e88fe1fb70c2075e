#include "infer/arithmetic.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace sardonyx::infer {

Dim add(Dim a, Dim b) {
  if (a.is(0)) return b;
  if (b.is(0)) return a;
  int64_t sum = 0;
  return a.is_known() && b.is_known() && !__builtin_add_overflow(a.value(), b.value(), &sum) ? Dim(sum) : Dim();
}

Dim subtract(Dim a, Dim b) {
  if (b.is(0)) return a;
  if (same(a, b)) return 0;
  int64_t difference = 0;
  return a.is_known() && b.is_known() && !__builtin_sub_overflow(a.value(), b.value(), &difference) ? Dim(difference) : Dim();
}

Dim multiply(Dim a, Dim b) {
  if (a.is(1)) return b;
  if (b.is(1)) return a;
  if (a.is(0) || b.is(0)) return 0;
  int64_t result = 0;
  return a.is_known() && b.is_known() && !__builtin_mul_overflow(a.value(), b.value(), &result) ? Dim(result) : Dim();
}

Dim divide_floor(Dim a, Dim b) {
  if (b.is(1)) return a;
  if (!a.is_known() || !b.is_known() || b.is(0)) return {};
  if (b.is(-1)) return subtract(0, a);
  const int64_t quotient = a.value() / b.value();
  const bool inexact = a.value() % b.value() != 0;
  return inexact && (a.value() < 0) != (b.value() < 0) ? quotient - 1 : quotient;
}

Dim product(std::span<const Dim> dims) {
  if (std::any_of(dims.begin(), dims.end(), [](Dim dim) { return dim.is(0); })) return 0;
  Dim result = 1;
  for (const Dim dim : dims) result = multiply(result, dim);
  return result;
}

Dim count_steps(int64_t first, int64_t end, int64_t step) {
  if (step > 0 ? first >= end : first <= end) return 0;
  if (step == 0) return 0;
  // Unsigned, so that distances between far ends fit.
  const auto from = static_cast<uint64_t>(first), to = static_cast<uint64_t>(end), stride = static_cast<uint64_t>(step);
  const uint64_t distance = step > 0 ? to - from : from - to;
  const uint64_t count = (distance - 1) / (step > 0 ? stride : 0 - stride) + 1;
  return count <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max()) ? Dim(static_cast<int64_t>(count)) : Dim();
}

Dim merge(const NodeContext& context, Dim a, Dim b, std::string_view what) {
  if (a.is_known() && b.is_known() && a.value() != b.value()) {
    context.fail(fmt::format("{}: {} and {} differ", what, a.value(), b.value()));
  }
  if (a.is_known()) return a;
  if (b.is_known()) return b;
  return a.is_unknown() ? b : a;
}

Dims merge(const NodeContext& context, const Dims& a, const Dims& b, std::string_view what) {
  if (a.size() != b.size()) {
    context.fail(fmt::format("{}: shapes {} and {} differ in rank", what, context.symbols().show(a), context.symbols().show(b)));
  }
  Dims result(a.size());
  for (size_t i = 0; i < a.size(); ++i) result[i] = merge(context, a[i], b[i], what);
  return result;
}

namespace {
Dim broadcast_dim(const NodeContext& context, Dim a, Dim b, const Dims& left, const Dims& right) {
  if (a.is(1)) return b;
  if (b.is(1)) return a;
  if (a.is_known() && b.is_known() && a.value() != b.value()) {
    context.fail(fmt::format("shapes {} and {} cannot be broadcast: {} meets {}", context.symbols().show(left),
                             context.symbols().show(right), a.value(), b.value()));
  }
  if (a.is_known()) return a;  // a size other than 1 that the other must be, or be 1
  if (b.is_known()) return b;
  return same(a, b) ? a : Dim();
}
}  // namespace

Dims broadcast(const NodeContext& context, const Dims& a, const Dims& b) {
  Dims result(std::max(a.size(), b.size()));
  for (size_t i = 0; i < result.size(); ++i) {
    const Dim left = i < a.size() ? a[a.size() - 1 - i] : Dim(1);
    const Dim right = i < b.size() ? b[b.size() - 1 - i] : Dim(1);
    result[result.size() - 1 - i] = broadcast_dim(context, left, right, a, b);
  }
  return result;
}

std::optional<Dims> broadcast_inputs(const NodeContext& context, size_t first, size_t last) {
  Dims result;
  for (size_t i = first; i < last; ++i) {
    const Dims* dims = context.shape(i);
    if (dims == nullptr) return std::nullopt;
    result = broadcast(context, result, *dims);
  }
  return result;
}

}  // namespace sardonyx::infer
