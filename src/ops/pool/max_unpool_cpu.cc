// MaxUnpool: each value goes to the place that its index names in the shape that the window implies; the rest is 0. An explicit
// output_shape takes that shape in its first corner.
#include <algorithm>
#include <cstring>

#include "core/interrupt.h"
#include "ops/elements/real.h"
#include "ops/movement/element.h"
#include "ops/pool/pool.h"
#include "ops/stages.h"

namespace sardonyx::ops {
namespace {

constexpr int64_t kMaxSize = int64_t{1} << 40;

Shape implied_shape(const PoolSpec& spec, const Shape& x) {
  const WindowSpec& w = spec.window;
  const size_t rank = w.kernel.size();
  if (x.size() != rank + 2) throw argument_error("X has shape {}; attribute kernel_shape has {} values", to_string(x), rank);
  if ((!w.strides.empty() && w.strides.size() != rank) || (!w.pads.empty() && w.pads.size() != 2 * rank)) {
    throw argument_error("attributes strides and pads have {} and {} values; {} and {} are needed", w.strides.size(), w.pads.size(), rank,
                         2 * rank);
  }
  Shape shape = {x[0], x[1]};
  for (size_t i = 0; i < rank; ++i) {
    const int64_t stride = w.strides.empty() ? 1 : w.strides[i], pads = w.pads.empty() ? 0 : w.pads[i] + w.pads[rank + i];
    if (x[2 + i] > kMaxSize / stride) throw argument_error("X has shape {}, too large to be unpooled", to_string(x));
    shape.push_back((x[2 + i] - 1) * stride - pads + w.kernel[i]);
    if (shape.back() < 0)
      throw argument_error("X of shape {} cannot be unpooled: dimension {} gets size {}", to_string(x), i + 2, shape.back());
  }
  return shape;
}

// The number in `out` of the element with that number in `implied`.
size_t renumber(size_t number, const Shape& implied, const Shape& out) noexcept {
  size_t result = 0, step = 1;
  for (size_t i = implied.size(); i-- > 0; step *= to_size(out[i])) {
    result += number % to_size(implied[i]) * step;
    number /= to_size(implied[i]);
  }
  return result;
}

struct UnpoolStep {
  Shape implied, out;
  DType dtype;

  void run(const RunContext& r) const {
    Tensor& y = r.outputs[0];
    if (y.numel() == 0) return;
    auto* bytes = static_cast<std::byte*>(y.mutable_raw());
    core::in_pieces(y.byte_size(), size_t{1} << 20, [&](size_t begin, size_t count) { std::memset(bytes + begin, 0, count); });
    const std::span<const int64_t> places = r.inputs[1].values<int64_t>();
    const int64_t size = element_count(implied);
    for (const int64_t place : places) {
      if (place < 0 || place >= size) throw argument_error("index {} is outside of the unpooled shape {}", place, to_string(implied));
    }
    with_element(dtype, [&]<class T>() {
      const auto* x = static_cast<const T*>(r.inputs[0].raw());
      auto* to = static_cast<T*>(y.mutable_raw());
      core::in_pieces(places.size(), size_t{1} << 14, [&](size_t first, size_t count) {
        for (size_t i = first; i < first + count; ++i) to[renumber(to_size(places[i]), implied, out)] = x[i];
      });
    });
  }
};

std::unique_ptr<Bound> bind_max_unpool(const PoolSpec& spec, const BindContext& b) {
  const ValueFacts &x = required(b, 0, "X"), &indices = required(b, 1, "I");
  require_dtype(x, kFloats, "X");
  require_dtype(indices, {DType::kInt64}, "I");
  if (x.shape != indices.shape) throw argument_error("X has shape {}, I {}", to_string(x.shape), to_string(indices.shape));
  const Shape implied = implied_shape(spec, x.shape);
  Shape out = implied;
  if (const ValueFacts* wanted = optional(b, 2)) {
    out = integer_values(*wanted, "output_shape");
    bool fits = out.size() == implied.size();
    for (size_t i = 0; fits && i < out.size(); ++i) fits = out[i] >= implied[i];
    if (!fits) throw argument_error("output_shape is {}; it must not be smaller than {}", to_string(out), to_string(implied));
  }
  return make_bound(output(x.dtype, out), [step = UnpoolStep{implied, out, x.dtype}](const RunContext& r) { step.run(r); });
}

}  // namespace

std::unique_ptr<Prepared> prepare_max_unpool(const PrepareContext& context) {
  auto prepared =
      make_prepared([spec = pool_spec_from_node(context.node, context.opset)](const BindContext& b) { return bind_max_unpool(spec, b); });
  return make_value_driven(std::move(prepared), {.value_inputs = 1u << 2, .output_types = {}});
}

}  // namespace sardonyx::ops
