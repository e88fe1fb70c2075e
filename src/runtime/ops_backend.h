// A back end for tests: every operator of ops/.
#pragma once

#include "runtime/backend.h"

namespace sardonyx::runtime {

class OpsBackend final : public Backend {
 public:
  std::string_view name() const noexcept override { return "test"; }
  std::string refusal(const model::Node& node, int64_t) const override {
    return ops::find_operator(node.domain, node.op_type) ? "" : "no kernel for operator " + node.op_type;
  }
  std::unique_ptr<ops::Prepared> prepare(const ops::PrepareContext& context) const override { return ops::prepare(context); }
};

inline const Backend& ops_backend() {
  static const OpsBackend backend;
  return backend;
}

}  // namespace sardonyx::runtime
