// Attributes in the text syntax: "name: type = value", where the type may be left out.
#include <algorithm>

#include "model/text/parser.h"

namespace sardonyx::model::text {
namespace {

AttributeType list_of(AttributeType type) {
  switch (type) {
    case AttributeType::kFloat:
      return AttributeType::kFloats;
    case AttributeType::kInt:
      return AttributeType::kInts;
    case AttributeType::kString:
      return AttributeType::kStrings;
    case AttributeType::kTensor:
      return AttributeType::kTensors;
    case AttributeType::kGraph:
      return AttributeType::kGraphs;
    case AttributeType::kSparseTensor:
      return AttributeType::kSparseTensors;
    case AttributeType::kTypeProto:
      return AttributeType::kTypeProtos;
    default:
      return type;
  }
}

// Types whose value may be absent.
bool may_lack_value(AttributeType type) {
  return type == AttributeType::kUndefined || type == AttributeType::kTensor || type == AttributeType::kGraph ||
         type == AttributeType::kSparseTensor || type == AttributeType::kTypeProto;
}

}  // namespace

void Parser::read(Attribute& attribute) {
  budget_.take_message(sizeof(Attribute));
  attribute.name = name("the name of an attribute");
  typed_attribute(attribute);
}

// What follows the name.
void Parser::typed_attribute(Attribute& attribute) {
  const bool is_typed = in_.matches(':');
  if (is_typed) attribute_type(attribute);
  if (is_typed && may_lack_value(attribute.type) && in_.peek() != '=') {
    extras(attribute);
    return;
  }
  in_.expect('=', is_typed ? "'='" : "':' or '='");
  if (in_.matches('@')) {
    attribute.ref_attr_name = name("the name of an attribute of the function");
  } else if (in_.peek() == '[') {
    attribute_list(attribute);
  } else {
    if (attribute.type == AttributeType::kUndefined) attribute.type = guessed_type();
    attribute.presence.clear(20);
    read_single(attribute);
  }
  extras(attribute);
}

void Parser::attribute_type(Attribute& attribute) {
  const char* const start = in_.position();
  const std::string_view word = in_.identifier("the type of an attribute");
  const auto found = std::find(kAttributeTypeNames.begin(), kAttributeTypeNames.end(), word);
  if (found == kAttributeTypeNames.end()) {
    in_.fail_at(start, "expected the type of an attribute (float, ints, tensor, ...), found '" + std::string(word.substr(0, 40)) + "'");
  }
  attribute.type = static_cast<AttributeType>(found - kAttributeTypeNames.begin());
  // In a file, an absent type would be inferred from the value.
  if (attribute.type == AttributeType::kUndefined) attribute.presence.set(20);
}

// The type of a single value that has no type beside its name.
AttributeType Parser::guessed_type() {
  if (in_.next_is_number()) return in_.next_is_float() ? AttributeType::kFloat : AttributeType::kInt;
  if (in_.peek() == '{') return AttributeType::kSparseTensor;
  const char* const start = in_.position();
  AttributeType type = AttributeType::kUndefined;
  if (next_is_type()) {
    Type ignored;
    read(ignored);
    const char next = in_.peek();
    type = next == '{' || next == '=' || in_.next_is_name() ? AttributeType::kTensor : AttributeType::kTypeProto;
  } else if (in_.next_is_string()) {
    in_.string("a string");
    type = in_.peek() == '(' ? AttributeType::kGraph : AttributeType::kString;
  } else if (in_.next_is_name()) {
    type = AttributeType::kGraph;
  } else {
    in_.fail("the value of an attribute");
  }
  in_.go_back(start);
  return type;
}

void Parser::read_single(Attribute& a) {
  switch (a.type) {
    case AttributeType::kFloat:
      return read(a.f);
    case AttributeType::kInt:
      return read(a.i);
    case AttributeType::kString:
      return read(a.s);
    case AttributeType::kTensor:
      return read(a.t);
    case AttributeType::kGraph:
      return read(a.g);
    case AttributeType::kSparseTensor:
      return read(a.sparse_tensor);
    case AttributeType::kTypeProto:
      return read(a.tp);
    default:
      in_.fail("'['");
  }
}

// A list has the type beside its name, or, as onnx has it, that of its first entry.
void Parser::attribute_list(Attribute& attribute) {
  const char* const start = in_.position();
  in_.matches('[');
  const bool is_empty = in_.peek() == ']';
  if (is_empty && list_of(attribute.type) != attribute.type) {
    in_.fail("a value: an empty list has the type floats, ints, ...");
  }
  if (attribute.type == AttributeType::kUndefined) {
    if (is_empty) in_.fail("a value: an empty list needs a type, as 'axes: ints = []'");
    attribute.type = guessed_type();
  }
  attribute.type = list_of(attribute.type);
  attribute.presence.clear(20);
  in_.go_back(start);
  read_list(attribute);
}

void Parser::read_list(Attribute& a) {
  switch (a.type) {
    case AttributeType::kFloats:
      return read(a.floats);
    case AttributeType::kInts:
      return read(a.ints);
    case AttributeType::kStrings:
      return read(a.strings);
    case AttributeType::kTensors:
      return read(a.tensors);
    case AttributeType::kGraphs:
      return read(a.graphs);
    case AttributeType::kSparseTensors:
      return read(a.sparse_tensors);
    default:
      return read(a.type_protos);
  }
}

}  // namespace sardonyx::model::text
