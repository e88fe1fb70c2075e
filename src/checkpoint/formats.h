// The file formats, each read from a whole file in memory.
#pragma once

#include "checkpoint/tensor_view.h"
#include "sardonyx/checkpoint.h"

namespace sardonyx::checkpoint {

// By the first bytes. Throws Unsupported or InvalidModel, saying what else the file seems to be.
CheckpointFormat detect_format(std::span<const std::byte> file);

Checkpoint read_torch_zip(const Bytes& file, const CheckpointOptions& options);
Checkpoint read_torch_legacy(const Bytes& file, const CheckpointOptions& options);
Checkpoint read_safetensors(const Bytes& file, const CheckpointOptions& options);

// max_copied_bytes, or its default for a file of that size.
CopyBudget copy_budget(const CheckpointLimits& limits, size_t file_size);

}  // namespace sardonyx::checkpoint
