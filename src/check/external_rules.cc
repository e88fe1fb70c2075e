#include "check/external_rules.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <string_view>

#include "check/dims.h"
#include "model/external_data.h"
#include "sardonyx/error.h"

namespace sardonyx::check {

namespace {

struct Reference {
  const std::string* location = nullptr;
  uint64_t offset = 0;
  std::optional<uint64_t> length;
};

std::optional<uint64_t> number_of_bytes(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return static_cast<uint64_t>(value);
}

// Nothing if the reference is malformed (reported).
std::optional<Reference> read_reference(Reporter& reporter, const model::TensorData& tensor) {
  Reference reference;
  bool sound = true;
  // ONNX's checker looks at the location alone.
  const auto refuse = [&](Severity severity, std::string message, std::string cure = "") {
    reporter.add({.code = Code::kTensorExternal, .message = std::move(message), .cure = std::move(cure), .severity = severity});
    sound = false;
  };
  unsigned seen = 0;
  for (const model::StringPair& pair : tensor.external_data) {
    const unsigned bit = pair.key == "location" ? 1 : pair.key == "offset" ? 2 : pair.key == "length" ? 4 : 0;
    if ((seen & bit) != 0) refuse(Severity::kUnrunnable, fmt::format("external_data has '{}' twice", pair.key), "keep one");
    seen |= bit;
    if (bit == 1) reference.location = &pair.value;
    if (bit < 2) continue;
    const std::optional<uint64_t> value = number_of_bytes(pair.value);
    if (!value) refuse(Severity::kUnrunnable, fmt::format("external_data '{}' is {}, not a number of bytes", pair.key, quote(pair.value)));
    (bit == 2 ? reference.offset : reference.length.emplace()) = value.value_or(0);
  }
  if (reference.location == nullptr) {
    refuse(Severity::kError, "data_location is EXTERNAL, but external_data has no 'location'",
           "add the key 'location' with the file's name, relative to the model's folder");
  } else if (const char* reason = model::location_refusal(*reference.location)) {
    refuse(Severity::kError, fmt::format("the location {} is refused: {}", quote(*reference.location), reason),
           "put the file beside the model and name it by a relative path");
  }
  return sound ? std::optional(reference) : std::nullopt;
}

void check_file_holds(Reporter& reporter, const Reference& reference, uint64_t bytes, ExternalFolder& folder) {
  const ExternalFolder::File& file = folder.find(*reference.location);
  if (!file.refusal.empty()) {
    reporter.add(Code::kTensorExternal, file.refusal, "put the data file beside the model");
    return;
  }
  const uint64_t left = reference.offset <= file.size ? file.size - reference.offset : 0;
  const uint64_t length = reference.length.value_or(bytes);
  if (reference.offset > file.size || length > left) {
    reporter.add({.code = Code::kTensorExternal,
                  .message = fmt::format("the file {} has {} bytes, where offset {} and length {} are asked for",
                                         quote(*reference.location), file.size, reference.offset, length),
                  .cure = "the file is cut short, or belongs to another model: fetch it again",
                  .expected = fmt::format("{} bytes at {}", length, reference.offset),
                  .found = fmt::format("{} bytes", file.size),
                  .severity = Severity::kUnrunnable});
  }
}
}  // namespace

const ExternalFolder::File& ExternalFolder::find(const std::string& location) {
  const auto [entry, is_new] = files_.try_emplace(location);
  File& file = entry->second;
  if (!is_new) return file;
  // A tensor of no type at offset 0 gets the whole file.
  model::Model probe;
  probe.has_graph = true;
  model::TensorData& tensor = probe.graph.initializer.emplace_back();
  tensor.data_location = model::TensorData::Location::kExternal;
  tensor.external_data.resize(1);
  tensor.external_data[0].key = "location";
  tensor.external_data[0].value = location;
  try {
    model::resolve_external_data(probe, model_file_.parent_path(), model_file_);
    file.size = tensor.external.bytes.size();
  } catch (const Error& error) {
    constexpr std::string_view kTrail = "tensor '': ";
    const std::string_view reason = error.what();
    file.refusal = reason.starts_with(kTrail) ? reason.substr(kTrail.size()) : reason;
  }
  return file;
}

void check_external(Reporter& reporter, const model::TensorData& tensor, uint64_t bytes, ExternalFolder* folder) {
  const std::optional<Reference> reference = read_reference(reporter, tensor);
  if (!reference) return;
  if (bytes > 0 && reference->length && *reference->length != bytes) {
    reporter.add({.code = Code::kTensorData,
                  .message = fmt::format("{} of {} need {} bytes, external_data's length is {}", dims_text(tensor.dims),
                                         to_string(tensor.dtype()), bytes, *reference->length),
                  .expected = fmt::format("{} bytes", bytes),
                  .found = fmt::format("{} bytes", *reference->length),
                  .severity = Severity::kUnrunnable});
  }
  if (folder != nullptr) check_file_holds(reporter, *reference, bytes, *folder);
}

}  // namespace sardonyx::check
