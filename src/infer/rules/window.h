// Windows that slide over the spatial dimensions of [batch, channels, d1, ..., dn]: convolutions and pools of all kinds.
#pragma once

#include <limits>
#include <string_view>
#include <vector>

#include "infer/arithmetic.h"

namespace sardonyx::infer {

struct Window {
  enum class AutoPad { kNone, kSame, kValid };

  Dims kernel;  // with the gaps of dilation; unknown where only the weights tell and their size is not known
  std::vector<int64_t> strides, pads_begin, pads_end;
  bool has_pads = false;
  AutoPad auto_pad = AutoPad::kNone;  // must not stand beside pads; where it does, only what both say is known
  bool rounds_up = false;             // ceil_mode
  // Since opset 22 the specification says that windows do not count which would start in the padding at the end. Implementations always
  // left them out; before, the size is only known where that makes no difference.
  bool drops_padding_windows = true;

  // The size of dimension i of the output.
  Dim slide(size_t i, Dim input) const;
  // The same for the transposed convolution, whose output `slide` would make its input.
  Dim unfold(size_t i, Dim input, int64_t output_padding) const;

 private:
  Dim slide_same(size_t i, Dim input) const;
  Dim slide_padded(size_t i, Dim input, int64_t begin, int64_t end) const;
};

inline constexpr int64_t kAnyInteger = std::numeric_limits<int64_t>::min();

// An attribute with `count` integers of at least `least`; `fallback` for each if it is left out. Fails for another count or a lesser one.
std::vector<int64_t> axis_attribute(const NodeContext& context, std::string_view name, size_t count, int64_t fallback, int64_t least);

// The attributes kernel_shape, strides, dilations, pads, auto_pad and ceil_mode for `rank` spatial dimensions. Without kernel_shape the
// sizes of the weights [m, c, k1, ..., kn] count, if their shape is known; `needs_kernel`: the attribute must be there.
Window read_window(const NodeContext& context, size_t rank, const Dims* weights, bool needs_kernel);

}  // namespace sardonyx::infer
