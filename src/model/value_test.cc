#include "sardonyx/value.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/expect_error.h"

namespace sardonyx::model {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// A field of protobuf: a small number as varint, or a short string of bytes.
std::string field(int number, int value) { return {static_cast<char>(number << 3), static_cast<char>(value)}; }
std::string field(int number, const std::string& bytes) {
  return std::string{static_cast<char>(number << 3 | 2), static_cast<char>(bytes.size())} + bytes;
}

std::string tensor(float value) {
  const Tensor one = Tensor::of<float>({1}, {value});
  return serialize(encode(one));
}

Type sequence_type() {
  Type type;
  type.value = SequenceType();
  return type;
}
Type map_type() {
  Type type;
  type.value = MapType();
  return type;
}
Type optional_type() {
  Type type;
  type.value = OptionalType();
  return type;
}

Tensor parsed(const std::string& bytes, const Type& type) { return parse_value(bytes, nullptr, type); }

const std::string kTwo = field(2, 1) + field(3, tensor(1)) + field(3, tensor(2));

TEST(Value, SequencesHoldTheirItems) {
  const Tensor two = parsed(kTwo, sequence_type());
  ASSERT_EQ(two.tensors().size(), 2U);
  EXPECT_EQ(two.tensors()[1].item<float>(), 2);
  EXPECT_TRUE(parsed(field(2, 1), sequence_type()).tensors().empty());
  const Tensor nested = parsed(field(2, 3) + field(5, kTwo) + field(5, field(2, 1)), sequence_type());
  EXPECT_EQ(nested.tensors()[0].tensors().size(), 2U);
  EXPECT_EQ(nested.tensors()[1].tensors().size(), 0U);
  EXPECT_THAT(error_of([] { parsed("", sequence_type()); }, ErrorCode::kInvalidModel), HasSubstr("unknown kind of items 0"));
  EXPECT_THAT(error_of([] { parsed(field(2, 1) + field(3, field(2, 1) + field(1, 5)), sequence_type()); }, ErrorCode::kInvalidModel),
              HasSubstr("item 0"));
}

TEST(Value, MapsHoldKeysAndValues) {
  const Tensor map = parsed(field(2, 7) + field(3, 5) + field(3, 6) + field(5, kTwo), map_type());
  EXPECT_THAT(map.tensors()[0].values<int64_t>(), ElementsAre(5, 6));
  EXPECT_THAT(map.tensors()[1].values<float>(), ElementsAre(1, 2));
  const Tensor words = parsed(field(2, 8) + field(4, "ab") + field(4, "c") + field(5, kTwo), map_type());
  EXPECT_THAT(words.tensors()[0].strings(), ElementsAre("ab", "c"));
  EXPECT_THAT(error_of([] { parsed(field(2, 7) + field(3, 5) + field(5, kTwo), map_type()); }, ErrorCode::kInvalidModel),
              HasSubstr("1 keys and 2 values"));
  EXPECT_THAT(error_of([] { parsed(field(2, 1) + field(5, kTwo), map_type()); }, ErrorCode::kInvalidModel),
              HasSubstr("keys of the type 1"));
}

TEST(Value, OptionalsHoldAValueOrNone) {
  EXPECT_EQ(parsed(field(2, 1) + field(3, tensor(4)), optional_type()).item<float>(), 4);
  EXPECT_EQ(parsed(field(2, 3) + field(5, kTwo), optional_type()).tensors().size(), 2U);
  EXPECT_FALSE(parsed(field(2, 1), optional_type()).defined());
  EXPECT_FALSE(parsed("", optional_type()).defined());
  EXPECT_THAT(error_of([] { parsed(field(4, ""), optional_type()); }, ErrorCode::kUnsupported), HasSubstr("sparse"));
}

TEST(Value, NestingIsLimited) {
  std::string deep = field(2, 1);
  for (int i = 0; i < 40; ++i) deep = field(7, deep);
  ReadLimits limits;
  limits.max_depth = 20;
  error_of([&] { parse_value(deep, nullptr, optional_type(), limits); }, ErrorCode::kResourceLimit);
  EXPECT_FALSE(parsed(deep, optional_type()).defined());
}

}  // namespace
}  // namespace sardonyx::model
