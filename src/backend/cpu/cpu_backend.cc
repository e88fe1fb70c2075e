#include "backend/cpu/cpu_backend.h"

#include <fmt/format.h>

namespace sardonyx::backend {
namespace {

class CpuBackend final : public runtime::Backend {
 public:
  std::string_view name() const noexcept override { return "CPUExecutionProvider"; }

  std::string refusal(const model::Node& node, int64_t opset) const override {
    const std::string_view domain = node.domain.empty() ? "ai.onnx" : std::string_view(node.domain);
    const ops::Operator* row = ops::find_operator(node.domain, node.op_type);
    if (!row) return fmt::format("the CPU has no kernel for operator {} of domain '{}'", node.op_type, domain);
    if (opset >= row->since) return "";
    return fmt::format("operator {} exists from opset {} of domain '{}' on, the model imports {}", node.op_type, row->since, domain, opset);
  }

  std::unique_ptr<ops::Prepared> prepare(const ops::PrepareContext& context) const override { return ops::prepare(context); }
};

}  // namespace

const runtime::Backend& cpu_backend() noexcept {
  static const CpuBackend backend;
  return backend;
}

}  // namespace sardonyx::backend
