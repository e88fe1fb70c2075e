// The instruction sets that kernels are compiled for, and a way to keep to one of them (in tests, and to compare speeds).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sardonyx {

// Names of the SIMD targets that are compiled in and that this machine has, the best first: "AVX3", "AVX2", "SSE4", "SSE2", ...
std::vector<std::string> simd_targets();

// Keeps all kernels of this process to that target; "" goes back to the best. To be called before any session is made: weights are packed
// for the target of the time. Throws InvalidArgument, with the names there are, for any other name.
void use_simd_target(std::string_view name);

}  // namespace sardonyx
