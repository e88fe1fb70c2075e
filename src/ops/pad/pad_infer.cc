#include <algorithm>

#include "ops/facts.h"
#include "ops/pad/pad.h"

namespace sardonyx::ops {
namespace {

PadMode parse_mode(const std::string& mode) {
  if (mode == "constant") return PadMode::kConstant;
  if (mode == "reflect") return PadMode::kReflect;
  if (mode == "edge") return PadMode::kEdge;
  if (mode == "wrap") return PadMode::kWrap;
  throw model_error("attribute mode is '{}'; it must be constant, reflect, edge or wrap", mode);
}

int64_t modulo(int64_t a, int64_t b) { return (a % b + b) % b; }

}  // namespace

PadSpec pad_spec_from_node(const model::Node& node, int64_t opset) {
  PadSpec spec{.mode = parse_mode(model::get_string(node, "mode", "constant")),
               .pads = {},
               .by_attributes = opset < 11 && node.domain != "com.microsoft",
               .value = 0.0f};
  if (!spec.by_attributes) return spec;
  spec.pads = model::get_ints(node, opset < 2 ? "paddings" : "pads");
  spec.value = model::get_float(node, "value", 0.0f);
  return spec;
}

int64_t pad_source(PadMode mode, int64_t position, int64_t size) {
  switch (mode) {
    case PadMode::kEdge:
      return std::clamp<int64_t>(position, 0, size - 1);
    case PadMode::kWrap:
      return modulo(position, size);
    case PadMode::kReflect: {
      if (size == 1) return 0;
      const int64_t at = modulo(position, 2 * (size - 1));
      return at < size ? at : 2 * (size - 1) - at;
    }
    default:
      return -1;
  }
}

Shape padded_shape(PadMode mode, const Shape& x, std::span<const int64_t> pads) {
  Shape out;
  for (size_t i = 0; i < x.size(); ++i) {
    const int64_t before = pads[i], after = pads[x.size() + i];
    int64_t size = 0;
    if (__builtin_add_overflow(before, after, &size) || __builtin_add_overflow(size, x[i], &size)) {
      throw Error(ErrorCode::kResourceLimit, fmt::format("pads of {} and {} are too large", before, after));
    }
    if (size < 0 || before < -x[i] || after < -x[i]) {
      throw argument_error("pads of {} and {} crop more than the {} elements of axis {}", before, after, x[i], i);
    }
    if (x[i] == 0 && size > 0 && mode != PadMode::kConstant) {
      throw argument_error("axis {} is empty: it can be padded with a constant only", i);
    }
    out.push_back(size);
  }
  return out;
}

std::vector<int64_t> pads_of_axes(std::span<const int64_t> pads, const std::vector<int64_t>* axes, size_t rank) {
  const size_t count = axes ? axes->size() : rank;
  if (pads.size() != 2 * count) throw argument_error("pads has {} values; {} axes need {}", pads.size(), count, 2 * count);
  if (!axes) return {pads.begin(), pads.end()};
  checked_axes(*axes, rank);
  std::vector<int64_t> all(2 * rank);
  for (size_t i = 0; i < count; ++i) {
    const size_t axis = checked_axis((*axes)[i], rank);
    all[axis] = pads[i];
    all[rank + axis] = pads[count + i];
  }
  return all;
}

}  // namespace sardonyx::ops
