#include <random>

#include "checkpoint/test_archives.h"
#include "checkpoint/zip_reader.h"

namespace sardonyx::checkpoint::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::vector<ZipItem> kItems = {{"a/data.pkl", pickle("N")}, {"a/data/0", "contents of zero"}, {"a/version", "3\n"}};

std::string error_with(const std::function<void(ZipFields&)>& edit) { return read_error(zip(kItems, edit)); }

std::string contents_of(const std::string& file, std::string_view name, bool verify = true, uint64_t budget_bytes = 1 << 20) {
  const ZipReader reader({bytes_of(file), nullptr}, 100);
  CopyBudget budget(budget_bytes);
  const Bytes contents = reader.contents(*reader.find(name), verify, budget);
  return {reinterpret_cast<const char*>(contents.data.data()), contents.data.size()};
}

TEST(Zip, StoredEntriesAreViews) {
  const std::string file = zip(kItems);
  const ZipReader reader({bytes_of(file), nullptr}, 100);
  CopyBudget budget(0);
  const Bytes contents = reader.contents(*reader.find("a/data/0"), true, budget);
  EXPECT_GE(reinterpret_cast<const char*>(contents.data.data()), file.data());
  EXPECT_LT(reinterpret_cast<const char*>(contents.data.data()), file.data() + file.size());
  EXPECT_EQ(contents_of(file, "a/data/0"), "contents of zero");
  EXPECT_EQ(reader.find("a/data/1"), nullptr);
}

TEST(Zip, DeflatedEntriesAreInflatedWithinTheBudget) {
  const std::string big(100'000, 'x');
  const std::string file = zip({{"a", big, true}, {"b", "", true}, {"c", "tail", true}});
  EXPECT_EQ(contents_of(file, "a"), big);
  EXPECT_EQ(contents_of(file, "b"), "");
  EXPECT_EQ(contents_of(file, "c"), "tail");
  EXPECT_THAT(error_of([&] { contents_of(file, "a", true, 99'999); }), AllOf(StartsWith("ResourceLimit"), HasSubstr("max_copied_bytes")));
}

TEST(Zip, DeclaredSizesMustComeOutExactly) {
  const auto sized = [](int difference) {
    return zip({{"a", std::string(1000, 'x'), true}},
               [=](ZipFields& f) { f.size = f.local_size = static_cast<uint32_t>(1000 + difference); });
  };
  EXPECT_EQ(error_of([&] { contents_of(sized(0), "a", false); }), "no error");
  EXPECT_THAT(error_of([&] { contents_of(sized(1), "a", false); }), HasSubstr("is damaged"));
  EXPECT_THAT(error_of([&] { contents_of(sized(-1), "a", false); }), HasSubstr("is damaged"));
  EXPECT_THAT(error_of([&] { contents_of(sized(2'000'000'000), "a", false, ~uint64_t{0}); }), HasSubstr("more bytes than it can hold"));
  const std::string longer = zip({{"a", "xyz", true}}, [](ZipFields& f) {
    f.data += "junk";
    f.stored_size += 4;
  });
  EXPECT_THAT(error_of([&] { contents_of(longer, "a", false); }), HasSubstr("is damaged"));
}

TEST(Zip, CrcIsChecked) {
  const std::string wrong = zip(kItems, [](ZipFields& f) { f.crc ^= 1; });
  EXPECT_THAT(error_of([&] { contents_of(wrong, "a/data/0"); }),
              AllOf(StartsWith("InvalidModel"), HasSubstr("CRC-32"), HasSubstr("verify_crc_up_to")));
  EXPECT_EQ(contents_of(wrong, "a/data/0", false), "contents of zero");
  EXPECT_THAT(read_error(wrong), HasSubstr("CRC-32"));
  CheckpointOptions options;
  options.verify_crc_up_to = 0;
  EXPECT_EQ(read_error(wrong, options), "no error");
}

TEST(Zip, HostileDirectoriesAreRefused) {
  const auto second = [](const std::function<void(ZipFields&)>& edit) {
    return error_with([=](ZipFields& f) {
      if (f.name == "a/data/0") edit(f);
    });
  };
  EXPECT_EQ(second([](ZipFields&) {}), "no error");
  EXPECT_THAT(second([](ZipFields& f) { f.name = f.local_name = "a/version"; }), HasSubstr("two entries named 'a/version'"));
  EXPECT_THAT(second([](ZipFields& f) { f.name = f.local_name = "a/../b"; }), HasSubstr("entry named 'a/../b'"));
  EXPECT_THAT(second([](ZipFields& f) { f.name = f.local_name = "/etc"; }), HasSubstr("entry named"));
  EXPECT_THAT(second([](ZipFields& f) { f.name = f.local_name = ""; }), HasSubstr("entry named"));
  EXPECT_THAT(second([](ZipFields& f) { f.name = f.local_name = "a\0b"s; }), HasSubstr("entry named 'a\\x00b'"));
  EXPECT_THAT(second([](ZipFields& f) { f.flags = f.local_flags = 1; }), HasSubstr("encrypted"));
  EXPECT_THAT(second([](ZipFields& f) { f.flags = f.local_flags = 1 << 13; }), HasSubstr("with flags 8192"));
  EXPECT_THAT(second([](ZipFields& f) { f.method = 12; }), HasSubstr("compression method 12"));
  EXPECT_THAT(second([](ZipFields& f) { f.disk = 1; }), HasSubstr("several disks"));
  EXPECT_THAT(second([](ZipFields& f) { f.size = f.local_size = 5; }), HasSubstr("two sizes"));
  EXPECT_THAT(second([](ZipFields& f) { f.local_size = 5; }), HasSubstr("described differently"));
  EXPECT_THAT(second([](ZipFields& f) { f.local_name = "a/data/9"; }), HasSubstr("described differently"));
  EXPECT_THAT(second([](ZipFields& f) { f.local_flags = 1 << 11; }), HasSubstr("described differently"));
  EXPECT_THAT(second([](ZipFields& f) { f.offset = 0; }), HasSubstr("described differently"));
  EXPECT_THAT(second([](ZipFields& f) { f.offset += 1; }), HasSubstr("does not begin where"));
  EXPECT_THAT(second([](ZipFields& f) { f.offset = 1 << 30; }), HasSubstr("truncated"));
  EXPECT_THAT(second([](ZipFields& f) { f.size = f.local_size = f.stored_size = 1 << 30; }), HasSubstr("reaches beyond its end"));
}

TEST(Zip, OverlappingEntriesAreRefused) {
  // The first entry's data reaches over the second's header.
  const std::string file = zip({{"a/data.pkl", pickle("N")}, {"a/b", "bb"}}, [](ZipFields& f) {
    if (f.name == "a/data.pkl") f.size = f.local_size = f.stored_size = 40;
  });
  EXPECT_THAT(read_error(file), HasSubstr("entries 'a/data.pkl' and 'a/b' overlap"));
}

TEST(Zip, CountsAreBounded) {
  CheckpointOptions options;
  options.limits.max_entries = 2;
  EXPECT_THAT(read_error(zip(kItems), options), AllOf(StartsWith("ResourceLimit"), HasSubstr("max_entries")));
  std::string file = zip(kItems);
  file[file.size() - 12] = file[file.size() - 14] = '\x7F';
  EXPECT_THAT(read_error(file), HasSubstr("too small for 127 entries"));
}

TEST(Zip, OddEndsAreRefused) {
  EXPECT_THAT(read_error(zip(kItems) + "x"), HasSubstr("end record is missing"));
  std::string comment = zip(kItems);
  comment[comment.size() - 2] = 3;
  EXPECT_EQ(read_error(comment + "xyz"), "no error");
  EXPECT_THAT(read_error(comment + "xyzzy"), HasSubstr("end record is missing"));
  std::string moved = zip(kItems);
  moved.insert(moved.size() - 22, "gap");
  EXPECT_THAT(read_error(moved), HasSubstr("directory does not end"));
  EXPECT_THAT(read_error("PK\x05\x06" + std::string(18, '\0')), HasSubstr("no data.pkl in its top folder, but nothing at all"));
}

TEST(Zip, SizesMayFollowTheData) {
  // Flag bit 3: the local header leaves CRC and sizes open. Local CRC and stored size are those of the directory here, the size is zero.
  const std::string file = zip(kItems, [](ZipFields& f) {
    f.flags = f.local_flags = 1 << 3;
    f.local_size = 0;
  });
  EXPECT_EQ(read_error(file), "no error");
}

}  // namespace
}  // namespace sardonyx::checkpoint::testing
