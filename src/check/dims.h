// Dims of tensors in files: they may be of any length and hold anything.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "check/report.h"
#include "sardonyx/dtype.h"

namespace sardonyx::check {

// "[2, 3]"; of many dims the first few.
std::string dims_text(std::span<const int64_t> dims);
// Number of elements whose bytes can be addressed, or nothing (with the problem reported).
std::optional<size_t> count_elements(Reporter& reporter, std::span<const int64_t> dims, DType dtype);

}  // namespace sardonyx::check
