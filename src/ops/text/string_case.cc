#include "ops/text/string_case.h"

#include <locale.h>
#include <wctype.h>

#include "core/utf8.h"
#include "ops/facts.h"

namespace sardonyx::ops {
namespace {

locale_t text_locale() {
  static const locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  if (!locale) throw unsupported_error("this system has no locale C.UTF-8, which changing the case of text needs");
  return locale;
}

// `bytes` is one valid character.
char32_t decode(std::string_view bytes) noexcept {
  const auto first = static_cast<unsigned char>(bytes[0]);
  if (bytes.size() == 1) return first;
  char32_t code = first & (0x7Fu >> bytes.size());
  for (const char byte : bytes.substr(1)) code = code << 6 | (static_cast<unsigned char>(byte) & 0x3Fu);
  return code;
}

void append(char32_t code, std::string& text) {
  if (code < 0x80) {
    text.push_back(static_cast<char>(code));
    return;
  }
  const int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  text.push_back(static_cast<char>((0xFF00u >> (more + 1) & 0xFFu) | code >> (6 * more)));
  for (int i = more; i-- > 0;) text.push_back(static_cast<char>(0x80u | (code >> (6 * i) & 0x3Fu)));
}

}  // namespace

std::string change_case(std::string_view text, CaseChange change) {
  if (change == CaseChange::kNone) return std::string(text);
  const locale_t locale = text_locale();
  std::string result;
  for (size_t at = 0; at < text.size();) {
    const size_t length = core::utf8_length(text, at);
    if (length == 0) {
      result.push_back(text[at++]);
      continue;
    }
    const auto code = static_cast<wint_t>(decode(text.substr(at, length)));
    append(static_cast<char32_t>(change == CaseChange::kLower ? towlower_l(code, locale) : towupper_l(code, locale)), result);
    at += length;
  }
  return result;
}

}  // namespace sardonyx::ops
