// QLinearSoftmax of com.microsoft. The attribute `opset` tells whose Softmax it is: from 13 over one axis, before over all dimensions from
// `axis` on.
#include <algorithm>
#include <array>
#include <cmath>

#include "ops/elements/real.h"
#include "ops/lines/lines.h"
#include "ops/quantize/byte_scale.h"
#include "ops/stages.h"

namespace sardonyx::ops {
namespace {

// The exponential of minus the distance from the greatest byte of a line, for each distance.
using Exponentials = std::array<double, 256>;

Exponentials exponentials(float scale) {
  Exponentials result;
  for (size_t i = 0; i < result.size(); ++i) result[i] = std::exp(-static_cast<double>(scale) * static_cast<double>(i));
  return result;
}

// One line, `step` bytes from one to the next.
template <class T>
void softmax_line(const T* x, T* y, size_t size, size_t step, const Exponentials& powers, const ByteScale& to, const QuantRange& range) {
  int greatest = x[0];
  for (size_t i = 1; i < size; ++i) greatest = std::max<int>(greatest, x[i * step]);
  const auto distance = [&](size_t i) { return static_cast<size_t>(greatest - x[i * step]); };
  std::array<size_t, 256> counts = {};
  for (size_t i = 0; i < size; ++i) ++counts[distance(i)];
  double sum = 0;
  for (size_t i = 0; i < counts.size(); ++i) sum += powers[i] * static_cast<double>(counts[i]);
  std::array<T, 256> results;
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] != 0) results[i] = static_cast<T>(quantized(powers[i] / (sum * static_cast<double>(to.scale)), to.zero, range));
  }
  for (size_t i = 0; i < size; ++i) y[i * step] = results[distance(i)];
}

struct QLinearSoftmax {
  Lines lines;
  DType dtype;

  void run(const RunContext& r) const {
    if (r.outputs[0].numel() == 0) return;
    with_byte(dtype, [&]<class T>() { run_of<T>(r); });
  }

 private:
  template <class T>
  void run_of(const RunContext& r) const {
    const Exponentials powers = exponentials(*input_data<float>(r, 1));
    const ByteScale to = byte_scale(r, {3, 4});
    const auto* x = input_data<T>(r, 0);
    auto* y = output_data<T>(r, 0);
    r.pool.for_ranges(lines.count(), std::max<size_t>(1, 8192 / lines.size), [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) {
        softmax_line(x + lines.start(i), y + lines.start(i), lines.size, lines.inner, powers, to, quant_range(dtype));
      }
    });
  }
};

}  // namespace

std::unique_ptr<Prepared> prepare_qlinear_softmax(const PrepareContext& context) {
  if (!context.node.find_attribute("opset")) throw model_error("attribute opset is missing");
  const bool to_the_end = model::get_int(context.node, "opset", 13) < 13;
  return make_prepared([to_the_end, axis = model::get_int(context.node, "axis", -1)](const BindContext& b) {
    const ValueFacts& x = required(b, 0, "X");
    require_dtype(x, kBytes, "X");
    check_byte_scale(b, {1, 2}, x.dtype, "X");
    check_byte_scale(b, {3, 4}, x.dtype, "y");
    const QLinearSoftmax step = {lines_along(x.shape, axis, to_the_end), x.dtype};
    auto bound = make_bound(output(x.dtype, x.shape), [step](const RunContext& r) { step.run(r); });
    bound->in_place_input = 0;
    return bound;
  });
}

}  // namespace sardonyx::ops
