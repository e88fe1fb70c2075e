#include "model/text/scanner.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <limits>
#include <type_traits>

#include "model/text/syntax.h"
#include "sardonyx/error.h"

namespace sardonyx::model::text {
namespace {

constexpr size_t kQuotedColumns = 100;  // of a line, in an error
constexpr size_t kQuotedWord = 40;

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// Text for an error: control characters and bytes that may be half of a character become '?'.
std::string displayed(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7F) c = c == '\t' ? ' ' : '?';
  }
  return result;
}

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace

void Scanner::skip_space() {
  for (;;) {
    while (next_ < end_ && is_space(*next_)) ++next_;
    if (next_ == end_ || *next_ != '#') return;
    next_ = std::find(next_, end_, '\n');
  }
}

bool Scanner::at_end() {
  skip_space();
  return next_ == end_;
}

char Scanner::peek() {
  skip_space();
  return at(0);
}

bool Scanner::matches(char sign) {
  if (at_end() || *next_ != sign) return false;
  ++next_;
  return true;
}

bool Scanner::matches(std::string_view sign) {
  skip_space();
  if (!std::string_view(next_, static_cast<size_t>(end_ - next_)).starts_with(sign)) return false;
  next_ += sign.size();
  return true;
}

void Scanner::expect(char sign, std::string_view what) {
  if (!matches(sign)) fail(what);
}

void Scanner::expect(std::string_view sign, std::string_view what) {
  if (!matches(sign)) fail(what);
}

std::string_view Scanner::peek_identifier() {
  skip_space();
  const char* last = next_;
  if (last < end_ && begins_identifier(*last)) last = std::find_if_not(last, end_, continues_identifier);
  return {next_, static_cast<size_t>(last - next_)};
}

std::string_view Scanner::optional_identifier() {
  const std::string_view word = peek_identifier();
  next_ += word.size();
  return word;
}

std::string_view Scanner::identifier(std::string_view what) {
  const std::string_view word = optional_identifier();
  if (word.empty()) fail(what);
  return word;
}

bool Scanner::next_is_string() {
  const char c = peek();
  return c == '"' || (c == '%' && at(1) == '"');
}

bool Scanner::next_is_name() { return next_is_string() || begins_identifier(peek()); }

std::string Scanner::string(std::string_view what) {
  if (!next_is_string()) fail(what);
  if (*next_ == '%') return escaped_string();
  const char* const start = next_++;
  std::string result;
  for (;;) {
    const char* const stop = std::find_if(next_, end_, [](char c) { return c == '"' || c == '\\'; });
    result.append(next_, stop);
    next_ = stop;
    if (next_ == end_ || (*next_ == '\\' && end_ - next_ < 2)) fail_at(start, "the string that begins here has no closing '\"'");
    if (*next_++ == '"') return result;
    result += *next_++;
  }
}

// %"...": as a plain string, and \xHH is a byte.
std::string Scanner::escaped_string() {
  const char* const start = next_;
  next_ += 2;
  std::string result;
  while (next_ < end_ && *next_ != '"') {
    char c = *next_++;
    if (c == '\\' && next_ < end_) {
      c = *next_++;
      if (c == 'x') {
        const int high = hex_value(at(0)), low = hex_value(at(1));
        if (high < 0 || low < 0) fail_at(next_ - 2, "expected two hexadecimal digits after '\\x'");
        c = static_cast<char>(high * 16 + low);
        next_ += 2;
      }
    }
    result += c;
  }
  if (next_ == end_) fail_at(start, "the string that begins here has no closing '\"'");
  ++next_;
  return result;
}

std::string Scanner::name(std::string_view what) {
  if (next_is_string()) return string(what);
  return std::string(identifier(what));
}

// inf, infinity or nan, with its sign; "" if that is not what follows.
std::string_view Scanner::float_word() const {
  const char* const word = next_ + (at(0) == '-' ? 1 : 0);
  const char* const last = std::find_if_not(word, end_, continues_identifier);
  if (!names_float({word, static_cast<size_t>(last - word)})) return {};
  return {next_, static_cast<size_t>(last - next_)};
}

std::string_view Scanner::number_text() const {
  if (const std::string_view word = float_word(); !word.empty()) return word;
  const char* last = next_ + (at(0) == '-' ? 1 : 0);
  if (last == end_ || !is_digit(*last)) return {};
  last = std::find_if_not(last, end_, is_digit);
  if (last < end_ && *last == '.') last = std::find_if_not(last + 1, end_, is_digit);
  if (last < end_ && (*last == 'e' || *last == 'E')) {
    const char* exponent = last + 1;
    if (exponent < end_ && (*exponent == '+' || *exponent == '-')) ++exponent;
    if (exponent < end_ && is_digit(*exponent)) last = std::find_if_not(exponent, end_, is_digit);
  }
  return {next_, static_cast<size_t>(last - next_)};
}

bool Scanner::next_is_number() {
  skip_space();
  return !number_text().empty();
}

bool Scanner::next_is_float() {
  skip_space();
  const std::string_view text = number_text();
  return std::any_of(text.begin(), text.end(), [](char c) { return !is_digit(c) && c != '-'; });
}

template <class T>
T Scanner::not_finite(std::string_view text, std::string_view what) {
  const bool negative = text[0] == '-';
  const bool is_nan = (text[negative ? 1 : 0] | 0x20) == 'n';
  T value = is_nan ? std::numeric_limits<T>::quiet_NaN() : std::numeric_limits<T>::infinity();
  if (negative) value = -value;
  if (!is_nan || at(0) != '(') return value;
  std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t> all_bits = 0;
  const char* const digits = next_ + 3;
  if (at(1) != '0' || at(2) != 'x') fail(what);
  const auto [stop, problem] = std::from_chars(digits, end_, all_bits, 16);
  value = std::bit_cast<T>(all_bits);
  if (problem != std::errc() || stop == end_ || *stop != ')' || value == value)
    fail_at(next_, "expected the bits of a NaN, as nan(0x7fc00001)");
  next_ = stop + 1;
  return value;
}

template <class T>
T Scanner::number(std::string_view what) {
  skip_space();
  const char* const start = next_;
  const std::string_view text = number_text();
  if (text.empty()) fail(what);
  if constexpr (std::is_floating_point_v<T>) {
    if (is_letter(text.back())) {
      next_ += text.size();
      return not_finite<T>(text, what);
    }
  } else if (next_is_float()) {
    fail(what);
  }
  T value{};
  const auto [stop, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || stop != text.data() + text.size()) {
    fail_at(start, "expected " + std::string(what) + ": '" + displayed(text.substr(0, kQuotedWord)) + "' is outside its range");
  }
  next_ += text.size();
  return value;
}

template int64_t Scanner::number<int64_t>(std::string_view);
template int32_t Scanner::number<int32_t>(std::string_view);
template uint64_t Scanner::number<uint64_t>(std::string_view);
template float Scanner::number<float>(std::string_view);
template double Scanner::number<double>(std::string_view);

bool Scanner::next_is_numbered_type() { return peek() == '%' && (is_digit(at(1)) || at(1) == '-'); }

std::string Scanner::found() {
  if (at_end()) return "the end of the text";
  std::string_view word = peek_identifier();
  if (word.empty()) word = number_text();
  if (word.empty()) word = {next_, 1};
  return "'" + displayed(word.substr(0, kQuotedWord)) + "'";
}

void Scanner::fail(std::string_view expected) {
  const std::string what = found();
  fail_at(next_, "expected " + std::string(expected) + ", found " + what);
}

std::string Scanner::place(const char* position) const {
  const auto line = 1 + std::count(begin_, position, '\n');
  const char* start = position;
  while (start > begin_ && start[-1] != '\n') --start;
  return std::to_string(line) + ":" + std::to_string(position - start + 1);
}

void Scanner::fail_at(const char* position, const std::string& message) const {
  const char* start = position;
  while (start > begin_ && start[-1] != '\n') --start;
  const char* const stop = std::find(position, end_, '\n');
  // Of a long line, the part around the position.
  if (position - start > static_cast<ptrdiff_t>(kQuotedColumns) / 2) {
    start = std::max(start, position - std::min<ptrdiff_t>(position - start, kQuotedColumns / 2));
  }
  const auto shown = std::min<size_t>(static_cast<size_t>(stop - start), kQuotedColumns);
  throw Error(ErrorCode::kInvalidModel, place(position) + ": " + message + "\n  " + displayed({start, shown}) + "\n  " +
                                            std::string(static_cast<size_t>(position - start), ' ') + "^");
}

}  // namespace sardonyx::model::text
