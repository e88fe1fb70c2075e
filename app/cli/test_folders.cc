#include "cli/test_folders.h"

#include <fmt/format.h>

#include <algorithm>

#include "sardonyx/error.h"

namespace sardonyx::cli {

namespace fs = std::filesystem;

std::vector<fs::path> find_test_folders(const std::vector<std::string>& folders) {
  std::vector<fs::path> tests;
  for (const std::string& folder : folders) {
    if (!fs::is_directory(folder)) throw Error(ErrorCode::kIo, fmt::format("{}: is not a folder", folder));
    if (fs::exists(fs::path(folder) / "model.onnx")) {
      tests.emplace_back(folder);
      continue;
    }
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder, fs::directory_options::skip_permission_denied)) {
      if (entry.path().filename() == "model.onnx") tests.push_back(entry.path().parent_path());
    }
  }
  std::sort(tests.begin(), tests.end());
  tests.erase(std::unique(tests.begin(), tests.end()), tests.end());
  return tests;
}

}  // namespace sardonyx::cli
