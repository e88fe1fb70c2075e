#include "runtime/session_log.h"

#include <fmt/format.h>

namespace sardonyx {

std::string_view to_string(LogSeverity severity) noexcept {
  switch (severity) {
    case LogSeverity::kVerbose:
      return "verbose";
    case LogSeverity::kInfo:
      return "info";
    case LogSeverity::kWarning:
      return "warning";
    case LogSeverity::kError:
      return "error";
  }
  return "unknown";
}

}  // namespace sardonyx

namespace sardonyx::runtime {

std::string megabytes(size_t bytes) { return fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6); }

std::string describe_inputs(const Program& program, const PlanKey& key) {
  std::string text;
  for (size_t i = 0; i < key.shapes.size(); ++i) {
    text += fmt::format("{}'{}' {}", i == 0 ? "" : ", ", program.signature().inputs()[i].arg.name, to_string(key.shapes[i]));
  }
  return text.empty() ? "no inputs" : text;
}

void SessionLog::loaded(const Program& program, std::span<const LoadPhase> phases, int threads) const {
  if (!call_) return;
  double total = 0;
  for (const LoadPhase& phase : phases) {
    total += phase.seconds;
    if (tells(LogSeverity::kVerbose)) call_(LogSeverity::kVerbose, fmt::format("{}: {:.2f} ms", phase.name, phase.seconds * 1e3));
  }
  size_t rewrites = 0;
  for (const PassReport& pass : program.passes()) {
    rewrites += pass.rewrites;
    if (pass.rewrites == 0 || !tells(LogSeverity::kVerbose)) continue;
    call_(LogSeverity::kVerbose, fmt::format("pass {}: {} rewrites in {:.2f} ms", pass.name, pass.rewrites, pass.seconds * 1e3));
  }
  if (!tells(LogSeverity::kInfo)) return;
  call_(LogSeverity::kInfo, fmt::format("loaded '{}' in {:.2f} ms: {} nodes after {} rewrites; {} threads", program.metadata().graph_name,
                                        total * 1e3, program.nodes().size(), rewrites, threads));
}

void SessionLog::planned(const Program& program, const Plan& plan, std::chrono::steady_clock::time_point start) const {
  if (!tells(LogSeverity::kInfo)) return;
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  call_(LogSeverity::kInfo,
        fmt::format("plan for {} in {:.2f} ms: {} steps, {} for intermediate values (no less than {}), {} for outputs",
                    describe_inputs(program, plan.key()), seconds * 1e3, plan.step_count(), megabytes(plan.peak_memory()),
                    megabytes(plan.lower_bound_memory()), megabytes(plan.output_memory())));
}

void SessionLog::refused(const Error& error) const {
  if (tells(LogSeverity::kWarning)) call_(LogSeverity::kWarning, error.what());
}

}  // namespace sardonyx::runtime
