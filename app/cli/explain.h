// What `sardonyx explain` found, and the forms it is told in.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sardonyx/peak.h"
#include "sardonyx/session.h"

namespace sardonyx::cli {

struct Explanation {
  std::string model;  // the file
  std::string level;
  int threads = 1;
  ModelMetadata metadata;
  std::vector<ValueReport> inputs;
  std::vector<LoadPhase> load_phases;
  std::vector<PassReport> passes;
  PlanReport plan;
  std::optional<MachinePeak> peak;  // with --time: the steps then have their seconds
  size_t timed_runs = 0;

  double seconds() const;  // of all steps
  // The least time that a step, or a node in `chain`, could take; 0 where the peak is not known, and for what does nothing.
  double least_seconds(const StepReport& step, const StepReport* chain = nullptr) const;
  // Part of the machine's peak that it reaches; 0 where that is not known.
  double share(const StepReport& step, const StepReport* chain = nullptr) const;
};

// Lines of at most `width` characters (0: as long as they are).
std::string explanation_text(const Explanation& explanation, size_t width);
// Fields as docs/explain.md lists them.
std::string explanation_json(const Explanation& explanation);

}  // namespace sardonyx::cli
