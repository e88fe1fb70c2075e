// Convolution of bytes minus their zero points as a product of integers (integer_gemm.h): tiles of the unfolded input are written straight
// into packed panels, a block of the depth at a time, so that scratch is bounded.
#pragma once

#include "kernels/cpu/conv/conv.h"
#include "kernels/cpu/quant/integer_gemm.h"

namespace sardonyx::kernels {

// The product has outputs as rows and channels as columns, or the other way round: whichever follows the result's order, unless a group
// with channels last has so few channels that they would waste the columns of a register tile.
struct IntegerConv {
  ConvShape shape;
  bool channels_last = false;

  size_t channels() const noexcept { return shape.out_channels / shape.groups; }  // of a group's result
  size_t depth() const noexcept { return shape.in_channels / shape.groups * shape.window.kernel_size(); }
  bool outputs_are_rows() const noexcept { return channels_last && channels() >= 8; }
  size_t weight_width() const noexcept { return outputs_are_rows() ? integer_tile().columns : integer_tile().rows; }
  // Numbers of the packed weights of one group.
  size_t packed_group() const noexcept { return packed_integers(channels(), depth(), weight_width()); }
};

// `w` has one line for each output channel, groups one after another.
void pack_integer_weights(const IntegerConv& conv, const IntegerLines& w, int16_t* packed, core::ThreadPool& pool) noexcept;

// One tile of the result: outputs of one image (at most kMostTileOutputs) and channels of one group.
inline constexpr size_t kMostTileOutputs = 256;
struct IntegerConvTile {
  size_t image, first_output, outputs, first_channel, channels;  // channels count over all groups
  const int32_t* sums;                                           // rows `stride` apart
  size_t stride;
};
using IntegerConvSink = void (*)(const void* context, const IntegerConvTile& tile);

size_t integer_conv_scratch_bytes(int threads) noexcept;
// x (batch, in_channels, in...) holds bytes minus their zero point; padding counts as 0. Calls sink(tile) with finished sums, rows being
// outputs or channels as outputs_are_rows() says; from several threads.
void integer_conv(const IntegerConv& conv, const int16_t* x, const int16_t* packed_weights, void* scratch, core::ThreadPool& pool,
                  IntegerConvSink sink, const void* context) noexcept;
template <class Sink>
void integer_conv(const IntegerConv& conv, const int16_t* x, const int16_t* packed_weights, void* scratch, core::ThreadPool& pool,
                  const Sink& sink) noexcept {
  integer_conv(
      conv, x, packed_weights, scratch, pool,
      [](const void* context, const IntegerConvTile& tile) { (*static_cast<const Sink*>(context))(tile); }, &sink);
}

}  // namespace sardonyx::kernels
