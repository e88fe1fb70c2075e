// Collects problems with the place where each stands.
//
// Whatever a model holds, a report stays small and printable: names are clipped, control characters are escaped, and only the first
// problems are kept.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "check/codes.h"
#include "sardonyx/model.h"

namespace sardonyx::check {

class NameScope;

// A name between single quotes, clipped to what a line can hold.
std::string quote(std::string_view name);
// Without control characters, and clipped.
std::string printable(std::string_view text);

struct Finding {
  Code code;
  std::string message;
  std::string cure = {};
  std::string expected = {}, found = {};
  std::string_view value = {};                      // the value it is about: its producing chain is added
  std::optional<Severity> severity = std::nullopt;  // nothing: that of the code
};

class Reporter {
 public:
  explicit Reporter(size_t max_problems) : max_problems_(max_problems) {}

  void add(Finding finding);
  void add(Code code, std::string message, std::string cure = "") {
    add({.code = code, .message = std::move(message), .cure = std::move(cure)});
  }
  // A problem whose place and chain are known in words.
  void add_at(std::string where, Finding finding, std::vector<std::string> chain);
  std::string where() const;
  bool has(Code code) const noexcept { return (codes_ >> static_cast<int>(code) & 1) != 0; }
  bool has_error_at(const std::string& where) const { return places_.contains(where); }
  size_t found() const noexcept { return report_.errors + report_.unrunnable + report_.warnings; }
  CheckReport take() { return std::move(report_); }

  // Where problems are found while it lives: one more element of the path.
  class Scope {
   public:
    Scope(Reporter& reporter, std::string where) : reporter_(reporter) { reporter_.path_.push_back({std::move(where), nullptr}); }
    Scope(Reporter& reporter, const model::Node& node) : reporter_(reporter) { reporter_.path_.push_back({{}, &node}); }
    ~Scope() { reporter_.path_.pop_back(); }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Reporter& reporter_;
  };

  // The names that chains are told from while it lives.
  class Names {
   public:
    Names(Reporter& reporter, const NameScope& names) : reporter_(reporter), outer_(reporter.names_) { reporter_.names_ = &names; }
    ~Names() { reporter_.names_ = outer_; }
    Names(const Names&) = delete;
    Names& operator=(const Names&) = delete;

   private:
    Reporter& reporter_;
    const NameScope* outer_;
  };

 private:
  struct Place {
    std::string text;
    const model::Node* node;  // described only when a problem is kept
  };
  size_t max_problems_;
  std::vector<Place> path_;
  const NameScope* names_ = nullptr;
  uint64_t codes_ = 0;                      // that were found, as bits
  std::unordered_set<std::string> places_;  // where errors that are kept stand
  CheckReport report_;
};

}  // namespace sardonyx::check
