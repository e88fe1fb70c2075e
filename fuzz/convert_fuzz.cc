// Any bytes as a model, converted to the opset that the last byte tells: an Error, or a model that can be written and read.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "sardonyx/convert.h"
#include "sardonyx/error.h"

namespace {

using sardonyx::Error;
using sardonyx::ErrorCode;
namespace model = sardonyx::model;

constexpr model::ReadOptions kOptions{
    .limits = {.max_file_bytes = 1 << 24, .max_depth = 40, .max_messages = 1 << 14, .max_elements = 1 << 18, .max_memory = 1 << 26},
    .external_data = false};
constexpr model::ReadOptions kWide{.limits = {.max_depth = 400}, .external_data = false};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size - 1);
  model::Model converted;
  try {
    converted = sardonyx::convert_version(model::parse_model(bytes, nullptr, kOptions), data[size - 1] % 29);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kInternal) std::abort();
    return 0;
  }
  const std::string written = serialize(converted);
  if (serialize(model::parse_model(written, nullptr, kWide)) != written) std::abort();
  return 0;
}
