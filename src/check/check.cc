#include "sardonyx/check.h"

#include "check/context.h"
#include "check/external_rules.h"
#include "check/function_rules.h"
#include "check/graph_rules.h"
#include "check/infer_rules.h"
#include "check/report.h"
#include "check/training_rules.h"
#include "check/version_rules.h"

namespace sardonyx {

namespace check {
namespace {
using model::Model;

ModelContext context_of(const Model& model, bool full, ExternalFolder* external) {
  ModelContext context{model, {}, Imports(model.opset_import), Imports(model.opset_import), {}, external, full, {}};
  for (const model::Function& function : model.functions) {
    context.functions.emplace(key_of(function), &function);
    for (const model::OpsetId& import : function.opset_import) context.all_imports.add_missing(import.domain, import.version);
  }
  for (const model::DeviceConfiguration& configuration : model.configuration) context.configurations.insert(configuration.name);
  return context;
}

CheckReport check_all(const Model& model, const CheckOptions& options, ExternalFolder* external) {
  Reporter reporter(options.max_problems);
  check_ir_version(reporter, model);
  check_opset_presence(reporter, model);
  check_opsets(reporter, model.opset_import);
  check_metadata(reporter, model.metadata_props);
  check_configurations(reporter, model);
  const ModelContext context = context_of(model, options.full, external);
  const NodeContext nodes{context, context.imports, nullptr, {}};
  NameScope names;
  if (!model.has_graph) {
    reporter.add(Code::kGraphMissing, "the model has no graph");
  } else {
    check_main_graph(reporter, model.graph, nodes, names);
  }
  check_training(reporter, nodes, names);
  check_functions(reporter, context);
  if (options.full && model.has_graph && !reporter.has(Code::kDepth) && !reporter.has(Code::kFunctionRecursive)) {
    check_inference(reporter, context, options.custom_ops);
  }
  return reporter.take();
}
}  // namespace
}  // namespace check

CheckReport check_model(const model::Model& model, const CheckOptions& options) { return check::check_all(model, options, nullptr); }

CheckReport check_file(const std::filesystem::path& path, const CheckOptions& options) {
  const model::Model model = model::read_model(path, {.limits = options.limits, .external_data = false});
  check::ExternalFolder folder(path);
  return check::check_all(model, options, &folder);
}

}  // namespace sardonyx
