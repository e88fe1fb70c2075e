#include "ops/expand/expand.h"
#include "ops/facts.h"

namespace sardonyx::ops {

TiledView tiled_view(const Shape& x, std::span<const int64_t> repeats) {
  if (repeats.size() != x.size()) throw argument_error("repeats has {} values, the input has shape {}", repeats.size(), to_string(x));
  const StridedView own = contiguous_view(x);
  TiledView tiled;
  for (size_t i = 0; i < x.size(); ++i) {
    int64_t size = 0;
    if (repeats[i] < 0) throw argument_error("repeats is {}; its values must be at least 0", to_string(repeats));
    if (__builtin_mul_overflow(repeats[i], x[i], &size)) throw Error(ErrorCode::kResourceLimit, "a repeated size exceeds int64");
    tiled.out.push_back(size);
    tiled.view.shape.insert(tiled.view.shape.end(), {repeats[i], x[i]});
    tiled.view.stride.insert(tiled.view.stride.end(), {0, own.stride[i]});
  }
  return tiled;
}

}  // namespace sardonyx::ops
