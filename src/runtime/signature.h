// What a model takes: its inputs, their axes, and the checks of what is fed.
#pragma once

#include <cstdint>
#include <memory_resource>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sardonyx/model.h"
#include "sardonyx/session.h"

namespace sardonyx::runtime {

struct Axis {
  int64_t size = -1;       // fixed; -1: any
  int symbol = -1;         // index into Signature::symbols(); with a fixed size: the symbol that an option fixed
  std::string denotation;  // of the model, for messages
  bool fixed_by_option = false;
};

struct Input {
  NodeArg arg;
  DType dtype = DType::kUndefined;  // kTensor: a sequence or a map; kUndefined: any (an optional)
  bool is_structure = false;        // a sequence, map or optional: what it holds is not known before the run
  bool may_be_empty = false;        // an optional: may be fed an undefined tensor
  bool has_rank = false;
  std::vector<Axis> axes;
  Tensor fallback;  // of an overridable initializer; undefined for an input that must be fed
};

class Signature {
 public:
  // Inputs that must be fed come first, then initializers that may be. Applies the overrides to the types of the model's inputs, outputs
  // and value_info. Throws InvalidModel and Unsupported for inputs that cannot be fed, InvalidArgument for unknown symbols.
  Signature(model::Model& model, std::span<const std::pair<std::string, int64_t>> overrides);

  // Of a graph inside a node, which takes what the node gives it.
  explicit Signature(const model::Graph& body);

  const std::vector<Input>& inputs() const noexcept { return inputs_; }
  size_t required_inputs() const noexcept { return required_; }
  std::optional<size_t> find(std::string_view name) const noexcept;
  size_t index_of(std::string_view name) const;  // throws InvalidArgument, with the closest name

  // One tensor per input: what is fed, else the fallback. Throws InvalidArgument where names, types or shapes do not fit.
  void resolve(const Feeds& feeds, std::pmr::vector<const Tensor*>& tensors) const;
  // Checks one tensor per input (null: not fed) in the same way, and puts the fallbacks in.
  void complete(std::span<const Tensor*> tensors, std::span<const std::string_view> fed) const;
  // The same for shapes alone; an axis of fixed size need not be given.
  std::vector<Shape> resolve(const InputShapes& shapes) const;

 private:
  void add_structure(const model::ValueInfo& info);
  void add_input(const model::ValueInfo& info, Tensor fallback, std::span<const std::pair<std::string, int64_t>> overrides);
  int symbol_id(const std::string& symbol);
  [[noreturn]] void report_missing(std::span<const Tensor* const> tensors, std::span<const std::string_view> fed) const;
  void check_shape(size_t input, std::span<const int64_t> shape) const;
  template <class ShapeOf>
  void check_symbols(const ShapeOf& shape_of) const;

  std::vector<Input> inputs_;
  size_t required_ = 0;
  std::vector<std::string> symbols_;
};

}  // namespace sardonyx::runtime
