// Pooling. With ceil_mode, versions before 22 count a last window that begins in the padding at the end; since then it does not count.
#include <fmt/format.h>

#include "convert/adapters.h"

namespace sardonyx::convert {

namespace {
struct Window {
  int64_t kernel, stride, dilation, pad_begin, pad_end;
  int64_t extent() const { return (kernel - 1) * dilation + 1; }
};

constexpr int64_t kLargest = int64_t{1} << 31;

int64_t entry(const std::vector<int64_t>& values, size_t i, int64_t fallback) { return i < values.size() ? values[i] : fallback; }

std::vector<Window> windows_of(const Rewriter& rewriter) {
  for (const std::string_view name : {"kernel_shape", "strides", "dilations", "pads"}) rewriter.attribute(name);
  const std::vector<int64_t> kernel = model::get_ints(rewriter.node, "kernel_shape"), strides = model::get_ints(rewriter.node, "strides");
  const std::vector<int64_t> dilations = model::get_ints(rewriter.node, "dilations"), pads = model::get_ints(rewriter.node, "pads");
  std::vector<Window> windows;
  for (size_t i = 0; i < kernel.size(); ++i) {
    windows.push_back({kernel[i], entry(strides, i, 1), entry(dilations, i, 1), entry(pads, i, 0), entry(pads, i + kernel.size(), 0)});
    const Window& last = windows.back();
    const auto fits = [](int64_t value, int64_t least) { return value >= least && value < kLargest; };
    if (!fits(last.kernel, 1) || !fits(last.stride, 1) || !fits(last.dilation, 1) || !fits(last.pad_begin, 0) || !fits(last.pad_end, 0)) {
      rewriter.refuse("its kernel_shape, strides, dilations or pads are out of range");
    }
  }
  return windows;
}

bool may_begin_in_padding(const Rewriter& rewriter, const Window& window, int64_t axis) {
  if (window.pad_end + window.stride <= window.extent()) return false;
  const auto size = rewriter.rank(rewriter.input(0)) > axis ? rewriter.dim(rewriter.input(0), axis) : std::nullopt;
  if (!size || *size >= kLargest) return true;
  const int64_t room = *size + window.pad_begin + window.pad_end - window.extent();
  if (room < 0) return true;
  const int64_t last = (room + window.stride - 1) / window.stride * window.stride;
  return last >= *size + window.pad_begin;
}
}  // namespace

void pool_22(Rewriter& rewriter) {
  rewriter.attribute("auto_pad");
  const bool padded_alike = model::get_string(rewriter.node, "auto_pad", "NOTSET").starts_with("SAME");
  if (rewriter.get_int("ceil_mode", 0) == 0 || padded_alike) return rewriter.finish();
  int64_t axis = 2;
  for (const Window& window : windows_of(rewriter)) {
    if (may_begin_in_padding(rewriter, window, axis++)) {
      rewriter.refuse("with ceil_mode, its last window may begin in the padding, which counts in versions before 22 only");
    }
  }
  rewriter.finish();
}

}  // namespace sardonyx::convert
