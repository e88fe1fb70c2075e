#include "checkpoint/pickle_text.h"

#include <algorithm>
#include <charconv>
#include <vector>

#include "checkpoint/text.h"
#include "sardonyx/error.h"

namespace sardonyx::checkpoint {

namespace {

constexpr size_t kLongestNumber = 1024;

[[noreturn]] void not_a(std::string_view what, std::string_view text) {
  throw Error(ErrorCode::kInvalidModel, "the pickle is broken: " + quote(text) + " is not a " + std::string(what));
}

template <class T>
std::optional<T> parse(std::string_view text) noexcept {
  T value{};
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stopped != end) return std::nullopt;
  return value;
}

std::optional<uint32_t> parse_hex(std::string_view text) noexcept {
  uint32_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value, 16);
  if (error != std::errc() || stopped != end) return std::nullopt;
  return value;
}

// Divides the number (little-endian bytes, no sign) by 10^9 in place, and returns the remainder.
uint32_t divide(std::vector<uint8_t>& number) noexcept {
  constexpr uint64_t kBase = 1'000'000'000;
  uint64_t rest = 0;
  for (size_t i = number.size(); i-- > 0;) {
    rest = rest << 8 | number[i];
    number[i] = static_cast<uint8_t>(rest / kBase);
    rest %= kBase;
  }
  while (!number.empty() && number.back() == 0) number.pop_back();
  return static_cast<uint32_t>(rest);
}

void negate(std::vector<uint8_t>& number) noexcept {
  unsigned carry = 1;
  for (uint8_t& byte : number) {
    carry += static_cast<uint8_t>(~byte);
    byte = static_cast<uint8_t>(carry);
    carry >>= 8;
  }
}

// The character that `\<letter>` stands for; 0 if none.
char simple_escape(char letter) noexcept {
  switch (letter) {
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'a':
      return '\a';
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'v':
      return '\v';
    case '\\':
    case '\'':
    case '"':
      return letter;
    default:
      return 0;
  }
}

}  // namespace

int64_t parse_int(std::string_view text) {
  const auto value = parse<int64_t>(text);
  if (!value) not_a("64-bit integer", text);
  return *value;
}

uint64_t parse_index(std::string_view text) {
  const auto value = parse<uint64_t>(text);
  if (!value) not_a("memo index", text);
  return *value;
}

double parse_float(std::string_view text) {
  const auto value = parse<double>(text);
  if (!value) not_a("float", text);
  return *value;
}

bool fits_int64(std::string_view text) noexcept { return parse<int64_t>(text).has_value(); }

std::string_view checked_digits(std::string_view text) {
  const std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (digits.empty() || text.size() > kLongestNumber || !std::ranges::all_of(digits, is_digit)) not_a("decimal number", text);
  return text;
}

std::optional<int64_t> small_long(std::span<const std::byte> bytes) noexcept {
  if (bytes.size() > sizeof(int64_t)) return std::nullopt;
  if (bytes.empty()) return 0;
  uint64_t value = (std::to_integer<uint8_t>(bytes.back()) & 0x80) != 0 ? ~uint64_t{0} : 0;
  for (size_t i = bytes.size(); i-- > 0;) value = value << 8 | std::to_integer<uint64_t>(bytes[i]);
  return static_cast<int64_t>(value);
}

std::string long_digits(std::span<const std::byte> bytes) {
  if (bytes.size() > kLongestNumber) {
    throw Error(ErrorCode::kResourceLimit, "the pickle holds an integer of " + std::to_string(bytes.size()) + " bytes");
  }
  std::vector<uint8_t> number;
  for (const std::byte byte : bytes) number.push_back(std::to_integer<uint8_t>(byte));
  const bool is_negative = !number.empty() && (number.back() & 0x80) != 0;
  if (is_negative) negate(number);
  std::string reversed;
  while (!number.empty()) {
    uint32_t part = divide(number);
    for (int digit = 0; digit < 9; ++digit, part /= 10) reversed.push_back(static_cast<char>('0' + part % 10));
  }
  while (reversed.size() > 1 && reversed.back() == '0') reversed.pop_back();
  if (reversed.empty()) reversed = "0";
  if (is_negative) reversed.push_back('-');
  return {reversed.rbegin(), reversed.rend()};
}

std::string decode_string_literal(std::string_view text) {
  if (text.size() < 2 || text.front() != text.back() || (text.front() != '\'' && text.front() != '"')) not_a("string literal", text);
  const std::string_view body = text.substr(1, text.size() - 2);
  std::string out;
  for (size_t i = 0; i < body.size(); ++i) {
    if (body[i] != '\\') {
      out.push_back(body[i]);
      continue;
    }
    if (++i == body.size()) not_a("string literal", text);
    if (body[i] == 'x') {
      const auto value = i + 2 < body.size() ? parse_hex(body.substr(i + 1, 2)) : std::nullopt;
      if (!value) not_a("string literal", text);
      out.push_back(static_cast<char>(*value));
      i += 2;
    } else {
      const char escaped = simple_escape(body[i]);
      if (escaped == 0) not_a("string literal", text);
      out.push_back(escaped);
    }
  }
  return out;
}

std::string decode_raw_unicode(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    uint32_t code_point = static_cast<uint8_t>(text[i]);
    if (text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == 'u' || text[i + 1] == 'U')) {
      const size_t digits = text[i + 1] == 'u' ? 4 : 8;
      const auto value = text.size() - i - 2 >= digits ? parse_hex(text.substr(i + 2, digits)) : std::nullopt;
      if (!value) not_a("unicode string", text);
      code_point = *value;
      i += digits + 1;
    }
    if (!append_utf8(out, code_point)) not_a("unicode string", text);
  }
  return out;
}

}  // namespace sardonyx::checkpoint
