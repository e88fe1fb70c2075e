#include "optimize/evaluate.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "ops/stages.h"

namespace sardonyx::optimize {
namespace {

size_t total_bytes(const std::vector<Tensor>& tensors) {
  size_t bytes = 0;
  for (const Tensor& tensor : tensors) bytes += tensor.defined() ? tensor.byte_size() : 0;
  return bytes;
}

}  // namespace

bool is_deterministic(const model::Node& node, int64_t opset) noexcept {
  constexpr std::array<std::string_view, 6> kRandom = {"Bernoulli",        "Multinomial",   "RandomNormal",
                                                       "RandomNormalLike", "RandomUniform", "RandomUniformLike"};
  if (std::ranges::find(kRandom, node.op_type) != kRandom.end()) return false;
  if (node.op_type != "Dropout") return true;
  if (opset >= 7) return node.input.size() < 3 || node.input[2].empty();
  const model::Attribute* is_test = node.find_attribute("is_test");
  return is_test != nullptr && is_test->i != 0;
}

bool has_subgraph(const model::Node& node) noexcept {
  return std::ranges::any_of(node.attribute, [](const model::Attribute& a) { return a.g != nullptr || !a.graphs.empty(); });
}

size_t output_bytes(const ops::Bound& bound) {
  size_t bytes = 0;
  for (const ops::ValueFacts& output : bound.outputs) {
    if (output.present()) bytes += storage_bytes(output.dtype, element_count(output.shape));
  }
  return bytes;
}

std::optional<std::vector<Tensor>> run_on_constants(const ops::Prepared& prepared, std::span<const Tensor* const> inputs, size_t max_bytes,
                                                    core::ThreadPool& pool) {
  std::vector<ops::ValueFacts> facts;
  std::vector<Tensor> tensors;
  for (const Tensor* input : inputs) {
    facts.push_back(input ? ops::ValueFacts{input->dtype(), input->shape(), input} : ops::ValueFacts{});
    tensors.push_back(input ? *input : Tensor());
  }
  const std::unique_ptr<ops::Bound> bound = prepared.bind({facts, pool.threads()});
  if (!bound->dynamic && output_bytes(*bound) > max_bytes) return std::nullopt;
  std::vector<Tensor> outputs = ops::run_step(*bound, tensors, pool);
  if (total_bytes(outputs) > max_bytes) return std::nullopt;
  return outputs;
}

}  // namespace sardonyx::optimize
