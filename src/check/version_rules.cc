#include "check/version_rules.h"

#include <fmt/format.h>

#include <unordered_map>
#include <unordered_set>

#include "check/context.h"
#include "core/utf8.h"
#include "schema/schema.h"

namespace sardonyx::check {

namespace {
using model::Model;

constexpr int64_t kFirstIrWithOpsets = 3;

void check_opset(Reporter& reporter, const model::OpsetId& import, std::string_view domain) {
  const std::string shown = domain.empty() ? "'ai.onnx'" : quote(domain);
  const int64_t latest = schema::is_standard_domain(domain) ? schema::latest_version(domain) : 0;
  if (import.version > 0 && (latest == 0 || import.version <= latest)) return;
  reporter.add({.code = Code::kOpsetVersion,
                .message = latest > 0 ? fmt::format("version {} of {} is not known; the latest is {}{}", import.version, shown, latest,
                                                    import.version > latest ? ", whose operators are taken" : "")
                                      : fmt::format("version {} of {}: versions begin with 1", import.version, shown),
                .cure = latest > 0 ? fmt::format("export or convert the model to {} {} or earlier", shown, latest) : "set the version",
                .expected = latest > 0 ? fmt::format("1 to {}", latest) : "1 or more",
                .found = std::to_string(import.version)});
}
}  // namespace

void check_ir_version(Reporter& reporter, const Model& model) {
  if (model.ir_version <= 0) {
    reporter.add(Code::kIrVersion, fmt::format("ir_version is {}", model.ir_version), "set it to the version the file was written for");
  } else if (model.ir_version > schema::kLatestIrVersion) {
    reporter.add(
        {.code = Code::kIrVersion,
         .message = fmt::format("ir_version {} is newer than {}, the latest known here", model.ir_version, schema::kLatestIrVersion),
         .expected = fmt::format("1 to {}", schema::kLatestIrVersion),
         .found = std::to_string(model.ir_version)});
  }
}

void check_opset_presence(Reporter& reporter, const Model& model) {
  if (model.ir_version >= kFirstIrWithOpsets && model.opset_import.empty()) {
    reporter.add(Code::kOpsetMissing, fmt::format("ir_version {} needs opset_import, it is empty", model.ir_version),
                 "add the domain 'ai.onnx' with the opset version the operators are meant in");
  }
  if (model.ir_version > 0 && model.ir_version < kFirstIrWithOpsets && !model.opset_import.empty()) {
    reporter.add(Code::kOpsetUnexpected, fmt::format("ir_version {} has no opset_import, the file has one", model.ir_version),
                 "set ir_version to 3 or later");
  }
}

void check_opsets(Reporter& reporter, std::span<const model::OpsetId> imports) {
  std::unordered_map<std::string_view, int64_t> seen;
  for (const model::OpsetId& import : imports) {
    const std::string_view domain = canonical(import.domain);
    if (!core::is_utf8(domain)) reporter.add(Code::kInvalidUtf8, fmt::format("the imported domain {} is not UTF-8", quote(domain)));
    const auto [first, is_new] = seen.emplace(domain, import.version);
    if (is_new) {
      check_opset(reporter, import, domain);
    } else {
      const bool is_same = first->second == import.version;
      reporter.add({.code = Code::kOpsetDuplicate,
                    .message = fmt::format("opset_import names {} twice{}", domain.empty() ? "'ai.onnx'" : quote(domain),
                                           is_same ? "" : fmt::format(", with versions {} and {}", first->second, import.version)),
                    .cure = "keep one",
                    .severity = is_same ? Severity::kWarning : Severity::kError});
    }
  }
}

void check_metadata(Reporter& reporter, const model::StringPairs& pairs) {
  std::unordered_set<std::string_view> seen;
  for (const model::StringPair& pair : pairs) {
    if (!seen.insert(pair.key).second) {
      reporter.add(Code::kMetadataDuplicate, fmt::format("metadata_props has {} twice", quote(pair.key)), "keep one");
    }
  }
}

void check_configurations(Reporter& reporter, const Model& model) {
  std::unordered_set<std::string_view> seen;
  for (const model::DeviceConfiguration& configuration : model.configuration) {
    const std::string name = quote(configuration.name);
    if (configuration.name.empty()) reporter.add(Code::kDeviceConfiguration, "a device configuration has no name", "name it");
    if (!seen.insert(configuration.name).second) {
      reporter.add(Code::kDeviceConfiguration, fmt::format("two device configurations are named {}", name), "rename one");
    }
    const size_t named = configuration.device.size();
    if (configuration.num_devices <= 0 || (named > 0 && named != static_cast<size_t>(configuration.num_devices))) {
      reporter.add(Code::kDeviceConfiguration,
                   fmt::format("configuration {} has {} devices and names {}", name, configuration.num_devices, named),
                   "num_devices must be positive, and all devices are named or none");
    }
  }
}

}  // namespace sardonyx::check
