// How the channels of a plan's values lie, told from the operators that make them: what reports say of it.
//
// A blocked value is (batch, channels / block, height, width, block). Operators of ai.sardonyx whose names begin with Block make such
// values, and so do standard ones that read them and keep the block: elementwise ones, Concat; UnblockChannels makes plain ones.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "runtime/program.h"

namespace sardonyx::runtime {

class ChannelLayouts {
 public:
  using ShapeOf = std::function<const Shape&(ValueId)>;
  ChannelLayouts(size_t values, ShapeOf shape_of) : blocks_(values, 0), shape_of_(std::move(shape_of)) {}

  // For each node, in running order.
  void note(const ProgramNode& node);
  // Of a node that was noted, or of one that stands for several: StepReport::layout.
  std::string of(const ProgramNode& node) const;

 private:
  size_t block_of(ValueId id) const { return id == kAbsent ? 0 : blocks_[static_cast<size_t>(id)]; }

  std::vector<size_t> blocks_;  // by ValueId; 0: plain
  ShapeOf shape_of_;
};

}  // namespace sardonyx::runtime
