#include "sardonyx/operators.h"

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/operator_probe.h"
#include "cli/test_folders.h"
#include "sardonyx/simd.h"

namespace sardonyx::cli {

namespace {
struct Arguments {
  std::vector<std::string> probe;
  bool json = false;
};

std::string shown_domain(const OperatorInfo& info) { return info.domain.empty() ? "ai.onnx" : info.domain; }

std::string versions_of(const OperatorInfo& info) { return fmt::format("{}", fmt::join(info.versions, " ")); }

template <class Types>
nlohmann::ordered_json names_of(const Types& types) {
  auto names = nlohmann::ordered_json::array();
  for (const DType type : types) names.push_back(to_string(type));
  return names;
}

nlohmann::ordered_json describe(const OperatorInfo& info, const OperatorProbe::Findings& findings) {
  nlohmann::ordered_json result = {{"domain", shown_domain(info)}, {"name", info.name}, {"versions", info.versions}};
  auto types = nlohmann::ordered_json::array();
  for (const TypeConstraint& constraint : info.constraints) {
    nlohmann::ordered_json entry = {{"name", constraint.name}, {"allowed", names_of(constraint.allowed)}};
    const auto found = findings.types.find(constraint.name);
    if (found != findings.types.end()) entry["runs"] = names_of(found->second);
    types.push_back(entry);
  }
  result["types"] = types;
  result["kernels"] = findings.kernels;
  result["probed"] = findings.ran;
  return result;
}

int operators(const Arguments& arguments) {
  const std::vector<OperatorInfo> all = supported_operators();
  OperatorProbe probe(all);
  if (!arguments.probe.empty()) {
    Progress progress("operators");
    for (const std::filesystem::path& folder : find_test_folders(arguments.probe)) {
      progress.show(folder.filename().string());
      probe.try_folder(folder);
    }
  }
  if (!arguments.json) {
    for (const OperatorInfo& info : all) print(fmt::format("{} {} {}\n", shown_domain(info), info.name, versions_of(info)));
    return 0;
  }
  nlohmann::ordered_json report = {{"simd_targets", simd_targets()}, {"operators", nlohmann::ordered_json::array()}};
  for (const OperatorInfo& info : all) report["operators"].push_back(describe(info, probe.of(info)));
  print(report.dump(1) + "\n");
  return 0;
}
}  // namespace

void add_operators(CLI::App& app, int& status) {
  CLI::App* command = app.add_subcommand("operators", "Lists the operators that run here: domain, name, and the versions of each.");
  const auto arguments = std::make_shared<Arguments>();
  command->add_flag("--json", arguments->json, "As JSON, with element types and SIMD targets");
  command->add_option("--probe", arguments->probe, "ONNX test folders: their models are run with every type, to tell which types run");
  command->callback([arguments, &status] { status = operators(*arguments); });
}

}  // namespace sardonyx::cli
