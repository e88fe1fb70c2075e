#include "schema/schema.h"

#include <gtest/gtest.h>

namespace sardonyx::schema {
namespace {

TEST(Schema, FindsTheVersionThatAnOpsetMeans) {
  EXPECT_EQ(find("", "Conv", 10)->since_version(), 1);
  EXPECT_EQ(find("ai.onnx", "Conv", 11)->since_version(), 11);
  EXPECT_EQ(find("", "Conv", kLatestOpset)->since_version(), 22);
  EXPECT_FALSE(find("", "Conv", 0));
  EXPECT_FALSE(find("", "Convolution", 20));
  EXPECT_FALSE(find("com.example", "Conv", 20));
  EXPECT_FALSE(find("", "DepthToSpace", 0));
  EXPECT_EQ(find_first("", "Gelu")->since_version(), 20);
}

TEST(Schema, KnowsParametersAttributesAndTypes) {
  const Schema conv = *find("", "Conv", 22);
  EXPECT_EQ(conv.min_inputs(), 2u);
  EXPECT_EQ(conv.max_inputs(), 3u);
  EXPECT_EQ(conv.input(2).name, "B");
  EXPECT_EQ(conv.input(2).option, Option::kOptional);
  EXPECT_EQ(conv.output(0).type, "T");
  EXPECT_TRUE(conv.allows("T", "tensor(bfloat16)"));
  EXPECT_FALSE(conv.allows("T", "tensor(int32)"));
  EXPECT_EQ(conv.find_attribute("group")->default_value, "1");
  EXPECT_EQ(conv.find_attribute("auto_pad")->type, model::Attribute::Type::kString);
  EXPECT_FALSE(conv.find_attribute("padding"));
  EXPECT_TRUE(find("", "DepthToSpace", 13)->find_attribute("blocksize")->required);
  EXPECT_EQ(find("", "Concat", 13)->max_inputs(), SIZE_MAX);
  EXPECT_TRUE(find("", "Upsample", 10)->deprecated());
  EXPECT_TRUE(find("", "RandomNormal", 10)->non_deterministic());
  EXPECT_TRUE(find("", "Gelu", 20)->is_function());
  EXPECT_TRUE(find("", "Reshape", 13)->allows("tensor(int64)", "tensor(int64)"));
}

TEST(Schema, TableIsSortedAndSmall) {
  for (size_t i = 1; i < schema_count(); ++i) {
    const Schema before(i - 1), here(i);
    EXPECT_LT(std::tuple(before.domain(), before.name(), before.since_version()),
              std::tuple(here.domain(), here.name(), here.since_version()));
  }
  EXPECT_GE(schema_count(), 600u);
  EXPECT_LT(table_bytes(), 100000u);
  EXPECT_TRUE(is_standard_domain("ai.onnx.ml"));
  EXPECT_FALSE(is_standard_domain("com.microsoft"));
  EXPECT_EQ(latest_version("ai.onnx"), 27);
  EXPECT_EQ(latest_version("ai.onnx.ml"), 5);
  EXPECT_EQ(latest_version("com.microsoft"), 0);
}

TEST(Schema, KnowsTheIrVersionOfReleases) {
  EXPECT_EQ(ir_version_of("", 7), 3);
  EXPECT_EQ(ir_version_of("ai.onnx", 17), 8);
  EXPECT_EQ(ir_version_of("", 27), 13);
  EXPECT_EQ(ir_version_of("ai.onnx.ml", 4), 9);
  EXPECT_EQ(ir_version_of("com.example", 1), 3);
}

}  // namespace
}  // namespace sardonyx::schema
