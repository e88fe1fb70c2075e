// The explanation as aligned text.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "cli/command.h"
#include "cli/explain.h"
#include "cli/table.h"

namespace sardonyx::cli {

namespace {
std::string human(double value, std::string_view unit) {
  constexpr const char* kScales[] = {"", "k", "M", "G", "T"};
  size_t scale = 0;
  for (; value >= 1000 && scale + 1 < std::size(kScales); ++scale) value /= 1000;
  return scale == 0 ? fmt::format("{:.0f} {}", value, unit) : fmt::format("{:.3g} {}{}", value, kScales[scale], unit);
}

std::string amount(double value, std::string_view unit) { return value > 0 ? human(value, unit) : "-"; }

std::string milliseconds(double seconds) { return fmt::format("{:.3f} ms", seconds * 1e3); }

std::string percent(double share) { return share > 0 ? fmt::format("{:.0f} %", share * 100) : "-"; }

std::string marks(const StepReport& step) {
  if (step.aliased) return "view";
  if (step.in_place) return "in place";
  return step.late ? "late" : "";
}

// "3 to 5, 7"
std::string ranges(const std::vector<size_t>& ascending) {
  std::string text;
  for (size_t i = 0; i < ascending.size();) {
    size_t end = i + 1;
    while (end < ascending.size() && ascending[end] == ascending[end - 1] + 1) ++end;
    text += fmt::format("{}{}", text.empty() ? "" : ", ", ascending[i]);
    if (end > i + 1) text += fmt::format(" to {}", ascending[end - 1]);
    i = end;
  }
  return text;
}

bool converts_layout(const StepReport& step) { return step.layout.starts_with("to "); }

class Text {
 public:
  Text(const Explanation& explanation, size_t width) : e_(explanation), width_(width) {}

  std::string write() {
    head();
    passes();
    steps();
    refused_kernels();
    refused_chains();
    totals();
    operators();
    memory();
    return std::move(out_);
  }

 private:
  template <class... Args>
  void say(fmt::format_string<Args...> format, Args&&... args) {
    out_ += wrapped(fmt::format(format, std::forward<Args>(args)...), 0, width_);
  }

  void head() {
    std::string opsets;
    for (const auto& [domain, version] : e_.metadata.opset_import)
      opsets += fmt::format("{}{} {}", opsets.empty() ? "" : ", ", domain.empty() ? "ai.onnx" : domain, version);
    say("{}: {}; optimisation {}, {}", e_.model, opsets, e_.level, count_of(static_cast<size_t>(e_.threads), "thread"));
    for (const ValueReport& input : e_.inputs) say("input {}: {}", input.name, to_string(input));
    std::string phases;
    double total = 0;
    for (const LoadPhase& phase : e_.load_phases) {
      phases += fmt::format("{}{} {}", phases.empty() ? "" : ", ", phase.name, milliseconds(phase.seconds));
      total += phase.seconds;
    }
    say("created in {}: {}", milliseconds(total), phases);
    if (!e_.peak) return;
    std::string rates;
    for (const MachinePeak::Bandwidth& bandwidth : e_.peak->bandwidths) {
      rates += fmt::format(", {} within {}", human(bandwidth.bytes_per_second, "B/s"), human(static_cast<double>(bandwidth.bytes), "B"));
    }
    say("measured peak: {}{}", human(e_.peak->flops, "FLOP/s"), rates);
  }

  void passes() {
    out_ += "\npasses that changed the model\n";
    std::vector<const PassReport*> told;
    Table table({{""}, {"", true}, {"", true, 1}, {"", false, 2}});
    for (const PassReport& pass : e_.passes) {
      if (pass.rewrites == 0 && pass.refusals.empty()) continue;
      told.push_back(&pass);
      table.add({"  " + pass.name, fmt::format("{}x", pass.rewrites), milliseconds(pass.seconds), pass.description});
    }
    const std::vector<std::string> lines = table.lines(width_);
    for (size_t i = 0; i < told.size(); ++i) {
      out_ += lines[i + 1];
      for (const std::string& refusal : told[i]->refusals) out_ += wrapped("not at " + refusal, 6, width_);
    }
    if (told.empty()) out_ += "  none\n";
    if (e_.plan.evaluated_nodes > 0) say("{} nodes were computed when the plan was made", e_.plan.evaluated_nodes);
  }

  Table step_table() const {
    std::vector<Column> columns = {{"step", true},       {"node", false, 0, 12},   {"operator", false, 0, 12}, {"kernel", false, 0, 10},
                                   {"layout", false, 5}, {"output", false, 6, 14}, {"memory", false, 7},       {"FLOP", true, 3},
                                   {"bytes", true, 4},   {"scratch", true, 8}};
    if (e_.peak)
      columns.insert(columns.end(), {{"time", true, 0}, {"of all", true, 2}, {"FLOP/s", true, 9}, {"B/s", true, 9}, {"of peak", true, 1}});
    Table table(std::move(columns));
    for (size_t i = 0; i < e_.plan.steps.size(); ++i) {
      const StepReport& step = e_.plan.steps[i];
      table.add(cells(step, std::to_string(i), nullptr));
      for (const StepReport& node : step.nodes) table.add(cells(node, "", &step));
    }
    return table;
  }

  // `chain`: in which the node runs; null: it is a step of its own.
  std::vector<std::string> cells(const StepReport& step, std::string number, const StepReport* chain) const {
    const auto bytes = static_cast<double>(step.bytes);
    std::vector<std::string> cells = {std::move(number),
                                      (chain ? "  " : "") + step.node,
                                      step.op,
                                      step.kernel.empty() ? "(late)" : step.kernel,
                                      step.layout,
                                      step.outputs.empty() ? "" : to_string(step.outputs[0]),
                                      chain ? "bands" : marks(step),
                                      amount(step.flops, ""),
                                      amount(bytes, "B"),
                                      amount(static_cast<double>(chain ? 0 : step.scratch_bytes), "B")};
    if (!e_.peak) return cells;
    const bool timed = !step.aliased && step.seconds > 0;
    const auto rate = [&](double work, std::string_view unit) { return timed ? amount(work / step.seconds, unit) : "-"; };
    cells.insert(cells.end(), {timed ? milliseconds(step.seconds) : "-", timed ? percent(step.seconds / e_.seconds()) : "-",
                               rate(step.flops, ""), rate(bytes, "B"), timed ? percent(e_.share(step, chain)) : "-"});
    return cells;
  }

  void steps() {
    const std::vector<std::string> lines = step_table().lines(width_);
    size_t next = 0;
    out_ += "\n" + lines[next++];
    for (const StepReport& step : e_.plan.steps) {
      out_ += lines[next++];
      if (step.chain) chain(*step.chain);
      for (size_t i = 0; i < step.nodes.size(); ++i) out_ += lines[next++];
    }
  }

  void chain(const ChainReport& chain) {
    std::string text = fmt::format("by rows: {} of at most {} of the last result; {} between nodes at once, in place of {}",
                                   count_of(chain.bands, "band"), count_of(chain.tile_rows, "row"),
                                   human(static_cast<double>(chain.band_bytes), "B"), human(static_cast<double>(chain.saved_bytes), "B"));
    if (!chain.end.empty()) text += "; ends before " + chain.end;
    out_ += wrapped(text, 6, width_);
  }

  // Each reason once, with the steps, and the nodes in chains, that it holds for.
  void refused_kernels() {
    struct Refused {
      std::string reason;
      std::vector<size_t> steps = {};
      std::vector<std::string> nodes = {};
    };
    std::vector<Refused> refused;
    const auto entry = [&](const std::string& reason) -> Refused& {
      const auto known = std::ranges::find(refused, reason, &Refused::reason);
      return known == refused.end() ? refused.emplace_back(Refused{reason}) : *known;
    };
    for (size_t i = 0; i < e_.plan.steps.size(); ++i) {
      for (const std::string& reason : e_.plan.steps[i].refusals) entry(reason).steps.push_back(i);
      for (const StepReport& node : e_.plan.steps[i].nodes) {
        for (const std::string& reason : node.refusals) entry(reason).nodes.push_back(node.node);
      }
    }
    if (!refused.empty()) out_ += "\nbetter kernels that refused\n";
    for (const Refused& one : refused) {
      std::string places = one.steps.empty() ? "" : fmt::format("step{} {}", one.steps.size() == 1 ? "" : "s", ranges(one.steps));
      if (!one.nodes.empty()) places += fmt::format("{}{}", places.empty() ? "" : ", and ", fmt::join(one.nodes, ", "));
      out_ += wrapped(fmt::format("not {}: {}", one.reason, places), 2, width_);
    }
  }

  // "steps 3 to 5, /a .. /c"
  std::string nodes_of(const ChainRefusal& refusal) const {
    const std::string& first = e_.plan.steps[refusal.first_step].node;
    if (refusal.first_step == refusal.last_step) return fmt::format("step {}, {}", refusal.first_step, first);
    return fmt::format("steps {} to {}, {} .. {}", refusal.first_step, refusal.last_step, first, e_.plan.steps[refusal.last_step].node);
  }

  void refused_chains() {
    constexpr size_t kMost = 12;
    if (!e_.plan.tiles_chains) {
      out_ += "\nchains of nodes that run by rows: switched off (tile_chains)\n";
      return;
    }
    std::vector<const ChainRefusal*> others;
    std::vector<const ChainRefusal*> in_cache;
    for (const ChainRefusal& refusal : e_.plan.chain_refusals) (refusal.fits_cache ? in_cache : others).push_back(&refusal);
    if (others.empty() && in_cache.empty()) return;
    out_ += "\nnodes that do not run by rows together\n";
    for (size_t i = 0; i < std::min(kMost, others.size()); ++i) {
      const ChainRefusal& refusal = *others[i];
      std::string text =
          fmt::format("{} ({}): {}", nodes_of(refusal), human(static_cast<double>(refusal.value_bytes), "B"), refusal.reason);
      if (!refusal.end.empty()) text += "; the next is " + refusal.end;
      out_ += wrapped(text, 2, width_);
    }
    if (others.size() > kMost) out_ += wrapped(fmt::format("and {} more (--json tells all)", others.size() - kMost), 2, width_);
    if (in_cache.empty()) return;
    const auto length = [](const ChainRefusal* refusal) { return refusal->last_step - refusal->first_step + 1; };
    const auto [shortest, longest] = std::ranges::minmax(in_cache, {}, length);
    const ChainRefusal* largest = std::ranges::max(in_cache, {}, &ChainRefusal::value_bytes);
    const std::string lengths =
        length(shortest) == length(longest) ? std::to_string(length(longest)) : fmt::format("{} to {}", length(shortest), length(longest));
    out_ += wrapped(fmt::format("{} of {} nodes: {}", count_of(in_cache.size(), "run"), lengths, largest->reason), 2, width_);
  }

  void totals() {
    size_t bytes = 0, views = 0, in_place = 0, late = 0, conversions = 0, converted = 0;
    double least = 0, converting = 0;
    const auto note_layout = [&](const StepReport& step) {
      if (!converts_layout(step)) return;
      ++conversions;
      converted += step.bytes;
      converting += step.seconds;
    };
    for (const StepReport& step : e_.plan.steps) {
      if (!step.aliased) bytes += step.bytes;
      least += e_.least_seconds(step);
      views += step.aliased ? 1 : 0;
      in_place += step.in_place ? 1 : 0;
      late += step.late ? 1 : 0;
      note_layout(step);
      std::ranges::for_each(step.nodes, note_layout);
    }
    out_ += "\n";
    std::string layouts = fmt::format("{} convert the layout of channels", conversions);
    if (conversions > 0)
      layouts += fmt::format(" ({}{})", human(static_cast<double>(converted), "B"), e_.peak ? ", " + milliseconds(converting) : "");
    say("{}: {} are views and cost nothing, {} write in place, {} have shapes that depend on data, {}; {}, {}",
        count_of(e_.plan.steps.size(), "step"), views, in_place, late, layouts, human(e_.plan.flops, "FLOP"),
        human(static_cast<double>(bytes), "B"));
    if (!e_.peak) return;
    const double seconds = e_.seconds();
    say("{} (medians of {} runs): {}, {}; {} of the machine's peak", milliseconds(seconds), e_.timed_runs,
        amount(e_.plan.flops / seconds, "FLOP/s"), amount(static_cast<double>(bytes) / seconds, "B/s"), percent(least / seconds));
  }

  struct Sum {
    size_t count = 0;
    double flops = 0, seconds = 0;

    void add(const StepReport& step) {
      ++count;
      flops += step.flops;
      seconds += step.seconds;
    }
  };

  // By operator. Of a chain, its nodes; its own is what is left: moving rows from band to band.
  std::vector<std::pair<std::string, Sum>> sums() const {
    std::map<std::string, Sum> sums;
    for (const StepReport& step : e_.plan.steps) {
      Sum& sum = sums[step.op];
      sum.add(step);
      for (const StepReport& node : step.nodes) {
        sums[node.op].add(node);
        sum.flops -= node.flops;
        sum.seconds -= node.seconds;
      }
      sum.seconds = std::max(sum.seconds, 0.0);
    }
    std::vector<std::pair<std::string, Sum>> order(sums.begin(), sums.end());
    std::ranges::stable_sort(order, [](const auto& a, const auto& b) {
      return std::tuple(a.second.seconds, a.second.flops, a.second.count) > std::tuple(b.second.seconds, b.second.flops, b.second.count);
    });
    return order;
  }

  void operators() {
    std::vector<Column> columns = {{"operator", false, 0, 12}, {"nodes", true, 0}, {"FLOP", true, 2}};
    if (e_.peak) columns.insert(columns.end(), {{"time", true, 0}, {"of all", true, 1}});
    Table table(std::move(columns));
    for (const auto& [op, sum] : sums()) {
      std::vector<std::string> cells = {op, std::to_string(sum.count), amount(sum.flops, "")};
      if (e_.peak) cells.insert(cells.end(), {milliseconds(sum.seconds), percent(sum.seconds / e_.seconds())});
      table.add(std::move(cells));
    }
    out_ += "\n" + table.text(width_);
  }

  void memory() {
    constexpr size_t kLargest = 10;
    const PlanReport& plan = e_.plan;
    const double ratio =
        plan.lower_bound_memory > 0 ? static_cast<double>(plan.peak_memory) / static_cast<double>(plan.lower_bound_memory) : 1;
    out_ += "\n";
    say("memory: {} for intermediate values, no placement needs less than {} (ratio {:.3f}); {} for outputs",
        human(static_cast<double>(plan.peak_memory), "B"), human(static_cast<double>(plan.lower_bound_memory), "B"), ratio,
        human(static_cast<double>(plan.output_memory), "B"));
    std::vector<const MemoryReport*> largest;
    for (const MemoryReport& piece : plan.memory) largest.push_back(&piece);
    std::ranges::stable_sort(largest, [](const auto* a, const auto* b) { return a->bytes > b->bytes; });
    if (largest.size() > kLargest) largest.resize(kLargest);
    if (largest.empty()) return;
    Table table({{"largest values", false, 0, 16}, {"type", false, 2}, {"bytes", true, 0}, {"steps", false, 1}, {"made by", false, 0, 10}});
    for (const MemoryReport* piece : largest) {
      table.add({(piece->scratch ? "scratch of " : "") + piece->name,
                 piece->scratch ? "" : fmt::format("{} {}", to_string(piece->dtype), to_string(piece->shape)),
                 human(static_cast<double>(piece->bytes), "B"),
                 piece->first_step == piece->last_step ? std::to_string(piece->first_step)
                                                       : fmt::format("{} to {}", piece->first_step, piece->last_step),
                 piece->op});
    }
    out_ += table.text(width_);
  }

  const Explanation& e_;
  const size_t width_;
  std::string out_;
};
}  // namespace

std::string explanation_text(const Explanation& explanation, size_t width) { return Text(explanation, width).write(); }

}  // namespace sardonyx::cli
