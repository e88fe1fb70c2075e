#include "checkpoint/text.h"

#include <array>
#include <cstddef>

namespace sardonyx::checkpoint {

namespace {

struct Lead {
  size_t follow;     // continuation bytes
  uint32_t bits;     // of the lead byte
  uint32_t minimum;  // least code point of this length
};

// follow is 4 for a byte that cannot lead.
Lead lead_of(uint8_t byte) noexcept {
  if (byte < 0x80) return {0, byte, 0};
  if (byte >= 0xC0 && byte < 0xE0) return {1, byte & 0x1Fu, 0x80};
  if (byte >= 0xE0 && byte < 0xF0) return {2, byte & 0x0Fu, 0x800};
  if (byte >= 0xF0 && byte < 0xF8) return {3, byte & 0x07u, 0x10000};
  return {4, 0, 0};
}

bool is_scalar(uint32_t code_point) noexcept { return code_point <= 0x10FFFF && (code_point < 0xD800 || code_point > 0xDFFF); }

}  // namespace

bool is_utf8(std::string_view text) noexcept {
  for (size_t i = 0; i < text.size();) {
    const Lead lead = lead_of(static_cast<uint8_t>(text[i]));
    if (lead.follow == 4 || lead.follow >= text.size() - i) return false;
    uint32_t code_point = lead.bits;
    for (size_t k = 1; k <= lead.follow; ++k) {
      const uint8_t byte = static_cast<uint8_t>(text[i + k]);
      if ((byte & 0xC0) != 0x80) return false;
      code_point = code_point << 6 | (byte & 0x3Fu);
    }
    if (code_point < lead.minimum || !is_scalar(code_point)) return false;
    i += lead.follow + 1;
  }
  return true;
}

bool append_utf8(std::string& out, uint32_t code_point) {
  if (!is_scalar(code_point)) return false;
  const auto tail = [&](int shift) { out.push_back(static_cast<char>(0x80 | (code_point >> shift & 0x3F))); };
  if (code_point < 0x80) {
    out.push_back(static_cast<char>(code_point));
  } else if (code_point < 0x800) {
    out.push_back(static_cast<char>(0xC0 | code_point >> 6));
    tail(0);
  } else if (code_point < 0x10000) {
    out.push_back(static_cast<char>(0xE0 | code_point >> 12));
    tail(6);
    tail(0);
  } else {
    out.push_back(static_cast<char>(0xF0 | code_point >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
  return true;
}

std::string quote(std::string_view text) {
  constexpr size_t kShown = 120;
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out = "'";
  for (const char c : text.substr(0, kShown)) {
    const uint8_t byte = static_cast<uint8_t>(c);
    if (byte >= 0x20 && byte < 0x7F) {
      out.push_back(c);
    } else {
      out += "\\x";
      out.push_back(kHex[byte >> 4]);
      out.push_back(kHex[byte & 15]);
    }
  }
  return out + (text.size() > kShown ? "...'" : "'");
}

}  // namespace sardonyx::checkpoint
