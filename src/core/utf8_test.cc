#include "core/utf8.h"

#include <gtest/gtest.h>

namespace sardonyx::core {
namespace {

TEST(Utf8, KnowsTheLengthOfSequences) {
  EXPECT_EQ(utf8_length("a", 0), 1u);
  EXPECT_EQ(utf8_length("\xc3\xa9", 0), 2u);
  EXPECT_EQ(utf8_length("\xe2\x82\xac", 0), 3u);
  EXPECT_EQ(utf8_length("\xf0\x9f\x98\x80", 0), 4u);
}

TEST(Utf8, RefusesWhatUnicodeDoes) {
  for (const char* text :
       {"\x80", "\xc0\xaf", "\xc3", "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf7\xbf\xbf\xbf", "\xff"}) {
    EXPECT_FALSE(is_utf8(text)) << text;
  }
  EXPECT_TRUE(is_utf8("z\xc3\xa9\xe2\x82\xac"));
  EXPECT_TRUE(is_utf8(""));
}

}  // namespace
}  // namespace sardonyx::core
