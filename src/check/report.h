// Collects problems with the place where each stands.
#pragma once

#include <string>
#include <vector>

#include "check/codes.h"

namespace sardonyx::check {

class Reporter {
 public:
  explicit Reporter(size_t max_problems) : max_problems_(max_problems) {}

  void add(Code code, std::string message, std::string cure = "");
  CheckReport take() { return std::move(report_); }

  // Where problems are found while it lives: one more element of the path.
  class Scope {
   public:
    Scope(Reporter& reporter, std::string where) : reporter_(reporter) { reporter_.path_.push_back(std::move(where)); }
    ~Scope() { reporter_.path_.pop_back(); }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Reporter& reporter_;
  };

 private:
  size_t max_problems_;
  std::vector<std::string> path_;
  CheckReport report_;
};

}  // namespace sardonyx::check
