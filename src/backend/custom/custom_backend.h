// A back end with custom operators added.
#pragma once

#include <memory>

#include "runtime/backend.h"
#include "sardonyx/custom_op.h"

namespace sardonyx::backend {

// Nodes of `ops` run by their own kernels, all others on `base`, which must outlive the result.
std::unique_ptr<runtime::Backend> with_custom_ops(const runtime::Backend& base, std::shared_ptr<const CustomOps> ops);

}  // namespace sardonyx::backend
