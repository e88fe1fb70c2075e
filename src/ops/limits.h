// How much memory operators may ask for.
#pragma once

#include <cstddef>

namespace sardonyx::ops {

// Lowers tensor_byte_limit(), which holds for each output and for the scratch of eager calls, for the whole process: for programs that
// run what they do not trust. 0: the memory of this machine again.
void set_tensor_byte_limit(size_t bytes) noexcept;

}  // namespace sardonyx::ops
