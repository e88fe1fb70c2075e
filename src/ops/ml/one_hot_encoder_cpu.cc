// ai.onnx.ml: OneHotEncoder. Each element becomes a row of zeros with a one at its category. Numbers are truncated to integers first.
#include <atomic>

#include "ops/ml/class_labels.h"
#include "ops/ml/key_index.h"
#include "ops/ml/rows.h"
#include "ops/stages.h"

namespace sardonyx::ops {
namespace {

struct OneHotSpec {
  KeyIndex categories;
  int64_t width = 0;
  bool unknown_allowed = true;
};

OneHotSpec one_hot_spec_from_node(const model::Node& node) {
  const ClassLabels labels = ClassLabels::from_node(node, "cats_int64s", "cats_strings");
  return {KeyIndex(labels.tensor(), KeyIndex::Repeated::kLastWins), to_int(labels.size()), model::get_int(node, "zeros", 1) != 0};
}

// Ones for the elements [begin, end); false if one of them has no category.
bool encode(const OneHotSpec& spec, const Tensor& x, size_t begin, size_t end, float* y) noexcept {
  const bool by_string = spec.categories.dtype() == DType::kString;
  const LoadRun<int64_t> load = by_string ? nullptr : load_run<int64_t>(x.dtype());
  const size_t width = to_size(spec.width), bytes = by_string ? 0 : element_bytes(x.dtype());
  bool all_known = true;
  for (size_t i = begin; i < end; ++i) {
    int64_t number = 0;
    if (load) load(static_cast<const std::byte*>(x.raw()) + i * bytes, 1, 1, &number);
    const size_t found = by_string ? spec.categories.find(x, i) : spec.categories.find(number);
    std::fill_n(y + i * width, width, 0.0f);
    if (found != KeyIndex::kNone) y[i * width + found] = 1;
    all_known = all_known && found != KeyIndex::kNone;
  }
  return all_known;
}

void run_one_hot(const OneHotSpec& spec, const RunContext& r) {
  float* y = r.outputs[0].mutable_values<float>().data();
  std::atomic<bool> all_known = true;
  r.pool.for_ranges(to_size(r.inputs[0].numel()), rows_per_task(to_size(spec.width) + 8), [&](size_t begin, size_t end) {
    if (!encode(spec, r.inputs[0], begin, end, y)) all_known = false;
  });
  if (!all_known && !spec.unknown_allowed)
    throw argument_error("X holds a value that is no category; give attribute zeros the value 1 to have rows of zeros for it");
}

}  // namespace

std::unique_ptr<Prepared> prepare_one_hot_encoder(const PrepareContext& context) {
  return make_prepared([spec = std::make_shared<const OneHotSpec>(one_hot_spec_from_node(context.node))](const BindContext& b) {
    const ValueFacts& x = required(b, 0, "X");
    require_dtype(x, spec->categories.dtype() == DType::kString ? DTypeSet{DType::kString} : kFeatureTypes, "X");
    Shape shape = x.shape;
    shape.push_back(spec->width);
    return make_bound(output(DType::kFloat32, shape), [spec](const RunContext& r) { run_one_hot(*spec, r); });
  });
}

}  // namespace sardonyx::ops
