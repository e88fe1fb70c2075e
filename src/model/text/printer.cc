#include "model/text/printer.h"

#include "core/utf8.h"

namespace sardonyx::model::text {
namespace {

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }
bool is_line_or_tab(char c) { return c == '\n' || c == '\t' || c == '\r'; }

// Whether the text can stand between quotes as it is, but for quotes and backslashes.
bool is_printable(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const size_t length = core::utf8_length(text, at);
    if (length == 0 || (is_control(text[at]) && !is_line_or_tab(text[at]))) return false;
    at += length;
  }
  return true;
}

}  // namespace

Printer::Level::Level(Printer& printer) : printer_(printer) {
  if (printer.depth_ >= printer.options_.max_depth) {
    throw Error(ErrorCode::kResourceLimit, "graphs, types or messages are nested deeper than the limit of " +
                                               std::to_string(printer.options_.max_depth) + " levels: raise max_depth if that is meant");
  }
  ++printer.depth_;
}

void Printer::quoted(std::string_view text) {
  if (!is_printable(text)) {
    escaped(text);
    return;
  }
  out_ += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') out_ += '\\';
    out_ += c;
  }
  out_ += '"';
}

void Printer::escaped(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out_ += "%\"";
  for (size_t at = 0; at < text.size();) {
    const size_t length = core::utf8_length(text, at);
    const char c = text[at];
    if (length == 0 || is_control(c)) {
      out_ += "\\x";
      out_ += kHex[static_cast<unsigned char>(c) >> 4];
      out_ += kHex[static_cast<unsigned char>(c) & 15];
    } else {
      if (c == '"' || c == '\\') out_ += '\\';
      out_ += text.substr(at, length);
    }
    at += length == 0 ? 1 : length;
  }
  out_ += '"';
}

void Printer::name(std::string_view text) {
  if (is_identifier(text)) {
    out_ += text;
  } else {
    quoted(text);
  }
}

void Printer::ambiguous_name(std::string_view text) {
  if (names_type(text) || names_float(text)) {
    quoted(text);
  } else {
    name(text);
  }
}

void Printer::qualified_name(std::string_view text) {
  if (is_qualified_identifier(text)) {
    out_ += text;
  } else {
    quoted(text);
  }
}

void Printer::write(const StringPair& pair) {
  quoted(pair.key);
  out_ += ": ";
  quoted(pair.value);
}

void Printer::write(const OpsetId& opset) {
  quoted(opset.domain);
  out_ += " : ";
  number(opset.version);
}

void Printer::element_type(int32_t type_number) {
  if (is_valid(static_cast<DType>(type_number))) {
    out_ += sardonyx::to_string(static_cast<DType>(type_number));
  } else {
    out_ += '%';
    number(type_number);
  }
}

void Printer::dimension(const Dimension& dim) {
  if (dim.is_known()) {
    number(dim.size());
  } else if (!dim.is_symbol()) {
    out_ += '?';
  } else if (is_identifier(dim.symbol())) {
    out_ += dim.symbol();
  } else {
    quoted(dim.symbol());
  }
  extras(dim, 0);
}

void Printer::tensor_type(const TensorType& type) {
  element_type(type.elem_type);
  if (type.has_shape && type.shape.dims.empty()) return;
  out_ += '[';
  if (type.has_shape) separated(type.shape.dims, ",", [&](const Dimension& dim) { dimension(dim); });
  out_ += ']';
}

void Printer::inner_type(std::string_view open, const std::shared_ptr<const Type>& type) {
  out_ += open;
  if (type) type_text(*type, false);
  out_ += ')';
}

void Printer::opaque_type(const OpaqueType& type) {
  out_ += "opaque(";
  if (!type.domain.empty()) {
    qualified_name(type.domain);
    out_ += ',';
  }
  if (!type.name.empty()) qualified_name(type.name);
  out_ += ')';
}

void Printer::type_text(const Type& type, bool extras_follow) {
  const Level level(*this);
  if (const auto* tensor = type.tensor()) {
    tensor_type(*tensor);
  } else if (const auto* sparse = std::get_if<SparseTensorType>(&type.value)) {
    out_ += "sparse_tensor(";
    tensor_type(*sparse);
    out_ += ')';
  } else if (const auto* sequence = std::get_if<SequenceType>(&type.value)) {
    inner_type("seq(", sequence->elem_type);
  } else if (const auto* optional = std::get_if<OptionalType>(&type.value)) {
    inner_type("optional(", optional->elem_type);
  } else if (const auto* map = std::get_if<MapType>(&type.value)) {
    out_ += "map(";
    element_type(map->key_type);
    inner_type(map->value_type ? ", " : "", map->value_type);
  } else if (const auto* opaque = std::get_if<OpaqueType>(&type.value)) {
    opaque_type(*opaque);
  }
  extras(type, 0, extras_follow || type.absent());
}

void Printer::write(const ValueInfo& value) {
  if (value.type.absent() && value.type.denotation.empty()) {
    ambiguous_name(value.name);
  } else {
    type_text(value.type, false);
    out_ += ' ';
    name(value.name);
  }
  extras(value, 0);
}

void Printer::initializers(const Graph& graph) {
  if (graph.initializer.empty() && graph.value_info.empty()) {
    out_ += ' ';
    return;
  }
  std::string line = ",\n";
  line.append(static_cast<size_t>(indent_) + 4, ' ');
  out_ += '\n';
  indent();
  out_ += "   <";
  separated(graph.initializer, line, [&](const TensorData& tensor) { tensor_text(tensor, true, false); });
  if (!graph.initializer.empty() && !graph.value_info.empty()) out_ += line;
  separated(graph.value_info, line, [&](const ValueInfo& value) { write(value); });
  out_ += ">\n";
  indent();
}

void Printer::nodes(const std::vector<Node>& list) {
  out_ += "{\n";
  indent_ += 3;
  for (const Node& node : list) {
    indent();
    write(node);
    out_ += '\n';
  }
  indent_ -= 3;
  indent();
  out_ += '}';
}

void Printer::write(const Graph& graph) {
  const Level level(*this);
  ambiguous_name(graph.name);
  out_ += ' ';
  values('(', graph.input, ')');
  out_ += " => ";
  values('(', graph.output, ')');
  extras(graph, 0);
  initializers(graph);
  nodes(graph.node);
}

void Printer::write(const Node& node) {
  if (!node.name.empty()) {
    out_ += '[';
    name(node.name);
    out_ += "] ";
  }
  names(node.output);
  out_ += node.output.empty() ? "= " : " = ";
  if (!node.domain.empty()) {
    qualified_name(node.domain);
    out_ += '.';
  }
  name(node.op_type);
  if (!node.overload.empty()) {
    out_ += ':';
    name(node.overload);
  }
  bool has_graph = false;
  for (const Attribute& attribute : node.attribute) has_graph = has_graph || attribute.g || !attribute.graphs.empty();
  if (!has_graph) attributes(node.attribute);
  out_ += " (";
  names(node.input);
  out_ += ')';
  if (has_graph) attributes(node.attribute);
  extras(node, 0);
}

void Printer::attributes(const std::vector<Attribute>& list) {
  if (list.empty()) return;
  out_ += " <";
  separated(list, ", ", [&](const Attribute& attribute) { write(attribute); });
  out_ += '>';
}

void Printer::write(const Attribute& attribute) {
  const auto type = static_cast<size_t>(attribute.type);
  if (type >= kAttributeTypeNames.size()) {
    throw Error(ErrorCode::kInvalidArgument, "attribute '" + attribute.name + "' has the unknown type " + std::to_string(type));
  }
  name(attribute.name);
  // onnx's parser does not know the word undefined, and needs no type for a reference.
  if (type != 0 || attribute.ref_attr_name.empty() || attribute.presence.has(20)) out_.append(": ").append(kAttributeTypeNames[type]);
  if (!attribute.ref_attr_name.empty()) {
    out_ += " = @";
    name(attribute.ref_attr_name);
    extras(attribute, 0);
    return;
  }
  // What follows the value of a type or tensor would be taken for its extras, unless it has some itself.
  const bool may_be_ambiguous = attribute.type == AttributeType::kTensor || attribute.type == AttributeType::kTypeProto;
  const uint64_t own = attribute.type == AttributeType::kTensor ? bit(5) : bit(14);
  FieldPrinter counter(nullptr, out_, kPlaced<Attribute> | own, 0, {});
  if (may_be_ambiguous) fields(counter, attribute);
  extras(attribute, attribute_value(attribute, counter.count() > 0));
}

uint64_t Printer::attribute_value(const Attribute& a, bool extras_follow) {
  const auto put = [&](int field, const auto& value) {
    out_ += " = ";
    write(value);
    return bit(field);
  };
  switch (a.type) {
    case AttributeType::kUndefined:
      return 0;
    case AttributeType::kFloat: {
      const size_t before = out_.size();
      const uint64_t written = put(2, a.f);
      // onnx's parser reads "2" as an integer first, and leaves it in the attribute beside the float.
      if (std::string_view(out_).substr(before + 3).find_first_not_of("-0123456789") == std::string_view::npos) out_ += ".0";
      return written;
    }
    case AttributeType::kInt:
      return put(3, a.i);
    case AttributeType::kString:
      return put(4, a.s);
    case AttributeType::kTensor:
      if (!a.t) return 0;
      out_ += " = ";
      tensor_text(*a.t, false, extras_follow);
      return bit(5);
    case AttributeType::kGraph:
      return a.g ? put(6, a.g) : 0;
    case AttributeType::kFloats:
      return put(7, a.floats);
    case AttributeType::kInts:
      return put(8, a.ints);
    case AttributeType::kStrings:
      return put(9, a.strings);
    case AttributeType::kTensors:
      return put(10, a.tensors);
    case AttributeType::kGraphs:
      return put(11, a.graphs);
    case AttributeType::kSparseTensor:
      return a.sparse_tensor ? put(22, a.sparse_tensor) : 0;
    case AttributeType::kSparseTensors:
      return put(23, a.sparse_tensors);
    case AttributeType::kTypeProto:
      if (!a.tp) return 0;
      out_ += " = ";
      type_text(*a.tp, extras_follow);
      return bit(14);
    case AttributeType::kTypeProtos:
      return put(15, a.type_protos);
  }
  return 0;
}

void Printer::write(const Function& function) {
  const Level level(*this);
  out_ += "<\n   ";
  named_fields(function, kPlaced<Function>, bits(9, 10), ",\n   ");
  out_ += "\n>\n";
  name(function.name);
  out_ += ' ';
  if (!function.attribute.empty() || !function.attribute_proto.empty()) {
    out_ += '<';
    names(function.attribute);
    if (!function.attribute.empty() && !function.attribute_proto.empty()) out_ += ", ";
    separated(function.attribute_proto, ", ", [&](const Attribute& attribute) { write(attribute); });
    out_ += "> ";
  }
  const auto values_of = [&](const std::vector<std::string>& list) {
    out_ += '(';
    separated(list, ", ", [&](const std::string& entry) { ambiguous_name(entry); });
    out_ += ')';
  };
  values_of(function.input);
  out_ += " => ";
  values_of(function.output);
  out_ += ' ';
  if (!function.value_info.empty()) {
    values('<', function.value_info, '>');
    out_ += ' ';
  }
  nodes(function.node);
}

void Printer::write(const Model& model) {
  out_ += "<\n   ";
  named_fields(model, kPlaced<Model>, bits(1, 8), ",\n   ");
  out_ += "\n>\n";
  if (model.has_graph) {
    write(model.graph);
    out_ += '\n';
  }
  for (const Function& function : model.functions) {
    write(function);
    out_ += '\n';
  }
}

}  // namespace sardonyx::model::text
