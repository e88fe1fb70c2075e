// Which steps of a plan become chains.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/cpu_info.h"
#include "ops/facts.h"
#include "ops/kernel_name.h"
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

  // The chain that begins with this step; nothing if there is none that is worth it.
  std::optional<FoundChain> find(size_t begin, const ChainPolicy& policy) const {
    std::optional<FoundChain> best;
    double best_saving = 0;
    for (size_t end = begin; end < steps_.size() && !refusal(begin, end); ++end) {
      if (end == begin) continue;
      ChainGraph graph = graph_of(begin, end + 1);
      if (policy.tile_rows != 0) {
        ChainSchedule schedule(graph, policy.tile_rows);
        best = FoundChain{end + 1, std::move(graph), std::move(schedule), {}};
        continue;
      }
      std::optional<ChainSchedule> schedule;
      const ChainVerdict verdict = judge(graph, schedule);
      const double saving = verdict.saved_traffic - verdict.costs;
      if (verdict.kind != ChainVerdict::Kind::kPays || saving <= best_saving) continue;
      best_saving = saving;
      best = FoundChain{end + 1, std::move(graph), std::move(*schedule), {}};
    }
    if (best) best->stop = stop_at(begin, best->end);
    return best;
  }

  // What lies between the chains that were found, as indexes of the steps that the plan then has.
  void note_gaps(const std::vector<std::optional<FoundChain>>& found, std::vector<ChainGap>& gaps) const {
    const ProgramNode* told = nullptr;  // by what stopped the nodes before
    size_t joined = 0;                  // steps that chains have taken away so far
    for (size_t i = 0; i < found.size();) {
      if (found[i]) {
        joined += found[i]->end - i - 1;
        told = found[i]->stop.node;
        i = found[i]->end;
        continue;
      }
      size_t limit = i;
      while (limit < found.size() && !found[limit]) ++limit;
      std::optional<ChainGap> between = gap(i, limit);
      const size_t last = between ? between->last : i;
      if (between && !(between->verdict.kind == ChainVerdict::Kind::kWhole && between->stop.node == told)) {
        told = between->stop.node;
        between->first -= joined;
        between->last -= joined;
        gaps.push_back(std::move(*between));
      }
      i = last + 1;
    }
  }

 private:
  // Why there is no chain from `begin` on. `limit`: where the next one begins, or the plan ends. Nothing is said of single steps that move
  // less than the cache holds.
  std::optional<ChainGap> gap(size_t begin, size_t limit) const {
    if (const char* reason = refusal(begin, begin)) {
      const size_t bytes = largest_value(begin);
      if (bytes <= budget() || is_view(begin)) return std::nullopt;
      return ChainGap{begin, begin, {.kind = ChainVerdict::Kind::kWhole, .largest = bytes}, stop(begin, reason)};
    }
    size_t end = begin + 1;
    while (end < limit && !refusal(begin, end)) ++end;
    ChainGap result{begin, end - 1, {}, end < limit ? stop_at(begin, end) : ChainStop()};
    if (end > begin + 1) {
      std::optional<ChainSchedule> unused;
      result.verdict = judge(graph_of(begin, end), unused);
      return result;
    }
    result.verdict = {.kind = ChainVerdict::Kind::kAlone, .largest = bytes_of(node(begin).outputs[0])};
    const bool is_told = result.stop.node && result.verdict.largest > budget();
    return is_told ? std::optional(std::move(result)) : std::nullopt;
  }

  const ProgramNode& node(size_t step) const { return builder_.program_node(steps_[step]); }
  const PlanValue& value(ValueId id) const { return builder_.value(id); }

  // Why the step cannot be in a chain of the steps from `begin` on: it must run by rows and read a value that the chain makes, unless it is
  // the first. Null if it can.
  const char* refusal(size_t begin, size_t step) const {
    constexpr const char* kNoRows = "what it computes, or reads, has no rows: fewer than three dimensions, or no elements";
    const ops::RowKernel* kernel = kernel_of(step);
    if (!steps_[step].bound || steps_[step].bound->dynamic) return "its shapes depend on data";
    if (!kernel) return ops::row_refusal(*steps_[step].bound);
    if (node(step).outputs[0] == kAbsent || !has_rows(node(step).outputs[0])) return kNoRows;
    bool is_linked = step == begin;
    for (size_t i = 0; i < node(step).inputs.size(); ++i) {
      const ValueId id = node(step).inputs[i];
      if (id == kAbsent) continue;
      if (kernel->by_rows(i) && !has_rows(id)) return kNoRows;
      if (!is_made_by(begin, step, id)) continue;
      if (!kernel->by_rows(i)) return "it reads as a whole what a node before it makes";
      is_linked = true;
    }
    return is_linked ? nullptr : "it reads nothing that the nodes before it make";
  }
  ChainStop stop(size_t step, const char* reason) const {
    const ops::Bound* bound = steps_[step].bound.get();
    return {&node(step), reason, bound ? ops::kernel_name(*bound, node(step).node.op_type) : std::string()};
  }
  // What keeps the step at `end` from the chain.
  ChainStop stop_at(size_t begin, size_t end) const {
    if (end == steps_.size()) return {};
    const char* reason = refusal(begin, end);
    return stop(end, reason ? reason : "with it, the chain would save less");
  }
  bool is_view(size_t step) const {
    const ops::Bound* bound = steps_[step].bound.get();
    return bound && (bound->alias_input >= 0 || !bound->output_views.empty());
  }
  size_t bytes_of(ValueId id) const { return id != kAbsent && value(id).shape_known ? builder_.bytes(id) : 0; }
  // Of those that the step reads or makes, without constants.
  size_t largest_value(size_t step) const {
    size_t largest = 0;
    for (const ValueId id : node(step).outputs) largest = std::max(largest, bytes_of(id));
    for (const ValueId id : node(step).inputs) {
      if (id != kAbsent && value(id).place != Place::kConstant) largest = std::max(largest, bytes_of(id));
    }
    return largest;
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

  size_t budget() const { return machine_.cache / 2; }

  // Whether the chain pays; its schedule, if there is one, has tiles as high as fit machine_.bands, or the lowest, which fit the budget.
  ChainVerdict judge(const ChainGraph& graph, std::optional<ChainSchedule>& schedule) const {
    using Kind = ChainVerdict::Kind;
    ChainVerdict verdict{.budget = budget()};
    size_t largest_band = 0;
    for (const ChainGraph::Value& v : graph.values) {
      if (v.kind == ChainGraph::Kind::kOutside || v.readers.empty()) continue;
      verdict.largest = std::max(verdict.largest, v.bytes);
      if (v.kind == ChainGraph::Kind::kBand) largest_band = std::max(largest_band, v.bytes);
    }
    if (largest_band <= verdict.budget) {
      verdict.kind = verdict.largest <= verdict.budget ? Kind::kFitsCache : Kind::kReadOutside;
      return verdict;
    }
    const size_t rows = graph.values[graph.steps.back().output].shape.rows;
    verdict.kind = Kind::kFewRows;
    for (size_t tile = std::max(graph.steps.back().kernel->unit(), rows / kMaxBands + 1); tile < rows; tile *= 2) {
      ChainSchedule tried(graph, tile);
      if (tried.band_bytes > (schedule ? machine_.bands : verdict.budget)) {
        if (!schedule) verdict = {Kind::kBandsTooLarge, verdict.largest, verdict.budget, tile, tried.band_bytes};
        break;
      }
      schedule = std::move(tried);
    }
    if (schedule) weigh(graph, *schedule, verdict);
    return verdict;
  }

  // Bytes that need not go through memory, against what the bands cost, as bytes that could go through memory meanwhile.
  void weigh(const ChainGraph& graph, const ChainSchedule& schedule, ChainVerdict& verdict) const {
    double constants = 0;
    for (const ChainGraph::Value& v : graph.values) {
      if (v.kind != ChainGraph::Kind::kBand || v.bytes <= machine_.private_cache) continue;
      verdict.saved_traffic += static_cast<double>(v.bytes) * static_cast<double>(1 + v.readers.size());
    }
    for (const ChainGraph::Step& step : graph.steps) constants += static_cast<double>(step.kernel->constant_bytes());
    const double calls = static_cast<double>(schedule.bands) * static_cast<double>(graph.steps.size());
    verdict.costs = kCallBytes * calls + constants * static_cast<double>(schedule.bands - 1);
    verdict.kind = verdict.saved_traffic > verdict.costs ? ChainVerdict::Kind::kPays : ChainVerdict::Kind::kCosts;
  }

  PlanBuilder& builder_;
  const std::vector<PlanStep>& steps_;
  Machine machine_;
  std::vector<size_t> last_reader_;  // by value: the last step that reads it
};

void PlanBuilder::make_chains() {
  const ChainPolicy& policy = plan_.program_.chain_policy();
  if (!policy.enabled) return;
  std::vector<std::optional<FoundChain>> found(plan_.steps_.size());
  const ChainFinder finder(*this);
  for (size_t i = 0; i < found.size();) {
    found[i] = finder.find(i, policy);
    i = found[i] ? found[i]->end : i + 1;
  }
  finder.note_gaps(found, plan_.chain_gaps_);
  std::vector<PlanStep> steps;
  for (size_t i = 0; i < found.size();) {
    if (!found[i]) {
      steps.push_back(std::move(plan_.steps_[i++]));
      continue;
    }
    const size_t end = found[i]->end;
    steps.push_back(chain_step(std::move(*found[i]), {plan_.steps_.begin() + static_cast<ptrdiff_t>(i), end - i}));
    i = end;
  }
  plan_.steps_ = std::move(steps);
}

// One step in place of these.
PlanStep PlanBuilder::chain_step(FoundChain found, std::span<PlanStep> steps) {
  ChainGraph& graph = found.graph;
  ProgramNode node;
  std::vector<Chain::Member> members;
  for (PlanStep& step : steps) {
    const ProgramNode& made_of = program_node(step);
    for (const ValueId id : made_of.inputs) {
      if (id != kAbsent) --use(id).reads;
    }
    members.push_back({&made_of, std::move(step.bound)});
  }
  node.node.domain = "ai.sardonyx";
  node.node.op_type = "RowChain";
  node.node.name = fmt::format("{} .. {}", members.front().node->label(), members.back().node->label());
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
  auto chain =
      std::make_unique<Chain>(std::move(graph), std::move(found.schedule), std::move(members), std::move(node), std::move(found.stop));
  chain->outputs = std::move(outputs);
  const Chain* runs = chain.get();
  const size_t parts = std::exchange(plan_.chain_nodes_, plan_.chain_nodes_ + runs->members().size());
  return {.node = steps.front().node, .chain = runs, .first_part = parts, .bound = std::move(chain), .late = nullptr, .last_uses = {}};
}

}  // namespace sardonyx::runtime
