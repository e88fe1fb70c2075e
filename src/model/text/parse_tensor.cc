// Tensors in the text syntax: type, name and elements.
#include "model/text/parser.h"

namespace sardonyx::model::text {

void Parser::read(TensorData& tensor) {
  budget_.take_message(sizeof(TensorData));
  const char* const start = in_.position();
  Type type;
  read(type);
  if (in_.next_is_name()) tensor.name = name("the name of a tensor");
  tensor_of(type, tensor, start);
}

void Parser::tensor_of(const Type& type, TensorData& tensor, const char* start) {
  const TensorType* const tensor_type = type.tensor();
  if (tensor_type == nullptr || !type.denotation.empty()) in_.fail_at(start, "expected the type of a tensor, as float[2,3]");
  if (!tensor_type->has_shape) in_.fail_at(start, "expected a tensor with sizes, as float[2,3], found one of unknown rank");
  tensor.data_type = tensor_type->elem_type;
  for (const Dimension& dim : tensor_type->shape.dims) {
    if (!dim.is_known() || !dim.denotation.empty()) in_.fail_at(start, "expected sizes that are numbers, as float[2,3]");
    tensor.dims.push_back(dim.size());
  }
  const bool is_given = in_.matches('=');
  if (is_given && in_.peek() == '[') {
    tensor.data_location = TensorData::Location::kExternal;
    read(tensor.external_data);
  } else {
    in_.expect('{', "'{' and the elements, or '=' and '[' and where external data lies");
    elements(tensor);
  }
  extras(tensor);
}

template <class T>
void Parser::elements_of(std::vector<T>& list) {
  list_until('}', "',' or '}'", [&] {
    if (in_.peek() == '.') in_.fail("an element: elements that were left out in print cannot be read; print the model in full");
    entry(list);
  });
}

void Parser::elements(TensorData& tensor) {
  switch (typed_field_of(tensor.dtype())) {
    case 4:
      return elements_of(tensor.float_data);
    case 5:
      return elements_of(tensor.int32_data);
    case 6:
      return elements_of(tensor.string_data);
    case 7:
      return elements_of(tensor.int64_data);
    case 10:
      return elements_of(tensor.double_data);
    case 11:
      return elements_of(tensor.uint64_data);
    default:
      in_.expect('}', "'}': nothing is known of elements of this type");
  }
}

}  // namespace sardonyx::model::text
