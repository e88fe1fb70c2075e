#include "check/dims.h"

#include <fmt/format.h>

#include <algorithm>

#include "sardonyx/error.h"
#include "sardonyx/tensor.h"

namespace sardonyx::check {

std::string dims_text(std::span<const int64_t> dims) {
  constexpr size_t kShown = 16;
  const std::string text = to_string(dims.first(std::min(dims.size(), kShown)));
  return dims.size() <= kShown ? text : fmt::format("{}... ({} dims)", text, dims.size());
}

std::optional<size_t> count_elements(Reporter& reporter, std::span<const int64_t> dims, DType dtype) {
  if (const auto negative = std::find_if(dims.begin(), dims.end(), [](int64_t dim) { return dim < 0; }); negative != dims.end()) {
    reporter.add(Code::kTensorData, fmt::format("{} has the negative dimension {}", dims_text(dims), *negative));
    return std::nullopt;
  }
  try {
    const int64_t count = element_count(dims);
    storage_bytes(dtype, count);
    return static_cast<size_t>(count);
  } catch (const Error&) {
    reporter.add(Code::kTooLarge, fmt::format("{} of {} are more elements than can be addressed", dims_text(dims), to_string(dtype)));
    return std::nullopt;
  }
}

}  // namespace sardonyx::check
