// TensorScatter: writes an update into a cache (of keys, of values), for each sample from its own position of the sequence on.
#include <algorithm>

#include "ops/facts.h"
#include "ops/movement/element.h"
#include "ops/movement/packed.h"
#include "ops/stages.h"
#include "sardonyx/model.h"

namespace sardonyx::ops {
namespace {

struct CacheGeometry {
  size_t samples, outer;         // outer: dimensions between the sample and the sequence
  size_t length, update, inner;  // positions of the cache, of the update; elements of one position
  bool circular;
};

CacheGeometry cache_geometry(const Shape& cache, const Shape& update, int64_t axis_attribute, bool circular) {
  const size_t axis = checked_axis(axis_attribute, cache.size());
  if (axis == 0) throw argument_error("axis is that of the samples; it must be another one");
  bool fits = update.size() == cache.size();
  for (size_t i = 0; fits && i < cache.size(); ++i) fits = i == axis ? update[i] <= cache[i] : update[i] == cache[i];
  if (!fits) throw argument_error("update of shape {} does not fit past_cache {} along axis {}", to_string(update), to_string(cache), axis);
  return {
      to_size(cache[0]), span_count(cache, 1, axis), to_size(cache[axis]), to_size(update[axis]), span_count(cache, axis + 1, cache.size()),
      circular};
}

void check_positions(const CacheGeometry& g, const Tensor* positions) {
  if (!positions) return;
  const IndexView values(*positions);
  const auto last = to_int(g.circular ? g.length - std::min<size_t>(g.length, 1) : g.length - g.update);
  for (size_t i = 0; i < g.samples; ++i) {
    if (values[i] < 0 || values[i] > last) throw argument_error("write index {} of sample {} is outside [0, {}]", values[i], i, last);
  }
}

// Calls copy(from, to) for each position of the update: where its elements begin there and in the cache.
template <class Copy>
void scatter_positions(const CacheGeometry& g, const Tensor* positions, const Copy& copy) {
  size_t from = 0;
  for (size_t block = 0; block < g.samples * g.outer; ++block) {
    const size_t first = positions ? to_size(IndexView(*positions)[block / g.outer]) : 0;
    for (size_t i = 0; i < g.update; ++i, from += g.inner) copy(from, (block * g.length + (first + i) % g.length) * g.inner);
  }
}

void scatter(const CacheGeometry& g, const Tensor& update, const Tensor* positions, Tensor& cache) {
  if (kPacked.has(cache.dtype())) {
    return scatter_positions(g, positions, [&](size_t from, size_t to) { copy_packed_run(update, from, cache, to, g.inner); });
  }
  with_element(cache.dtype(), [&]<class T>() {
    const auto* source = static_cast<const T*>(update.raw());
    auto* target = static_cast<T*>(cache.mutable_raw());
    scatter_positions(g, positions, [&](size_t from, size_t to) { std::copy_n(source + from, g.inner, target + to); });
  });
}

bool is_circular(const model::Node& node) {
  const std::string mode = model::get_string(node, "mode", "linear");
  if (mode != "linear" && mode != "circular") throw model_error("attribute mode is '{}'; it must be linear or circular", mode);
  return mode == "circular";
}

}  // namespace

std::unique_ptr<Prepared> prepare_tensor_scatter(const PrepareContext& context) {
  return make_prepared([axis = model::get_int(context.node, "axis", -2), circular = is_circular(context.node)](const BindContext& b) {
    const ValueFacts& cache = required(b, 0, "past_cache");
    const ValueFacts& update = required(b, 1, "update");
    require_same_dtype(cache, update, "past_cache", "update");
    if (!kPacked.has(cache.dtype)) element_bytes(cache.dtype);  // refuses sequences
    const CacheGeometry geometry = cache_geometry(cache.shape, update.shape, axis, circular);
    if (const ValueFacts* positions = optional(b, 2)) {
      require_dtype(*positions, {DType::kInt32, DType::kInt64}, "write_indices");
      if (positions->shape != Shape{cache.shape[0]}) {
        throw argument_error("write_indices have shape {}; past_cache {} needs [{}]", to_string(positions->shape), to_string(cache.shape),
                             cache.shape[0]);
      }
    }
    auto bound = make_bound(output(cache.dtype, cache.shape), [geometry](const RunContext& r) {
      check_positions(geometry, optional(r, 2));
      copy_all(r.inputs[0], r.outputs[0]);
      if (r.inputs[1].numel() == 0) return;
      scatter(geometry, r.inputs[1], optional(r, 2), r.outputs[0]);
    });
    bound->in_place_input = 0;
    return bound;
  });
}

}  // namespace sardonyx::ops
