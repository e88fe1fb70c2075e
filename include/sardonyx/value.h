// Values that are no tensors, from files: sequences, maps and optionals as ONNX's test data holds them.
#pragma once

#include <filesystem>
#include <memory>
#include <string_view>

#include "sardonyx/model.h"
#include "sardonyx/tensor.h"

namespace sardonyx::model {

// A value of a type from what onnx-data.proto calls a TensorProto, SequenceProto, MapProto or OptionalProto (.pb), as tensor.h describes
// values that are no tensors; an empty optional gives an undefined tensor. Of the type only the kind counts. `owner` keeps the bytes alive
// (null: copied).
// Throws InvalidModel for bytes that are no such message, Unsupported for sparse tensors, ResourceLimit; read_value also Io.
Tensor parse_value(std::string_view bytes, std::shared_ptr<const void> owner, const Type& type, const ReadLimits& limits = {});
Tensor read_value(const std::filesystem::path& path, const Type& type, const ReadLimits& limits = {});

}  // namespace sardonyx::model
