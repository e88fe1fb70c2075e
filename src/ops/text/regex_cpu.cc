// RegexFullMatch: which strings a regular expression of RE2's syntax matches from end to end.
#include <re2/re2.h>

#include "ops/facts.h"
#include "ops/stages.h"

namespace sardonyx::ops {

std::unique_ptr<Prepared> prepare_regex_full_match(const PrepareContext& context) {
  const std::string pattern = model::get_string(context.node, "pattern", "");
  RE2::Options options;
  options.set_log_errors(false);
  const auto regex = std::make_shared<const RE2>(pattern, options);
  if (!regex->ok()) throw model_error("attribute pattern '{}' is no regular expression of RE2: {}", pattern, regex->error());
  return make_prepared([regex](const BindContext& b) {
    const ValueFacts& x = required(b, 0, "X");
    require_dtype(x, {DType::kString}, "X");
    return make_bound(output(DType::kBool, x.shape), [regex](const RunContext& r) {
      bool* out = r.outputs[0].mutable_values<bool>().data();
      for (const std::string& text : r.inputs[0].strings()) *out++ = RE2::FullMatch(text, *regex);
    });
  });
}

}  // namespace sardonyx::ops
