// What a plan tells of its values and their memory.
#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "runtime/plan.h"

namespace sardonyx {

std::string to_string(const ValueReport& value) {
  if (value.dtype == DType::kUndefined) return "?";
  return fmt::format("{} {}", to_string(value.dtype), value.shape_known ? to_string(value.shape) : "?");
}

}  // namespace sardonyx

namespace sardonyx::runtime {

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
