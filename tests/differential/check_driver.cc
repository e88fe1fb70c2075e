// Checks models for a test in another language, many in one process.
//
// Reads one job a line from standard input, its words separated by tabs, and answers each with a line, "ok" or "error: ...":
//   bundle IN OUT      for each model of IN (4 bytes of length, little-endian, then its bytes) a line: "FULL CODE CODE ...". FULL is
//                      "valid" or "invalid" with types and shapes inferred; the codes are those of all errors, "!" before those that only
//                      inference finds, then "~" before those that keep the model from running without making it invalid, as they are
//                      without inference. "unreadable REASON" for what is no model
//   files LIST OUT     the same for the files that LIST names, one a line, with their external data
//   json IN OUT        the report on one file as JSON
//   text IN OUT        the report on one file as text
//   time IN OUT COUNT  milliseconds of CPU time that check_model takes without and with inference, the median of COUNT runs
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "job_loop.h"
#include "sardonyx/check.h"

namespace {

using sardonyx::CheckOptions;
using sardonyx::CheckReport;
using sardonyx::Error;
using sardonyx::ErrorCode;
using sardonyx::differential::read_file;
using sardonyx::differential::write_file;
namespace model = sardonyx::model;

CheckOptions options(bool full) {
  CheckOptions result;
  result.full = full;
  return result;
}

std::set<std::string_view> codes_of(const CheckReport& report, sardonyx::Severity severity = sardonyx::Severity::kError) {
  std::set<std::string_view> codes;
  for (const sardonyx::Problem& problem : report.problems) {
    if (problem.severity == severity) codes.insert(problem.code);
  }
  return codes;
}

// check(full) gives a report, or throws for what is no model.
template <class Check>
std::string verdict(const Check& check) {
  try {
    const CheckReport full = check(true), plain = check(false);
    std::string line = full.valid() ? "valid" : "invalid";
    const std::set<std::string_view> structural = codes_of(plain);
    for (const std::string_view code : codes_of(full)) line += (structural.contains(code) ? " " : " !") + std::string(code);
    for (const std::string_view code : codes_of(plain, sardonyx::Severity::kUnrunnable)) line += " ~" + std::string(code);
    return line + "\n";
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kInternal) throw;
    std::string reason = error.what();
    std::replace(reason.begin(), reason.end(), '\n', ' ');
    return "unreadable " + reason + "\n";
  }
}

std::string check_bundle(std::string_view bytes) {
  std::string lines;
  while (bytes.size() >= 4) {
    uint32_t length = 0;
    std::memcpy(&length, bytes.data(), sizeof length);
    const std::string_view one = bytes.substr(4, length);
    bytes.remove_prefix(std::min(bytes.size(), size_t{4} + length));
    lines += verdict(
        [&](bool full) { return check_model(model::parse_model(one, nullptr, {.limits = {}, .external_data = false}), options(full)); });
  }
  return lines;
}

std::string check_files(const std::string& list) {
  std::istringstream paths(list);
  std::string lines;
  for (std::string path; std::getline(paths, path);) lines += verdict([&](bool full) { return check_file(path, options(full)); });
  return lines;
}

double median_ms(const model::Model& checked, bool full, int count) {
  std::vector<double> times;
  for (int i = 0; i < count; ++i) {
    const std::clock_t begin = std::clock();
    check_model(checked, options(full));
    times.push_back(1e3 * static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC);
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

void run(const std::vector<std::string>& job) {
  const std::string& verb = job.at(0);
  if (verb == "bundle") {
    write_file(job.at(2), check_bundle(read_file(job.at(1))));
  } else if (verb == "files") {
    write_file(job.at(2), check_files(read_file(job.at(1))));
  } else if (verb == "json" || verb == "text") {
    const CheckReport report = check_file(job.at(1), options(true));
    write_file(job.at(2), verb == "json" ? to_json(report) : to_string(report));
  } else if (verb == "time") {
    const model::Model checked = model::read_model(job.at(1), {.limits = {}, .external_data = false});
    const int count = std::stoi(job.at(3));
    write_file(job.at(2), std::to_string(median_ms(checked, false, count)) + " " + std::to_string(median_ms(checked, true, count)) + "\n");
  } else {
    throw Error(ErrorCode::kInvalidArgument, "no job '" + verb + "'");
  }
}

}  // namespace

int main() { return sardonyx::differential::serve_jobs(run); }
