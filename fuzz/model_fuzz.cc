// Any bytes as a model: an Error or a model that survives writing and reading. Its tensors decode or give an Error.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "sardonyx/error.h"
#include "sardonyx/model.h"

namespace {

using sardonyx::Error;
using sardonyx::ErrorCode;
namespace model = sardonyx::model;

constexpr model::ReadOptions kOptions{
    .limits = {.max_file_bytes = 1 << 24, .max_depth = 40, .max_messages = 1 << 18, .max_elements = 1 << 20, .max_memory = 1 << 27},
    .external_data = false};

// A defect of the reader is not one of the input.
void expect_fault_of_input(const Error& error) {
  if (error.code() == ErrorCode::kInternal) std::abort();
}

void decode_all(const model::Graph& graph) {
  for (const model::TensorData& tensor : graph.initializer) {
    try {
      const sardonyx::Tensor elements = decode(tensor);
      const model::TensorData again = model::encode(elements, tensor.name);
      if (decode(again).byte_size() != elements.byte_size()) std::abort();
    } catch (const Error& error) {
      expect_fault_of_input(error);
    }
  }
  for (const model::Node& node : graph.node) {
    for (const model::Attribute& attribute : node.attribute) {
      if (attribute.g) decode_all(*attribute.g);
    }
  }
}

void round_trip(const model::Model& first) {
  const std::string bytes = serialize(first);
  const model::Model second = model::parse_model(bytes, nullptr, kOptions);
  if (!(second == first) || serialize(second) != bytes) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    const model::Model parsed = model::parse_model(bytes, nullptr, kOptions);
    round_trip(parsed);
    decode_all(parsed.graph);
  } catch (const Error& error) {
    expect_fault_of_input(error);
  }
  try {
    const model::TensorData tensor = model::parse_tensor(bytes, nullptr, kOptions.limits);
    if (!(model::parse_tensor(serialize(tensor), nullptr, kOptions.limits) == tensor)) std::abort();
    decode(tensor);
  } catch (const Error& error) {
    expect_fault_of_input(error);
  }
  return 0;
}
