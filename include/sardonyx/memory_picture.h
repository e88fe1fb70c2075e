// The memory plan of a session as a picture and as text.
#pragma once

#include <cstddef>
#include <string>

#include "sardonyx/session.h"

namespace sardonyx {

// An SVG document: steps from left to right, addresses of the block of memory from bottom to top, a rectangle for each value, coloured by
// the operator that makes it, with its name, shape, bytes and steps as a tooltip; the peak, the lower bound, and what is alive at each step
// as lines. The same plan gives the same text. Pieces too small to see are left out, and counted in the picture.
std::string memory_picture(const PlanReport& report);

// A line for each step: number, operator, bytes alive and a bar of at most `width` characters, the peak being the full width.
std::string memory_bars(const PlanReport& report, size_t width = 40);

// Bytes alive at each step.
std::vector<size_t> alive_bytes(const PlanReport& report);

}  // namespace sardonyx
