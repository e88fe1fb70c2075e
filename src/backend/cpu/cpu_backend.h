// The CPU: operators of ops/ on the kernels of kernels/cpu.
#pragma once

#include "runtime/backend.h"

namespace sardonyx::backend {

const runtime::Backend& cpu_backend() noexcept;

}  // namespace sardonyx::backend
