#include "ops/cast/cast.h"
#include "ops/facts.h"

namespace sardonyx::ops {
namespace {

core::ScaleRounding parse_rounding(const std::string& name) {
  if (name == "up") return core::ScaleRounding::kUp;
  if (name == "down") return core::ScaleRounding::kDown;
  if (name == "nearest") return core::ScaleRounding::kNearest;
  throw model_error("attribute round_mode is '{}'; it must be up, down or nearest", name);
}

// Until opset 5 the type is written as a name ("FLOAT").
DType parse_type(const model::Node& node, int64_t opset) {
  if (opset >= 6) return static_cast<DType>(model::get_int(node, "to", 0));
  std::string name = model::get_string(node, "to", "");
  for (char& letter : name) letter = letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
  return dtype_from_string(name).value_or(DType::kUndefined);
}

}  // namespace

CastSpec cast_spec_from_node(const model::Node& node, int64_t opset) {
  CastSpec spec{.to = DType::kUndefined,
                .overflow = model::get_int(node, "saturate", 1) != 0 ? core::Overflow::kSaturate : core::Overflow::kInfinity,
                .rounding = parse_rounding(model::get_string(node, "round_mode", "up"))};
  if (node.op_type == "CastLike") return spec;
  spec.to = parse_type(node, opset);
  if (!is_valid(spec.to)) throw model_error("attribute to is no element type that this version knows");
  return spec;
}

}  // namespace sardonyx::ops
