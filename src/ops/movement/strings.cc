#include "ops/movement/strings.h"

#include <cstddef>

namespace sardonyx::ops {

void copy_strings(const kernels::StridedCopy& copy, const std::string* src, std::string* dst) {
  const auto rank = static_cast<size_t>(copy.rank);
  size_t count = 1;
  for (size_t i = 0; i < rank; ++i) count *= copy.extent[i];
  for (size_t number = 0; number < count; ++number) {
    ptrdiff_t from = 0, to = 0;
    size_t rest = number;
    for (size_t i = rank; i-- > 0; rest /= copy.extent[i]) {
      const auto index = static_cast<ptrdiff_t>(rest % copy.extent[i]);
      from += index * copy.src_stride[i];
      to += index * copy.dst_stride[i];
    }
    dst[to] = src[from];
  }
}

}  // namespace sardonyx::ops
