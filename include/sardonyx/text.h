// The ONNX text syntax, both ways: a model as text that people can read and edit, and text as a model.
//
// The syntax is that of onnx.printer and onnx.parser (onnx 1.22, docs/Syntax.md there). Where it has no place for a part of the model, it
// is extended, so that every model::Model can be written and comes back; docs/text.md describes the extensions. Text that onnx's own parser
// takes means the same here. Text is UTF-8: strings that are not, or that hold control characters, are written with escapes.
//
// What printing and parsing again keeps: everything except `presence` (whether a field that has its default was written) and `unknown`
// (fields that onnx.proto of IR version 13 does not have). Elements of tensors come back in the typed fields, as onnx's parser has them,
// also where they stood as raw_data. semantically_equal compares models just so.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "sardonyx/model.h"

namespace sardonyx::model {

struct TextOptions {
  // Tensors with more elements are written as their first ones and "...", for reading only: the parser refuses "...".
  size_t max_elements = static_cast<size_t>(-1);
  // Nesting of graphs, types and messages: deeper models give a ResourceLimit error.
  int max_depth = 200;
};

std::string to_text(const Model& model, const TextOptions& options = {});
std::string to_text(const Graph& graph, const TextOptions& options = {});
std::string to_text(const Function& function, const TextOptions& options = {});
std::string to_text(const Node& node, const TextOptions& options = {});
std::string to_text(const Attribute& attribute, const TextOptions& options = {});
std::string to_text(const ValueInfo& value, const TextOptions& options = {});
std::string to_text(const TensorData& tensor, const TextOptions& options = {});
std::string to_text(const Type& type, const TextOptions& options = {});

// max_depth counts graphs, types and messages of the text; the other limits are those of the binary reader.
struct ParseTextOptions {
  ReadLimits limits = {.max_file_bytes = size_t{1} << 40,
                       .max_depth = 200,
                       .max_messages = size_t{1} << 26,
                       .max_elements = size_t{1} << 31,
                       .max_memory = size_t{8} << 30};
};

// Parses the whole of `text`. References to external data are kept, not followed. Errors tell line and column, what was expected and what
// was found, and quote the line:
//   3:15: expected ',' or ')', found '}'
//        y = Relu (x}
//                   ^
// Throws InvalidModel; ResourceLimit where a limit is exceeded.
Model parse_text_model(std::string_view text, const ParseTextOptions& options = {});
Graph parse_text_graph(std::string_view text, const ParseTextOptions& options = {});
Function parse_text_function(std::string_view text, const ParseTextOptions& options = {});
Node parse_text_node(std::string_view text, const ParseTextOptions& options = {});
Attribute parse_text_attribute(std::string_view text, const ParseTextOptions& options = {});
ValueInfo parse_text_value_info(std::string_view text, const ParseTextOptions& options = {});
TensorData parse_text_tensor(std::string_view text, const ParseTextOptions& options = {});
Type parse_text_type(std::string_view text, const ParseTextOptions& options = {});

// Whether two models are the same but for `presence`, `unknown` and the field in which a tensor keeps its elements. Floats are compared by
// their bits. External data is compared by its reference.
bool semantically_equal(const Model& a, const Model& b);
bool semantically_equal(const Graph& a, const Graph& b);
bool semantically_equal(const Node& a, const Node& b);
bool semantically_equal(const TensorData& a, const TensorData& b);

}  // namespace sardonyx::model
