#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "sardonyx/error.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace sardonyx::wire {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr Limits kLimits{.depth = 3, .messages = 10, .elements = 100, .memory = 4096};

std::string bytes_of(std::initializer_list<int> values) {
  std::string bytes;
  for (const int value : values) bytes.push_back(static_cast<char>(value));
  return bytes;
}

std::vector<Field> read_all(const std::string& bytes) {
  Reader reader(bytes, bytes.data());
  std::vector<Field> fields;
  Field field;
  while (reader.next(field)) fields.push_back(field);
  return fields;
}

ErrorCode code_of(const std::function<void()>& body, std::string* message = nullptr) {
  try {
    body();
  } catch (const Error& error) {
    if (message != nullptr) *message = error.what();
    return error.code();
  }
  ADD_FAILURE() << "nothing was thrown";
  return ErrorCode::kInternal;
}

void expect_invalid(const std::string& bytes, const std::string& part) {
  std::string message;
  EXPECT_EQ(code_of([&] { read_all(bytes); }, &message), ErrorCode::kInvalidModel);
  EXPECT_THAT(message, HasSubstr(part));
}

// Both passes over the same calls.
template <class Body>
std::string write(Body&& body) {
  SizeCounter counter;
  body(counter);
  std::string bytes;
  Writer writer(counter.lengths(), [&](std::string_view piece) { bytes.append(piece); });
  body(writer);
  writer.flush();
  EXPECT_EQ(bytes.size(), counter.total());
  return bytes;
}

TEST(WireReader, ReadsEveryWireType) {
  const std::string bytes = bytes_of({0x08, 0x96, 0x01,                             // 1: varint 150
                                      0x11, 1,    0,    0,    0,    0, 0, 0, 0x80,  // 2: fixed64
                                      0x1a, 2,    'h',  'i',                        // 3: bytes
                                      0x25, 0,    0,    0x80, 0x3f,                 // 4: fixed32 1.0f
                                      0xa8, 0x06, 1});                              // 101: varint
  const std::vector<Field> fields = read_all(bytes);
  ASSERT_EQ(fields.size(), 5u);
  EXPECT_EQ(fields[0].value, 150u);
  EXPECT_EQ(fields[1].value, 0x8000000000000001u);
  EXPECT_EQ(fields[2].bytes, "hi");
  EXPECT_EQ(fields[3].value, 0x3f800000u);
  EXPECT_EQ(fields[4].number, 101u);
  std::string joined;
  for (const Field& field : fields) joined.append(field.whole);
  EXPECT_EQ(joined, bytes);
}

TEST(WireReader, CountsARunAheadWithoutMoving) {
  const std::string bytes = bytes_of({0x08, 1, 0x08, 2, 0x08, 3, 0x10, 4, 0x08, 5});
  Reader reader(bytes, bytes.data());
  EXPECT_EQ(reader.count_run(1), 3u);
  EXPECT_EQ(reader.count_run(2), 0u);
  Field field;
  ASSERT_TRUE(reader.next(field));
  EXPECT_EQ(field.value, 1u);
  EXPECT_EQ(reader.count_run(1), 2u);
}

TEST(WireReader, SkipsGroupsAsAWhole) {
  const std::string bytes = bytes_of({0x0b, 0x13, 0x08, 1, 0x14, 0x1a, 1, 'x', 0x0c, 0x08, 7});
  const std::vector<Field> fields = read_all(bytes);
  ASSERT_EQ(fields.size(), 2u);
  EXPECT_EQ(fields[0].type, WireType::kGroup);
  EXPECT_EQ(fields[0].whole.size(), 9u);
  EXPECT_EQ(fields[1].value, 7u);
}

TEST(WireReader, RefusesWhatIsMalformed) {
  expect_invalid(bytes_of({0x08}), "byte 1: a varint runs past the end");
  expect_invalid(bytes_of({0x08, 0x80, 0x80}), "a varint runs past the end");
  expect_invalid(bytes_of({0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}), "longer than 10 bytes");
  expect_invalid(bytes_of({0x00, 0x01}), "names no field");
  expect_invalid(bytes_of({0x80, 0x80, 0x80, 0x80, 0x80, 0x01, 0}), "names no field");
  expect_invalid(bytes_of({0x0e}), "wire type 6");
  expect_invalid(bytes_of({0x0a, 0x05, 'a'}), "a field of 5 bytes in a message with 1 bytes left");
  expect_invalid(bytes_of({0x11, 0, 0}), "a field of 8 bytes");
  expect_invalid(bytes_of({0x15, 0, 0}), "a field of 4 bytes");
  expect_invalid(bytes_of({0x0c}), "a group ends that was not begun");
  expect_invalid(bytes_of({0x0b, 0x08, 1}), "group 1 is not closed");
  expect_invalid(bytes_of({0x0b, 0x14}), "group 1 is closed as 2");
}

TEST(WireReader, ALengthBeyond32BitsIsNotCutOff) {
  expect_invalid(bytes_of({0x0a, 0x81, 0x80, 0x80, 0x80, 0x10, 'a'}), "a field of 4294967297 bytes");
  expect_invalid(bytes_of({0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}), "a field of 18446744073709551615 bytes");
}

TEST(WireReader, GroupNestingIsBounded) {
  EXPECT_EQ(code_of([] { read_all(std::string(1000, '\x0b')); }), ErrorCode::kResourceLimit);
}

TEST(WireReader, PackedFieldsOfEveryType) {
  Budget budget(kLimits);
  const auto read = [&]<class T>(std::string_view payload, std::vector<T> out) {
    read_packed(payload, payload.data(), budget, out);
    return out;
  };
  const std::string varints = bytes_of({1, 0x96, 0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01});
  EXPECT_THAT(read(varints, std::vector<int64_t>{9}), ElementsAre(9, 1, 150, -1));
  EXPECT_THAT(read(varints, std::vector<int32_t>{}), ElementsAre(1, 150, -1));
  EXPECT_THAT(read(varints, std::vector<uint64_t>{}), ElementsAre(1, 150, std::numeric_limits<uint64_t>::max()));
  EXPECT_THAT(read(bytes_of({0, 0, 0x80, 0x3f}), std::vector<float>{}), ElementsAre(1.0f));
  EXPECT_THAT(read(bytes_of({0, 0, 0, 0, 0, 0, 0xf0, 0x3f}), std::vector<double>{2}), ElementsAre(2.0, 1.0));
  EXPECT_EQ(code_of([&] { read(bytes_of({1, 2, 3}), std::vector<float>{}); }), ErrorCode::kInvalidModel);
  EXPECT_EQ(code_of([&] { read(bytes_of({1, 0x80}), std::vector<int64_t>{}); }), ErrorCode::kInvalidModel);
}

TEST(WireBudget, EachLimitIsKept) {
  std::string message;
  Budget messages(kLimits);
  for (int i = 0; i < 10; ++i) messages.take_message(1);
  EXPECT_EQ(code_of([&] { messages.take_message(1); }, &message), ErrorCode::kResourceLimit);
  EXPECT_THAT(message, HasSubstr("more than 10 messages"));

  Budget elements(kLimits);
  elements.take_elements(100, 8);
  EXPECT_EQ(code_of([&] { elements.take_elements(1, 8); }), ErrorCode::kResourceLimit);

  Budget memory(kLimits);
  memory.expect_memory(512, 8);
  EXPECT_EQ(code_of([&] { memory.expect_memory(std::numeric_limits<size_t>::max(), 8); }), ErrorCode::kResourceLimit);
  memory.take_memory(4096);
  EXPECT_EQ(code_of([&] { memory.take_memory(1); }, &message), ErrorCode::kResourceLimit);
  EXPECT_THAT(message, HasSubstr("more than 4096 bytes of memory"));

  Budget depth(kLimits);
  const Budget::Level one(depth);
  const Budget::Level two(depth);
  { const Budget::Level three(depth); }
  const Budget::Level three(depth);
  EXPECT_EQ(code_of([&] { const Budget::Level four(depth); }), ErrorCode::kResourceLimit);
}

TEST(WireWriter, VarintSizes) {
  for (int bits = 0; bits <= 64; ++bits) {
    const uint64_t value = bits == 0 ? 0 : std::numeric_limits<uint64_t>::max() >> (64 - bits);
    const std::string bytes = write([&](auto& out) { out.bare_varint(value); });
    EXPECT_EQ(bytes.size(), varint_size(value)) << value;
    Reader reader(bytes, bytes.data());
  }
}

TEST(WireWriter, NestedMessagesReadBack) {
  const std::string big(100000, 'b');
  const std::string bytes = write([&](auto& out) {
    out.varint(1, 300);
    out.nested(2, [&] {
      out.nested(3, [] {});
      out.bytes(4, big);
      out.nested(5, [&] { out.bare_varint(7); });
    });
    out.fixed32(6, 0x3f800000);
    out.bare_bytes("\x3a\x01z");
  });
  const std::vector<Field> fields = read_all(bytes);
  ASSERT_EQ(fields.size(), 4u);
  EXPECT_EQ(fields[0].value, 300u);
  EXPECT_EQ(fields[2].value, 0x3f800000u);
  EXPECT_EQ(fields[3].bytes, "z");
  const std::string inner(fields[1].bytes);
  const std::vector<Field> nested = read_all(inner);
  ASSERT_EQ(nested.size(), 3u);
  EXPECT_EQ(nested[0].bytes, "");
  EXPECT_EQ(nested[1].bytes, big);
  EXPECT_EQ(nested[2].bytes, "\x07");
}

}  // namespace
}  // namespace sardonyx::wire
