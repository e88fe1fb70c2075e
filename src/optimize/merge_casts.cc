// Cast of what a Cast that loses nothing has made.
#include "optimize/match.h"
#include "optimize/rules.h"

namespace sardonyx::optimize {
namespace {

// Bits of an integer's value and whether it has a sign; bits of a float's significand and exponent.
struct Range {
  bool is_integer = false, is_signed = true;
  int bits = 0, exponent = 0;
};

std::optional<Range> range_of(DType dtype) {
  switch (dtype) {
    case DType::kBool:
      return Range{true, false, 1};
    case DType::kInt8:
      return Range{true, true, 7};
    case DType::kUInt8:
      return Range{true, false, 8};
    case DType::kInt16:
      return Range{true, true, 15};
    case DType::kUInt16:
      return Range{true, false, 16};
    case DType::kInt32:
      return Range{true, true, 31};
    case DType::kUInt32:
      return Range{true, false, 32};
    case DType::kInt64:
      return Range{true, true, 63};
    case DType::kUInt64:
      return Range{true, false, 64};
    case DType::kFloat16:
      return Range{false, true, 11, 5};
    case DType::kBFloat16:
      return Range{false, true, 8, 8};
    case DType::kFloat32:
      return Range{false, true, 24, 8};
    case DType::kFloat64:
      return Range{false, true, 53, 11};
    default:
      return std::nullopt;
  }
}

// Whether `to` holds every value of `from`.
bool is_exact(DType from, DType to) {
  const auto a = range_of(from), b = range_of(to);
  if (!a || !b || to == DType::kBool || (a->is_signed && !b->is_signed) || a->bits > b->bits) return false;
  if (a->is_integer) return b->is_integer || to != DType::kFloat16 || a->bits <= 11;
  return !b->is_integer && a->exponent <= b->exponent;
}

}  // namespace

std::optional<Patch> merge_casts(const GraphView& graph, size_t index) {
  const model::Node& second = *graph.node(index);
  if (!is_onnx_node(second, "Cast") || second.input.size() != 1) return std::nullopt;
  const auto found = made_by(graph, second.input[0], "Cast");
  if (!found) return std::nullopt;
  const std::string& x = graph.node(*found)->input.at(0);
  if (!is_exact(graph.dtype(x), graph.dtype(second.input[0])) || !range_of(graph.dtype(first_output(second)))) return std::nullopt;
  Patch patch{.remove = {index}};
  patch.add.push_back(second);
  patch.add[0].input[0] = x;
  return patch;
}

}  // namespace sardonyx::optimize
