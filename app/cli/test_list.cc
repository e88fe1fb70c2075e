#include "cli/test_list.h"

#include <fmt/format.h>

#include <fstream>
#include <sstream>

#include "sardonyx/error.h"

namespace sardonyx::cli {

TestList TestList::read(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file) throw Error(ErrorCode::kIo, fmt::format("{}: cannot open", path.string()));
  TestList list;
  int number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    std::istringstream words(line);
    std::string first, name;
    if (!(words >> first) || first[0] == '#') continue;
    Entry entry;
    if (first == "skip" || first == "fail" || first == "random") {
      entry.expectation = first == "skip" ? Expectation::kSkip : first == "fail" ? Expectation::kFail : Expectation::kRandom;
      words >> name >> std::ws;
      std::getline(words, entry.reason);
      if (name.empty() || entry.reason.empty()) {
        throw Error(ErrorCode::kInvalidArgument, fmt::format("{}:{}: '{}' needs a test's name and a reason", path.string(), number, first));
      }
    } else {
      name = first;
      list.exclusive_ = true;
    }
    list.entries_[name] = entry;
  }
  return list;
}

TestList::Entry TestList::of(const std::string& name) const {
  const auto found = entries_.find(name);
  if (found != entries_.end()) return found->second;
  return exclusive_ ? Entry{Expectation::kSkip, "not in the list"} : Entry{};
}

}  // namespace sardonyx::cli
