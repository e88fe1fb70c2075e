#include "model/text/parser.h"

namespace sardonyx::model::text {

Parser::Parser(std::string_view text, const ParseTextOptions& options)
    : in_(text), budget_({options.limits.max_depth, options.limits.max_messages, options.limits.max_elements, options.limits.max_memory}) {
  if (text.size() > options.limits.max_file_bytes) {
    throw Error(ErrorCode::kResourceLimit, std::to_string(text.size()) + " bytes of text exceed the limit of " +
                                               std::to_string(options.limits.max_file_bytes) + ": raise it if the text is trusted");
  }
}

void Parser::read(StringPair& pair) {
  budget_.take_message(sizeof(StringPair));
  read(pair.key);
  in_.expect(':', "':'");
  read(pair.value);
}

void Parser::read(OpsetId& opset) {
  budget_.take_message(sizeof(OpsetId));
  read(opset.domain);
  in_.expect(':', "':'");
  read(opset.version);
}

// As onnx has it: "" stands for an empty name, and so does nothing before a comma.
void Parser::names(std::vector<std::string>& list) {
  for (;;) {
    if (in_.next_is_name()) {
      list.push_back(name("a name"));
    } else if (in_.peek() == ',') {
      list.emplace_back();
    } else {
      return;
    }
    budget_.take_elements(1, sizeof(std::string));
    if (!in_.matches(',')) return;
  }
}

bool Parser::next_is_type() {
  if (in_.next_is_numbered_type() || in_.next_is_extras()) return true;
  const std::string_view word = in_.peek_identifier();
  if (word != "opaque") return names_type(word);
  // A new word of the syntax: elsewhere it is a name.
  const char* const start = in_.position();
  in_.optional_identifier();
  const bool is_type = in_.peek() == '(';
  in_.go_back(start);
  return is_type;
}

int32_t Parser::element_type() {
  const char* const start = in_.position();
  if (in_.matches('%')) return in_.number<int32_t>("the number of an element type");
  const std::string_view word = in_.identifier("an element type");
  const std::optional<DType> dtype = dtype_from_string(word);
  if (!dtype) in_.fail_at(start, "expected an element type (float, int64, ...), found '" + std::string(word.substr(0, 40)) + "'");
  return static_cast<int32_t>(*dtype);
}

void Parser::dimension(Dimension& dim) {
  budget_.take_message(sizeof(Dimension));
  if (in_.next_is_name()) {
    dim.value = name("a name");
  } else if (!in_.matches('?')) {
    dim.value = in_.number<int64_t>("a size, a name or '?'");
  }
  extras(dim);
}

void Parser::tensor_type(TensorType& type) {
  type.elem_type = element_type();
  if (in_.peek() != '[') {
    type.has_shape = true;
    return;
  }
  in_.matches('[');
  type.has_shape = in_.peek() != ']';
  list_until(']', "',' or ']'", [&] { dimension(type.shape.dims.emplace_back()); });
}

void Parser::inner_type(std::shared_ptr<const Type>& type) {
  if (in_.peek() != ')') read(type);
  in_.expect(')', "')'");
}

std::string Parser::qualified_name(std::string_view what) {
  std::string text = name(what);
  while (in_.matches('.')) text.append(".").append(name(what));
  return text;
}

// opaque(), opaque(name), opaque(domain,) or opaque(domain, name)
void Parser::opaque_type(OpaqueType& type) {
  in_.expect('(', "'('");
  if (in_.peek() != ')') type.name = qualified_name("the name of an opaque type");
  if (in_.matches(',')) {
    type.domain = std::exchange(type.name, {});
    if (in_.peek() != ')') type.name = qualified_name("the name of an opaque type");
  }
  in_.expect(')', "')'");
}

void Parser::type_kind(Type& type) {
  const std::string_view word = in_.peek_identifier();
  if (in_.next_is_numbered_type() || dtype_from_string(word)) {
    tensor_type(type.value.emplace<TensorType>());
    return;
  }
  const char* const start = in_.position();
  in_.optional_identifier();
  if (word == "opaque") {
    opaque_type(type.value.emplace<OpaqueType>());
    return;
  }
  const auto open = [&] { in_.expect('(', "'('"); };
  if (word == "seq") {
    open();
    inner_type(type.value.emplace<SequenceType>().elem_type);
  } else if (word == "optional") {
    open();
    inner_type(type.value.emplace<OptionalType>().elem_type);
  } else if (word == "map") {
    open();
    auto& map = type.value.emplace<MapType>();
    map.key_type = element_type();
    if (in_.peek() != ')') in_.expect(',', "',' or ')'");
    inner_type(map.value_type);
  } else if (word == "sparse_tensor") {
    open();
    tensor_type(type.value.emplace<SparseTensorType>());
    in_.expect(')', "')'");
  } else {
    in_.go_back(start);
    in_.fail("a type");
  }
}

void Parser::read(Type& type) {
  const wire::Budget::Level level(budget_);
  budget_.take_message(sizeof(Type));
  if (!in_.next_is_extras()) type_kind(type);
  extras(type);
}

void Parser::read(ValueInfo& value) {
  budget_.take_message(sizeof(ValueInfo));
  if (next_is_type()) read(value.type);
  value.name = name("a type or the name of a value");
  extras(value);
}

// An input may have an initializer as its default: "float[2] x = {1, 2}".
void Parser::graph_input(Graph& graph) {
  const char* const start = in_.position();
  ValueInfo& value = graph.input.emplace_back();
  read(value);
  if (in_.peek() != '=') return;
  budget_.take_message(sizeof(TensorData));
  TensorData& tensor = graph.initializer.emplace_back();
  tensor.name = memory_for(value.name);
  tensor_of(value.type, tensor, start);
}

void Parser::initializer_or_value(Graph& graph) {
  const char* const start = in_.position();
  ValueInfo value;
  if (next_is_type()) read(value.type);
  value.name = name("a type or the name of a value");
  if (in_.peek() == '=') {
    budget_.take_message(sizeof(TensorData));
    TensorData& tensor = graph.initializer.emplace_back();
    tensor.name = std::move(value.name);
    tensor_of(value.type, tensor, start);
  } else {
    budget_.take_message(sizeof(ValueInfo));
    extras(value);
    graph.value_info.push_back(std::move(value));
  }
}

void Parser::nodes(std::vector<Node>& list) {
  in_.expect('{', "'{'");
  while (!in_.matches('}')) read(list.emplace_back());
}

void Parser::read(Graph& graph) {
  const wire::Budget::Level level(budget_);
  budget_.take_message(sizeof(Graph));
  graph.name = name("the name of a graph");
  if (in_.matches('(')) list_until(')', "',' or ')'", [&] { graph_input(graph); });
  arrow();
  in_.expect('(', "'(' and the outputs");
  list_until(')', "',' or ')'", [&] { read(graph.output.emplace_back()); });
  extras(graph);
  if (in_.matches('<')) list_until('>', "',' or '>'", [&] { initializer_or_value(graph); });
  nodes(graph.node);
}

// domain.Op:overload; the domain may have dots itself.
void Parser::operator_name(Node& node) {
  node.op_type = name("the name of an operator");
  bool has_domain = false;
  while (in_.matches('.')) {
    if (has_domain) node.domain += '.';
    node.domain += node.op_type;
    has_domain = true;
    node.op_type = name("the name of an operator");
  }
  if (in_.matches(':')) node.overload = name("the name of an overload");
}

void Parser::read(Node& node) {
  budget_.take_message(sizeof(Node));
  if (in_.matches('[')) {
    if (in_.next_is_name()) node.name = name("the name of a node");
    in_.expect(']', "']'");
  }
  names(node.output);
  in_.expect('=', node.output.empty() ? "a node, as 'y = Relu (x)'" : "',' or '='");
  operator_name(node);
  attributes(node.attribute);
  in_.expect('(', "'(' and the inputs");
  names(node.input);
  in_.expect(')', "',' or ')'");
  if (node.attribute.empty()) attributes(node.attribute);
  extras(node);
}

void Parser::attributes(std::vector<Attribute>& list) {
  if (in_.matches('<')) list_until('>', "',' or '>'", [&] { read(list.emplace_back()); });
}

// A name alone is an attribute without a default.
void Parser::function_attribute(Function& function) {
  std::string attribute_name = name("the name of an attribute");
  if (in_.peek() != ':' && in_.peek() != '=') {
    budget_.take_elements(1, sizeof(std::string));
    function.attribute.push_back(std::move(attribute_name));
    return;
  }
  budget_.take_message(sizeof(Attribute));
  Attribute& attribute = function.attribute_proto.emplace_back();
  attribute.name = std::move(attribute_name);
  typed_attribute(attribute);
}

// Inputs and outputs may have a type, which goes to the value infos.
void Parser::function_value(Function& function, std::vector<std::string>& list) {
  budget_.take_elements(1, sizeof(std::string));
  if (!next_is_type()) {
    list.push_back(name("a type or the name of a value"));
    return;
  }
  ValueInfo& value = function.value_info.emplace_back();
  read(value);
  list.push_back(memory_for(value.name));
}

void Parser::read(Function& function) {
  const wire::Budget::Level level(budget_);
  budget_.take_message(sizeof(Function));
  if (in_.matches('<')) named_fields(function, '>');
  function.name = name("the name of a function");
  if (in_.matches('<')) list_until('>', "',' or '>'", [&] { function_attribute(function); });
  in_.expect('(', "'(' and the inputs");
  list_until(')', "',' or ')'", [&] { function_value(function, function.input); });
  arrow();
  in_.expect('(', "'(' and the outputs");
  list_until(')', "',' or ')'", [&] { function_value(function, function.output); });
  if (in_.matches('<')) list_until('>', "',' or '>'", [&] { read(function.value_info.emplace_back()); });
  nodes(function.node);
}

void Parser::read(Model& model) {
  const bool has_header = in_.matches('<');
  if (has_header) named_fields(model, '>');
  // A model without a graph has a header, and its functions have theirs.
  if (!has_header || !(in_.at_end() || in_.peek() == '<')) {
    model.has_graph = true;
    read(model.graph);
  }
  while (!in_.at_end()) read(model.functions.emplace_back());
}

}  // namespace sardonyx::model::text
