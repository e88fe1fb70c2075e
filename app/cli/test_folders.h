// ONNX test folders: model.onnx with test_data_set_0, test_data_set_1, ..., each of input_0.pb, ... and output_0.pb, ...
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace sardonyx::cli {

// Those at or below each given folder, in order of name. Throws Io for what is no folder.
std::vector<std::filesystem::path> find_test_folders(const std::vector<std::string>& folders);

}  // namespace sardonyx::cli
