// What must hold for a TensorProto on its own.
#pragma once

#include "check/report.h"

namespace sardonyx::check {

void check_tensor(Reporter& reporter, const model::TensorData& tensor);
void check_sparse_tensor(Reporter& reporter, const model::SparseTensorData& tensor);

}  // namespace sardonyx::check
