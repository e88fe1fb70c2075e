// What a plan tells of its steps, its values and their memory.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <tuple>

#include "ops/kernel_name.h"
#include "runtime/chain.h"
#include "runtime/channel_layouts.h"
#include "runtime/plan.h"

namespace sardonyx {

std::string to_string(const ValueReport& value) {
  if (value.dtype == DType::kUndefined) return "?";
  return fmt::format("{} {}", to_string(value.dtype), value.shape_known ? to_string(value.shape) : "?");
}

}  // namespace sardonyx

namespace sardonyx::runtime {
namespace {

// Operators that read no more of input 0 than they write.
constexpr std::array<std::string_view, 4> kTakeParts = {"Gather", "GatherElements", "GatherND", "Slice"};

bool is_standard(const model::Node& node) { return node.domain.empty() || node.domain == "ai.onnx"; }

}  // namespace

StepReport Plan::report(const ProgramNode& node, const ops::Bound* bound, const ChannelLayouts& layouts) const {
  StepReport report{.node = node.label(),
                    .op = node.op(),
                    .opset = node.opset,
                    .kernel = "",
                    .refusals = {},
                    .output_shape = {},
                    .late = !bound || bound->dynamic,
                    .layout = layouts.of(node)};
  if (bound) {
    report.kernel = ops::kernel_name(*bound, node.node.op_type);
    report.refusals = bound->refusals;
    report.flops = bound->flops;
    report.scratch_bytes = bound->scratch_bytes;
  }
  const auto bytes_of = [&](ValueId id) -> size_t {
    if (id == kAbsent) return 0;
    const PlanValue& value = values_[static_cast<size_t>(id)];
    return value.shape_known ? storage_bytes(value.dtype, element_count(value.shape)) : 0;
  };
  for (const ValueId id : node.outputs) {
    report.bytes += bytes_of(id);
    report.outputs.push_back(this->report(id));
  }
  const bool takes_part = is_standard(node.node) && std::ranges::find(kTakeParts, node.node.op_type) != kTakeParts.end();
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const size_t bytes = bytes_of(node.inputs[i]);
    report.bytes += i == 0 && takes_part && !report.late ? std::min(bytes, bytes_of(node.outputs[0])) : bytes;
    report.inputs.push_back(this->report(node.inputs[i]));
  }
  if (!node.outputs.empty() && node.outputs[0] != kAbsent) {
    const PlanValue& first = values_[static_cast<size_t>(node.outputs[0])];
    report.output_dtype = first.dtype;
    report.output_shape = first.shape;
  }
  return report;
}

StepReport Plan::report(const PlanStep& step, const ChannelLayouts& layouts) const {
  StepReport report = this->report(node_of(step), step.bound.get(), layouts);
  report.aliased = step.aliased;
  report.in_place = step.in_place;
  if (!step.chain) return report;
  report.chain = step.chain->report();
  for (const Chain::Member& member : step.chain->members()) {
    report.nodes.push_back(this->report(*member.node, member.bound.get(), layouts));
  }
  return report;
}

PlanReport Plan::report() const {
  PlanReport result{.steps = {},
                    .evaluated_nodes = evaluated_,
                    .peak_memory = peak_,
                    .lower_bound_memory = lower_bound_,
                    .output_memory = output_bytes_,
                    .tiles_chains = program_.chain_policy().enabled};
  ChannelLayouts layouts(values_.size(), [&](ValueId id) -> const Shape& { return values_[static_cast<size_t>(id)].shape; });
  for (const PlanStep& step : steps_) {
    if (step.chain) {
      for (const Chain::Member& member : step.chain->members()) layouts.note(*member.node);
    } else {
      layouts.note(node_of(step));
    }
  }
  for (const PlanStep& step : steps_) {
    result.steps.push_back(report(step, layouts));
    result.flops += result.steps.back().flops;
  }
  for (const ChainGap& gap : chain_gaps_) {
    result.chain_refusals.push_back({.first_step = gap.first,
                                     .last_step = gap.last,
                                     .value_bytes = gap.verdict.largest,
                                     .fits_cache = gap.verdict.kind == ChainVerdict::Kind::kFitsCache,
                                     .reason = gap.verdict.kind == ChainVerdict::Kind::kWhole ? gap.stop.text() : gap.verdict.text(),
                                     .end = gap.verdict.kind == ChainVerdict::Kind::kWhole ? "" : gap.stop.text()});
  }
  result.memory = report_memory();
  return result;
}

ValueReport Plan::report(ValueId id) const {
  if (id == kAbsent) return {};
  const PlanValue& value = values_[static_cast<size_t>(id)];
  return {.name = program_.values()[static_cast<size_t>(id)].name,
          .dtype = value.dtype,
          .shape = value.shape,
          .shape_known = value.shape_known,
          .constant = value.place == Place::kConstant};
}

std::vector<MemoryReport> Plan::report_memory() const {
  std::vector<MemoryReport> reports;
  std::vector<size_t> report_of(values_.size(), SIZE_MAX);
  for (const Piece& piece : pieces_) {
    const ProgramNode& maker = node_of(steps_[static_cast<size_t>(piece.first)]);
    MemoryReport& report = reports.emplace_back();
    report.op = maker.op();
    report.scratch = piece.value == kAbsent;
    report.bytes = piece.bytes;
    report.offset = piece.offset;
    report.first_step = static_cast<size_t>(piece.first);
    report.last_step = static_cast<size_t>(piece.last);
    if (report.scratch) {
      report.name = maker.label();
      report.dtype = DType::kUInt8;
      report.shape = {static_cast<int64_t>(piece.bytes)};
      continue;
    }
    const auto id = static_cast<size_t>(piece.value);
    report.name = program_.values()[id].name;
    report.dtype = values_[id].dtype;
    report.shape = values_[id].shape;
    report_of[id] = reports.size() - 1;
  }
  for (size_t i = 0; i < values_.size(); ++i) {
    const PlanValue& value = values_[i];
    if (value.place != Place::kArena || value.root == kAbsent || value.root == static_cast<ValueId>(i)) continue;
    const size_t owner = report_of[static_cast<size_t>(value.root)];
    if (owner != SIZE_MAX) reports[owner].shared.push_back(program_.values()[i].name);
  }
  std::ranges::sort(reports, [](const MemoryReport& a, const MemoryReport& b) {
    return std::tuple(a.first_step, a.offset, a.last_step) < std::tuple(b.first_step, b.offset, b.last_step);
  });
  return reports;
}

void Plan::show(const PlanStep& step, std::span<const Tensor> outputs, const ValueObserver& observer) const {
  const ProgramNode& node = node_of(step);
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (node.outputs[i] != kAbsent) observer(program_.values()[static_cast<size_t>(node.outputs[i])].name, outputs[i]);
  }
}

}  // namespace sardonyx::runtime
