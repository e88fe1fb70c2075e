// How an operator runs: prepare, bind, run.
//
//   stage    when                knows                                  may fail
//   prepare  once per program    node, opset, constant inputs           yes
//   bind     once per plan       fixed input shapes and types, threads  yes
//   run      each run            pointers                               only on data
//
// A Prepared owns what depends on the node alone (decoded attributes, packed weights) and is shared by all plans: its members are const
// and safe to call from several threads. A Bound belongs to one plan; its run() is const and keeps all its working memory in the scratch
// that the plan gives, so that one plan may run in several threads at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/interrupt.h"
#include "core/parallel.h"
#include "ops/weights/packing.h"
#include "sardonyx/model.h"
#include "sardonyx/tensor.h"

namespace sardonyx::ops {

// What a kernel is told about a value when a plan is bound. `constant` is set where the elements are known at that time (initializers,
// folded values, small shape computations).
struct ValueFacts {
  DType dtype = DType::kUndefined;  // kUndefined: the optional input is absent
  Shape shape;
  const Tensor* constant = nullptr;
  bool present() const noexcept { return dtype != DType::kUndefined; }
};

struct RunContext;

// A graph that a node holds (a branch of If, the body of Loop), compiled by whoever prepares the node.
class Body {
 public:
  virtual ~Body() = default;
  virtual const model::Graph& signature() const noexcept = 0;  // its inputs and outputs as declared; no nodes
  // Runs the graph on its inputs, within the run of the node that holds it (`context`): the inputs of that context behind the node's own
  // ones are what the node's graphs read from the graph around. Results may share memory with inputs of the graph or of the node.
  virtual std::vector<Tensor> run(std::span<const Tensor> inputs, const RunContext& context) const = 0;
};

struct NodeBody {
  std::string_view attribute;  // "then_branch"
  std::shared_ptr<const Body> body;
};

struct PrepareContext {
  const model::Node& node;
  int64_t opset = 0;                         // version of the node's domain that the model imports
  std::span<const Tensor* const> constants;  // one per input; null where the value is not constant or the input is absent
  std::span<const NodeBody> bodies = {};     // the node's graphs; none where nobody compiles them (eager calls)
};

// A node with graphs has more inputs when it is bound and run than it lists: see Body::run.
struct BindContext {
  std::span<const ValueFacts> inputs;
  int threads = 1;
  Packing packing = {};
  bool winograd = false;  // convolutions may go by kernels/cpu/conv/winograd.h, which rounds differently
};

// An output that is a part of an input: the same bytes, from `offset` on.
struct OutputView {
  int input = -1;
  size_t offset = 0;
};

struct RunContext {
  std::span<const Tensor> inputs;  // undefined Tensor: the optional input is absent, or an empty optional
  std::span<Tensor> outputs;       // allocated with the bound type and shape; a dynamic step's kernel assigns them itself
  std::byte* scratch = nullptr;    // Bound::scratch_bytes, aligned to 64
  core::ThreadPool& pool;
  const core::Interrupt* interrupt = nullptr;  // null: nobody can stop the run
};

class Bound {
 public:
  virtual ~Bound() = default;
  virtual void run(const RunContext& context) const = 0;

  // One for each output of the node. kUndefined: the node leaves it out, and run() gets an undefined Tensor. `constant` is set where the
  // elements follow from the bound shapes (Shape, Size); it lives as long as the Bound. In a dynamic step the types alone are set, and
  // kUndefined stands for a type that is not known before the run.
  std::vector<ValueFacts> outputs;
  bool dynamic = false;    // output shapes depend on data: the kernel makes the outputs in run(), and may hand out inputs
  bool may_empty = false;  // run() may leave outputs undefined: empty optionals
  size_t scratch_bytes = 0;
  int alias_input = -1;  // output 0 has the elements of this input under another shape (Reshape, Identity): a plan may alias
  // One for each output, or none: all outputs are contiguous parts of inputs (Split and Slice by an outer axis); a plan may then let them
  // be views, and need not run the step.
  std::vector<OutputView> output_views;
  // One for each input, or none: output 0 is the inputs one after the other, input i at byte part_offsets[i] (Concat by an outer axis); a
  // plan may then let the inputs be made in their places, and need not run the step.
  std::vector<size_t> part_offsets;
  int in_place_input = -1;            // output 0 may take the memory of this input, if nobody needs that input afterwards
  double flops = 0;                   // floating-point operations of one run, a multiply-add counting two
  const char* kernel = "";            // the chosen candidate's name
  std::vector<std::string> refusals;  // "winograd: not 3x3 stride 1", in the order tried
};

class Prepared {
 public:
  virtual ~Prepared() = default;
  virtual std::unique_ptr<Bound> bind(const BindContext& context) const = 0;
  // Whether the constant of this input was taken over (packed), so that the program need not keep the original.
  virtual bool consumed_constant(size_t /*input*/) const { return false; }
};

// One row of the operator table.
struct Operator {
  std::string_view domain;  // "" is ai.onnx
  std::string_view op_type;
  int since;  // first opset with this operator
  std::unique_ptr<Prepared> (*prepare)(const PrepareContext& context);
  // Counts that ops::prepare holds every node to, over all versions of the operator.
  int min_inputs = 0;
  int max_inputs = 0;  // kMany: any number
  int max_outputs = 1;
};
inline constexpr int kMany = 1 << 30;

// The CPU operator of that name, or null. The domain "ai.onnx" is the same as "".
const Operator* find_operator(std::string_view domain, std::string_view op_type) noexcept;
std::span<const Operator> all_operators() noexcept;

// Prepares the node. Throws Unsupported (naming operator, domain, opset) where there is no kernel, and whatever its prepare throws; the
// trail describes the node.
std::unique_ptr<Prepared> prepare(const PrepareContext& context);

// Prepares, binds and runs one node on given values: for eager calls and constant folding. Absent optional inputs are undefined Tensors.
// Programs of recent calls (same attributes, opset, constant-free, same input types and shapes) are kept in a small bounded cache.
std::vector<Tensor> evaluate(const model::Node& node, int64_t opset, std::span<const Tensor> inputs);

}  // namespace sardonyx::ops
