#include <algorithm>

#include "ops/facts.h"
#include "ops/reshape/reshape.h"

namespace sardonyx::ops {

Shape reshape_shape(std::span<const int64_t> x, std::span<const int64_t> wanted, bool allow_zero) {
  Shape out(wanted.begin(), wanted.end());
  const auto refuse = [&](std::string_view why) {
    return argument_error("the input of shape {} cannot have the shape {}: {}", to_string(x), to_string(wanted), why);
  };
  size_t inferred = out.size();
  for (size_t i = 0; i < out.size(); ++i) {
    if (out[i] < -1) throw refuse("sizes must be at least -1");
    if (out[i] == -1) {
      if (inferred != out.size()) throw refuse("only one size may be -1");
      inferred = i;
    } else if (out[i] == 0 && !allow_zero) {
      if (i >= x.size()) throw refuse("0 copies a size that the input does not have");
      out[i] = x[i];
    }
  }
  const int64_t count = element_count(x);
  if (inferred == out.size()) {
    if (element_count(out) != count) throw refuse("the numbers of elements differ");
    return out;
  }
  out[inferred] = 1;
  const int64_t known = element_count(out);
  if (known == 0) {
    if (allow_zero) throw refuse("-1 cannot be inferred beside a size of 0");
    out[inferred] = 0;
    return out;
  }
  if (count % known != 0) throw refuse("-1 would be no whole number");
  out[inferred] = count / known;
  return out;
}

Shape flatten_shape(std::span<const int64_t> x, int64_t axis) {
  const int64_t rank = to_int(x.size());
  if (axis < -rank || axis > rank) throw argument_error("axis {} is outside [-{}, {}]", axis, rank, rank);
  const size_t at = to_size(axis < 0 ? axis + rank : axis);
  return {element_count(x.first(at)), element_count(x.subspan(at))};
}

Shape squeeze_shape(std::span<const int64_t> x, const std::optional<std::vector<int64_t>>& axes) {
  std::vector<bool> gone(x.size());
  if (axes) {
    gone = checked_axes(*axes, x.size());
  } else {
    for (size_t i = 0; i < x.size(); ++i) gone[i] = x[i] == 1;
  }
  Shape out;
  for (size_t i = 0; i < x.size(); ++i) {
    if (!gone[i]) out.push_back(x[i]);
    if (gone[i] && x[i] != 1) throw argument_error("axis {} of shape {} is not 1 and cannot be squeezed", i, to_string(x));
  }
  return out;
}

Shape unsqueeze_shape(std::span<const int64_t> x, std::span<const int64_t> axes) {
  const std::vector<bool> added = checked_axes(axes, x.size() + axes.size());
  Shape out;
  auto next = x.begin();
  for (const bool is_added : added) out.push_back(is_added ? 1 : *next++);
  return out;
}

}  // namespace sardonyx::ops
