// Any operator on any small values: an Error, or results that fit what was bound and depend on the inputs alone: not on the number of
// threads, on what scratch and outputs held before, or on whether the output takes the memory of an input.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

#include "operator_call.h"
#include "ops/facts.h"
#include "ops/limits.h"
#include "ops/stages.h"
#include "sardonyx/error.h"

namespace sardonyx::fuzz {
namespace {

constexpr size_t kMaxBytes = size_t{16} << 20;  // of one tensor, and of scratch

[[noreturn]] void fail(const OperatorCall& call, const std::string& what) {
  std::fprintf(stderr, "%s (%s, opset %ld): %s\n", call.node.op_type.c_str(), call.node.domain.c_str(), static_cast<long>(call.opset),
               what.c_str());
  for (const model::Attribute& a : call.node.attribute) std::fprintf(stderr, "  attribute %s\n", a.name.c_str());
  for (const Tensor& input : call.inputs) {
    std::fprintf(stderr, "  input %s\n", input.defined() ? (type_string(input.dtype()) + to_string(input.shape())).c_str() : "absent");
  }
  std::abort();
}

core::ThreadPool& pool_of(int threads) {
  static core::ThreadPool one(1), two(2);
  return threads == 1 ? one : two;
}

struct Setting {
  int threads;
  unsigned char poison;  // what outputs and scratch hold before
  bool in_place;
};

// Memory of exactly so many bytes, so that AddressSanitizer sees the first one behind it; freed with this object.
class TightMemory {
 public:
  std::byte* take(size_t bytes) {
    blocks_.emplace_back(static_cast<std::byte*>(::operator new(bytes, kAlignment)));
    return blocks_.back().get();
  }
  Tensor copy(const Tensor& from) {
    if (!from.defined() || from.dtype() == DType::kString || from.dtype() == DType::kTensor) return from;
    Tensor result = Tensor::from_blob(take(from.byte_size()), from.shape(), from.dtype());
    if (from.numel() > 0) std::memcpy(result.mutable_raw(), from.raw(), from.byte_size());
    return result;
  }
  Tensor filled(const Shape& shape, DType dtype, unsigned char value) {
    if (dtype == DType::kString) return Tensor(shape, dtype);
    const size_t bytes = storage_bytes(dtype, element_count(shape));
    std::byte* memory = take(bytes);
    std::memset(memory, value, bytes);
    return Tensor::from_blob(memory, shape, dtype);
  }

 private:
  static constexpr std::align_val_t kAlignment{64};
  struct Free {
    void operator()(std::byte* memory) const { ::operator delete(memory, kAlignment); }
  };
  std::vector<std::unique_ptr<std::byte, Free>> blocks_;
};

std::vector<Tensor> run_bound(const ops::Bound& bound, std::vector<Tensor> inputs, const Setting& setting) {
  if (bound.dynamic || bound.alias_input >= 0) return ops::run_step(bound, inputs, pool_of(setting.threads));
  TightMemory memory;
  for (Tensor& input : inputs) input = memory.copy(input);
  std::vector<Tensor> outputs(bound.outputs.size());
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (!bound.outputs[i].present()) continue;
    outputs[i] = memory.filled(bound.outputs[i].shape, bound.outputs[i].dtype, setting.poison);
  }
  if (setting.in_place) {
    outputs[0] = inputs[static_cast<size_t>(bound.in_place_input)];
  }
  std::byte* scratch = memory.take(bound.scratch_bytes);
  std::memset(scratch, setting.poison, bound.scratch_bytes);
  bound.run({inputs, outputs, scratch, pool_of(setting.threads)});
  for (Tensor& output : outputs) {
    if (output.defined()) output = output.clone();
  }
  return outputs;
}

std::vector<Tensor> run(const OperatorCall& call, const Setting& setting) {
  std::vector<const Tensor*> constants;
  std::vector<ops::ValueFacts> facts;
  for (size_t i = 0; i < call.inputs.size(); ++i) {
    const Tensor& input = call.inputs[i];
    constants.push_back(call.constant[i] ? &input : nullptr);
    facts.push_back(input.defined() ? ops::ValueFacts{input.dtype(), input.shape(), constants[i]} : ops::ValueFacts{});
  }
  const auto prepared = ops::prepare({call.node, call.opset, constants});
  const auto bound = prepared->bind({facts, setting.threads});
  if (bound->outputs.size() < call.node.output.size()) fail(call, "too few outputs are bound");
  if (bound->scratch_bytes > kMaxBytes) throw Error(ErrorCode::kResourceLimit, "too much scratch");
  Setting used = setting;
  if (setting.in_place) {
    const int input = bound->in_place_input;
    used.in_place = input >= 0 && static_cast<size_t>(input) < facts.size() &&
                    facts[static_cast<size_t>(input)].dtype == bound->outputs[0].dtype &&
                    facts[static_cast<size_t>(input)].shape == bound->outputs[0].shape && !constants[static_cast<size_t>(input)];
  }
  std::vector<Tensor> inputs = call.inputs;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (prepared->consumed_constant(i)) inputs[i] = Tensor();
  }
  std::vector<Tensor> results = run_bound(*bound, std::move(inputs), used);
  for (size_t i = 0; i < call.node.output.size(); ++i) {
    if (call.node.output[i].empty() || (!bound->outputs[i].present() && !bound->dynamic)) continue;
    if (!results[i].defined()) {
      if (bound->may_empty) continue;
      fail(call, "output " + std::to_string(i) + " is undefined");
    }
    if (bound->outputs[i].present() && results[i].dtype() != bound->outputs[i].dtype)
      fail(call, "an output has another type than was bound");
    if (!bound->dynamic && results[i].shape() != bound->outputs[i].shape) fail(call, "an output has another shape than was bound");
  }
  return results;
}

bool same(const Tensor& a, const Tensor& b) {
  if (a.defined() != b.defined()) return false;
  if (!a.defined()) return true;
  if (a.dtype() != b.dtype() || a.shape() != b.shape()) return false;
  if (a.dtype() == DType::kString) return std::ranges::equal(a.strings(), b.strings());
  if (a.dtype() == DType::kTensor) return std::ranges::equal(a.tensors(), b.tensors(), same);
  return a.numel() == 0 || std::memcmp(a.raw(), b.raw(), a.byte_size()) == 0;
}

bool is_random(const OperatorCall& call) {
  const auto schema = schema::find(call.node.domain, call.node.op_type, call.opset);
  return (schema && schema->non_deterministic()) || call.node.op_type == "Dropout";
}

void run_all_ways(const OperatorCall& call) {
  const std::vector<Tensor> expected = run(call, {1, 0xA5, false});
  for (const Setting& setting : {Setting{2, 0x5A, false}, Setting{1, 0xFF, true}}) {
    const std::vector<Tensor> results = run(call, setting);
    for (size_t i = 0; i < call.node.output.size() && !is_random(call); ++i) {
      if (!call.node.output[i].empty() && !same(expected[i], results[i])) {
        fail(call, "output " + std::to_string(i) + " differs" + (setting.in_place ? ", in place" : ", with other threads and memory"));
      }
    }
  }
}

}  // namespace
}  // namespace sardonyx::fuzz

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  sardonyx::ops::set_tensor_byte_limit(sardonyx::fuzz::kMaxBytes);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const sardonyx::fuzz::OperatorCall call = sardonyx::fuzz::CallMaker({data, size}).make();
  try {
    sardonyx::fuzz::run_all_ways(call);
  } catch (const sardonyx::Error& error) {
    if (error.code() == sardonyx::ErrorCode::kInternal) sardonyx::fuzz::fail(call, error.what());
  }
  return 0;
}
