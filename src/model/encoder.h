// Messages of the schema to wire bytes: fields by increasing number, packed as onnx.proto says, unknown fields last.
#pragma once

#include <string>
#include <unordered_map>

#include "sardonyx/model.h"
#include "wire/writer.h"

namespace sardonyx::model {

// Tensors to be written in place of tensors of the model, told by their address.
using Replacements = std::unordered_map<const TensorData*, TensorData>;

// Hands the encoded message to `sink` piece by piece. Throws ResourceLimit if it exceeds protobuf's 2 GiB, before the first piece.
void encode_message(const Model& message, const Replacements& replacements, const wire::Writer::Sink& sink);
void encode_message(const TensorData& message, const wire::Writer::Sink& sink);
// The same as one string.
std::string encode_to_string(const Model& message);
std::string encode_to_string(const TensorData& message);

}  // namespace sardonyx::model
