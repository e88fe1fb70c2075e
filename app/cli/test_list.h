// A conformance list: which tests must pass, and which are known not to.
//
// One test a line: its name alone (it must pass), `skip NAME reason` (not run), `fail NAME reason` (run; it must fail, so that a repair is
// noticed), `random NAME reason` (run; its outputs are drawn at random, so their types and shapes must be those expected, and their values
// lie between the least and the greatest expected one). Empty lines and lines that begin with '#' are comments. If any name stands alone,
// only listed tests are run.
#pragma once

#include <filesystem>
#include <map>
#include <string>

namespace sardonyx::cli {

enum class Expectation { kPass, kSkip, kFail, kRandom };

class TestList {
 public:
  TestList() = default;
  // Throws Io, or InvalidArgument for a line that does not read so.
  static TestList read(const std::filesystem::path& path);

  struct Entry {
    Expectation expectation = Expectation::kPass;
    std::string reason;
  };
  // What the list says of a test.
  Entry of(const std::string& name) const;

 private:
  std::map<std::string, Entry> entries_;
  bool exclusive_ = false;
};

}  // namespace sardonyx::cli
