#include "wire/reader.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <protozero/varint.hpp>
#include <type_traits>

#include "sardonyx/error.h"

namespace sardonyx::wire {
namespace {

constexpr size_t kMaxGroupDepth = 64;

[[noreturn]] void fail_at(const char* at, const char* origin, const std::string& reason) {
  throw Error(ErrorCode::kInvalidModel,
              "byte " + std::to_string(at - origin) + ": " + reason + ": the bytes are damaged, cut short, or not of this format");
}

void expect(size_t left, size_t limit, size_t amount, const char* what) {
  if (amount <= left) return;
  throw Error(ErrorCode::kResourceLimit,
              "more than " + std::to_string(limit) + " " + what + ": raise the read limits if the file is trusted");
}

size_t saturating_product(size_t a, size_t b) {
  size_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? std::numeric_limits<size_t>::max() : product;
}

}  // namespace

void Budget::take_message(size_t bytes) {
  expect(left_.messages, limits_.messages, 1, "messages");
  --left_.messages;
  take_memory(bytes);
}

void Budget::take_elements(size_t count, size_t bytes_each) {
  expect(left_.elements, limits_.elements, count, "elements of repeated fields");
  left_.elements -= count;
  take_memory(saturating_product(count, bytes_each));
}

void Budget::take_memory(size_t bytes) {
  expect_memory(bytes, 1);
  left_.memory -= bytes;
}

void Budget::expect_memory(size_t count, size_t bytes_each) const {
  expect(left_.memory, limits_.memory, saturating_product(count, bytes_each), "bytes of memory for the decoded message");
}

Budget::Level::Level(Budget& budget) : budget_(budget) {
  if (budget.left_.depth <= 0) {
    throw Error(ErrorCode::kResourceLimit, "messages are nested deeper than " + std::to_string(budget.limits_.depth) +
                                               " levels: raise the read limits if the file is trusted");
  }
  --budget.left_.depth;
}

void Reader::fail(const std::string& reason) const { fail_at(at_, origin_, reason); }

uint64_t Reader::varint() {
  try {
    return protozero::decode_varint(&at_, end_);
  } catch (const protozero::end_of_buffer_exception&) {
    fail("a varint runs past the end of its message");
  } catch (const protozero::varint_too_long_exception&) {
    fail("a varint is longer than 10 bytes");
  }
}

std::string_view Reader::take(uint64_t size) {
  const auto left = static_cast<uint64_t>(end_ - at_);
  if (size > left) {
    fail("a field of " + std::to_string(size) + " bytes in a message with " + std::to_string(left) + " bytes left");
  }
  const std::string_view taken(at_, static_cast<size_t>(size));
  at_ += size;
  return taken;
}

void Reader::read_tag(Field& field) {
  const uint64_t tag = varint();
  if (tag > std::numeric_limits<uint32_t>::max() || tag >> 3 == 0) fail("the tag " + std::to_string(tag) + " names no field");
  if ((tag & 7) > 5) fail("wire type " + std::to_string(tag & 7) + " does not exist");
  field.number = static_cast<uint32_t>(tag >> 3);
  field.type = static_cast<WireType>(tag & 7);
}

void Reader::read_value(Field& field) {
  switch (field.type) {
    case WireType::kVarint:
      field.value = varint();
      break;
    case WireType::kFixed64:
      std::memcpy(&field.value, take(8).data(), 8);
      break;
    case WireType::kBytes:
      field.bytes = take(varint());
      break;
    case WireType::kFixed32: {
      uint32_t bits = 0;
      std::memcpy(&bits, take(4).data(), 4);
      field.value = bits;
      break;
    }
    case WireType::kGroup:
      skip_group(field.number);
      break;
    case WireType::kEndGroup:
      fail("a group ends that was not begun");
  }
}

bool Reader::next(Field& field) {
  if (at_ == end_) return false;
  const char* start = at_;
  read_tag(field);
  read_value(field);
  field.whole = {start, static_cast<size_t>(at_ - start)};
  return true;
}

size_t Reader::count_run(uint32_t number) const {
  Reader ahead = *this;
  Field field;
  size_t count = 0;
  while (ahead.next(field) && field.number == number) ++count;
  return count;
}

void Reader::skip_group(uint32_t number) {
  std::vector<uint32_t> open = {number};
  Field field;
  while (!open.empty()) {
    if (at_ == end_) fail("group " + std::to_string(open.back()) + " is not closed");
    read_tag(field);
    if (field.type == WireType::kGroup) {
      if (open.size() == kMaxGroupDepth) {
        throw Error(ErrorCode::kResourceLimit, "groups are nested deeper than " + std::to_string(kMaxGroupDepth) + " levels");
      }
      open.push_back(field.number);
    } else if (field.type == WireType::kEndGroup) {
      if (field.number != open.back()) fail("group " + std::to_string(open.back()) + " is closed as " + std::to_string(field.number));
      open.pop_back();
    } else {
      read_value(field);
    }
  }
}

template <class T>
void read_packed(std::string_view payload, const char* origin, Budget& budget, std::vector<T>& out) {
  // Only the first piece is reserved for exactly: a field cut into many pieces must grow geometrically.
  const auto grow = [&](size_t count) {
    budget.take_elements(count, sizeof(T));
    if (out.empty()) out.reserve(count);
  };
  if constexpr (std::is_floating_point_v<T>) {
    if (payload.size() % sizeof(T) != 0) {
      fail_at(payload.data(), origin,
              "a packed field of " + std::to_string(payload.size()) + " bytes for elements of " + std::to_string(sizeof(T)) + " bytes");
    }
    const size_t count = payload.size() / sizeof(T);
    if (count == 0) return;
    grow(count);
    const size_t before = out.size();
    out.resize(before + count);
    std::memcpy(out.data() + before, payload.data(), payload.size());
  } else {
    grow(static_cast<size_t>(
        std::count_if(payload.begin(), payload.end(), [](char c) { return (static_cast<unsigned char>(c) & 0x80) == 0; })));
    const char* at = payload.data();
    const char* end = at + payload.size();
    try {
      while (at != end) out.push_back(static_cast<T>(protozero::decode_varint(&at, end)));
    } catch (const protozero::exception&) {
      fail_at(at, origin, "a packed field holds a broken varint");
    }
  }
}

template void read_packed(std::string_view, const char*, Budget&, std::vector<float>&);
template void read_packed(std::string_view, const char*, Budget&, std::vector<double>&);
template void read_packed(std::string_view, const char*, Budget&, std::vector<int32_t>&);
template void read_packed(std::string_view, const char*, Budget&, std::vector<int64_t>&);
template void read_packed(std::string_view, const char*, Budget&, std::vector<uint64_t>&);

}  // namespace sardonyx::wire
