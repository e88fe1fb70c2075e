#include "kernels/cpu/rnn/rnn.h"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "core/arena.h"
#include "kernels/cpu/gemm/gemm.h"

namespace sardonyx::kernels {
namespace {

// c (m x n) += a (m x k) * the transpose of b (n x k), all contiguous but c, whose rows are `c_stride` apart.
template <class T>
void add_product(const GemmShape& s, const T* a, const T* b, T* c, size_t c_stride, void* scratch, core::ThreadPool& pool) noexcept {
  const auto k = static_cast<ptrdiff_t>(s.k);
  if constexpr (std::is_same_v<T, float>) {
    Epilogue epilogue;
    epilogue.addend = c;
    epilogue.addend_row_stride = static_cast<ptrdiff_t>(c_stride);
    epilogue.addend_column_stride = 1;
    epilogue.beta = 1;
    gemm(s, Matrix::view(a, k), Matrix::view(b, 1, k), epilogue, c, static_cast<ptrdiff_t>(c_stride), scratch, pool);
  } else {
    pool.for_each(s.m, [&](size_t i) {
      for (size_t j = 0; j < s.n; ++j) {
        T sum = 0;
        for (size_t p = 0; p < s.k; ++p) sum += a[i * s.k + p] * b[j * s.k + p];
        c[i * c_stride + j] += sum;
      }
    });
  }
}

// Scratch, in this order.
template <class T>
struct Buffers {
  T *inputs, *recurrent, *h, *c, *reset;
  void* product;

  Buffers(const RnnShape& s, void* scratch) noexcept {
    auto* memory = static_cast<std::byte*>(scratch);
    const auto take = [&](size_t count) {
      T* values = reinterpret_cast<T*>(memory);
      memory += core::align_up(count * sizeof(T));
      return values;
    };
    inputs = take(s.steps * s.batch * s.gates());
    recurrent = take(s.batch * s.gates());
    h = take(s.batch * s.hidden);
    c = take(s.batch * s.hidden);
    reset = take(s.batch * s.hidden);
    product = memory;
  }
  static size_t bytes(const RnnShape& s) noexcept {
    const auto part = [](size_t count) { return core::align_up(count * sizeof(T)); };
    return part(s.steps * s.batch * s.gates()) + part(s.batch * s.gates()) + 3 * part(s.batch * s.hidden);
  }
};

template <class T>
class Layer {
 public:
  Layer(const RnnJob<T>& job, void* scratch, core::ThreadPool& pool) : job_(job), s_(job.shape), to_(s_, scratch), pool_(pool) {}

  void run() const noexcept {
    start();
    for (size_t step = 0; step < s_.steps; ++step) {
      std::fill(to_.recurrent, to_.recurrent + s_.batch * s_.gates(), T{0});
      const bool resets = s_.cell == RnnCell::kGru && !s_.linear_before_reset;
      const size_t gates = resets ? 2 * s_.hidden : s_.gates();
      multiply(true, {s_.batch, gates, s_.hidden}, to_.h, job_.r, to_.recurrent);
      if (resets) {
        each_sample(step, [&](size_t b, const T* x) { reset_state(b, x); });
        add_product({s_.batch, s_.hidden, s_.hidden}, to_.reset, job_.r + gates * s_.hidden, to_.recurrent + gates, s_.gates(), to_.product,
                    pool_);
      }
      each_sample(step, [&](size_t b, const T* x) { advance(b, x); });
      each_sample(step, [&](size_t b, const T*) {
        if (job_.y) std::copy_n(to_.h + b * s_.hidden, s_.hidden, row_of_y(time(step, b), b));
      });
    }
    finish();
  }

 private:
  size_t length(size_t b) const noexcept { return job_.lengths ? static_cast<size_t>(job_.lengths[b]) : s_.steps; }
  size_t time(size_t step, size_t b) const noexcept { return s_.reverse ? length(b) - 1 - step : step; }
  T* row_of_y(size_t t, size_t b) const noexcept { return job_.y + t * job_.y_step_stride + b * job_.y_batch_stride; }

  void multiply(bool recurrent, const GemmShape& shape, const T* a, const T* weights, T* c) const noexcept {
    if (job_.add_product) {
      job_.add_product(job_.product_context, recurrent, shape.m, a, c, pool_);
    } else {
      add_product(shape, a, weights, c, s_.gates(), to_.product, pool_);
    }
  }

  void start() const noexcept {
    const size_t rows = s_.steps * s_.batch, gates = s_.gates();
    for (size_t row = 0; row < rows; ++row) {
      for (size_t i = 0; i < gates; ++i) to_.inputs[row * gates + i] = job_.bias ? input_bias(i) : T{0};
    }
    if (rows > 0) multiply(false, {rows, gates, s_.inputs}, job_.x, job_.w, to_.inputs);
    for (size_t b = 0; b < s_.batch; ++b) {
      load_state(job_.first_h, b, to_.h);
      load_state(job_.first_c, b, to_.c);
      for (size_t t = length(b); job_.y && t < s_.steps; ++t) std::fill_n(row_of_y(t, b), s_.hidden, T{0});
    }
  }
  // Both biases, but that which the reset gate of a GRU scales.
  T input_bias(size_t i) const noexcept {
    const bool apart = s_.cell == RnnCell::kGru && s_.linear_before_reset && i >= 2 * s_.hidden;
    return apart ? job_.bias[i] : job_.bias[i] + job_.bias[s_.gates() + i];
  }
  void load_state(const T* from, size_t b, T* to) const noexcept {
    if (from) {
      std::copy_n(from + b * job_.state_stride, s_.hidden, to + b * s_.hidden);
    } else {
      std::fill_n(to + b * s_.hidden, s_.hidden, T{0});
    }
  }
  void finish() const noexcept {
    for (size_t b = 0; b < s_.batch; ++b) {
      if (job_.last_h) std::copy_n(to_.h + b * s_.hidden, s_.hidden, job_.last_h + b * job_.state_stride);
      if (job_.last_c) std::copy_n(to_.c + b * s_.hidden, s_.hidden, job_.last_c + b * job_.state_stride);
    }
  }

  // body(sample, its gates from the input) for the samples that have this step.
  template <class Body>
  void each_sample(size_t step, const Body& body) const noexcept {
    constexpr size_t kValuesPerTask = 1 << 10;
    pool_.for_ranges(s_.batch, kValuesPerTask / std::max<size_t>(s_.gates(), 1), [&](size_t begin, size_t end) {
      for (size_t b = begin; b < end; ++b) {
        if (step >= length(b)) continue;
        const size_t t = time(step, b), row = s_.batch_first ? b * s_.steps + t : t * s_.batch + b;
        body(b, to_.inputs + row * s_.gates());
      }
    });
  }

  T apply(size_t which, T x) const noexcept {
    if (s_.clip > 0) x = std::clamp(x, static_cast<T>(-s_.clip), static_cast<T>(s_.clip));
    return static_cast<T>(activate(s_.activations[which], static_cast<double>(x)));
  }

  void reset_state(size_t b, const T* x) const noexcept {
    const T *rec = to_.recurrent + b * s_.gates(), *h = to_.h + b * s_.hidden;
    for (size_t i = 0; i < s_.hidden; ++i) {
      to_.reset[b * s_.hidden + i] = apply(0, x[s_.hidden + i] + rec[s_.hidden + i]) * h[i];
    }
  }

  void advance(size_t b, const T* x) const noexcept {
    const T* rec = to_.recurrent + b * s_.gates();
    T *h = to_.h + b * s_.hidden, *c = to_.c + b * s_.hidden;
    for (size_t i = 0; i < s_.hidden; ++i) {
      if (s_.cell == RnnCell::kSimple) {
        h[i] = apply(0, x[i] + rec[i]);
      } else if (s_.cell == RnnCell::kGru) {
        h[i] = gru(i, x, rec, h[i]);
      } else {
        h[i] = lstm(i, x, rec, c[i]);
      }
    }
  }

  T gru(size_t i, const T* x, const T* rec, T h) const noexcept {
    const size_t n = s_.hidden, at = 2 * n + i;
    const T update = apply(0, x[i] + rec[i]);
    T linear = rec[at];
    if (s_.linear_before_reset) {
      const T bias = job_.bias ? job_.bias[s_.gates() + at] : T{0};
      linear = apply(0, x[n + i] + rec[n + i]) * (linear + bias);
    }
    return (1 - update) * apply(1, x[at] + linear) + update * h;
  }

  T lstm(size_t i, const T* x, const T* rec, T& c) const noexcept {
    const size_t n = s_.hidden;
    const auto gate = [&](size_t g) { return x[g * n + i] + rec[g * n + i]; };
    const auto peep = [&](size_t g, T cell) { return job_.peepholes ? job_.peepholes[g * n + i] * cell : T{0}; };
    const T input = apply(0, gate(0) + peep(0, c));
    const T forget = s_.couples_forget ? 1 - input : apply(0, gate(2) + peep(2, c));
    c = forget * c + input * apply(1, gate(3));
    const T shown = static_cast<T>(activate(s_.activations[2], static_cast<double>(c)));
    return apply(0, gate(1) + peep(1, c)) * shown;
  }

  const RnnJob<T>& job_;
  const RnnShape& s_;
  Buffers<T> to_;
  core::ThreadPool& pool_;
};

}  // namespace

double activate(const GateActivation& a, double x) noexcept {
  const double alpha = static_cast<double>(a.alpha), beta = static_cast<double>(a.beta);
  switch (a.function) {
    case GateFunction::kRelu:
      return x > 0 ? x : 0;
    case GateFunction::kTanh:
      return std::tanh(x);
    case GateFunction::kSigmoid:
      return 1 / (1 + std::exp(-x));
    case GateFunction::kAffine:
      return alpha * x + beta;
    case GateFunction::kLeakyRelu:
      return x >= 0 ? x : alpha * x;
    case GateFunction::kThresholdedRelu:
      return x >= alpha ? x : 0;
    case GateFunction::kScaledTanh:
      return alpha * std::tanh(beta * x);
    case GateFunction::kHardSigmoid:
      return std::min(std::max(alpha * x + beta, 0.0), 1.0);
    case GateFunction::kElu:
      return x >= 0 ? x : alpha * std::expm1(x);
    case GateFunction::kSoftsign:
      return x / (1 + std::abs(x));
    case GateFunction::kSoftplus:
      break;
  }
  return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x));
}

template <class T>
size_t rnn_scratch_bytes(const RnnShape& s, int threads) noexcept {
  size_t product = 0;
  if constexpr (std::is_same_v<T, float>) {
    const auto bytes = [&](size_t m, size_t n, size_t k) { return m == 0 ? 0 : gemm_scratch_bytes({m, n, k}, false, false, threads); };
    product = std::max({bytes(s.steps * s.batch, s.gates(), s.inputs), bytes(s.batch, s.gates(), s.hidden),
                        bytes(s.batch, 2 * s.hidden, s.hidden), bytes(s.batch, s.hidden, s.hidden)});
  }
  return Buffers<T>::bytes(s) + product;
}

template <class T>
void rnn(const RnnJob<T>& job, void* scratch, core::ThreadPool& pool) noexcept {
  Layer<T>(job, scratch, pool).run();
}

template size_t rnn_scratch_bytes<float>(const RnnShape&, int) noexcept;
template size_t rnn_scratch_bytes<double>(const RnnShape&, int) noexcept;
template void rnn<float>(const RnnJob<float>&, void*, core::ThreadPool&) noexcept;
template void rnn<double>(const RnnJob<double>&, void*, core::ThreadPool&) noexcept;

}  // namespace sardonyx::kernels
