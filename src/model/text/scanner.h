// Reads the words of the text syntax: names, strings, numbers, signs. Errors tell where, what was expected and what was found.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sardonyx::model::text {

class Scanner {
 public:
  explicit Scanner(std::string_view text) : begin_(text.data()), next_(begin_), end_(begin_ + text.size()) {}

  // All of these pass over white space and comments first.
  bool at_end();
  char peek();  // the next character; 0 at the end
  bool matches(char sign);
  bool matches(std::string_view sign);  // its characters side by side
  void expect(char sign, std::string_view what);
  void expect(std::string_view sign, std::string_view what);

  // The identifier that follows, or "", without and with moving past it.
  std::string_view peek_identifier();
  std::string_view optional_identifier();
  std::string_view identifier(std::string_view what);

  bool next_is_string();
  std::string string(std::string_view what);  // between quotes
  bool next_is_name();                        // an identifier or a string
  std::string name(std::string_view what);

  bool next_is_number();  // including inf and nan
  bool next_is_float();   // and not an integer
  template <class T>
  T number(std::string_view what);  // int64_t, int32_t, uint64_t, float, double

  // Whether "%{" follows, or "%" and a digit.
  bool next_is_extras() { return peek() == '%' && at(1) == '{'; }
  bool next_is_numbered_type();

  const char* position() { return peek(), next_; }
  void go_back(const char* position) { next_ = position; }

  // Errors: "found" is what follows; `fail_at` says it all itself.
  [[noreturn]] void fail(std::string_view expected);
  [[noreturn]] void fail_at(const char* position, const std::string& message) const;
  // "3:14"
  std::string place(const char* position) const;

 private:
  char at(size_t offset) const { return offset < static_cast<size_t>(end_ - next_) ? next_[offset] : '\0'; }
  void skip_space();
  std::string escaped_string();
  // The text of the number that follows; "" for none.
  std::string_view number_text() const;
  std::string_view float_word() const;
  template <class T>
  T not_finite(std::string_view text, std::string_view what);
  std::string found();

  const char* begin_;
  const char* next_;
  const char* end_;
};

}  // namespace sardonyx::model::text
