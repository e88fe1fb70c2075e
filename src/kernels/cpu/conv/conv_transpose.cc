#include "kernels/cpu/conv/conv_transpose.h"

#include "core/arena.h"
#include "kernels/cpu/conv/columns.h"
#include "kernels/cpu/gemm/serial_product.h"

namespace sardonyx::kernels {
namespace {

constexpr size_t kColumnValues = 1 << 17;  // of one task, unless a single channel has more

// How the output channels of a group are cut into tasks.
struct Cut {
  size_t group_channels, kernel, blocks, channels, tasks;

  explicit Cut(const ConvTransposeShape& s)
      : group_channels(s.out_channels / s.groups), kernel(s.window.kernel_size()), blocks(s.window.out_size()) {
    channels = std::clamp<size_t>(kColumnValues / std::max<size_t>(kernel * blocks, 1), 1, std::max<size_t>(group_channels, 1));
    tasks = (group_channels + channels - 1) / channels;
  }
  size_t first(size_t task) const noexcept { return task * channels; }
  size_t count(size_t task) const noexcept { return std::min(channels, group_channels - first(task)); }
  GemmShape product(const ConvTransposeShape& s, size_t count) const noexcept { return {count * kernel, blocks, s.in_channels / s.groups}; }
};

template <class T>
size_t column_bytes(const Cut& cut) noexcept {
  return core::align_up(cut.channels * cut.kernel * cut.blocks * sizeof(T));
}

template <class T>
size_t task_bytes(const ConvTransposeShape& s, const Cut& cut) noexcept {
  size_t most = serial_product_scratch_bytes<T>(cut.product(s, cut.channels));
  if (cut.tasks > 0) most = std::max(most, serial_product_scratch_bytes<T>(cut.product(s, cut.count(cut.tasks - 1))));
  return column_bytes<T>(cut) + core::align_up(most);
}

}  // namespace

template <class T>
size_t conv_transpose_scratch_bytes(const ConvTransposeShape& shape, int threads) noexcept {
  return task_bytes<T>(shape, Cut(shape)) * static_cast<size_t>(threads);
}

template <class T>
void conv_transpose(const ConvTransposeShape& s, const T* x, const T* w, const T* bias, const Activation& activation, T* y, void* scratch,
                    core::ThreadPool& pool) noexcept {
  const Cut cut(s);
  const Window window = s.window.with_three_dims();
  const size_t in_group = s.in_channels / s.groups, image = window.in_size(), row = cut.group_channels * cut.kernel;
  const size_t bytes = task_bytes<T>(s, cut);
  pool.for_each_with_thread(s.batch * s.groups * cut.tasks, [&](size_t task, size_t thread) {
    auto* columns = reinterpret_cast<T*>(static_cast<std::byte*>(scratch) + thread * bytes);
    const size_t part = task % cut.tasks, group_image = task / cut.tasks, group = group_image % s.groups;
    const size_t first = cut.first(part), count = cut.count(part);
    const StridedMatrix<T> weights = {w + group * in_group * row + first * cut.kernel, 1, static_cast<ptrdiff_t>(row)};
    const StridedMatrix<T> input = {x + group_image * in_group * cut.blocks, static_cast<ptrdiff_t>(cut.blocks), 1};
    serial_product<T>(cut.product(s, count), T{1}, weights, input, false, columns, cut.blocks,
                      reinterpret_cast<std::byte*>(columns) + column_bytes<T>(cut), pool);
    for (size_t i = 0; i < count; ++i) {
      T* plane = y + (group_image * cut.group_channels + first + i) * image;
      const T start = bias ? bias[group * cut.group_channels + first + i] : T{0};
      core::in_pieces(image, kPiece, [&](size_t begin, size_t size) { std::fill_n(plane + begin, size, start); });
      add_columns(window, columns + i * cut.kernel * cut.blocks, plane);
      core::in_pieces(image, kPiece, [&](size_t begin, size_t size) { activate(activation, plane + begin, size); });
    }
  });
}

template size_t conv_transpose_scratch_bytes<float>(const ConvTransposeShape&, int) noexcept;
template size_t conv_transpose_scratch_bytes<double>(const ConvTransposeShape&, int) noexcept;
template void conv_transpose<float>(const ConvTransposeShape&, const float*, const float*, const float*, const Activation&, float*, void*,
                                    core::ThreadPool&) noexcept;
template void conv_transpose<double>(const ConvTransposeShape&, const double*, const double*, const double*, const Activation&, double*,
                                     void*, core::ThreadPool&) noexcept;

}  // namespace sardonyx::kernels
