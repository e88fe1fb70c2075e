// What a rule sees of its node, and where it leaves what it finds out.
//
// Before a rule runs, the inputs' types have been checked against the operator's schema, and every output has got the element type that the
// schema gives it (the output's own type, or that of the inputs which share its type variable). So most rules only set shapes.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "infer/value.h"

namespace sardonyx::infer {

class BodyInference;  // how a rule has a subgraph inferred

class NodeContext {
 public:
  NodeContext(const model::Node& node, int version, std::vector<const Value*> inputs, Symbols& symbols, BodyInference& bodies);

  const model::Node& node() const noexcept { return node_; }  // attributes: model::get_int(node(), "axis", 0) and so on
  int version() const noexcept {
    return version_;
  }  // the operator's version (since_version), not the imported opset;
     // the latest opset for operators outside the specification
  const model::Attribute* attribute(std::string_view name) const noexcept { return node_.find_attribute(name); }
  // The integers of an attribute; nothing if it is not there.
  std::optional<std::vector<int64_t>> ints_attribute(std::string_view name) const;

  size_t inputs() const noexcept { return inputs_.size(); }
  size_t outputs() const noexcept { return outputs_.size(); }
  bool has_input(size_t i) const noexcept { return i < node_.input.size() && !node_.input[i].empty() && !input(i).is_absent; }
  bool has_output(size_t i) const noexcept { return i < node_.output.size() && !node_.output[i].empty(); }

  // Inputs; those that are left out or beyond the last are as unknown ones.
  const Value& input(size_t i) const noexcept;
  const ValueType& type(size_t i) const noexcept { return input(i).type; }
  DType dtype(size_t i) const noexcept;        // of a tensor, else kUndefined
  const Dims* shape(size_t i) const noexcept;  // of a tensor whose rank is known, else null
  // Elements of an integer tensor of rank 0 or 1, constant or followed through the graph. Null: nothing known.
  const Dims* elements(size_t i) const;
  // The same where every one is known.
  std::optional<std::vector<int64_t>> ints(size_t i) const;
  // Elements of a constant tensor of any numeric type and rank, at most kMaxElements.
  std::optional<std::vector<double>> numbers(size_t i) const;

  // Outputs; setting one that the node does not have is ignored.
  void set_type(size_t output, ValueType type);
  void set_dtype(size_t output, DType dtype);  // makes it a tensor
  void set_shape(size_t output, Dims dims);    // makes it a tensor; more than kMaxRank sizes leave the rank unknown
  void set_elements(size_t output, Dims elements);
  void set_elements(size_t output, Elements elements);
  // The type and shape of an input (as far as known).
  void copy_type(size_t input, size_t output);
  void copy_shape(size_t input, size_t output);  // the element type stays
  void set_constant(size_t output, const model::TensorData* tensor);
  std::vector<Value>& results() noexcept { return outputs_; }
  const std::vector<Value>& results() const noexcept { return outputs_; }

  // Infers a subgraph attribute with what is known of its inputs; what is known of its outputs comes back. Throws what fails inside.
  std::vector<Value> infer_body(const model::Graph& body, std::string_view attribute, std::span<const Value> inputs) const;
  // The same on an assumption that may be wrong: nothing where something inside contradicts it, and no word of that in the report.
  std::optional<std::vector<Value>> try_body(const model::Graph& body, std::string_view attribute, std::span<const Value> inputs) const;
  // Infers a subgraph that is never run, for the types of its values alone: what contradicts in it is not told.
  void infer_untaken(const model::Graph& body, std::string_view attribute) const;
  // How many such assumptions are being followed around the node.
  int tries() const noexcept;

  Symbols& symbols() const noexcept { return symbols_; }
  // Throws InvalidModel; the driver adds the node.
  [[noreturn]] void fail(const std::string& message) const;

  // Checks that help rules to say the same thing the same way. Unknown shapes pass.
  void expect_rank(size_t input, size_t rank, std::string_view name) const;
  void expect_min_rank(size_t input, size_t rank, std::string_view name) const;
  // axis in [-rank, rank) -> [0, rank); fails otherwise.
  size_t axis(int64_t axis, size_t rank) const;

 private:
  const model::Node& node_;
  int version_;
  std::vector<const Value*> inputs_;  // null: left out
  std::vector<Value> outputs_;
  mutable std::vector<Elements> decoded_;  // elements of constant inputs, when asked for
  Symbols& symbols_;
  BodyInference& bodies_;
};

// Elements of a constant integer tensor of rank 0 or 1 with at most kMaxElements; null for others.
Elements small_elements(const model::TensorData* constant);

class BodyInference {
 public:
  virtual ~BodyInference() = default;
  virtual std::vector<Value> infer_body(const model::Graph& body, std::string_view attribute, std::span<const Value> inputs) = 0;
  virtual void infer_untaken(const model::Graph& body, std::string_view attribute) = 0;
  virtual std::optional<std::vector<Value>> try_body(const model::Graph& body, std::string_view attribute,
                                                     std::span<const Value> inputs) = 0;
  virtual int tries() const noexcept = 0;
};

}  // namespace sardonyx::infer
