// Numbers and sizes as Python prints them.
#pragma once

#include <cstdint>
#include <string>

#include "sardonyx/nn/options.h"

namespace sardonyx::nn {

std::string python_text(double value);  // repr: the shortest digits that read back, "1e-05", "0.1", "2.0"
inline std::string python_text(bool value) { return value ? "True" : "False"; }
std::string python_tuple(const Size2d& size);  // "(5, 5)"
std::string python_text(const Size2d& size);   // "5" where it was given as one number, else a tuple

}  // namespace sardonyx::nn
