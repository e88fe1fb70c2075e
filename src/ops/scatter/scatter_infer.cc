#include <algorithm>
#include <type_traits>

#include "ops/elements/elements.h"
#include "ops/facts.h"
#include "ops/movement/element.h"
#include "ops/scatter/scatter.h"

namespace sardonyx::ops {
namespace {

// Integers wrap around; NaN wins in max and min.
template <Reduction kReduction, class Acc>
Acc combine(Acc a, Acc b) noexcept {
  if constexpr (kReduction == Reduction::kMax) return a != a || a > b ? a : b;
  if constexpr (kReduction == Reduction::kMin) return a != a || a < b ? a : b;
  if constexpr (std::is_floating_point_v<Acc>) {
    return kReduction == Reduction::kAdd ? a + b : a * b;
  } else {
    const auto x = static_cast<uint64_t>(a), y = static_cast<uint64_t>(b);
    return static_cast<Acc>(kReduction == Reduction::kAdd ? x + y : x * y);
  }
}

template <Reduction kReduction, DType kType, class Acc>
void combine_elements(const void* from, void* to, size_t count) {
  static const LoadRun<Acc> load = load_run<Acc>(kType);
  static const StoreRun<Acc> store = store_run<Acc>(kType);
  const size_t bytes = static_cast<size_t>(bit_width(kType)) / 8;
  Acc own[kRunLength], other[kRunLength];
  for (size_t i = 0; i < count; i += kRunLength) {
    const size_t size = std::min(kRunLength, count - i);
    auto* place = static_cast<std::byte*>(to) + i * bytes;
    load(place, 1, size, own);
    load(static_cast<const std::byte*>(from) + i * bytes, 1, size, other);
    std::transform(own, own + size, other, own, combine<kReduction, Acc>);
    store(own, size, place);
  }
}

template <class T>
void replace_elements(const void* from, void* to, size_t count) {
  std::copy_n(static_cast<const T*>(from), count, static_cast<T*>(to));
}

template <Reduction kReduction>
CombineRun combine_run_of(DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
      return combine_elements<kReduction, DType::kFloat32, float>;
    case DType::kFloat16:
      return combine_elements<kReduction, DType::kFloat16, float>;
    case DType::kBFloat16:
      return combine_elements<kReduction, DType::kBFloat16, float>;
    case DType::kFloat64:
      return combine_elements<kReduction, DType::kFloat64, double>;
    case DType::kInt8:
      return combine_elements<kReduction, DType::kInt8, int64_t>;
    case DType::kInt16:
      return combine_elements<kReduction, DType::kInt16, int64_t>;
    case DType::kInt32:
      return combine_elements<kReduction, DType::kInt32, int64_t>;
    case DType::kInt64:
      return combine_elements<kReduction, DType::kInt64, int64_t>;
    case DType::kUInt8:
      return combine_elements<kReduction, DType::kUInt8, int64_t>;
    case DType::kUInt16:
      return combine_elements<kReduction, DType::kUInt16, int64_t>;
    case DType::kUInt32:
      return combine_elements<kReduction, DType::kUInt32, int64_t>;
    case DType::kUInt64:
      return combine_elements<kReduction, DType::kUInt64, uint64_t>;
    case DType::kBool:
      return combine_elements<kReduction, DType::kBool, int64_t>;
    default:
      return nullptr;
  }
}

}  // namespace

Reduction reduction_from_node(const model::Node& node, int64_t opset) {
  const std::string name = opset >= 16 ? model::get_string(node, "reduction", "none") : "none";
  if (name == "none") return Reduction::kNone;
  if (name == "add") return Reduction::kAdd;
  if (name == "mul") return Reduction::kMul;
  if (name == "max" && opset >= 18) return Reduction::kMax;
  if (name == "min" && opset >= 18) return Reduction::kMin;
  throw model_error("attribute reduction is '{}'; it must be none, add or mul, or from opset 18 on max or min", name);
}

CombineRun combine_run(Reduction reduction, DType dtype) {
  switch (reduction) {
    case Reduction::kAdd:
      return combine_run_of<Reduction::kAdd>(dtype);
    case Reduction::kMul:
      return combine_run_of<Reduction::kMul>(dtype);
    case Reduction::kMax:
      return combine_run_of<Reduction::kMax>(dtype);
    case Reduction::kMin:
      return combine_run_of<Reduction::kMin>(dtype);
    default:
      return with_element(dtype, []<class T>() -> CombineRun { return replace_elements<T>; });
  }
}

}  // namespace sardonyx::ops
