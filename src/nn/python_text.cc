#include "nn/python_text.h"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <system_error>

namespace sardonyx::nn {

std::string python_text(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  char buffer[32];
  const int exponent = [&] {
    const auto end = std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::scientific).ptr;
    *end = '\0';
    return std::atoi(std::string(buffer).substr(std::string(buffer).find('e') + 1).c_str());
  }();
  if (exponent < -4 || exponent >= 16) return buffer;
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::fixed).ptr;
  const std::string fixed(buffer, end);
  return fixed.find('.') == std::string::npos ? fixed + ".0" : fixed;
}

std::string python_tuple(const Size2d& size) { return "(" + std::to_string(size.h) + ", " + std::to_string(size.w) + ")"; }
std::string python_text(const Size2d& size) { return size.single ? std::to_string(size.h) : python_tuple(size); }

}  // namespace sardonyx::nn
