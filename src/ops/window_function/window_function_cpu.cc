// HannWindow, HammingWindow, BlackmanWindow: sums of cosines over a period.
#include <array>
#include <cmath>
#include <numbers>

#include "ops/elements/elements.h"
#include "ops/facts.h"
#include "ops/stages.h"
#include "sardonyx/model.h"

namespace sardonyx::ops {
namespace {

// a[0] + a[1] cos(t) + a[2] cos(2 t), t running over a period.
struct WindowFunction {
  std::string_view op_type;
  std::array<double, 3> a;
};
constexpr WindowFunction kWindows[] = {
    {"BlackmanWindow", {0.42, -0.5, 0.08}},
    {"HammingWindow", {25.0 / 46, -21.0 / 46, 0}},
    {"HannWindow", {0.5, -0.5, 0}},
};

const WindowFunction& window_of(const model::Node& node) {
  for (const WindowFunction& window : kWindows) {
    if (window.op_type == node.op_type) return window;
  }
  throw unsupported_error("there is no window of the name {}", node.op_type);
}

// A symmetric window of one element is 1: its middle.
void fill_window(const WindowFunction& window, bool periodic, Tensor& y, core::ThreadPool& pool) {
  const size_t size = to_size(y.numel()), bytes = element_bytes(y.dtype());
  const StoreRun<double> store = store_run<double>(y.dtype());
  const auto period = static_cast<double>(periodic ? size : size - 1);
  auto* to = static_cast<std::byte*>(y.mutable_raw());
  pool.for_ranges(size, kRunLength, [&](size_t begin, size_t end) {
    double values[kRunLength];
    for (size_t i = begin; i < end; ++i) {
      const double t = period == 0 ? std::numbers::pi : 2 * std::numbers::pi * static_cast<double>(i) / period;
      values[i - begin] = window.a[0] + window.a[1] * std::cos(t) + window.a[2] * std::cos(2 * t);
    }
    store(values, end - begin, to + begin * bytes);
  });
}

DType window_type(const model::Node& node) {
  const int64_t number = model::get_int(node, "output_datatype", 1);
  if (number > 0 && number < kDTypeCount && kNumbers.has(static_cast<DType>(number))) return static_cast<DType>(number);
  throw model_error("attribute output_datatype is {}, which is no type of numbers", number);
}

}  // namespace

std::unique_ptr<Prepared> prepare_window_function(const PrepareContext& context) {
  const DType dtype = window_type(context.node);
  const bool periodic = model::get_int(context.node, "periodic", 1) != 0;
  auto prepared = make_prepared([dtype, periodic, &window = window_of(context.node)](const BindContext& b) {
    const std::vector<int64_t> size = integer_values(required(b, 0, "size"), "size");
    if (size.size() != 1 || size[0] < 0) throw argument_error("size must be one number that is at least 0");
    return make_bound(output(dtype, {size[0]}), [periodic, &window](const RunContext& r) {
      if (r.outputs[0].numel() != 0) fill_window(window, periodic, r.outputs[0], r.pool);
    });
  });
  return make_value_driven(std::move(prepared),
                           {.value_inputs = 1, .output_types = [dtype](const BindContext&) { return std::vector<DType>{dtype}; }});
}

}  // namespace sardonyx::ops
