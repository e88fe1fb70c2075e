// What executes nodes. The runtime sees back ends only through this interface and never asks which one it is.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "ops/op.h"

namespace sardonyx::runtime {

class Backend {
 public:
  virtual ~Backend() = default;
  virtual std::string_view name() const noexcept = 0;  // "CPUExecutionProvider"
  // Why the node cannot run here; "" if it can. It may still be refused, with its trail, when it is prepared.
  virtual std::string refusal(const model::Node& node, int64_t opset) const = 0;
  virtual std::unique_ptr<ops::Prepared> prepare(const ops::PrepareContext& context) const = 0;
};

}  // namespace sardonyx::runtime
