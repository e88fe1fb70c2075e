// Files of external data: what check_file finds without reading them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "core/expect_error.h"
#include "sardonyx/check.h"
#include "sardonyx/text.h"

namespace sardonyx {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::SizeIs;

class ExternalData : public testing::Test {
 protected:
  void SetUp() override {
    fs::remove_all(root_);
    fs::create_directories(root_ / "model");
    write(root_ / "model/w.bin", 16);
    write(root_ / "outside.bin", 16);
  }
  void TearDown() override { fs::remove_all(root_); }

  static void write(const fs::path& path, uintmax_t bytes) {
    std::ofstream(path, std::ios::binary).put('\0');
    fs::resize_file(path, bytes);
  }

  // Checks a model whose initializer of `dims` has this external_data.
  CheckReport check(std::initializer_list<std::pair<std::string, std::string>> entries, std::vector<int64_t> dims = {4}) {
    model::Model model = model::parse_text_model(
        "<ir_version: 8, opset_import: [\"\" : 17]>\ng (float[N] x) => (float[N] y) <float[1] w = {1}> { y = Add (x, w) }");
    model::TensorData& tensor = model.graph.initializer[0];
    tensor.float_data.clear();
    tensor.dims = std::move(dims);
    tensor.data_location = model::TensorData::Location::kExternal;
    for (const auto& [key, value] : entries) {
      model::StringPair& pair = tensor.external_data.emplace_back();
      pair.key = key;
      pair.value = value;
    }
    model.graph.node.push_back(model.graph.node[0]);
    model.graph.node[1].input[1] = "nothing";
    model.graph.node[1].output[0] = "z";
    model::write_model(model, root_ / "model/m.onnx");
    return check_file(root_ / "model/m.onnx");
  }

  // The message of the tensor-external problem, or "".
  std::string refusal(std::initializer_list<std::pair<std::string, std::string>> entries, std::vector<int64_t> dims = {4}) {
    const CheckReport report = check(entries, std::move(dims));
    EXPECT_EQ(report.problems.back().code, "undefined-input") << "other problems are reported too";
    return report.problems.size() == 1 ? "" : report.problems[0].message;
  }

  const fs::path root_ = fs::temp_directory_path() / ("sardonyx_check_" + std::to_string(::getpid()));
};

TEST_F(ExternalData, SoundReferences) {
  EXPECT_EQ(refusal({{"location", "w.bin"}}), "");
  EXPECT_EQ(refusal({{"location", "w.bin"}, {"offset", "8"}, {"length", "8"}}, {2}), "");
  EXPECT_EQ(refusal({{"location", "w.bin"}, {"checksum", "?"}}), "");
}

TEST_F(ExternalData, FilesThatDoNotHoldTheBytes) {
  EXPECT_THAT(refusal({{"location", "nothing.bin"}}), HasSubstr("nothing.bin"));
  EXPECT_THAT(refusal({{"location", "w.bin"}}, {5}), HasSubstr("has 16 bytes, where offset 0 and length 20"));
  EXPECT_THAT(refusal({{"location", "w.bin"}, {"offset", "4"}}), HasSubstr("offset 4 and length 16"));
  EXPECT_THAT(refusal({{"location", "w.bin"}, {"offset", "9223372036854775807"}}), HasSubstr("9223372036854775807"));
  EXPECT_THAT(refusal({{"location", "w.bin"}, {"length", "12"}}), HasSubstr("need 16 bytes"));
  EXPECT_THAT(refusal({{"location", "."}}), HasSubstr("not a regular file"));
  EXPECT_EQ(check({{"location", "nothing.bin"}}).problems[0].severity, Severity::kError);
  EXPECT_EQ(check({{"location", "w.bin"}, {"offset", "4"}}).problems[0].severity, Severity::kUnrunnable);
}

TEST_F(ExternalData, LocationsOutsideOfTheFolder) {
  fs::create_symlink("../outside.bin", root_ / "model/link.bin");
  EXPECT_THAT(refusal({{"location", "../outside.bin"}}), HasSubstr("'..'"));
  EXPECT_THAT(refusal({{"location", (root_ / "outside.bin").string()}}), HasSubstr("absolute"));
  EXPECT_THAT(refusal({{"location", "link.bin"}}), HasSubstr("link"));
}

TEST_F(ExternalData, MalformedReferences) {
  EXPECT_THAT(refusal({}), HasSubstr("no 'location'"));
  EXPECT_THAT(refusal({{"location", ""}}), HasSubstr("empty"));
  EXPECT_THAT(refusal({{"location", "w.bin"}, {"offset", "-4"}}), HasSubstr("not a number of bytes"));
  EXPECT_THAT(refusal({{"location", "w.bin"}, {"length", "4x"}}), HasSubstr("not a number of bytes"));
  EXPECT_THAT(refusal({{"location", "w.bin"}, {"location", "w.bin"}}), HasSubstr("twice"));
}

TEST_F(ExternalData, BeyondTwoGigabytes) {
  const uintmax_t bytes = uintmax_t{3} << 30;
  write(root_ / "model/w.bin", bytes);  // a file of holes: takes no room
  EXPECT_EQ(refusal({{"location", "w.bin"}}, {static_cast<int64_t>(bytes / 4)}), "");
  EXPECT_THAT(refusal({{"location", "w.bin"}}, {static_cast<int64_t>(bytes / 4) + 1}), HasSubstr("3221225472 bytes"));
}

TEST_F(ExternalData, WhatIsNoModelThrows) {
  write(root_ / "model/short.onnx", 3);
  EXPECT_THAT(error_of([&] { check_file(root_ / "model/absent.onnx"); }, ErrorCode::kIo), HasSubstr("absent.onnx"));
  EXPECT_THAT(error_of([&] { check_file(root_ / "model/short.onnx"); }, ErrorCode::kInvalidModel), HasSubstr("short.onnx"));
}

}  // namespace
}  // namespace sardonyx
