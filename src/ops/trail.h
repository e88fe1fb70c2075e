#pragma once

#include <cstdint>
#include <string>

#include "sardonyx/model.h"

namespace sardonyx::ops {

// How errors name a node that is prepared, bound or run: "node 'conv1' (Conv, opset 17)".
std::string trail(const model::Node& node, int64_t opset);

}  // namespace sardonyx::ops
