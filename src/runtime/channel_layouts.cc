#include "runtime/channel_layouts.h"

#include <fmt/format.h>

#include <algorithm>

namespace sardonyx::runtime {
namespace {

constexpr size_t kBlockedRank = 5;

bool is_own(const ProgramNode& node, std::string_view begin) {
  return node.node.domain == "ai.sardonyx" && node.node.op_type.starts_with(begin);
}

}  // namespace

void ChannelLayouts::note(const ProgramNode& node) {
  if (is_own(node, "UnblockChannels")) return;
  for (const ValueId output : node.outputs) {
    if (output == kAbsent || shape_of_(output).size() != kBlockedRank) continue;
    const Shape& shape = shape_of_(output);
    const auto goes_through = [&](ValueId id) { return block_of(id) != 0 && block_of(id) == static_cast<size_t>(shape.back()); };
    const bool is_blocked = is_own(node, "Block") || std::ranges::any_of(node.inputs, goes_through);
    if (is_blocked) blocks_[static_cast<size_t>(output)] = static_cast<size_t>(shape.back());
  }
}

std::string ChannelLayouts::of(const ProgramNode& node) const {
  if (is_own(node, "UnblockChannels")) return "to plain";
  size_t block = 0;
  for (const ValueId id : node.inputs) block = std::max(block, block_of(id));
  for (const ValueId id : node.outputs) block = std::max(block, block_of(id));
  if (is_own(node, "BlockChannels")) return fmt::format("to blocked {}", block);
  return block == 0 ? "plain" : fmt::format("blocked {}", block);
}

}  // namespace sardonyx::runtime
