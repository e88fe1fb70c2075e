// What an adapter works with: one node on its way from one opset to a neighbouring one.
//
// The adapter edits `node` and puts what stands before and after it into the new list of nodes, all in the operators of the target opset.
// What it cannot express it refuses; a refusal names the node, the reason and the nearest opset.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "convert/names.h"
#include "convert/scope.h"
#include "sardonyx/model.h"

namespace sardonyx::convert {

using Attributes = std::vector<model::Attribute>;
using Inputs = std::vector<std::string>;

// Where the converted nodes of one graph or function go.
struct Output {
  std::vector<model::Node> nodes;
  std::vector<model::TensorData> initializers;
};

class Rewriter {
 public:
  Rewriter(model::Node original, int64_t from, int64_t to, Scope& scope, Names& names, Output& output);

  model::Node node;
  int64_t from() const noexcept { return from_; }
  int64_t to() const noexcept { return to_; }
  bool goes_up() const noexcept { return to_ > from_; }

  // Unsupported: this node cannot be expressed in opset to().
  [[noreturn]] void refuse(std::string_view reason) const;

  // Inputs and outputs of `node`; "" for one that is left out.
  const std::string& input(size_t i) const;
  const std::string& output(size_t i) const;
  bool has_input(size_t i) const { return !input(i).empty(); }
  bool has_output(size_t i) const { return !output(i).empty(); }
  void set_input(size_t i, std::string name);
  // Leaves inputs from `count` on out, and those before that are "" at the end.
  void cut_inputs(size_t count);
  void cut_outputs(size_t count);

  // Attributes of `node`. Each refuses a reference to an attribute of the function around it; take removes what it returns.
  const model::Attribute* attribute(std::string_view name) const;
  bool has_attribute(std::string_view name) const { return attribute(name) != nullptr; }
  int64_t get_int(std::string_view name, int64_t fallback) const;
  int64_t take_int(std::string_view name, int64_t fallback);
  float take_float(std::string_view name, float fallback);
  std::string take_string(std::string_view name, std::string_view fallback);
  std::optional<std::vector<int64_t>> take_ints(std::string_view name);
  void erase_attribute(std::string_view name);
  void set(model::Attribute attribute);  // replaces one of the same name

  // What is known of a value. The need_ forms refuse where it is not known.
  DType dtype(std::string_view name) const;
  std::optional<int64_t> rank(std::string_view name) const;
  std::optional<int64_t> dim(std::string_view name, int64_t axis) const;
  std::optional<std::vector<int64_t>> shape(std::string_view name) const;
  std::optional<Tensor> constant(std::string_view name) const;
  DType need_dtype(std::string_view name) const;
  int64_t need_rank(std::string_view name) const;
  std::vector<int64_t> need_shape(std::string_view name) const;
  Tensor need_constant(size_t i) const;
  std::vector<int64_t> need_ints(size_t i) const;  // a constant input as a list of integers; a scalar is a list of one
  const model::Type* type(std::string_view name) const;
  // An axis as one counted from the front; refuses axes outside the rank.
  int64_t front_axis(int64_t axis, int64_t rank) const;

  // New nodes. `node` itself is put by finish(), at the latest after the adapter; drop() leaves it out.
  std::string emit(std::string_view op_type, Inputs inputs, Attributes attributes = {});
  void emit_as(std::string_view op_type, Inputs inputs, std::vector<std::string> outputs, Attributes attributes = {});
  std::string fresh(std::string_view what);
  std::string constant_value(Tensor value);
  std::string ints(const std::vector<int64_t>& values) {
    return constant_value(Tensor::of<int64_t>({static_cast<int64_t>(values.size())}, values));
  }
  // A scalar of the type that value `like` has.
  std::string scalar_like(double value, const std::string& like);
  std::string cast(const std::string& value, DType to);
  void finish();
  void drop() noexcept { done_ = true; }
  // Puts `node` with another name for its output i, which is returned; what follows makes the output of the old name.
  std::string finish_with(size_t i);
  bool done() const noexcept { return done_; }
  Scope& scope() noexcept { return scope_; }
  Output& out() noexcept { return output_; }

  // `name` is value `original`, cast to `dtype`.
  void note_cast(const std::string& name, const std::string& original, DType dtype) { casts_[name] = {original, dtype}; }

 private:
  struct CastOf {
    std::string original;
    DType dtype;
  };
  std::string resolved(std::string_view name) const;
  void check_fits() const;
  std::string constant_by_cast(const Tensor& value);

  int64_t from_, to_;
  Scope& scope_;
  Names& names_;
  Output& output_;
  std::string original_;  // of which node errors speak
  std::unordered_map<std::string, CastOf> casts_;
  bool done_ = false;
};

}  // namespace sardonyx::convert
