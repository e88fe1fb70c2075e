#include "kernels/cpu/blocked/layout.h"
#include "ops/blocked/blocked.h"
#include "ops/elements/real.h"
#include "ops/stages.h"

namespace sardonyx::ops {

int64_t block_lanes() noexcept { return to_int(kernels::block_lanes()); }

int64_t channel_blocks(int64_t channels) noexcept { return to_int(kernels::blocks_of(to_size(channels), kernels::block_lanes())); }

BlockedImage blocked_image(const ValueFacts& facts, std::string_view name) {
  require_dtype(facts, {DType::kFloat32}, name);
  require_rank(facts, 5, name);
  const auto lanes = to_int(kernels::block_lanes());
  if (facts.shape[4] != lanes) {
    throw argument_error("{} has shape {}; the blocks of this machine have {} channels", name, to_string(facts.shape), lanes);
  }
  return {facts.shape[0], facts.shape[1], facts.shape[2], facts.shape[3], lanes};
}

std::unique_ptr<Prepared> prepare_block_channels(const PrepareContext& /*context*/) {
  return make_prepared([](const BindContext& b) {
    const ValueFacts& x = required(b, 0, "X");
    require_dtype(x, {DType::kFloat32}, "X");
    require_rank(x, 4, "X");
    const kernels::ChannelPlanes planes = {to_size(x.shape[0]), to_size(x.shape[1]), span_count(x.shape, 2, 4)};
    const Shape out = {x.shape[0], channel_blocks(x.shape[1]), x.shape[2], x.shape[3], to_int(kernels::block_lanes())};
    auto bound = make_bound(output(DType::kFloat32, out), [planes](const RunContext& r) {
      kernels::block_channels(planes, input_data<float>(r, 0), output_data<float>(r, 0), r.pool);
    });
    bound->kernel = "block_channels";
    return bound;
  });
}

std::unique_ptr<Prepared> prepare_unblock_channels(const PrepareContext& context) {
  const int64_t channels = model::get_int(context.node, "channels", -1);
  if (channels < 0) throw model_error("attribute channels is missing or negative");
  return make_prepared([channels](const BindContext& b) {
    const BlockedImage x = blocked_image(required(b, 0, "X"), "X");
    if (channels > x.blocks * x.lanes || channel_blocks(channels) != x.blocks) {
      throw argument_error("attribute channels is {}; X of shape {} does not hold so many", channels, to_string(x.shape()));
    }
    const kernels::ChannelPlanes planes = {to_size(x.batch), to_size(channels), to_size(x.height) * to_size(x.width)};
    auto bound = make_bound(output(DType::kFloat32, {x.batch, channels, x.height, x.width}), [planes](const RunContext& r) {
      kernels::unblock_channels(planes, input_data<float>(r, 0), output_data<float>(r, 0), r.pool);
    });
    bound->kernel = "unblock_channels";
    return bound;
  });
}

}  // namespace sardonyx::ops
