#include <algorithm>
#include <cmath>
#include <concepts>
#include <functional>
#include <type_traits>

#include "ops/elements/elements.h"
#include "ops/elementwise/binary.h"

namespace sardonyx::ops {
namespace {

template <class T>
constexpr bool kIsFloat = std::is_floating_point_v<T>;

// Two's complement arithmetic that wraps around.
template <class T, class Op>
T wrap(T a, T b, Op op) noexcept {
  if constexpr (kIsFloat<T>) {
    return op(a, b);
  } else {
    return static_cast<T>(op(static_cast<uint64_t>(a), static_cast<uint64_t>(b)));
  }
}

struct Add {
  template <class T>
  T operator()(T a, T b) const noexcept {
    return wrap(a, b, std::plus<>());
  }
};
struct Sub {
  template <class T>
  T operator()(T a, T b) const noexcept {
    return wrap(a, b, std::minus<>());
  }
};
struct Mul {
  template <class T>
  T operator()(T a, T b) const noexcept {
    return wrap(a, b, std::multiplies<>());
  }
};
struct Div {  // integers: the caller has refused b == 0
  template <class T>
  T operator()(T a, T b) const noexcept {
    if constexpr (std::signed_integral<T>) {
      if (b == -1) return wrap(T{0}, a, std::minus<>());
    }
    return b == T{0} && !kIsFloat<T> ? T{0} : a / b;
  }
};
struct Min {
  template <class T>
  T operator()(T a, T b) const noexcept {
    return a != a || a < b ? a : b;
  }  // a != a: NaN
};
struct Max {
  template <class T>
  T operator()(T a, T b) const noexcept {
    return a != a || a > b ? a : b;
  }
};
struct Pow {
  template <class T>
  T operator()(T a, T b) const noexcept {
    if constexpr (kIsFloat<T>) {
      return std::pow(a, b);
    } else {
      return integer_power(a, b);
    }
  }
  // The truncated result where the exponent is negative.
  template <class T>
  static T integer_power(T base, T exponent) noexcept {
    if constexpr (std::signed_integral<T>) {
      if (exponent < 0) return base == 1 ? T{1} : base == -1 ? (exponent % 2 == 0 ? T{1} : T{-1}) : T{0};
    }
    uint64_t result = 1;
    uint64_t square = static_cast<uint64_t>(base);
    for (uint64_t left = static_cast<uint64_t>(exponent); left != 0; left >>= 1, square *= square) {
      if ((left & 1) != 0) result *= square;
    }
    return static_cast<T>(result);
  }
};
struct PRelu {
  template <class T>
  T operator()(T a, T slope) const noexcept {
    return a < T{0} ? wrap(a, slope, std::multiplies<>()) : a;
  }
};

struct And {
  template <class T>
  bool operator()(T a, T b) const noexcept {
    return a != T{} && b != T{};
  }
};
struct Or {
  template <class T>
  bool operator()(T a, T b) const noexcept {
    return a != T{} || b != T{};
  }
};
struct Xor {
  template <class T>
  bool operator()(T a, T b) const noexcept {
    return (a != T{}) != (b != T{});
  }
};

// The remainder of the divisor's sign. The caller has refused b == 0.
struct Mod {
  template <class T>
  T operator()(T a, T b) const noexcept {
    if (b == T{0} || (std::signed_integral<T> && b == static_cast<T>(-1))) return T{0};
    const T rest = a % b;
    return rest != T{0} && (rest < T{0}) != (b < T{0}) ? rest + b : rest;
  }
};
// The remainder of the dividend's sign. The caller has refused an integer b == 0.
struct Fmod {
  template <class T>
  T operator()(T a, T b) const noexcept {
    if constexpr (kIsFloat<T>) {
      return std::fmod(a, b);
    } else {
      if (b == T{0} || (std::signed_integral<T> && b == static_cast<T>(-1))) return T{0};
      return a % b;
    }
  }
};

// Integers as bits; shifts by the type's width and more give 0.
struct BitsLeft {
  template <class T>
  T operator()(T a, T b) const noexcept {
    const auto shift = static_cast<uint64_t>(b);
    return shift < 64 ? static_cast<T>(static_cast<uint64_t>(a) << shift) : T{0};
  }
};
struct BitsRight {
  template <class T>
  T operator()(T a, T b) const noexcept {
    const auto shift = static_cast<uint64_t>(b);
    return shift < 64 ? static_cast<T>(static_cast<uint64_t>(a) >> shift) : T{0};
  }
};

// Calls body(a_offset, b_offset, y_offset, count) for runs of at most kRunLength results, in parallel.
template <class Body>
void for_runs(const kernels::BroadcastShape& shape, core::ThreadPool& pool, const Body& body) noexcept {
  const size_t last = shape.rank == 0 ? 0 : static_cast<size_t>(shape.rank) - 1;
  const size_t inner = shape.rank == 0 ? 1 : shape.extent[last];
  size_t rows = 1;
  for (size_t i = 0; i < last; ++i) rows *= shape.extent[i];
  if (rows == 0 || inner == 0) return;
  const size_t runs = (inner + kRunLength - 1) / kRunLength;
  const size_t grain = std::max<size_t>(1, 16 * kRunLength / std::min(inner, kRunLength));
  pool.for_ranges(rows * runs, grain, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      const size_t row = i / runs;
      const size_t first = i % runs * kRunLength;
      ptrdiff_t a = static_cast<ptrdiff_t>(first) * shape.a_stride[last];
      ptrdiff_t b = static_cast<ptrdiff_t>(first) * shape.b_stride[last];
      size_t rest = row;
      for (size_t d = last; d-- > 0; rest /= shape.extent[d]) {
        const auto index = static_cast<ptrdiff_t>(rest % shape.extent[d]);
        a += index * shape.a_stride[d];
        b += index * shape.b_stride[d];
      }
      body(a, b, row * inner + first, std::min(kRunLength, inner - first));
    }
  });
}

struct Operands {
  DType a_type, b_type;  // the result has A's type, or bool
  const void *a, *b;
  void* y;
};

template <class Acc, class Op>
void apply(const kernels::BroadcastShape& shape, const Operands& on, core::ThreadPool& pool) {
  using Result = std::invoke_result_t<Op, Acc, Acc>;
  const LoadRun<Acc> load_a = load_run<Acc>(on.a_type);
  const LoadRun<Acc> load_b = load_run<Acc>(on.b_type);
  const StoreRun<Acc> store = store_run<Acc>(on.a_type);
  const auto a_bytes = static_cast<ptrdiff_t>(bit_width(on.a_type) / 8);
  const auto b_bytes = static_cast<ptrdiff_t>(bit_width(on.b_type) / 8);
  const size_t last = shape.rank == 0 ? 0 : static_cast<size_t>(shape.rank) - 1;
  for_runs(shape, pool, [&](ptrdiff_t a_offset, ptrdiff_t b_offset, size_t y_offset, size_t count) {
    Acc left[kRunLength], right[kRunLength];
    load_a(static_cast<const std::byte*>(on.a) + a_offset * a_bytes, shape.a_stride[last], count, left);
    load_b(static_cast<const std::byte*>(on.b) + b_offset * b_bytes, shape.b_stride[last], count, right);
    if constexpr (std::same_as<Result, bool>) {
      std::transform(left, left + count, right, static_cast<bool*>(on.y) + y_offset, Op());
    } else {
      std::transform(left, left + count, right, left, Op());
      store(left, count, static_cast<std::byte*>(on.y) + static_cast<ptrdiff_t>(y_offset) * a_bytes);
    }
  });
}

template <class Op>
void function(const kernels::BroadcastShape& shape, DType a_type, DType b_type, const void* a, const void* b, void* y,
              core::ThreadPool& pool) {
  with_accumulator(a_type, [&]<class Acc>() { apply<Acc, Op>(shape, {a_type, b_type, a, b, y}, pool); });
}

// For operators that floats do not have.
template <class Op>
void on_integers(const kernels::BroadcastShape& shape, DType a_type, DType b_type, const void* a, const void* b, void* y,
                 core::ThreadPool& pool) {
  const Operands on = {a_type, b_type, a, b, y};
  if (a_type == DType::kUInt64) return apply<uint64_t, Op>(shape, on, pool);
  apply<int64_t, Op>(shape, on, pool);
}

// Base and exponent may differ in type: two kinds of integers meet in the base's accumulation type, all else in double.
void power(const kernels::BroadcastShape& shape, DType a_type, DType b_type, const void* a, const void* b, void* y,
           core::ThreadPool& pool) {
  if (a_type == b_type || (is_integral(a_type) && is_integral(b_type))) return function<Pow>(shape, a_type, b_type, a, b, y, pool);
  apply<double, Pow>(shape, {a_type, b_type, a, b, y}, pool);
}

using enum kernels::BinaryOp;
constexpr DTypeSet kBool = {DType::kBool};
constexpr std::nullopt_t kNoKernel = std::nullopt;

constexpr BinaryRow kRows[] = {
    {"Add", kNumbers, false, kAdd, function<Add>},
    {"And", kBool, true, kNoKernel, function<And>},
    {"BitShift", kUnsignedIntegers, false, kNoKernel, on_integers<BitsLeft>, "LEFT"},
    {"BitShift", kUnsignedIntegers, false, kNoKernel, on_integers<BitsRight>, "RIGHT"},
    {"BitwiseAnd", kIntegers, false, kNoKernel, on_integers<std::bit_and<>>},
    {"BitwiseOr", kIntegers, false, kNoKernel, on_integers<std::bit_or<>>},
    {"BitwiseXor", kIntegers, false, kNoKernel, on_integers<std::bit_xor<>>},
    {"Div", kNumbers, false, kDiv, function<Div>},
    {"Equal", kNumbers | kBool, true, kNoKernel, function<std::equal_to<>>},
    {"Greater", kNumbers, true, kNoKernel, function<std::greater<>>},
    {"GreaterOrEqual", kNumbers, true, kNoKernel, function<std::greater_equal<>>},
    {"Less", kNumbers, true, kNoKernel, function<std::less<>>},
    {"LessOrEqual", kNumbers, true, kNoKernel, function<std::less_equal<>>},
    {"Max", kNumbers, false, kMax, function<Max>},
    {"Mean", kFloats, false, kAdd, function<Add>},
    {"Min", kNumbers, false, kMin, function<Min>},
    {"Mod", kIntegers, false, kNoKernel, on_integers<Mod>},
    {"Mod", kNumbers, false, kNoKernel, function<Fmod>, "fmod"},
    {"Mul", kNumbers, false, kMul, function<Mul>},
    {"Or", kBool, true, kNoKernel, function<Or>},
    {"PRelu", kNumbers, false, kNoKernel, function<PRelu>},
    {"Pow", kNumbers, false, kPow, power},
    {"Sub", kNumbers, false, kSub, function<Sub>},
    {"Sum", kFloats, false, kAdd, function<Add>},
    {"Xor", kBool, true, kNoKernel, function<Xor>},
};

}  // namespace

std::span<const BinaryRow> binary_rows() noexcept { return kRows; }

}  // namespace sardonyx::ops
