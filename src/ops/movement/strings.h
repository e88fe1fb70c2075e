// Strided copies of strings.
#pragma once

#include <string>

#include "kernels/cpu/copy/strided_copy.h"

namespace sardonyx::ops {

// What kernels::strided_copy does with bytes.
void copy_strings(const kernels::StridedCopy& copy, const std::string* src, std::string* dst);

}  // namespace sardonyx::ops
