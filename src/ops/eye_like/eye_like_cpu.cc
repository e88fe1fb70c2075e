// EyeLike: ones on one diagonal of a matrix of the input's shape.
#include <cstring>
#include <optional>

#include "core/interrupt.h"
#include "ops/elements/elements.h"
#include "ops/facts.h"
#include "ops/stages.h"
#include "sardonyx/model.h"

namespace sardonyx::ops {
namespace {

// `offset` diagonals above the main one.
void run_eye(int64_t offset, Tensor& y) {
  const int64_t rows = y.shape()[0], columns = y.shape()[1], one = 1;
  if (y.numel() == 0) return;
  const StoreRun<int64_t> store = store_run<int64_t>(y.dtype());
  const size_t bytes = element_bytes(y.dtype());
  auto* data = static_cast<std::byte*>(y.mutable_raw());
  core::in_pieces(y.byte_size(), size_t{1} << 20, [&](size_t begin, size_t count) { std::memset(data + begin, 0, count); });
  if (offset <= -rows || offset >= columns) return;
  for (int64_t row = std::max<int64_t>(0, -offset); row < rows && row + offset < columns; ++row) {
    store(&one, 1, data + to_size(row * columns + row + offset) * bytes);
  }
}

}  // namespace

std::unique_ptr<Prepared> prepare_eye_like(const PrepareContext& context) {
  std::optional<DType> dtype;
  if (context.node.find_attribute("dtype")) {
    const int64_t number = model::get_int(context.node, "dtype", 0);
    if (number <= 0 || number >= kDTypeCount) throw model_error("attribute dtype is {}, which is no element type", number);
    dtype = static_cast<DType>(number);
  }
  return make_prepared([dtype, offset = model::get_int(context.node, "k", 0)](const BindContext& b) {
    const ValueFacts& x = required(b, 0, "input");
    require_rank(x, 2, "input");
    ValueFacts y = output(dtype.value_or(x.dtype), x.shape);
    require_dtype(y, kNumbers | DTypeSet{DType::kBool}, "output");
    return make_bound(std::move(y), [offset](const RunContext& r) { run_eye(offset, r.outputs[0]); });
  });
}

}  // namespace sardonyx::ops
