// Dropout. At inference the data as they are, and a mask that keeps everything; in training elements are dropped by chance and the others
// scaled up.
#include <algorithm>

#include "ops/cast/cast.h"
#include "ops/elements/elements.h"
#include "ops/elements/real.h"
#include "ops/facts.h"
#include "ops/random/random.h"
#include "ops/stages.h"

namespace sardonyx::ops {
namespace {

constexpr DTypeSet kSince22 = kFloats | DTypeSet{DType::kFloat8E4M3FN, DType::kFloat8E4M3FNUZ, DType::kFloat8E5M2, DType::kFloat8E5M2FNUZ};
constexpr float kDefaultRatio = 0.5f;
constexpr size_t kGrain = 16 * kRunLength;

bool is_true(const Tensor* tensor) { return tensor && tensor->numel() == 1 && tensor->values<bool>()[0]; }

double checked_ratio(double ratio) {
  if (!(ratio >= 0 && ratio < 1)) throw argument_error("the ratio of dropped elements is {}; it must be in [0, 1)", ratio);
  return ratio;
}

double ratio_value(const Tensor* ratio) {
  if (!ratio) return static_cast<double>(kDefaultRatio);
  if (ratio->numel() != 1) throw argument_error("ratio has shape {}; it must be one number", to_string(ratio->shape()));
  double value = 0;
  load_elements(ratio->dtype(), ratio->raw(), 0, 1, &value);
  return checked_ratio(value);
}

void fill_with_ones(Tensor& mask) {
  const int64_t one = 1;
  const StoreRun<int64_t> store = store_run<int64_t>(mask.dtype());
  auto* data = static_cast<std::byte*>(mask.mutable_raw());
  const size_t bytes = element_bytes(mask.dtype());
  for (size_t i = 0; i < to_size(mask.numel()); ++i) store(&one, 1, data + i * bytes);
}

Tensor* mask_of(const RunContext& r) { return r.outputs.size() > 1 && r.outputs[1].defined() ? &r.outputs[1] : nullptr; }

// Which elements stay, where the node gives the seed: one number after the other.
const uint8_t* draw_mask(double ratio, uint64_t seed, size_t count, std::byte* scratch) {
  auto* kept = reinterpret_cast<uint8_t*>(scratch);
  UniformSequence numbers(seed);
  for (size_t i = 0; i < count; ++i) kept[i] = numbers.next() >= ratio ? 1 : 0;
  return kept;
}

template <class Acc>
void drop(double ratio, const SeedSource& seeds, const RunContext& r) {
  const uint64_t key = seeds.next();
  const uint8_t* drawn = seeds.is_seeded() ? draw_mask(ratio, key, to_size(r.inputs[0].numel()), r.scratch) : nullptr;
  const DType dtype = r.inputs[0].dtype();
  Tensor* mask = mask_of(r);
  const StoreRun<int64_t> store_mask = mask ? store_run<int64_t>(mask->dtype()) : nullptr;
  const size_t mask_bytes = mask ? element_bytes(mask->dtype()) : 0;
  const void* from = r.inputs[0].raw();
  void* to = r.outputs[0].mutable_raw();
  auto* to_mask = mask ? static_cast<std::byte*>(mask->mutable_raw()) : nullptr;
  const auto scale = static_cast<Acc>(1 / (1 - ratio));
  r.pool.for_ranges(to_size(r.inputs[0].numel()), kGrain, [&](size_t begin, size_t end) {
    Acc values[kRunLength];
    int64_t kept[kRunLength];
    for (size_t first = begin; first < end; first += kRunLength) {
      const size_t count = std::min(kRunLength, end - first);
      load_elements(dtype, from, first, count, values);
      for (size_t i = 0; i < count; ++i) {
        kept[i] = drawn ? drawn[first + i] : uniform_at(key, first + i) >= ratio ? 1 : 0;
        values[i] = kept[i] != 0 ? values[i] * scale : Acc{0};
      }
      store_elements(CastSpec(), dtype, values, first, count, to);
      if (mask) store_mask(kept, count, to_mask + first * mask_bytes);
    }
  });
}

void run_training(double ratio, const SeedSource& seeds, const RunContext& r) {
  with_real(r.inputs[0].dtype(), [&]<class T>() { drop<T>(ratio, seeds, r); });
}

void run_inference(const RunContext& r) {
  copy_all(r.inputs[0], r.outputs[0]);
  if (Tensor* mask = mask_of(r)) fill_with_ones(*mask);
}

}  // namespace

std::unique_ptr<Prepared> prepare_dropout(const PrepareContext& context) {
  const model::Node& node = context.node;
  const bool always_trains = context.opset < 7 && model::get_int(node, "is_test", 0) == 0;
  const double ratio = always_trains ? checked_ratio(static_cast<double>(model::get_float(node, "ratio", kDefaultRatio))) : 0;
  const bool wants_mask = node.output.size() > 1 && !node.output[1].empty();
  return make_prepared([=, opset = context.opset, outputs = node.output.size(), seeds = SeedSource(node)](const BindContext& b) {
    const ValueFacts& x = required(b, 0, "data");
    const DTypeSet allowed = opset >= 22 ? kSince22 : kFloats;
    require_dtype(x, allowed, "data");
    if (const ValueFacts* of = optional(b, 1)) require_dtype(*of, allowed, "ratio");
    if (const ValueFacts* mode = optional(b, 2)) require_dtype(*mode, {DType::kBool}, "training_mode");
    std::vector<ValueFacts> facts(outputs);
    facts[0] = output(x.dtype, x.shape);
    if (wants_mask) facts[1] = output(opset >= 10 ? DType::kBool : x.dtype, x.shape);
    auto bound = make_bound(std::move(facts), [always_trains, ratio, seeds](const RunContext& r) {
      if (always_trains) return run_training(ratio, seeds, r);
      is_true(optional(r, 2)) ? run_training(ratio_value(optional(r, 1)), seeds, r) : run_inference(r);
    });
    if (!always_trains && !wants_mask && !optional(b, 2)) bound->alias_input = 0;
    bound->in_place_input = 0;
    if (seeds.is_seeded()) bound->scratch_bytes = to_size(element_count(x.shape));
    return bound;
  });
}

}  // namespace sardonyx::ops
