#include "ops/weights/weight_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <fstream>

#include "ops/weights/packed_constant.h"

namespace sardonyx::ops {
namespace {

namespace fs = std::filesystem;

class WeightCacheTest : public testing::Test {
 protected:
  WeightCacheTest() : folder_(fs::temp_directory_path() / ("sardonyx_weights_" + std::to_string(getpid()))) {
    fs::create_directories(folder_);
  }
  ~WeightCacheTest() override { fs::remove_all(folder_); }

  // Packs by doubling; tells whether it had to.
  bool packs(WeightCache& cache, const Tensor& plain, std::string_view layout = "doubled") {
    bool packed = false;
    PackedConstant constant(&plain, false);
    const size_t count = static_cast<size_t>(plain.numel());
    const float* values = constant.packed({nullptr, &cache}, layout, count, [&](const float* from, float* to) {
      packed = true;
      for (size_t i = 0; i < count; ++i) to[i] = 2 * from[i];
    });
    for (size_t i = 0; i < count; ++i) EXPECT_EQ(values[i], 2 * plain.values<float>()[i]);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(values) % 64, 0u);
    return packed;
  }
  std::string bytes() const {
    std::ifstream file(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void write(const std::string& bytes) const { std::ofstream(path_, std::ios::binary) << bytes; }
  // A file with two constants.
  std::string make_file() {
    WeightCache cache(path_);
    EXPECT_TRUE(packs(cache, a_));
    EXPECT_TRUE(packs(cache, b_));
    cache.save();
    return bytes();
  }

  fs::path folder_, path_ = folder_ / "weights";
  Tensor a_ = Tensor::of<float>({3}, {1, 2, 3}), b_ = Tensor::of<float>({2, 2}, {4, 5, 6, 7});
};

std::optional<std::vector<PackedEntry>> entries_of(const std::string& bytes) {
  return read_packed_entries(std::as_bytes(std::span(bytes.data(), bytes.size())));
}

TEST_F(WeightCacheTest, ALaterSessionPacksNothing) {
  make_file();
  WeightCache cache(path_);
  EXPECT_FALSE(packs(cache, a_));
  EXPECT_FALSE(packs(cache, b_.clone()));
  const fs::file_time_type before = fs::last_write_time(path_);
  cache.save();
  EXPECT_EQ(fs::last_write_time(path_), before);
}

TEST_F(WeightCacheTest, OtherElementsShapesAndLayoutsAreOtherEntries) {
  make_file();
  WeightCache cache(path_);
  EXPECT_TRUE(packs(cache, Tensor::of<float>({3}, {1, 2, 4})));
  EXPECT_TRUE(packs(cache, a_.reshape({1, 3})));
  EXPECT_TRUE(packs(cache, a_, "twice"));
  EXPECT_FALSE(packs(cache, a_));
  cache.save();
  EXPECT_EQ(entries_of(bytes())->size(), 5u);
}

// A file that has not changed for a while is known by its identity.
TEST_F(WeightCacheTest, AConstantInAFileIsFoundByItsPlace) {
  const auto map = core::MappedFile::open(fs::canonical("/bin/sh"));
  const auto constant = [&](size_t offset) { return Tensor::stored_view(map, map->bytes().data() + offset, {4}, DType::kUInt8); };
  const auto packed = std::make_shared<std::array<std::byte, 64>>();
  {
    WeightCache cache(path_);
    cache.add(constant(0), "layout", {packed, packed->data()}, packed->size());
    cache.save();
  }
  const auto entries = entries_of(bytes());
  ASSERT_EQ(entries->size(), 1u);
  EXPECT_NE(entries->front().source[0], 0u);
  WeightCache cache(path_);
  EXPECT_NE(cache.find(constant(0), "layout", 64), nullptr);
  EXPECT_NE(cache.find(constant(0).clone(), "layout", 64), nullptr);
  EXPECT_EQ(cache.find(constant(1), "layout", 64), nullptr);
  EXPECT_EQ(cache.find(constant(0), "layout", 65), nullptr);
}

TEST_F(WeightCacheTest, WhatIsMostlyUnusedIsDropped) {
  make_file();
  WeightCache cache(path_);
  EXPECT_TRUE(packs(cache, Tensor::of<float>({1}, {9})));
  cache.save();
  EXPECT_EQ(entries_of(bytes())->size(), 1u);
}

TEST_F(WeightCacheTest, DamagedFilesAreReplaced) {
  const std::string sound = make_file();
  ASSERT_EQ(entries_of(sound)->size(), 2u);
  for (size_t size = 0; size < sound.size(); size += 7) EXPECT_FALSE(entries_of(sound.substr(0, size))) << size;
  for (size_t at = 0; at < 64 + 2 * sizeof(PackedEntry); ++at) {
    if (at >= 40 && at < 64) continue;  // reserved
    std::string damaged = sound;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x40);
    EXPECT_FALSE(entries_of(damaged)) << at;
  }
  write(sound.substr(0, 100));
  make_file();
  EXPECT_EQ(bytes(), sound);
  write("");
  make_file();
  EXPECT_EQ(bytes(), sound);
}

TEST_F(WeightCacheTest, APlaceThatCannotBeWrittenIsAnErrorUnlessNothingIsMissing) {
  try {
    WeightCache(folder_ / "no" / "such");
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kIo);
    EXPECT_THAT(error.what(), testing::HasSubstr("packed_weights_cache"));
  }
}

}  // namespace
}  // namespace sardonyx::ops
