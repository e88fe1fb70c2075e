// Dropout at inference: the data as they are, and a mask that keeps everything.
#include <algorithm>

#include "ops/elements/elements.h"
#include "ops/facts.h"
#include "ops/stages.h"
#include "sardonyx/model.h"

namespace sardonyx::ops {
namespace {

constexpr const char* kTraining = "dropout in training mode is not supported; export the model in evaluation mode (model.eval())";

bool is_true(const Tensor* tensor) { return tensor && tensor->numel() == 1 && tensor->values<bool>()[0]; }

bool drops_anything(const Tensor* ratio) {
  if (!ratio) return true;  // the default ratio is 0.5
  return ratio->numel() != 1 || ratio->to(DType::kFloat64).item<double>() != 0;
}

void fill_with_ones(Tensor& mask) {
  const int64_t one = 1;
  const StoreRun<int64_t> store = store_run<int64_t>(mask.dtype());
  auto* data = static_cast<std::byte*>(mask.mutable_raw());
  const size_t bytes = element_bytes(mask.dtype());
  for (size_t i = 0; i < to_size(mask.numel()); ++i) store(&one, 1, data + i * bytes);
}

void run_dropout(const RunContext& r) {
  if (is_true(optional(r, 2)) && drops_anything(optional(r, 1))) throw Error(ErrorCode::kUnsupported, kTraining);
  copy_all(r.inputs[0], r.outputs[0]);
  if (r.outputs.size() > 1 && r.outputs[1].defined()) fill_with_ones(r.outputs[1]);
}

}  // namespace

std::unique_ptr<Prepared> prepare_dropout(const PrepareContext& context) {
  const model::Node& node = context.node;
  if (context.opset < 7 && model::get_int(node, "is_test", 0) == 0) throw Error(ErrorCode::kUnsupported, kTraining);
  const bool wants_mask = node.output.size() > 1 && !node.output[1].empty();
  return make_prepared([wants_mask, opset = context.opset, outputs = node.output.size()](const BindContext& b) {
    const ValueFacts& x = required(b, 0, "data");
    require_dtype(x, kFloats, "data");
    if (const ValueFacts* mode = optional(b, 2)) require_dtype(*mode, {DType::kBool}, "training_mode");
    std::vector<ValueFacts> facts(outputs);
    facts[0] = output(x.dtype, x.shape);
    if (wants_mask) facts[1] = output(opset >= 10 ? DType::kBool : x.dtype, x.shape);
    auto bound = make_bound(std::move(facts), run_dropout);
    if (!wants_mask && !optional(b, 2)) bound->alias_input = 0;
    bound->in_place_input = 0;
    return bound;
  });
}

}  // namespace sardonyx::ops
