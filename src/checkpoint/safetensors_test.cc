#include <filesystem>
#include <random>

#include "checkpoint/element_types.h"
#include "checkpoint/test_archives.h"

namespace sardonyx::checkpoint::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::StartsWith;

std::string file_of(const std::string& header, const std::string& data) {
  return little(static_cast<uint64_t>(header.size())) + header + data;
}
std::string entry(std::string_view name, std::string_view type, std::string_view shape, uint64_t begin, uint64_t end) {
  return "\"" + std::string(name) + "\":{\"dtype\":\"" + std::string(type) + "\",\"shape\":" + std::string(shape) + ",\"data_offsets\":[" +
         std::to_string(begin) + "," + std::to_string(end) + "]}";
}

TEST(Safetensors, ReadsTensorsAndMetadata) {
  const std::string file =
      file_of("{\"__metadata__\":{\"format\":\"pt\"}," + entry("b", "U8", "[2]", 8, 10) + "," + entry("a", "F32", "[2,1]", 0, 8) + "} ",
              floats({1.5, -2}) + "xy");
  const Checkpoint checkpoint = read(file);
  EXPECT_EQ(checkpoint.format, CheckpointFormat::kSafetensors);
  EXPECT_THAT(checkpoint.metadata, ElementsAre(Pair("format", "pt")));
  const StateDict state = load(file);
  EXPECT_EQ(state.begin()->first, "a");
  EXPECT_THAT(state.at("a").values<float>(), ElementsAre(1.5f, -2.0f));
  EXPECT_EQ(state.at("a").shape(), (Shape{2, 1}));
  EXPECT_THAT(state.at("b").values<uint8_t>(), ElementsAre('x', 'y'));
}

TEST(Safetensors, BrokenHeadersAreRefused) {
  const auto header_error = [](const std::string& header, size_t data) { return read_error(file_of(header, std::string(data, 'x'))); };
  EXPECT_EQ(header_error("{" + entry("a", "U8", "[2]", 0, 2) + "}", 2), "no error");
  EXPECT_THAT(header_error("{" + entry("a", "U8", "[2]", 0, 2) + "}", 3), HasSubstr("take 2 bytes, and the file has 3"));
  EXPECT_THAT(header_error("{" + entry("a", "U8", "[2]", 0, 2) + "}", 1), HasSubstr("take 2 bytes, and the file has 1"));
  EXPECT_THAT(header_error("{" + entry("a", "U8", "[2]", 1, 3) + "}", 3), HasSubstr("leaves a gap or overlaps at byte 0"));
  EXPECT_THAT(header_error("{" + entry("a", "U8", "[2]", 0, 2) + "," + entry("b", "U8", "[2]", 1, 3) + "}", 3),
              HasSubstr("overlaps at byte 2"));
  EXPECT_THAT(header_error("{" + entry("a", "U8", "[3]", 0, 2) + "}", 2), HasSubstr("of shape [3] has 2 bytes"));
  EXPECT_THAT(header_error("{" + entry("a", "U8", "[2]", 2, 0) + "}", 2), HasSubstr("not a range"));
  EXPECT_THAT(header_error("{" + entry("a", "U8", "[-2]", 0, 2) + "}", 2), HasSubstr("something else than whole numbers"));
  EXPECT_THAT(header_error("{" + entry("a", "U8", "[2.0]", 0, 2) + "}", 2), HasSubstr("something else than whole numbers"));
  EXPECT_THAT(header_error("{" + entry("a", "U8", "[9223372036854775807,9223372036854775807]", 0, 2) + "}", 2),
              StartsWith("ResourceLimit"));
  EXPECT_THAT(header_error("{" + entry("a", "U8", "[18446744073709551615]", 0, 2) + "}", 2), HasSubstr("whole numbers"));
  EXPECT_THAT(header_error("{" + entry("a", "Q3", "[2]", 0, 2) + "}", 2), AllOf(StartsWith("Unsupported"), HasSubstr("'Q3'")));
  EXPECT_THAT(header_error("{" + entry("a", "U8", "[1]", 0, 1) + "," + entry("a", "U8", "[1]", 1, 2) + "}", 2),
              HasSubstr("'a' appears twice"));
  EXPECT_THAT(header_error("{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[]}}", 2), HasSubstr("'dtype' appears twice"));
  EXPECT_THAT(header_error("{\"a\":{\"dtype\":\"U8\",\"shape\":[]}}", 2), HasSubstr("has not exactly"));
  EXPECT_THAT(header_error("{\"a\":{\"dtype\":\"U8\",\"shape\":[],\"x\":[]}}", 2), HasSubstr("has no data_offsets"));
  EXPECT_THAT(header_error("{\"a\":7}", 2), HasSubstr("has not exactly"));
  EXPECT_THAT(header_error("{\"__metadata__\":{\"k\":7}}", 0), HasSubstr("something else than a string"));
  EXPECT_THAT(header_error("{\"a\":", 2), HasSubstr("not JSON"));
  EXPECT_THAT(header_error("{\"\xFF\":7}", 2), HasSubstr("not JSON"));
  EXPECT_THAT(header_error("{\"a\":" + std::string(100'000, '[') + "}", 2), HasSubstr("nested too deep"));
}

TEST(Safetensors, SizesAreBounded) {
  const std::string file = file_of("{" + entry("a", "U8", "[1,1,1]", 0, 1) + "}", "x");
  CheckpointOptions options;
  options.limits.max_header_bytes = 10;
  EXPECT_THAT(read_error(file, options), HasSubstr("max_header_bytes"));
  options = {};
  options.limits.max_rank = 2;
  EXPECT_THAT(read_error(file, options), HasSubstr("max_rank"));
  options = {};
  options.limits.max_tensors = 0;
  EXPECT_THAT(read_error(file, options), HasSubstr("max_tensors"));
}

class SafetensorsFile : public ::testing::Test {
 protected:
  std::filesystem::path path_ = std::filesystem::path(::testing::TempDir()) / "sardonyx_test.safetensors";
  void TearDown() override { std::filesystem::remove(path_); }
};

TEST_F(SafetensorsFile, RoundTrip) {
  StateDict state;
  std::mt19937 random(7);
  for (int kind = 1; kind < kDTypeCount; ++kind) {
    const ElementType* type = element_type(static_cast<DType>(kind));
    if (type == nullptr || type->safetensors.empty()) continue;
    for (const Shape& shape : {Shape{}, Shape{3, 1}, Shape{0, 2}}) {
      Tensor tensor = Tensor::empty(shape, type->dtype);
      auto* bytes = static_cast<uint8_t*>(tensor.mutable_raw());
      for (size_t i = 0; i < tensor.byte_size(); ++i)
        bytes[i] = static_cast<uint8_t>(type->dtype == DType::kBool ? random() % 2 : random());
      state.set(std::string(type->torch) + to_string(shape), tensor);
    }
  }
  save_safetensors(path_, state, {{"format", "pt"}, {"quote\"", "\xC3\xA9"}});
  const Checkpoint checkpoint = read_checkpoint(path_);
  EXPECT_THAT(checkpoint.metadata, ElementsAre(Pair("format", "pt"), Pair("quote\"", "\xC3\xA9")));
  const StateDict loaded = state_dict_of(checkpoint.root);
  ASSERT_EQ(loaded.size(), state.size());
  for (const auto& [name, tensor] : state) {
    const Tensor& other = loaded.at(name);
    ASSERT_EQ(other.dtype(), tensor.dtype()) << name;
    ASSERT_EQ(other.shape(), tensor.shape()) << name;
    ASSERT_TRUE(std::equal(static_cast<const std::byte*>(tensor.raw()), static_cast<const std::byte*>(tensor.raw()) + tensor.byte_size(),
                           static_cast<const std::byte*>(other.raw())))
        << name;
    ASSERT_EQ(reinterpret_cast<uintptr_t>(other.raw()) % (item_size(tensor.dtype()) > 8 ? 8 : item_size(tensor.dtype())), 0u);
  }
}

TEST_F(SafetensorsFile, WhatTheFormatLacksIsRefused) {
  StateDict state;
  state.set("t", Tensor::zeros({2}, DType::kComplex128));
  EXPECT_THAT(error_of([&] { save_safetensors(path_, state); }),
              AllOf(StartsWith("Unsupported"), HasSubstr("'t'"), HasSubstr("complex128")));
  EXPECT_FALSE(std::filesystem::exists(path_));
  StateDict named;
  named.set("__metadata__", Tensor::zeros({2}));
  EXPECT_THAT(error_of([&] { save_safetensors(path_, named); }), StartsWith("InvalidArgument"));
}

TEST_F(SafetensorsFile, EmptyStateDict) {
  save_safetensors(path_, {});
  EXPECT_EQ(read_checkpoint(path_).root.size(), 0u);
}

}  // namespace
}  // namespace sardonyx::checkpoint::testing
