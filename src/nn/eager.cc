#include "nn/eager.h"

#include <cstring>
#include <limits>

#include "ops/op.h"

namespace sardonyx::nn {

Tensor run_operator(std::string_view op_type, std::span<const Tensor> inputs, std::vector<model::Attribute> attributes,
                    std::string_view domain) {
  constexpr int64_t kOnnxOpset = 22;
  constexpr int64_t kOwnOpset = 1;
  while (!inputs.empty() && !inputs.back().defined()) inputs = inputs.first(inputs.size() - 1);
  model::Node node;
  node.op_type = op_type;
  node.domain = domain;
  node.attribute = std::move(attributes);
  for (size_t i = 0; i < inputs.size(); ++i) node.input.push_back(inputs[i].defined() ? "input" + std::to_string(i) : std::string());
  node.output = {"output"};
  return ops::evaluate(node, domain.empty() ? kOnnxOpset : kOwnOpset, inputs).at(0);
}

Tensor recorded(std::string_view kind, std::span<const Tensor> inputs, TraceAttributes attributes, Tensor output) {
  if (Tracer* tracer = Tracer::current()) tracer->record(kind, inputs, std::move(attributes), output);
  return output;
}

Tensor overwritten(Tensor target, const Tensor& result) {
  if (result.numel() > 0) std::memcpy(target.mutable_raw(), result.raw(), result.byte_size());
  return target;
}

void reject(const std::string& message) { throw Error(ErrorCode::kInvalidArgument, message); }

int64_t wrapped_dim(int64_t dim, int64_t rank) {
  const int64_t size = rank == 0 ? 1 : rank;
  if (dim < -size || dim >= size) {
    reject("Dimension out of range (expected to be in range of [" + std::to_string(-size) + ", " + std::to_string(size - 1) +
           "], but got " + std::to_string(dim) + ")");
  }
  return dim < 0 ? dim + size : dim;
}

std::vector<int64_t> as_ints(const Size2d& size) { return {size.h, size.w}; }

void expect_at_least(int64_t least, const Size2d& size, std::string_view what) {
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
  if (size.h >= least && size.w >= least && size.h <= kMost && size.w <= kMost) return;
  reject(std::string(what) + " must be at least " + std::to_string(least) + " and below 2^31, got " + to_string(as_ints(size)));
}

std::string sizes_text(std::span<const int64_t> sizes) {
  std::string result;
  for (const int64_t size : sizes) result += (result.empty() ? "" : " x ") + std::to_string(size);
  return result;
}

}  // namespace sardonyx::nn
