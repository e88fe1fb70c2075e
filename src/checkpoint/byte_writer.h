// Little-endian numbers at the end of a buffer.
#pragma once

#include <cstdint>
#include <string>

namespace sardonyx::checkpoint {

template <class T>
void append_little(std::string& out, T value) {
  for (size_t i = 0; i < sizeof(T); ++i) out.push_back(static_cast<char>(static_cast<uint64_t>(value) >> (8 * i) & 0xFF));
}

}  // namespace sardonyx::checkpoint
