// How long a run goes on after its caller asks it to end, operator by operator.
//
//   cancel_bench [THREADS [FILTER]]        FILTER: a part of the name
//
// Each operator runs on inputs that take it long, is cancelled on the way, and again by a deadline. Printed are the time of a whole run
// and, over several tries, the longest time from the request to the return: on the clock, and, with one thread, in processor time of the
// running thread, which other work on the machine does not disturb.
#include <pthread.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <functional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "sardonyx/build.h"
#include "sardonyx/error.h"
#include "sardonyx/session.h"

namespace {

using namespace sardonyx;
using namespace sardonyx::model;
using Clock = std::chrono::steady_clock;
using Attributes = std::initializer_list<NamedAttribute>;

double milliseconds(Clock::duration time) { return std::chrono::duration<double, std::milli>(time).count(); }

double processor_milliseconds(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) * 1e-6;
}

Tensor noise(const Shape& shape) {
  Tensor tensor = Tensor::empty(shape, DType::kFloat32);
  uint64_t state = 1;
  for (float& value : tensor.mutable_values<float>()) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    value = static_cast<float>(state >> 40) / static_cast<float>(1 << 24) - 0.5F;
  }
  return tensor;
}

struct Case {
  std::string name;
  Node node;
  std::vector<Tensor> inputs;
  std::vector<DType> outputs = {DType::kFloat32};
  int64_t opset = 22;
};

Case unary(const char* op, const Shape& shape, Attributes attributes = {}) {
  return {op, make_node(op, {"i0"}, {"o0"}, attributes), {noise(shape)}};
}

Case with_inputs(std::string name, const char* op, std::vector<Tensor> inputs, Attributes attributes = {},
                 std::vector<DType> outputs = {DType::kFloat32}) {
  std::vector<std::string> from, to;
  for (size_t i = 0; i < inputs.size(); ++i) from.push_back(inputs[i].defined() ? "i" + std::to_string(i) : "");
  for (size_t i = 0; i < outputs.size(); ++i) to.push_back("o" + std::to_string(i));
  return {std::move(name), make_node(op, from, to, attributes), std::move(inputs), std::move(outputs)};
}

Tensor bytes(const Shape& shape, DType dtype) {
  const Tensor from = noise(shape);
  Tensor to = Tensor::empty(shape, dtype);
  auto* at = static_cast<uint8_t*>(to.mutable_raw());
  for (const float value : from.values<float>()) *at++ = static_cast<uint8_t>(static_cast<int>(value * 200));
  return to;
}

Tensor integers(const std::vector<int64_t>& values) { return Tensor::of<int64_t>({static_cast<int64_t>(values.size())}, values); }

Tensor counting(int64_t count, int64_t below) {
  std::vector<int64_t> values;
  for (int64_t i = 0; i < count; ++i) values.push_back(i * 7919 % below);
  return integers(values);
}

constexpr int64_t kMany = 30'000'000;

std::vector<std::function<Case()>> products() {
  return {
      [] {
        return with_inputs("MatMul 2048^3", "MatMul", {noise({2048, 2048}), noise({2048, 2048})});
      },
      [] {
        return with_inputs("MatMul of a row, 8192x8192", "MatMul", {noise({1, 8192}), noise({8192, 8192})});
      },
      [] {
        return with_inputs("MatMul, 100000 of 8x8", "MatMul", {noise({100000, 8, 8}), noise({100000, 8, 8})});
      },
      [] {
        return with_inputs("MatMulInteger 2048^3", "MatMulInteger",
                           {bytes({2048, 2048}, DType::kUInt8), bytes({2048, 2048}, DType::kUInt8)}, {}, {DType::kInt32});
      },
      [] {
        return with_inputs("Einsum bij,bjk->bik", "Einsum", {noise({64, 512, 512}), noise({64, 512, 512})}, {{"equation", "bij,bjk->bik"}});
      },
      [] {
        return with_inputs("Einsum ij,ij->", "Einsum", {noise({8000, 2000}), noise({8000, 2000})}, {{"equation", "ij,ij->"}});
      },
      [] {
        return with_inputs("Det 1500^2", "Det", {noise({1500, 1500})});
      },
  };
}

std::vector<std::function<Case()>> convolutions() {
  return {
      [] {
        return with_inputs("Conv 3x3, 1080p", "Conv", {noise({1, 16, 1080, 1920}), noise({16, 16, 3, 3})}, {{"pads", {1, 1, 1, 1}}});
      },
      [] {
        return with_inputs("Conv 1x1, 512 channels", "Conv", {noise({1, 512, 128, 128}), noise({512, 512, 1, 1})});
      },
      [] {
        return with_inputs("Conv depthwise 7x7", "Conv", {noise({1, 64, 512, 512}), noise({64, 1, 7, 7})}, {{"group", 64}});
      },
      [] {
        return with_inputs("Conv, one long line", "Conv", {noise({1, 1, 4000000}), noise({1, 1, 101})});
      },
      [] {
        return with_inputs("ConvTranspose", "ConvTranspose", {noise({1, 64, 256, 256}), noise({64, 32, 4, 4})}, {{"strides", {2, 2}}});
      },
      [] {
        return with_inputs("DeformConv", "DeformConv", {noise({1, 32, 200, 200}), noise({32, 32, 3, 3}), noise({1, 18, 198, 198})});
      },
      [] {
        return with_inputs("ConvInteger", "ConvInteger", {bytes({1, 64, 256, 256}, DType::kUInt8), bytes({64, 64, 3, 3}, DType::kUInt8)},
                           {}, {DType::kInt32});
      },
      [] {
        return unary("MaxPool", {1, 16, 1500, 1500}, {{"kernel_shape", {7, 7}}});
      },
      [] {
        return with_inputs("MaxPool with indices", "MaxPool", {noise({1, 1, 3000, 3000})}, {{"kernel_shape", {7, 7}}},
                           {DType::kFloat32, DType::kInt64});
      },
      [] {
        return unary("AveragePool", {1, 16, 1500, 1500}, {{"kernel_shape", {7, 7}}});
      },
      [] {
        return unary("LpPool", {1, 1, 3000, 3000}, {{"kernel_shape", {7, 7}}});
      },
      [] {
        return unary("GlobalAveragePool", {1, 1, 6000, 5000});
      },
      [] {
        return with_inputs("Resize cubic", "Resize", {noise({1, 3, 1000, 1000}), Tensor(), Tensor::of<float>({4}, {1, 1, 3, 3})},
                           {{"mode", "cubic"}});
      },
      [] {
        return with_inputs("GridSample", "GridSample", {noise({1, 16, 800, 800}), noise({1, 800, 800, 2})});
      },
      [] {
        return with_inputs("Col2Im", "Col2Im", {noise({1, 25, 2000 * 2000}), integers({2004, 2004}), integers({5, 5})});
      },
      [] {
        return with_inputs("RoiAlign", "RoiAlign", {noise({1, 64, 200, 200}), Tensor::ones({2000, 4}), counting(2000, 1)},
                           {{"output_height", 14}, {"output_width", 14}, {"sampling_ratio", 8}});
      },
      [] {
        return with_inputs("LRN", "LRN", {noise({1, 64, 500, 500})}, {{"size", 9}});
      },
  };
}

std::vector<std::function<Case()>> lines() {
  return {
      [] {
        return with_inputs("TopK of one line", "TopK", {noise({kMany}), integers({1000})}, {}, {DType::kFloat32, DType::kInt64});
      },
      [] {
        return with_inputs("TopK, all of a line", "TopK", {noise({kMany / 4}), integers({kMany / 4})}, {},
                           {DType::kFloat32, DType::kInt64});
      },
      [] { return with_inputs("Unique", "Unique", {noise({kMany / 4})}, {}); },
      [] {
        return with_inputs("Unique rows", "Unique", {noise({200000, 8})}, {{"axis", 0}});
      },
      [] {
        return with_inputs("NonMaxSuppression", "NonMaxSuppression",
                           {noise({1, 40000, 4}), noise({1, 1, 40000}), integers({40000}), Tensor::of<float>({1}, {0.99F})}, {},
                           {DType::kInt64});
      },
      [] {
        return with_inputs("CumSum of one line", "CumSum", {noise({kMany}), Tensor::scalar(int64_t{0})});
      },
      [] {
        return unary("Softmax", {1, kMany});
      },
      [] {
        return unary("LogSoftmax", {1, kMany});
      },
      [] {
        return unary("Hardmax", {1, kMany});
      },
      [] {
        return unary("Softmax", {kMany / 1000, 1000});
      },
      [] { return unary("ReduceSum", {kMany}); },
      [] { return unary("ReduceLogSumExp", {kMany}); },
      [] { return unary("ReduceL2", {kMany}); },
      [] { return unary("ArgMax", {kMany}); },
      [] {
        return with_inputs("LayerNormalization of one row", "LayerNormalization", {noise({1, kMany / 2}), noise({kMany / 2})});
      },
      [] {
        return with_inputs("InstanceNormalization", "InstanceNormalization", {noise({1, 1, kMany}), noise({1}), noise({1})});
      },
      [] {
        return unary("LpNormalization", {1, kMany});
      },
      [] {
        return unary("MeanVarianceNormalization", {1, 1, 5000, 5000});
      },
      [] {
        return with_inputs("DFT of one line", "DFT", {noise({1, 1 << 22, 1})});
      },
      [] {
        return with_inputs("DFT of a prime length", "DFT", {noise({1, 1000003, 1})});
      },
      [] {
        return with_inputs("STFT", "STFT", {noise({1, 4000000, 1}), Tensor::scalar(int64_t{256}), Tensor(), Tensor::scalar(int64_t{1024})});
      },
  };
}

std::vector<std::function<Case()>> movement() {
  return {
      [] { return unary("Exp", {kMany}); },
      [] { return unary("Erf", {kMany}); },
      [] {
        return with_inputs("Add with broadcast", "Add", {noise({kMany / 1000, 1000}), noise({1000})});
      },
      [] {
        return with_inputs("Pow", "Pow", {noise({kMany}), Tensor::scalar(2.5F)});
      },
      [] {
        return with_inputs("Where", "Where", {Tensor::zeros({kMany}, DType::kBool), noise({kMany}), noise({kMany})});
      },
      [] {
        Case c = unary("Cast", {kMany}, {{"to", 10}});
        c.outputs = {DType::kFloat16};
        return c;
      },
      [] {
        return unary("Transpose", {5500, 5500});
      },
      [] {
        return unary("Transpose", {300, 310, 320}, {{"perm", {2, 1, 0}}});
      },
      [] {
        return with_inputs("Gather of single elements", "Gather", {noise({kMany}), counting(10'000'000, kMany)});
      },
      [] {
        return with_inputs("GatherElements", "GatherElements", {noise({kMany}), counting(10'000'000, kMany)});
      },
      [] {
        return with_inputs("GatherND", "GatherND", {noise({kMany}), counting(10'000'000, kMany).reshape({10'000'000, 1})});
      },
      [] {
        return with_inputs("ScatterElements", "ScatterElements", {noise({kMany}), counting(10'000'000, kMany), noise({10'000'000})});
      },
      [] {
        return with_inputs("ScatterND", "ScatterND",
                           {noise({kMany}), counting(10'000'000, kMany).reshape({10'000'000, 1}), noise({10'000'000})});
      },
      [] {
        return with_inputs("Concat", "Concat", {noise({1, kMany}), noise({1, kMany})}, {{"axis", 0}});
      },
      [] {
        return with_inputs("Expand", "Expand", {noise({1000, 1}), integers({1000, 30000})});
      },
      [] {
        return with_inputs("Tile", "Tile", {noise({1000, 30}), integers({1, 1000})});
      },
      [] {
        return with_inputs("Pad", "Pad", {noise({5500, 5500}), integers({3, 3, 3, 3})}, {{"mode", "reflect"}});
      },
      [] {
        return with_inputs("OneHot", "OneHot", {counting(30000, 1000), integers({1000}), Tensor::of<float>({2}, {0, 1})});
      },
      [] { return with_inputs("NonZero", "NonZero", {noise({kMany})}, {}, {DType::kInt64}); },
      [] {
        return unary("DepthToSpace", {1, 36, 900, 900}, {{"blocksize", 3}});
      },
      [] {
        return with_inputs("Range", "Range", {Tensor::scalar(0.0F), Tensor::scalar(3e7F), Tensor::scalar(1.0F)});
      },
      [] {
        return unary("Trilu", {5500, 5500});
      },
      [] {
        return with_inputs("ReverseSequence", "ReverseSequence", {noise({8, 4000000}), counting(4000000, 8)});
      },
      [] { return unary("RandomNormalLike", {kMany}); },
      [] {
        return with_inputs("Multinomial", "Multinomial", {noise({8, 100000})}, {{"sample_size", 300000}}, {DType::kInt32});
      },
      [] {
        return with_inputs("QuantizeLinear", "QuantizeLinear", {noise({kMany}), Tensor::scalar(0.1F), Tensor::zeros({}, DType::kInt8)}, {},
                           {DType::kInt8});
      },
      [] {
        return with_inputs("DynamicQuantizeLinear", "DynamicQuantizeLinear", {noise({kMany})}, {},
                           {DType::kUInt8, DType::kFloat32, DType::kUInt8});
      },
  };
}

std::vector<std::function<Case()>> sequences() {
  return {
      [] {
        return with_inputs("LSTM, 400 steps", "LSTM", {noise({400, 1, 512}), noise({1, 2048, 512}), noise({1, 2048, 512})},
                           {{"hidden_size", 512}});
      },
      [] {
        return with_inputs("LSTM, batch of 256", "LSTM", {noise({20, 256, 512}), noise({1, 2048, 512}), noise({1, 2048, 512})},
                           {{"hidden_size", 512}});
      },
      [] {
        return with_inputs("GRU, 400 steps", "GRU", {noise({400, 4, 512}), noise({1, 1536, 512}), noise({1, 1536, 512})},
                           {{"hidden_size", 512}});
      },
      [] {
        Case c =
            with_inputs("Attention, 4096 tokens", "Attention", {noise({1, 4, 4096, 64}), noise({1, 4, 4096, 64}), noise({1, 4, 4096, 64})});
        c.opset = 23;
        return c;
      },
  };
}

// The feeds are inputs, but for what a kernel wants to know beforehand.
Model model_of(const Case& c) {
  std::vector<ValueInfo> inputs, outputs;
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    if (!c.inputs[i].defined()) continue;
    const Shape& shape = c.inputs[i].shape();
    inputs.push_back(
        make_tensor_value_info("i" + std::to_string(i), c.inputs[i].dtype(), std::vector<Dimension>(shape.begin(), shape.end())));
  }
  for (size_t i = 0; i < c.outputs.size(); ++i) outputs.push_back(make_tensor_value_info("o" + std::to_string(i), c.outputs[i]));
  Model model = make_model(make_graph({c.node}, "one", std::move(inputs), std::move(outputs)));
  model.opset_import[0].version = c.opset;
  return model;
}

// From the request to the return, the longest over the tries.
struct Latency {
  double clock = 0, processor = 0;
  int ended = 0;  // runs that were done before the request
};

class Runner {
 public:
  Runner(const Case& c, int threads) : session_(model_of(c), {.intra_op_num_threads = threads}) {
    for (size_t i = 0; i < c.inputs.size(); ++i) {
      if (c.inputs[i].defined()) feeds_.emplace_back("i" + std::to_string(i), c.inputs[i]);
    }
    pthread_getcpuclockid(pthread_self(), &processor_);
  }

  double whole_run() {
    session_.run(feeds_);
    const double begin = processor_milliseconds(processor_);
    session_.run(feeds_);
    return processor_milliseconds(processor_) - begin;
  }

  void cancel_after(double wait, Latency& latency) {
    std::stop_source source;
    Clock::time_point asked{};
    double processor_then = 0;
    std::thread canceller([&] {
      const double begin = processor_milliseconds(processor_);
      while (processor_milliseconds(processor_) - begin < wait) std::this_thread::sleep_for(std::chrono::microseconds(200));
      processor_then = processor_milliseconds(processor_);
      asked = Clock::now();
      source.request_stop();
    });
    const bool cancelled = is_cancelled({.cancel = source.get_token()});
    const Clock::time_point end = Clock::now();
    const double processor_now = processor_milliseconds(processor_);
    // A run that ended early must still let the canceller see its processor time pass.
    while (!source.stop_requested()) std::atomic_signal_fence(std::memory_order_seq_cst);
    canceller.join();
    note(cancelled, milliseconds(end - asked), processor_now - processor_then, latency);
  }

  void deadline_after(double wait, Latency& latency) {
    const Clock::time_point deadline =
        Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double, std::milli>(wait));
    const bool cancelled = is_cancelled({.deadline = deadline});
    note(cancelled, milliseconds(Clock::now() - deadline), 0, latency);
  }

 private:
  static void note(bool cancelled, double clock, double processor, Latency& latency) {
    if (!cancelled) {
      ++latency.ended;
      return;
    }
    latency.clock = std::max(latency.clock, clock);
    latency.processor = std::max(latency.processor, processor);
  }

  bool is_cancelled(const RunOptions& options) {
    try {
      session_.run(feeds_, options);
      return false;
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kCancelled) throw;
      return true;
    }
  }

  InferenceSession session_;
  Feeds feeds_;
  clockid_t processor_{};
};

void report(const Case& c, int threads) {
  constexpr int kTries = 8;
  Runner runner(c, threads);
  const double whole = runner.whole_run();
  Latency cancel, deadline;
  for (int i = 0; i < kTries; ++i) {
    const double wait = std::min(20.0, whole * 0.6) * (i + 1) / kTries + std::max(whole - 40, 0.0) * 0.9 * i / kTries;
    runner.cancel_after(wait, cancel);
    runner.deadline_after(std::min(20.0, whole * 0.5), deadline);
  }
  std::printf("%-32s %9.1f %12.2f %12.2f %12.2f %6d\n", c.name.c_str(), whole, cancel.clock, cancel.processor, deadline.clock,
              cancel.ended + deadline.ended);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::atoi(argv[1]) : 1;
  const char* filter = argc > 2 ? argv[2] : "";
  std::printf("%d threads; milliseconds\n%-32s %9s %12s %12s %12s %6s\n", threads, "operator", "run", "cancel", "(processor)", "deadline",
              "ended");
  for (const auto& list : {products(), convolutions(), lines(), movement(), sequences()}) {
    for (const auto& make : list) {
      const Case c = make();
      if (std::strstr(c.name.c_str(), filter) == nullptr) continue;
      try {
        report(c, threads);
      } catch (const std::exception& error) {
        std::printf("%-32s %s\n", c.name.c_str(), error.what());
      }
    }
  }
}
