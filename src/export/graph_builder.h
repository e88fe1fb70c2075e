// The ONNX graph in the making: lowerings add nodes and constants to it by name.
//
// Names are torch.onnx's: a node is "/conv1/Conv", a second one of that kind "/conv1/Conv_1", its output "/conv1/Conv_output_0".
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "nn/trace.h"
#include "sardonyx/export.h"
#include "sardonyx/model.h"

namespace sardonyx::exporter {

using Attributes = std::vector<model::Attribute>;

// An entry of a shape that is computed: a number, or the name of an int64 vector that holds one or more sizes.
using SizeEntry = std::variant<int64_t, std::string>;

class GraphBuilder {
 public:
  // `dynamic[v][axis]` tells whether the size of an axis of trace value v differs from run to run.
  GraphBuilder(const nn::Trace& trace, std::vector<std::vector<bool>> dynamic, const ExportOptions& options);

  int64_t opset() const noexcept { return options_.opset_version; }
  const nn::TraceValue& value(nn::ValueId id) const { return trace_.values[static_cast<size_t>(id)]; }
  const Shape& shape(nn::ValueId id) const { return value(id).shape; }
  int64_t rank(nn::ValueId id) const { return static_cast<int64_t>(shape(id).size()); }
  bool is_dynamic(nn::ValueId id, int64_t axis) const { return dynamic_[static_cast<size_t>(id)][static_cast<size_t>(axis)]; }
  // An axis as an index from 0, for specifications that know no negative ones.
  int64_t axis(nn::ValueId id, int64_t given) const { return given < 0 ? given + rank(id) : given; }

  // The ONNX name of a trace value; parameters and constants are added to the graph when first asked for. "" for kNoValue.
  std::string name(nn::ValueId id);
  void set_name(nn::ValueId id, std::string name) { names_[id] = std::move(name); }
  // Another name and other elements for a parameter or constant.
  void replace(nn::ValueId id, std::string name, Tensor tensor) { replaced_[id] = {std::move(name), std::move(tensor)}; }

  // The module whose operator is being lowered: prefix of node names, and part of errors.
  void enter(const nn::TraceOp& op) { op_ = &op; }

  // Adds a node with one output and returns the output's name.
  std::string node(std::string_view op_type, std::vector<std::string> inputs, Attributes attributes = {});
  // Adds a constant under a name that begins with `hint`.
  std::string constant(const Tensor& tensor, std::string_view hint);
  std::string ints(const std::vector<int64_t>& values, std::string_view hint);  // an int64 vector
  // A scalar of the element type of a value.
  std::string scalar(double value, nn::ValueId like, std::string_view hint);
  void add_initializer(std::string name, const Tensor& tensor);

  // Axes as an attribute before opset `since`, as an input from it on.
  std::string with_axes(std::string_view op_type, const std::string& input, const std::vector<int64_t>& axes, int64_t since,
                        Attributes extra = {});
  std::string transpose(const std::string& input, std::vector<int64_t> permutation);
  // Sizes of these axes of a value, times `factor`, or divided by `divisor`, as an int64 vector computed at run time.
  std::string sizes_of(const std::string& input, const std::vector<int64_t>& axes, int64_t factor = 1, int64_t divisor = 1);
  std::string reshape(const std::string& input, const std::vector<SizeEntry>& entries);

  // Throws Unsupported: "cannot export aten::max_pool2d of module 'pool' to opset 9: <why>".
  [[noreturn]] void refuse(std::string_view why) const;

  // Names the graph's inputs and outputs and hands the graph over.
  model::Graph finish(const std::vector<std::vector<model::Dimension>>& input_dims,
                      const std::vector<std::vector<model::Dimension>>& output_dims);

 private:
  std::string unique(std::string wanted);
  void name_inputs();
  void name_outputs();
  std::string source_name(const nn::TraceValue& value);

  const nn::Trace& trace_;
  std::vector<std::vector<bool>> dynamic_;
  const ExportOptions& options_;
  const nn::TraceOp* op_ = nullptr;
  std::map<nn::ValueId, std::string> names_;
  std::map<nn::ValueId, std::pair<std::string, Tensor>> replaced_;
  std::set<std::string, std::less<>> used_;
  std::vector<std::string> input_names_, output_names_;
  std::vector<model::ValueInfo> parameter_inputs_;
  model::Graph graph_;
};

// The names that inputs or outputs get: those given, then "input", "input.1", ... (`stem`).
std::vector<std::string> boundary_names(const std::vector<std::string>& given, size_t count, std::string_view stem);

}  // namespace sardonyx::exporter
