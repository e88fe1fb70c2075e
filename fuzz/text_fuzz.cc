// Any text as a model: an Error that tells a place, or a model that is the same after printing and parsing, and after writing and reading.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "sardonyx/error.h"
#include "sardonyx/text.h"

namespace {

using sardonyx::Error;
using sardonyx::ErrorCode;
namespace model = sardonyx::model;

constexpr model::ParseTextOptions kOptions{
    .limits = {.max_file_bytes = 1 << 24, .max_depth = 200, .max_messages = 1 << 18, .max_elements = 1 << 20, .max_memory = 1 << 27}};

void check(const model::Model& first) {
  const std::string text = to_text(first);
  const model::Model second = model::parse_text_model(text, kOptions);
  if (!semantically_equal(first, second) || to_text(second) != text) std::abort();
  const std::string bytes = serialize(first);
  const model::Model third = model::parse_model(bytes, nullptr, {.limits = {.max_depth = 1000}, .external_data = false});
  if (!semantically_equal(first, third)) std::abort();
  to_text(first, {.max_elements = 2});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  model::Model parsed;
  try {
    parsed = model::parse_text_model({reinterpret_cast<const char*>(data), size}, kOptions);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInvalidModel && error.code() != ErrorCode::kResourceLimit) std::abort();
    return 0;
  }
  check(parsed);
  return 0;
}
