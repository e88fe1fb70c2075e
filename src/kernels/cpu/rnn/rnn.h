// Recurrent layers of one direction: simple RNN, GRU and LSTM, for float and double.
//
// The products of all inputs with W are made at once; each step then adds the products of the states with R and goes through the gates.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/parallel.h"

namespace sardonyx::kernels {

enum class GateFunction {
  kRelu,
  kTanh,
  kSigmoid,
  kAffine,
  kLeakyRelu,
  kThresholdedRelu,
  kScaledTanh,
  kHardSigmoid,
  kElu,
  kSoftsign,
  kSoftplus
};
struct GateActivation {
  GateFunction function = GateFunction::kTanh;
  float alpha = 0, beta = 0;
};
double activate(const GateActivation& activation, double x) noexcept;

enum class RnnCell { kSimple, kGru, kLstm };
// Gates in the order of the weights: simple (input), GRU (update, reset, hidden), LSTM (input, output, forget, cell).
constexpr size_t gate_count(RnnCell cell) noexcept { return cell == RnnCell::kSimple ? 1 : cell == RnnCell::kGru ? 3 : 4; }

struct RnnShape {
  RnnCell cell = RnnCell::kSimple;
  size_t steps = 0, batch = 0, inputs = 0, hidden = 0;
  bool reverse = false;
  bool batch_first = false;            // rows of x and y are (batch, step) instead of (step, batch)
  bool linear_before_reset = false;    // GRU
  bool couples_forget = false;         // LSTM: forget = 1 - input
  float clip = 0;                      // 0: none; else the sums that enter the gates (not the cell) are held in [-clip, clip]
  GateActivation activations[3] = {};  // f, g, h
  size_t gates() const noexcept { return gate_count(cell) * hidden; }
};

// Null pointers: zeros, all steps, or not wanted. Strides count elements.
template <class T>
struct RnnJob {
  RnnShape shape;
  const T *x = nullptr, *w = nullptr, *r = nullptr;  // (rows, inputs), (gates, inputs), (gates, hidden)
  const T* bias = nullptr;                           // of w and then of r: 2 * gates
  const T* peepholes = nullptr;                      // LSTM: input, output, forget
  const int32_t* lengths = nullptr;                  // steps of each sample; the rest of its y is 0
  const T *first_h = nullptr, *first_c = nullptr;    // state of sample b at b * state_stride
  T* y = nullptr;                                    // that of step t, sample b at t * y_step_stride + b * y_batch_stride
  T *last_h = nullptr, *last_c = nullptr;
  size_t state_stride = 0, y_step_stride = 0, y_batch_stride = 0;

  // Where set, makes the products of an LSTM in the place of w and r: c (rows x gates) += a * the transpose of w, or `recurrent`, of r.
  void (*add_product)(const void* context, bool recurrent, size_t rows, const T* a, T* c, core::ThreadPool& pool) noexcept = nullptr;
  const void* product_context = nullptr;
};

template <class T>
size_t rnn_scratch_bytes(const RnnShape& shape, int threads) noexcept;
template <class T>
void rnn(const RnnJob<T>& job, void* scratch, core::ThreadPool& pool) noexcept;

}  // namespace sardonyx::kernels
