// Tests of rules: a graph as text, and the type that its output must get.
#pragma once

#include <gmock/gmock.h>

#include <string>
#include <string_view>

#include "core/expect_error.h"
#include "sardonyx/infer.h"
#include "sardonyx/text.h"

namespace sardonyx::infer {

// Infers the graph `text` with opset `opset` ("agraph (float[N, 3] x) => (y) { y = Relu (x) }") and gives the type of the value `name` as
// text: "float[N,3]". Fresh symbols are shown as "?". Throws what strict inference throws.
inline std::string inferred(std::string_view text, std::string_view name = "y", int64_t opset = 27, std::string_view domain_imports = "") {
  model::Model model = model::parse_text_model("<ir_version: 13, opset_import: [\"\" : " + std::to_string(opset) +
                                               std::string(domain_imports) + "]>\n" + std::string(text));
  infer_shapes(model, {.strict = true, .data_propagation = true, .name_unknown_dims = false});
  for (const auto* list : {&model.graph.output, &model.graph.value_info}) {
    for (const model::ValueInfo& value : *list) {
      if (value.name == name) return model::to_text(value.type);
    }
  }
  return "not inferred";
}

// The error that strict inference gives.
inline std::string refused(std::string_view text, int64_t opset = 27, std::string_view domain_imports = "") {
  try {
    inferred(text, "y", opset, domain_imports);
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

}  // namespace sardonyx::infer
