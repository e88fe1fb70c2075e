// The ONNX graph in the making: lowerings add nodes and constants to it by name.
//
// Names are torch.onnx's: a node is "/conv1/Conv", a second one of that kind "/conv1/Conv_1", its output "/conv1/Conv_output_0". Where a
// module is called a second time, torch numbers the call ("/relu_1/Relu"); here the node is numbered all the same ("/relu/Relu_1").
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "export/dynamic_sizes.h"
#include "nn/trace.h"
#include "sardonyx/export.h"
#include "sardonyx/model.h"

namespace sardonyx::exporter {

using Attributes = std::vector<model::Attribute>;

// An entry of a shape that is computed: a number, or the name of an int64 vector that holds one or more sizes.
using SizeEntry = std::variant<int64_t, std::string>;

class GraphBuilder {
 public:
  // The references must outlive the builder.
  GraphBuilder(const nn::Trace& trace, const DynamicSizes& sizes, const ExportOptions& options);

  int64_t opset() const noexcept { return options_.opset_version; }
  const nn::TraceValue& value(nn::ValueId id) const { return trace_.values[static_cast<size_t>(id)]; }
  const Shape& shape(nn::ValueId id) const { return value(id).shape; }
  int64_t rank(nn::ValueId id) const { return static_cast<int64_t>(shape(id).size()); }
  // Whether the size of an axis differs from run to run.
  bool is_dynamic(nn::ValueId id, int64_t axis) const { return sizes_.values[static_cast<size_t>(id)][static_cast<size_t>(axis)]; }
  // An axis as an index from 0, for specifications that know no negative ones.
  int64_t axis(nn::ValueId id, int64_t given) const { return given < 0 ? given + rank(id) : given; }

  // The ONNX name of a trace value; parameters and constants are added to the graph when first asked for. "" for kNoValue.
  std::string name(nn::ValueId id);
  void set_name(nn::ValueId id, std::string name) { names_[id] = std::move(name); }
  // Other elements for a parameter or constant, before its name is asked for. A name that is not "" replaces its own, made unique.
  void replace(nn::ValueId id, Tensor tensor, std::string name = "") { replaced_[id] = {std::move(name), std::move(tensor)}; }

  // The operator being lowered, which must live until the next one or finish(): its module is the prefix of node names, and both are named
  // in errors.
  void enter(const nn::TraceOp& op) { op_ = &op; }

  // Adds a node with one output and returns the output's name. Throws Unsupported where the operator, in this opset, does not take the
  // types of its inputs.
  std::string node(std::string_view op_type, std::vector<std::string> inputs, Attributes attributes = {});
  // Adds a constant under a name that begins with `hint`.
  std::string constant(const Tensor& tensor, std::string_view hint);
  std::string ints(const std::vector<int64_t>& values, std::string_view hint);  // an int64 vector
  // A scalar of the element type of a value.
  std::string scalar(double value, nn::ValueId like, std::string_view hint);

  // Axes as an attribute before opset `since`, as an input from it on.
  std::string with_axes(std::string_view op_type, const std::string& input, const std::vector<int64_t>& axes, int64_t since,
                        Attributes extra = {});
  std::string transpose(const std::string& input, std::vector<int64_t> permutation);
  // Sizes of these axes of a value, times `factor`, or divided by `divisor`, as an int64 vector computed at run time.
  std::string sizes_of(const std::string& input, const std::vector<int64_t>& axes, int64_t factor = 1, int64_t divisor = 1);
  // A number is a size, 0 copies the input's size on that axis, one -1 is inferred.
  std::string reshape(const std::string& input, const std::vector<SizeEntry>& entries, Attributes attributes = {});

  // Throws Unsupported: "cannot export aten::max_pool2d of module '/pool' to opset 9: <why>".
  [[noreturn]] void refuse(std::string_view why) const;

  // Names the graph's inputs and outputs and hands the graph over.
  model::Graph finish();

 private:
  struct Replacement {
    std::string name;
    Tensor tensor;
  };

  std::string unique(std::string wanted);
  std::string scoped(std::string_view hint) const;  // below the module whose operator is being lowered
  void check_types(std::string_view op_type, const std::vector<std::string>& inputs) const;
  void add_weight(const std::string& name, const Tensor& tensor);
  void add_initializer(const std::string& name, const Tensor& tensor);
  void add_output(const Port& port, bool sole);

  const nn::Trace& trace_;
  const DynamicSizes& sizes_;
  const ExportOptions& options_;
  const nn::TraceOp* op_ = nullptr;
  std::map<nn::ValueId, std::string> names_;
  std::map<nn::ValueId, Replacement> replaced_;
  std::map<std::pair<std::string, std::vector<int64_t>>, std::string> gathered_;  // sizes of a value's axes, as sizes_of gives them
  std::map<std::string, DType, std::less<>> types_;                               // of every ONNX value
  std::set<std::string, std::less<>> used_;                                       // names of values and nodes
  std::vector<model::ValueInfo> weight_inputs_;
  model::Graph graph_;
};

}  // namespace sardonyx::exporter
