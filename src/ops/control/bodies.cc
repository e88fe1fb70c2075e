#include "ops/control/bodies.h"

#include <algorithm>

#include "ops/facts.h"
#include "ops/stages.h"

namespace sardonyx::ops {

std::shared_ptr<const Body> body_of(const PrepareContext& context, std::string_view attribute) {
  const auto found = std::ranges::find(context.bodies, attribute, &NodeBody::attribute);
  if (found != context.bodies.end()) return found->body;
  const bool is_there = context.node.find_attribute(attribute) != nullptr;
  if (is_there) throw unsupported_error("operators that hold graphs run within a session only");
  throw model_error("attribute {} is missing; it holds the graph to run", attribute);
}

void require_body_inputs(const Body& body, std::string_view attribute, size_t count) {
  const size_t taken = body.signature().input.size();
  if (taken != count) throw model_error("the graph {} takes {} inputs; the node gives it {}", attribute, taken, count);
}

void require_body_outputs(const Body& body, std::string_view attribute, size_t count) {
  const size_t given = body.signature().output.size();
  if (given != count) throw model_error("the graph {} gives {} outputs; the node needs {} of it", attribute, given, count);
}

size_t bytes_of(const Body& body, std::span<const ValueFacts> inputs, const BindContext& context) {
  const auto* measured = dynamic_cast<const MeasuredBody*>(&body);
  return measured ? measured->bytes(inputs, context) : 0;
}

ControlBound::ControlBound(size_t values, const char* name, std::function<void(const RunContext&)> run, size_t bytes)
    : inner_bytes(bytes), run_(std::move(run)) {
  outputs.resize(values);
  dynamic = true;
  may_empty = true;
  kernel = name;
}

std::unique_ptr<Prepared> make_control(size_t outputs, const char* kernel, std::function<void(const RunContext&)> run,
                                       std::function<size_t(const BindContext&)> measure) {
  return make_prepared([=](const BindContext& context) -> std::unique_ptr<Bound> {
    return std::make_unique<ControlBound>(outputs, kernel, run, measure ? measure(context) : 0);
  });
}

}  // namespace sardonyx::ops
