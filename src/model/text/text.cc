#include "sardonyx/text.h"

#include "model/text/parser.h"
#include "model/text/printer.h"

namespace sardonyx::model {
namespace {

template <class M>
std::string printed(const M& message, const TextOptions& options) {
  text::Printer printer(options);
  printer.write(message);
  return printer.take();
}

template <class M>
M parsed(std::string_view text, const ParseTextOptions& options) {
  return text::Parser(text, options).whole<M>();
}

}  // namespace

std::string to_text(const Model& model, const TextOptions& options) { return printed(model, options); }
std::string to_text(const Graph& graph, const TextOptions& options) { return printed(graph, options); }
std::string to_text(const Function& function, const TextOptions& options) { return printed(function, options); }
std::string to_text(const Node& node, const TextOptions& options) { return printed(node, options); }
std::string to_text(const Attribute& attribute, const TextOptions& options) { return printed(attribute, options); }
std::string to_text(const ValueInfo& value, const TextOptions& options) { return printed(value, options); }
std::string to_text(const TensorData& tensor, const TextOptions& options) { return printed(tensor, options); }
std::string to_text(const Type& type, const TextOptions& options) { return printed(type, options); }

Model parse_text_model(std::string_view text, const ParseTextOptions& options) { return parsed<Model>(text, options); }
Graph parse_text_graph(std::string_view text, const ParseTextOptions& options) { return parsed<Graph>(text, options); }
Function parse_text_function(std::string_view text, const ParseTextOptions& options) { return parsed<Function>(text, options); }
Node parse_text_node(std::string_view text, const ParseTextOptions& options) { return parsed<Node>(text, options); }
Attribute parse_text_attribute(std::string_view text, const ParseTextOptions& options) { return parsed<Attribute>(text, options); }
ValueInfo parse_text_value_info(std::string_view text, const ParseTextOptions& options) { return parsed<ValueInfo>(text, options); }
TensorData parse_text_tensor(std::string_view text, const ParseTextOptions& options) { return parsed<TensorData>(text, options); }
Type parse_text_type(std::string_view text, const ParseTextOptions& options) { return parsed<Type>(text, options); }

}  // namespace sardonyx::model
