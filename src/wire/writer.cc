#include "wire/writer.h"

#include <protozero/varint.hpp>

#include "wire/reader.h"

namespace sardonyx::wire {
namespace {

constexpr size_t kBufferBytes = size_t{1} << 16;

uint64_t tag(uint32_t number, WireType type) { return uint64_t{number} << 3 | static_cast<uint64_t>(type); }

}  // namespace

size_t varint_size(uint64_t value) noexcept { return (static_cast<size_t>(std::bit_width(value | 1)) + 6) / 7; }

void Writer::bare_varint(uint64_t value) {
  char encoded[protozero::max_varint_length];
  const int size = protozero::write_varint(encoded, value);
  bare_bytes({encoded, static_cast<size_t>(size)});
}

void Writer::bare_bytes(std::string_view bytes) {
  if (pending_.size() + bytes.size() > kBufferBytes) flush();
  if (bytes.size() > kBufferBytes) {
    sink_(bytes);
  } else {
    pending_.append(bytes);
  }
}

void Writer::flush() {
  if (!pending_.empty()) sink_(pending_);
  pending_.clear();
}

void Writer::varint(uint32_t number, uint64_t value) {
  bare_varint(tag(number, WireType::kVarint));
  bare_varint(value);
}

void Writer::fixed32(uint32_t number, uint32_t bits) {
  bare_varint(tag(number, WireType::kFixed32));
  bare_bytes({reinterpret_cast<const char*>(&bits), sizeof(bits)});
}

void Writer::bytes(uint32_t number, std::string_view payload) {
  bare_varint(tag(number, WireType::kBytes));
  bare_varint(payload.size());
  bare_bytes(payload);
}

void Writer::begin(uint32_t number) {
  bare_varint(tag(number, WireType::kBytes));
  bare_varint(lengths_[next_length_++]);
}

}  // namespace sardonyx::wire
