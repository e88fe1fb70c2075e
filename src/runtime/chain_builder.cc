// Which steps of a plan become chains.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/cpu_info.h"
#include "ops/facts.h"
#include "runtime/chain.h"
#include "runtime/plan_builder.h"

namespace sardonyx::runtime {
namespace {

constexpr size_t kMaxBands = 4096;
constexpr double kCallBytes = 1 << 16;  // of one kernel's call

// What the estimate of a chain counts with.
struct Machine {
  explicit Machine(int threads) {
    static const core::CacheSizes sizes = core::cache_sizes();
    private_cache = sizes.second_level * static_cast<size_t>(threads);
    cache = std::max(private_cache, sizes.last_level);
    bands = std::max(private_cache, sizes.last_level / 4);
  }
  size_t private_cache;  // of the threads together
  size_t cache;          // the largest that they share
  size_t bands;          // what bands may fill: others use the shared cache too
};

}  // namespace

// Finds chains in the steps of a plan.
class ChainFinder {
 public:
  explicit ChainFinder(PlanBuilder& builder) : builder_(builder), steps_(builder.plan_.steps_), machine_(builder.pool_.threads()) {
    last_reader_.resize(builder.uses_.size(), 0);
    for (size_t i = 0; i < steps_.size(); ++i) {
      for (const ValueId id : node(i).inputs) {
        if (id != kAbsent) last_reader_[static_cast<size_t>(id)] = i;
      }
    }
  }

  // The end of the chain that begins with this step, and how it runs; nothing if there is none that is worth it.
  struct Found {
    size_t end;
    ChainGraph graph;
    ChainSchedule schedule;
  };
  std::optional<Found> find(size_t begin, const ChainPolicy& policy) const {
    std::optional<Found> best;
    double best_saving = 0;
    for (size_t end = begin; end < steps_.size() && extends(begin, end); ++end) {
      if (end == begin) continue;
      ChainGraph graph = graph_of(begin, end + 1);
      if (policy.tile_rows != 0) {
        ChainSchedule schedule(graph, policy.tile_rows);
        best = Found{end + 1, std::move(graph), std::move(schedule)};
        continue;
      }
      std::optional<ChainSchedule> schedule = schedule_of(graph);
      if (!schedule) continue;
      const double saving = saving_of(graph, *schedule);
      if (saving <= best_saving) continue;
      best_saving = saving;
      best = Found{end + 1, std::move(graph), std::move(*schedule)};
    }
    return best;
  }

 private:
  const ProgramNode& node(size_t step) const { return builder_.program_node(steps_[step]); }
  const PlanValue& value(ValueId id) const { return builder_.value(id); }

  // Whether the step can run by rows and reads a value that the chain makes; the first step needs no such value.
  bool extends(size_t begin, size_t step) const {
    const ops::RowKernel* kernel = kernel_of(step);
    if (!kernel || node(step).outputs[0] == kAbsent || !has_rows(node(step).outputs[0])) return false;
    bool is_linked = step == begin;
    for (size_t i = 0; i < node(step).inputs.size(); ++i) {
      const ValueId id = node(step).inputs[i];
      if (id == kAbsent) continue;
      if (kernel->by_rows(i) && !has_rows(id)) return false;
      if (!is_made_by(begin, step, id)) continue;
      if (!kernel->by_rows(i)) return false;
      is_linked = true;
    }
    return is_linked;
  }
  const ops::RowKernel* kernel_of(size_t step) const { return steps_[step].bound ? ops::row_kernel(*steps_[step].bound) : nullptr; }
  bool has_rows(ValueId id) const {
    const PlanValue& v = value(id);
    return v.shape_known && v.shape.size() >= 3 && element_count(v.shape) > 0 && v.dtype != DType::kString && bit_width(v.dtype) >= 8;
  }
  bool is_made_by(size_t begin, size_t end, ValueId id) const {
    for (size_t s = begin; s < end; ++s) {
      if (std::ranges::find(node(s).outputs, id) != node(s).outputs.end()) return true;
    }
    return false;
  }

  ChainGraph graph_of(size_t begin, size_t end) const {
    ChainGraph graph;
    std::map<ValueId, size_t> indexes;
    const auto index_of = [&](ValueId id, bool by_rows) {
      const auto [entry, is_new] = indexes.emplace(id, graph.values.size());
      if (is_new) graph.values.push_back({.id = id, .kind = ChainGraph::Kind::kOutside, .shape = {}});
      ChainGraph::Value& v = graph.values[entry->second];
      if (by_rows && v.shape.planes == 0) {
        v.shape = ops::RowShape(value(id).shape, static_cast<size_t>(bit_width(value(id).dtype)) / 8);
        v.bytes = v.shape.planes * v.shape.rows * v.shape.row_bytes;
      }
      return entry->second;
    };
    for (size_t s = begin; s < end; ++s) {
      ChainGraph::Step step{.kernel = kernel_of(s), .inputs = {}, .output = 0};
      for (size_t i = 0; i < node(s).inputs.size(); ++i) {
        const ValueId id = node(s).inputs[i];
        const bool by_rows = id != kAbsent && step.kernel->by_rows(i);
        step.inputs.push_back(id == kAbsent ? -1 : static_cast<int32_t>(index_of(id, by_rows)));
        if (by_rows) graph.values[static_cast<size_t>(step.inputs.back())].readers.push_back({s - begin, i});
      }
      const ValueId made = node(s).outputs[0];
      step.output = index_of(made, true);
      const bool is_read_outside = builder_.use(made).requested || last_reader_[static_cast<size_t>(made)] >= end;
      graph.values[step.output].kind = is_read_outside ? ChainGraph::Kind::kResult : ChainGraph::Kind::kBand;
      graph.steps.push_back(std::move(step));
    }
    return graph;
  }

  // With tiles as high as fit machine_.bands, or the lowest; none if not even those fit half of the cache.
  std::optional<ChainSchedule> schedule_of(const ChainGraph& graph) const {
    const size_t rows = graph.values[graph.steps.back().output].shape.rows;
    const size_t unit = graph.steps.back().kernel->unit();
    size_t largest = 0;
    for (const ChainGraph::Value& v : graph.values) largest = std::max(largest, v.kind == ChainGraph::Kind::kBand ? v.bytes : 0);
    if (largest <= machine_.cache / 2) return std::nullopt;
    std::optional<ChainSchedule> best;
    for (size_t tile = std::max(unit, rows / kMaxBands + 1); tile < rows; tile *= 2) {
      ChainSchedule schedule(graph, tile);
      if (schedule.band_bytes > (best ? machine_.bands : machine_.cache / 2)) break;
      best = std::move(schedule);
    }
    return best;
  }

  // Bytes that need not go through memory, less what the bands cost, as bytes that could go through memory meanwhile.
  double saving_of(const ChainGraph& graph, const ChainSchedule& schedule) const {
    double saving = 0, constants = 0;
    for (const ChainGraph::Value& v : graph.values) {
      if (v.kind != ChainGraph::Kind::kBand || v.bytes <= machine_.private_cache) continue;
      saving += static_cast<double>(v.bytes) * static_cast<double>(1 + v.readers.size());
    }
    for (const ChainGraph::Step& step : graph.steps) constants += static_cast<double>(step.kernel->constant_bytes());
    const double calls = static_cast<double>(schedule.bands) * static_cast<double>(graph.steps.size());
    return saving - kCallBytes * calls - constants * static_cast<double>(schedule.bands - 1);
  }

  PlanBuilder& builder_;
  const std::vector<PlanStep>& steps_;
  Machine machine_;
  std::vector<size_t> last_reader_;  // by value: the last step that reads it
};

void PlanBuilder::make_chains() {
  const ChainPolicy& policy = plan_.program_.chain_policy();
  if (!policy.enabled) return;
  std::vector<std::optional<ChainFinder::Found>> found(plan_.steps_.size());
  const ChainFinder finder(*this);
  for (size_t i = 0; i < found.size();) {
    found[i] = finder.find(i, policy);
    i = found[i] ? found[i]->end : i + 1;
  }
  std::vector<PlanStep> steps;
  for (size_t i = 0; i < found.size();) {
    if (!found[i]) {
      steps.push_back(std::move(plan_.steps_[i++]));
      continue;
    }
    const size_t end = found[i]->end;
    steps.push_back(
        chain_step(std::move(found[i]->graph), std::move(found[i]->schedule), {plan_.steps_.begin() + static_cast<ptrdiff_t>(i), end - i}));
    i = end;
  }
  plan_.steps_ = std::move(steps);
}

// One step in place of these.
PlanStep PlanBuilder::chain_step(ChainGraph graph, ChainSchedule schedule, std::span<PlanStep> members) {
  ProgramNode node;
  std::vector<std::string> names;
  std::vector<std::unique_ptr<ops::Bound>> bounds;
  for (PlanStep& member : members) {
    const ProgramNode& made_of = program_node(member);
    for (const ValueId id : made_of.inputs) {
      if (id != kAbsent) --use(id).reads;
    }
    names.push_back(made_of.label());
    bounds.push_back(std::move(member.bound));
  }
  node.node.domain = "ai.sardonyx";
  node.node.op_type = "RowChain";
  node.node.name = fmt::format("{} .. {}", names.front(), names.back());
  node.opset = 1;
  std::vector<ops::ValueFacts> outputs;
  for (const ChainGraph::Value& v : graph.values) {
    if (v.kind == ChainGraph::Kind::kOutside) {
      node.inputs.push_back(v.id);
      ++use(v.id).reads;
    } else if (v.kind == ChainGraph::Kind::kResult) {
      node.outputs.push_back(v.id);
      node.node.output.push_back(plan_.program_.values()[static_cast<size_t>(v.id)].name);
      outputs.push_back({value(v.id).dtype, value(v.id).shape});
    }
  }
  const size_t first = members.front().node;
  auto chain = std::make_unique<Chain>(std::move(graph), std::move(schedule), std::move(bounds), std::move(node), std::move(names));
  chain->outputs = std::move(outputs);
  const Chain* runs = chain.get();
  return {.node = first, .chain = runs, .bound = std::move(chain), .late = nullptr, .last_uses = {}};
}

}  // namespace sardonyx::runtime
