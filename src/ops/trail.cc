#include "ops/trail.h"

#include <fmt/format.h>

namespace sardonyx::ops {

std::string trail(const model::Node& node, int64_t opset) {
  std::string text = model::describe(node);
  text.insert(text.size() - 1, fmt::format(", opset {}", opset));
  return text;
}

}  // namespace sardonyx::ops
