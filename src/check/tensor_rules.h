// What must hold for a TensorProto or a SparseTensorProto on its own.
#pragma once

#include "check/report.h"

namespace sardonyx::check {

class ExternalFolder;

// `external`: where files of external data are looked at; null: only the reference's form is checked.
void check_tensor(Reporter& reporter, const model::TensorData& tensor, ExternalFolder* external);
void check_sparse_tensor(Reporter& reporter, const model::SparseTensorData& tensor, ExternalFolder* external);

}  // namespace sardonyx::check
