// RNN, GRU and LSTM, every version: attributes and the shapes that follow.
#pragma once

#include <array>

#include "kernels/cpu/rnn/rnn.h"
#include "ops/facts.h"
#include "ops/op.h"

namespace sardonyx::ops {

enum class Direction { kForward, kReverse, kBoth };

struct RnnSpec {
  kernels::RnnCell cell = kernels::RnnCell::kSimple;
  Direction direction = Direction::kForward;
  bool batch_first = false, linear_before_reset = false, couples_forget = false;
  float clip = 0;
  int64_t hidden = 0;                                                 // 0: told by R alone
  std::array<std::array<kernels::GateActivation, 3>, 2> activations;  // of both directions
  int64_t directions() const noexcept { return direction == Direction::kBoth ? 2 : 1; }
};
RnnSpec rnn_spec_from_node(const model::Node& node, int64_t opset);

struct RnnGeometry {
  int64_t steps = 0, batch = 0, inputs = 0, hidden = 0;
  Shape y, state;
};
// Throws InvalidArgument where the inputs do not fit each other or the attributes.
RnnGeometry rnn_geometry(const RnnSpec& spec, const BindContext& context);

// What runs: both directions write to the outputs Y, Y_h and Y_c.
kernels::RnnShape rnn_shape(const RnnSpec& spec, const RnnGeometry& g, size_t direction);
// Throws InvalidArgument where sequence_lens holds a number of steps that X has not.
void check_rnn_lengths(const RunContext& r, const RnnGeometry& g);
template <class T>
kernels::RnnJob<T> rnn_job(const RnnSpec& spec, const RnnGeometry& g, const RunContext& r, size_t direction);

}  // namespace sardonyx::ops
