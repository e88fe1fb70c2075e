// What a session tells the log of its options.
#pragma once

#include <chrono>
#include <span>
#include <string>

#include "runtime/plan.h"
#include "runtime/program.h"
#include "sardonyx/session.h"

namespace sardonyx::runtime {

std::string megabytes(size_t bytes);  // "3.2 MB"
// "'x' [1, 3, 8, 8], 'mask' [1, 8]"; "no inputs".
std::string describe_inputs(const Program& program, const PlanKey& key);

class SessionLog {
 public:
  explicit SessionLog(const SessionOptions& options) : call_(options.log), least_(options.log_severity) {}

  void loaded(const Program& program, std::span<const LoadPhase> phases, int threads) const;
  void planned(const Program& program, const Plan& plan, std::chrono::steady_clock::time_point start) const;
  void refused(const Error& error) const;

 private:
  bool tells(LogSeverity severity) const { return call_ && severity >= least_; }

  LogCallback call_;
  LogSeverity least_;
};

}  // namespace sardonyx::runtime
