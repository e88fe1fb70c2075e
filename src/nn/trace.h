// Traces: what a module's forward does, as a list of torch-level operators on numbered values.
//
// While a Tracer is active on a thread, the functions of sardonyx/nn/functional.h compute as always and are recorded as well. A tensor is
// recognised by its identity; one that is neither input, parameter, buffer nor the result of a recorded function becomes a constant.
//
// Kinds, their inputs ('?': may be kNoValue) and attributes. Axes (dim, dims, start_dim, end_dim) stand as given and may be negative.
//
//   aten::conv2d               x weight bias?                stride padding dilation: ints[2]; groups: int. `padding` has four numbers
//                                                            (top, left, bottom, right) where padding "same" is uneven
//   aten::linear               x weight bias?
//   aten::matmul               a b
//   aten::batch_norm           x weight? bias? mean? var?    training: bool; momentum eps: double
//   aten::dropout              x                             p: double; train: bool (recorded only with train = true)
//   aten::relu aten::sigmoid aten::tanh                      x
//   aten::leaky_relu           x                             negative_slope: double
//   aten::softmax              x                             dim: int
//   aten::clamp                x                             min max: double, each may be absent
//   aten::pixel_shuffle        x                             upscale_factor: int
//   aten::pixel_unshuffle      x                             downscale_factor: int
//   aten::max_pool2d           x                             kernel_size stride padding dilation: ints[2]; ceil_mode: bool
//   aten::avg_pool2d           x                             kernel_size stride padding: ints[2]; ceil_mode count_include_pad: bool;
//                                                            divisor_override: int, may be absent
//   aten::adaptive_avg_pool2d  x                             output_size: ints[2]
//   aten::flatten              x                             start_dim end_dim: int
//   aten::reshape              x                             shape: ints, one may be -1
//   aten::permute              x                             dims: ints
//   aten::transpose            x                             dim0 dim1: int
//   aten::unsqueeze            x                             dim: int
//   aten::squeeze              x                             dim: int (recorded only where it removes the axis)
//   aten::cat                  x...                          dim: int
//   aten::add aten::sub        a b                           alpha: double
//   aten::mul aten::div        a b
//
// The image operators (conv2d, pooling, pixel_shuffle) are recorded on rank 4 only: rank 3 is recorded as unsqueeze, operator, squeeze.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "sardonyx/nn/module.h"
#include "sardonyx/tensor.h"

namespace sardonyx::nn {

using ValueId = int32_t;                 // index into Trace::values
inline constexpr ValueId kNoValue = -1;  // an optional input that is absent

using TraceAttribute = std::variant<bool, int64_t, double, std::string, std::vector<int64_t>, std::vector<double>>;
using TraceAttributes = std::map<std::string, TraceAttribute, std::less<>>;

struct TraceOp {
  std::string kind;
  std::string scope;  // modules that were being called: "/layer1/layer1.0/conv1"; "" for the root
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;
  TraceAttributes attributes;

  // The attribute as T. Throws Internal if it is absent or of another type.
  template <class T>
  const T& get(std::string_view name) const;
  // Null if absent.
  const TraceAttribute* find(std::string_view name) const;
};

struct TraceValue {
  enum class Origin { kInput, kParameter, kBuffer, kConstant, kOperator };
  Origin origin = Origin::kConstant;
  int32_t index = -1;  // kInput: which input; kOperator: index of the operator in Trace::ops
  std::string name;    // kParameter, kBuffer: key in the root's state_dict
  DType dtype = DType::kUndefined;
  Shape shape;
  Tensor tensor;  // undefined for results of operators once the trace is done
};

struct Trace {
  std::vector<TraceValue> values;
  std::vector<TraceOp> ops;  // in the order of execution
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;               // may repeat, and may be inputs, parameters or constants
  std::string root_name;                      // the root module's type
  std::vector<std::string> training_modules;  // paths ("bn1", "" for the root) of modules in training mode
};

// Runs module.forward_many(inputs) once and records it. The inputs are cloned first; the caller's tensors are not touched.
// With nothing in training mode, the forward is then run again on other input values and must do the same on the same constants: else
// InvalidArgument tells what depends on the input without being recorded (a tensor computed outside sardonyx/nn/functional.h, or control
// flow on values). Running statistics of modules in training mode do change.
Trace trace(Module& module, std::vector<Tensor> inputs);

// The first difference between two traces of one module, in words: operators, attributes, connections, constants; not sizes of values.
// Traces at two input sizes differ where a size was baked into the module's forward.
std::optional<std::string> first_difference(const Trace& a, const Trace& b);

// Records what runs on this thread while it lives. Tracers do not nest.
class Tracer {
 public:
  Tracer(const Module& root, std::span<const Tensor> inputs);
  ~Tracer();
  Tracer(const Tracer&) = delete;
  Tracer& operator=(const Tracer&) = delete;

  // The thread's tracer, or null.
  static Tracer* current() noexcept;

  // Undefined tensors among `inputs` are absent ones. An output that is one of the tensors known so far was changed in place.
  void record(std::string_view kind, std::span<const Tensor> inputs, TraceAttributes attributes, const Tensor& output);
  Trace finish(std::span<const Tensor> outputs);

  bool push(const Module& module);  // false, and nothing pushed, if the module is not below the root or is on top already
  void pop() noexcept;

 private:
  struct State {
    TraceValue::Origin origin;
    std::string name;
    Tensor tensor;
  };

  ValueId value_of(const Tensor& tensor);
  ValueId add_value(TraceValue::Origin origin, int32_t index, std::string name, const Tensor& tensor);
  void spoil_views(const Tensor& changed);

  Trace trace_;                                                        // holds every tensor seen, so that identities stay unique
  std::unordered_map<const void*, ValueId> known_;                     // identity of a tensor -> its present value
  std::unordered_map<const void*, State> state_;                       // identity of a parameter or buffer
  std::unordered_map<const void*, std::vector<const void*>> storage_;  // elements of inputs and results -> identities that share them
  std::unordered_map<const Module*, std::string> segments_;            // module -> its part of a scope
  std::vector<const Module*> stack_;
  std::vector<std::string> scopes_;
};

template <class T>
const T& TraceOp::get(std::string_view name) const {
  const TraceAttribute* attribute = find(name);
  if (!attribute || !std::holds_alternative<T>(*attribute)) {
    throw Error(ErrorCode::kInternal, kind + ": the trace holds no such attribute: " + std::string(name));
  }
  return std::get<T>(*attribute);
}

}  // namespace sardonyx::nn
