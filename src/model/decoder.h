// Messages of the schema from wire bytes.
//
// Follows protobuf's parser: a singular message that comes twice is merged, of a scalar that comes twice the last counts, repeated scalars
// may be packed or not, and a field with an unknown number, another wire type or an unknown enum number is kept as bytes.
#pragma once

#include <memory>
#include <string_view>

#include "sardonyx/model.h"

namespace sardonyx::model {

struct SequenceData;
struct MapData;
struct OptionalData;

// Fills `message` from `bytes`; payloads become views that hold `owner`. Throws InvalidModel or ResourceLimit with a trail of field names.
void decode_message(Model& message, std::string_view bytes, const std::shared_ptr<const void>& owner, const ReadLimits& limits);
void decode_message(TensorData& message, std::string_view bytes, const std::shared_ptr<const void>& owner, const ReadLimits& limits);
void decode_message(SequenceData& message, std::string_view bytes, const std::shared_ptr<const void>& owner, const ReadLimits& limits);
void decode_message(MapData& message, std::string_view bytes, const std::shared_ptr<const void>& owner, const ReadLimits& limits);
void decode_message(OptionalData& message, std::string_view bytes, const std::shared_ptr<const void>& owner, const ReadLimits& limits);

// The type that the fields of an attribute without type tell; kUndefined if none is set.
Attribute::Type inferred_type(const Attribute& attribute) noexcept;

}  // namespace sardonyx::model
