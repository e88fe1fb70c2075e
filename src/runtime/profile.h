// A file in Chrome's trace format that a session writes while it works.
//
// Events go straight to the file, so that memory stays bounded however long the session lives; SessionOptions::max_profile_events bounds
// the file. Every time is one of the steady clock, in microseconds, so that the files of several sessions of a machine fit together.
#pragma once

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/plan.h"
#include "sardonyx/session.h"

namespace sardonyx::runtime {

class Profile {
 public:
  using Clock = std::chrono::steady_clock;

  // Throws Io if the file cannot be made.
  Profile(std::filesystem::path path, size_t max_events);
  ~Profile();  // completes the file
  Profile(const Profile&) = delete;
  Profile& operator=(const Profile&) = delete;

  void add_loading(std::span<const LoadPhase> phases, std::span<const PassReport> passes);
  void add_plan(const Plan& plan, Clock::time_point start);
  // Completes the file; what comes later is not written. Throws Io if anything could not be written.
  void finish();

 private:
  friend class ProfiledRun;
  struct Labels;  // the parts of a plan's events that are the same in every run

  std::shared_ptr<const Labels> labels(const std::shared_ptr<const Plan>& plan);
  void write(size_t events, std::string_view text);
  void close();

  const std::filesystem::path path_;
  const size_t max_events_;
  std::mutex mutex_;
  std::ofstream file_;
  bool finished_ = false;
  bool failed_ = false;
  size_t events_ = 0, left_out_ = 0;
  std::vector<std::pair<std::weak_ptr<const Plan>, std::shared_ptr<const Labels>>> labels_;  // of recent plans
};

// Writes one run down when it goes out of scope: as failed, unless it succeeded.
class ProfiledRun {
 public:
  ProfiledRun(Profile& profile, const std::shared_ptr<const Plan>& plan, const std::string& tag, int threads);
  ~ProfiledRun();
  ProfiledRun(const ProfiledRun&) = delete;
  ProfiledRun& operator=(const ProfiledRun&) = delete;

  double* seconds() noexcept { return seconds_.data(); }  // for RunSetting::seconds
  void succeeded() noexcept { succeeded_ = true; }

 private:
  std::string events() const;

  Profile& profile_;
  std::shared_ptr<const Profile::Labels> labels_;
  const std::string& tag_;
  const int threads_;
  std::vector<double> seconds_;
  bool succeeded_ = false;
  Profile::Clock::time_point start_;
};

}  // namespace sardonyx::runtime
