// Prepared and Bound made from functions, so that an operator is a bind function and a run function.
#pragma once

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "ops/op.h"

namespace sardonyx::ops {

// `run` is called as run(const RunContext&).
template <class Run>
std::unique_ptr<Bound> make_bound(std::vector<ValueFacts> outputs, Run run) {
  class FunctionBound final : public Bound {
   public:
    explicit FunctionBound(Run function) : run_(std::move(function)) {}
    void run(const RunContext& context) const override { run_(context); }

   private:
    Run run_;
  };
  auto bound = std::make_unique<FunctionBound>(std::move(run));
  bound->outputs = std::move(outputs);
  return bound;
}
template <class Run>
std::unique_ptr<Bound> make_bound(ValueFacts output, Run run) {
  return make_bound(std::vector<ValueFacts>{std::move(output)}, std::move(run));
}

// `bind` is called as bind(const BindContext&) and gives a std::unique_ptr<Bound>.
template <class Bind>
std::unique_ptr<Prepared> make_prepared(Bind bind) {
  class FunctionPrepared final : public Prepared {
   public:
    explicit FunctionPrepared(Bind function) : bind_(std::move(function)) {}
    std::unique_ptr<Bound> bind(const BindContext& context) const override { return bind_(context); }

   private:
    Bind bind_;
  };
  return std::make_unique<FunctionPrepared>(std::move(bind));
}

// A bound step whose output has the elements of input 0 under another shape.
std::unique_ptr<Bound> make_alias(ValueFacts output);

// A dynamic step that hands input 0 on as it is: a sequence, a map, an optional. `dtype`: of the input; kUndefined: it is an empty
// optional.
std::unique_ptr<Bound> make_pass_on(DType dtype);

// Allocates outputs and scratch and runs the step.
std::vector<Tensor> run_step(const Bound& bound, std::span<const Tensor> inputs, core::ThreadPool& pool);

// What an operator needs whose output shapes depend on the values of some inputs (Reshape's shape, Slice's starts).
struct ValueDriven {
  uint32_t value_inputs = 0;  // bit i: bind reads ValueFacts::constant of input i, if that input is present
  std::function<std::vector<DType>(const BindContext&)> output_types;  // empty: one output of input 0's type
};

// `prepared` is bound when the values are known; else the result binds as a dynamic step, which binds and runs `prepared` at run time.
std::unique_ptr<Prepared> make_value_driven(std::unique_ptr<Prepared> prepared, ValueDriven rule);

}  // namespace sardonyx::ops
