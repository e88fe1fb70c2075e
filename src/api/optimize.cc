#include "sardonyx/optimize.h"

#include "api/flatten.h"
#include "optimize/functions.h"
#include "optimize/optimize.h"
#include "sardonyx/edit.h"

namespace sardonyx {

model::Model flatten(model::Model model) {
  optimize::drop_functions_with_kernel(model);
  return model.functions.empty() ? std::move(model) : inline_functions(model);
}

OptimizedModel optimize_model(const model::Model& model, GraphOptimizationLevel level, const std::vector<std::string>& disabled_passes) {
  OptimizedModel result{flatten(model), {}};
  result.passes = optimize::optimize_to_save(result.model, level, disabled_passes);
  optimize::add_functions(result.model);
  return result;
}

}  // namespace sardonyx
