// The graphs of a node, by attribute, with the counts that the operator asks for.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "ops/op.h"

namespace sardonyx::ops {

// Throws InvalidModel where the node has no such graph.
std::shared_ptr<const Body> body_of(const PrepareContext& context, std::string_view attribute);

// Throw InvalidModel unless the graph takes, or gives, that many values.
void require_body_inputs(const Body& body, std::string_view attribute, size_t count);
void require_body_outputs(const Body& body, std::string_view attribute, size_t count);

// A graph that tells beforehand what running it takes.
class MeasuredBody : public Body {
 public:
  // Bytes for intermediate values and outputs, with inputs of these types and shapes, within a node bound by `context`; 0 where nobody
  // holds the run to a limit.
  virtual size_t bytes(std::span<const ValueFacts> inputs, const BindContext& context) const = 0;
};
// The same of any body; 0 where it does not tell.
size_t bytes_of(const Body& body, std::span<const ValueFacts> inputs, const BindContext& context);

// A dynamic step that runs graphs.
class ControlBound final : public Bound {
 public:
  ControlBound(size_t outputs, const char* name, std::function<void(const RunContext&)> run, size_t bytes);
  void run(const RunContext& context) const override { run_(context); }

  // The least that the graphs take in each run, as far as their shapes are known when the node is bound.
  const size_t inner_bytes;

 private:
  std::function<void(const RunContext&)> run_;
};

// A ControlBound of `outputs` values whose types are known when it runs. `measure` (empty: nothing is known) gives its inner_bytes.
std::unique_ptr<Prepared> make_control(size_t outputs, const char* kernel, std::function<void(const RunContext&)> run,
                                       std::function<size_t(const BindContext&)> measure = {});

}  // namespace sardonyx::ops
