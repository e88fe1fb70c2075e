#include "core/mapped_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "core/pages.h"
#include "sardonyx/error.h"

namespace sardonyx::core {
namespace {

namespace fs = std::filesystem;

class MappedFileTest : public testing::Test {
 protected:
  MappedFileTest() : folder_(fs::temp_directory_path() / ("sardonyx_map_" + std::to_string(getpid()))) { fs::create_directories(folder_); }
  ~MappedFileTest() override { fs::remove_all(folder_); }
  fs::path folder_;
};

TEST_F(MappedFileTest, WritesAndReadsBack) {
  {
    AtomicFile file(folder_ / "a.bin");
    file.write("hello ");
    file.write("world");
    EXPECT_FALSE(fs::exists(folder_ / "a.bin"));
    file.commit();
  }
  EXPECT_EQ(MappedFile::open(folder_ / "a.bin")->text(), "hello world");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1);
}

TEST_F(MappedFileTest, WithoutCommitNothingIsLeft) {
  std::ofstream(folder_ / "a.bin") << "old";
  { AtomicFile(folder_ / "a.bin").write("new"); }
  EXPECT_EQ(MappedFile::open(folder_ / "a.bin")->text(), "old");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1);
}

TEST_F(MappedFileTest, EmptyFilesAreEmpty) {
  std::ofstream(folder_ / "empty") << "";
  EXPECT_EQ(MappedFile::open(folder_ / "empty")->size(), 0u);
}

TEST_F(MappedFileTest, WhatIsNoRegularFileIsRefused) {
  ASSERT_EQ(mkfifo((folder_ / "fifo").c_str(), 0600), 0);
  for (const char* name : {"missing", "fifo", "."}) {
    try {
      MappedFile::open(folder_ / name);
      ADD_FAILURE() << name;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kIo);
      EXPECT_THAT(error.what(), testing::HasSubstr(name));
    }
  }
  EXPECT_THROW(AtomicFile(folder_ / "no" / "such" / "folder"), Error);
}

TEST_F(MappedFileTest, PagesGivenBackAreReadAgain) {
  const std::string text(size_t{1} << 20, 'x');
  std::ofstream(folder_ / "large") << text;
  const auto file = MappedFile::open(folder_ / "large");
  EXPECT_TRUE(MappedFile::holds(file->bytes().data(), file->size()));
  EXPECT_FALSE(MappedFile::holds(file->bytes().data() + 1, file->size()));
  EXPECT_FALSE(MappedFile::holds(text.data(), 1));
  fetch_pages(file->bytes().data() + 5000, 900000);
  give_back_pages(file->bytes().data() + 1, file->size() - 1);
  EXPECT_EQ(file->text(), text);
  give_back_pages(text.data(), text.size());
  prefer_large_pages(const_cast<char*>(text.data()), text.size());
  EXPECT_EQ(text.find_first_not_of('x'), std::string::npos);
}

}  // namespace
}  // namespace sardonyx::core
