#include <fmt/format.h>

#include "infer/rules.h"
#include "infer/rules/window.h"

namespace sardonyx::infer {

namespace {
void pool(NodeContext& context) {
  const Dims* x = context.shape(0);
  if (x == nullptr) return;
  context.expect_min_rank(0, 3, "X");
  const size_t rank = x->size() - 2;
  Window window = read_window(context, rank, nullptr, true);
  window.drops_padding_windows = context.version() >= 22;
  Dims y = {x->front(), (*x)[1]};
  for (size_t i = 0; i < rank; ++i) y.push_back(window.slide(i, (*x)[2 + i]));
  for (size_t i = 0; i < context.outputs(); ++i) context.set_shape(i, y);
}
}  // namespace

// MaxPool, all versions; Indices since version 8.
void infer_max_pool(NodeContext& context) {
  context.set_dtype(1, DType::kInt64);
  pool(context);
}

// AveragePool, all versions.
void infer_average_pool(NodeContext& context) { pool(context); }

// LpPool, all versions; version 1 may leave the kernel out, and means nothing then.
void infer_lp_pool(NodeContext& context) {
  if (context.version() == 1 && context.attribute("kernel_shape") == nullptr) return;
  pool(context);
}

// GlobalAveragePool, GlobalLpPool, GlobalMaxPool, all versions.
void infer_global_pool(NodeContext& context) {
  const Dims* x = context.shape(0);
  if (x == nullptr || x->size() < 2) return;
  Dims y(x->size(), Dim(1));
  y[0] = (*x)[0];
  y[1] = (*x)[1];
  context.set_shape(0, std::move(y));
}

namespace {
// The shape that MaxUnpool's third input gives.
void set_given_shape(NodeContext& context, size_t rank) {
  context.expect_rank(2, 1, "output_shape");
  const Dims* shape = context.shape(2);
  if (shape != nullptr && shape->front().is_known() && !shape->front().is(static_cast<int64_t>(rank))) {
    context.fail(fmt::format("output_shape has {} elements, X has {} dimensions", shape->front().value(), rank));
  }
  const Dims* sizes = context.elements(2);
  Dims output = sizes != nullptr && sizes->size() == rank ? *sizes : Dims(rank);
  for (Dim& dim : output) dim = dim.is_known() && dim.value() < 0 ? Dim() : dim;
  context.set_shape(0, std::move(output));
}
}  // namespace

// MaxUnpool, all versions: undoes MaxPool, whose indices it takes.
void infer_max_unpool(NodeContext& context) {
  const Dims* x = context.shape(0);
  if (x == nullptr) return;
  context.expect_min_rank(0, 2, "X");
  const size_t rank = x->size() - 2;
  if (context.attribute("kernel_shape") == nullptr) context.fail("the attribute kernel_shape is missing");
  Window window;
  const std::vector<int64_t> kernel = axis_attribute(context, "kernel_shape", rank, 1, kAnyInteger);
  window.kernel.assign(kernel.begin(), kernel.end());
  window.strides = axis_attribute(context, "strides", rank, 1, kAnyInteger);
  window.pads_begin = axis_attribute(context, "pads", 2 * rank, 0, kAnyInteger);
  window.pads_end.assign(window.pads_begin.begin() + static_cast<std::ptrdiff_t>(rank), window.pads_begin.end());
  if (context.has_input(2)) return set_given_shape(context, x->size());
  context.expect_min_rank(1, 2, "I");
  const Dims* indices = context.shape(1);
  Dims y = {x->front(), indices == nullptr ? (*x)[1] : (*indices)[1]};
  for (size_t i = 0; i < rank; ++i) y.push_back(window.unfold(i, (*x)[2 + i], 0));
  context.set_shape(0, std::move(y));
}

}  // namespace sardonyx::infer
