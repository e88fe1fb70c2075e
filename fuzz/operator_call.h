// A call of one operator drawn from bytes: mostly what its schema allows, with some things wrong.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ops/op.h"
#include "sardonyx/tensor.h"
#include "schema/schema.h"

namespace sardonyx::fuzz {

// Numbers out of a string of bytes; zeros behind its end.
class Bytes {
 public:
  explicit Bytes(std::span<const uint8_t> data) : data_(data) {}

  size_t below(size_t count) {
    size_t value = next();
    if (count > 256) value = value << 8 | next();
    return count == 0 ? 0 : value % count;
  }
  bool one_in(size_t count) { return below(count) == count - 1; }  // rarely true of zeros
  int64_t between(int64_t least, int64_t most) { return least + static_cast<int64_t>(below(static_cast<size_t>(most - least + 1))); }
  template <class Values>
  auto pick(const Values& values) {
    return *(std::begin(values) + below(std::size(values)));
  }

 private:
  uint8_t next() { return at_ < data_.size() ? data_[at_++] : uint8_t{0}; }

  std::span<const uint8_t> data_;
  size_t at_ = 0;
};

struct OperatorCall {
  model::Node node;
  int64_t opset = 0;
  std::vector<Tensor> inputs;
  std::vector<bool> constant;  // by input: known when the operator is prepared and bound
};

class CallMaker {
 public:
  explicit CallMaker(std::span<const uint8_t> data) : bytes_(data) {}

  OperatorCall make();

 private:
  void add_inputs();
  void add_outputs(const ops::Operator& row);
  void add_attributes();
  model::Attribute attribute(const schema::AttributeSchema& wanted);
  DType type_of(size_t input);
  Shape shape_of(size_t input);
  Shape free_shape();
  Shape like(Shape shape);
  Tensor tensor(Shape shape, DType dtype);
  int64_t integer();
  float real();

  Bytes bytes_;
  std::optional<schema::Schema> schema_;
  OperatorCall call_;
  std::vector<std::pair<std::string_view, DType>> bound_;  // types that constraints stand for so far
};

}  // namespace sardonyx::fuzz
