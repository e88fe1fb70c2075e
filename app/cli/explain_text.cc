// The explanation as aligned text.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>

#include "cli/command.h"
#include "cli/explain.h"

namespace sardonyx::cli {

namespace {
struct Column {
  std::string title;
  bool right = false;
  int rank = 0;        // the greatest is left out first where lines are too long
  size_t shrinks = 0;  // to this width, if need be; 0: never
  std::vector<std::string> cells = {};

  size_t width() const {
    size_t widest = title.size();
    for (const std::string& cell : cells) widest = std::max(widest, cell.size());
    return widest;
  }
};

std::string human(double value, std::string_view unit) {
  constexpr const char* kScales[] = {"", "k", "M", "G", "T"};
  size_t scale = 0;
  for (; value >= 1000 && scale + 1 < std::size(kScales); ++scale) value /= 1000;
  return scale == 0 ? fmt::format("{:.0f} {}", value, unit) : fmt::format("{:.3g} {}{}", value, kScales[scale], unit);
}

std::string amount(double value, std::string_view unit) { return value > 0 ? human(value, unit) : "-"; }

std::string milliseconds(double seconds) { return fmt::format("{:.3f} ms", seconds * 1e3); }

std::string percent(double share) { return share > 0 ? fmt::format("{:.0f} %", share * 100) : "-"; }

// The end of a text, which tells more than its beginning in names like "/layer/conv/Conv".
std::string cut(const std::string& text, size_t width) {
  if (text.size() <= width) return text;
  size_t begin = text.size() - width + 1;
  while (begin < text.size() && (static_cast<unsigned char>(text[begin]) & 0xC0) == 0x80) ++begin;  // within a symbol of several bytes
  return "~" + text.substr(begin);
}

std::string marks(const StepReport& step) {
  if (step.aliased) return "view";
  if (step.in_place) return "in place";
  return step.late ? "late" : "";
}

size_t total_width(const std::vector<Column>& columns, const std::vector<size_t>& widths) {
  return std::accumulate(widths.begin(), widths.end(), columns.empty() ? size_t{0} : 2 * (columns.size() - 1));
}

// Widths of the columns such that a line fits, as far as that is possible.
std::vector<size_t> fitted(std::vector<Column>& columns, size_t width) {
  std::vector<size_t> widths;
  const auto measure = [&] {
    widths.clear();
    for (const Column& column : columns) widths.push_back(column.width());
  };
  measure();
  if (width == 0) return widths;
  for (size_t i = 0; i < columns.size(); ++i) {
    const size_t total = total_width(columns, widths);
    if (total > width && columns[i].shrinks > 0) {
      const size_t least = std::min(columns[i].shrinks, widths[i]);
      widths[i] = std::max(least, widths[i] - std::min(widths[i], total - width));
    }
  }
  while (total_width(columns, widths) > width && columns.size() > 1) {
    const auto last = std::ranges::max_element(columns, {}, &Column::rank);
    if (last->rank == 0) break;
    widths.erase(widths.begin() + (last - columns.begin()));
    columns.erase(last);
  }
  return widths;
}

std::string trimmed(std::string line) {
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line + "\n";
}

std::string row(const std::vector<Column>& columns, const std::vector<size_t>& widths, const auto& cell_of) {
  std::string line;
  for (size_t i = 0; i < columns.size(); ++i) {
    const std::string cell = cut(cell_of(columns[i]), widths[i]);
    line += i == 0 ? "" : "  ";
    line += columns[i].right ? fmt::format("{:>{}}", cell, widths[i]) : fmt::format("{:<{}}", cell, widths[i]);
  }
  return trimmed(std::move(line));
}

// Lines of words, each line behind `indent` spaces.
std::string wrapped(std::string_view text, size_t indent, size_t width) {
  std::string out, line(indent, ' ');
  size_t begin = 0;
  while (begin < text.size()) {
    const size_t end = std::min(text.find(' ', begin), text.size());
    const std::string_view word = text.substr(begin, end - begin);
    if (width > 0 && line.size() > indent && line.size() + 1 + word.size() > width) {
      out += line + "\n";
      line.assign(indent + 2, ' ');
    } else if (line.size() > indent) {
      line += ' ';
    }
    line += word;
    begin = end + 1;
  }
  return out + line + "\n";
}

class Text {
 public:
  Text(const Explanation& explanation, size_t width) : e_(explanation), width_(width) {}

  std::string write() {
    head();
    passes();
    steps();
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
    say("{}: {}; optimisation {}, {} thread{}", e_.model, opsets, e_.level, e_.threads, e_.threads == 1 ? "" : "s");
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
    size_t width = 0;
    for (const PassReport& pass : e_.passes) width = std::max(width, pass.name.size());
    bool any = false;
    for (const PassReport& pass : e_.passes) {
      if (pass.rewrites == 0 && pass.refusals.empty()) continue;
      any = true;
      out_ += fmt::format("  {:<{}} {:>5}x  {}\n", pass.name, width, pass.rewrites, milliseconds(pass.seconds));
      for (const std::string& refusal : pass.refusals) out_ += wrapped("not at " + refusal, 6, width_);
    }
    if (!any) out_ += "  none\n";
    if (e_.plan.evaluated_nodes > 0) say("{} nodes were computed when the plan was made", e_.plan.evaluated_nodes);
  }

  std::vector<Column> columns() const {
    std::vector<Column> columns = {{"step", true, 9},        {"node", false, 0, 12},   {"operator", false, 0, 12},
                                   {"kernel", false, 0, 10}, {"output", false, 5, 14}, {"memory", false, 6},
                                   {"FLOP", true, 3},        {"bytes", true, 4},       {"scratch", true, 7}};
    if (e_.peak)
      columns.insert(columns.end(), {{"time", true, 0}, {"of all", true, 2}, {"FLOP/s", true, 8}, {"B/s", true, 8}, {"of peak", true, 1}});
    const double total = e_.seconds();
    for (size_t i = 0; i < e_.plan.steps.size(); ++i) {
      const StepReport& step = e_.plan.steps[i];
      const auto bytes = static_cast<double>(step.bytes);
      std::vector<std::string> cells = {std::to_string(i),
                                        step.node,
                                        step.op,
                                        step.kernel.empty() ? "(late)" : step.kernel,
                                        step.outputs.empty() ? "" : to_string(step.outputs[0]),
                                        marks(step),
                                        amount(step.flops, ""),
                                        amount(bytes, "B"),
                                        amount(static_cast<double>(step.scratch_bytes), "B")};
      if (e_.peak) {
        const bool timed = !step.aliased && step.seconds > 0;
        const auto rate = [&](double work, std::string_view unit) { return timed ? amount(work / step.seconds, unit) : "-"; };
        cells.insert(cells.end(),
                     {timed ? milliseconds(step.seconds) : "-", timed ? percent(step.seconds / total) : "-", rate(step.flops, ""),
                      rate(bytes, "B"), timed ? percent(e_.share(step.flops, step.bytes, step.seconds)) : "-"});
      }
      for (size_t c = 0; c < columns.size(); ++c) columns[c].cells.push_back(std::move(cells[c]));
    }
    return columns;
  }

  void steps() {
    std::vector<Column> shown = columns();
    const std::vector<size_t> widths = fitted(shown, width_);
    out_ += "\n" + row(shown, widths, [](const Column& column) -> const std::string& { return column.title; });
    for (size_t i = 0; i < e_.plan.steps.size(); ++i) {
      out_ += row(shown, widths, [&](const Column& column) -> const std::string& { return column.cells[i]; });
      for (const std::string& refusal : e_.plan.steps[i].refusals) out_ += wrapped("not " + refusal, 6, width_);
      if (e_.plan.steps[i].chain) chain(*e_.plan.steps[i].chain);
    }
  }

  void chain(const ChainReport& chain) {
    std::string nodes;
    for (const std::string& node : chain.nodes) nodes += (nodes.empty() ? "" : ", ") + node;
    out_ += wrapped(fmt::format("by rows: {} bands of at most {} rows through {}; {} between nodes at once, in place of {}", chain.bands,
                                chain.tile_rows, nodes, human(static_cast<double>(chain.band_bytes), "B"),
                                human(static_cast<double>(chain.saved_bytes), "B")),
                    6, width_);
  }

  void totals() {
    size_t bytes = 0, views = 0, in_place = 0, late = 0;
    for (const StepReport& step : e_.plan.steps) {
      if (!step.aliased) bytes += step.bytes;
      views += step.aliased ? 1 : 0;
      in_place += step.in_place ? 1 : 0;
      late += step.late ? 1 : 0;
    }
    const size_t count = e_.plan.steps.size();
    out_ += "\n";
    say("{} steps: {} are views and cost nothing, {} write in place, {} have shapes that depend on data; {}, {}", count, views, in_place,
        late, human(e_.plan.flops, "FLOP"), human(static_cast<double>(bytes), "B"));
    if (!e_.peak) return;
    const double seconds = e_.seconds();
    double least = 0;
    for (const StepReport& step : e_.plan.steps) least += step.aliased ? 0 : e_.peak->least_seconds(step.flops, step.bytes);
    say("{} (medians of {} runs): {}, {}; {} of the machine's peak", milliseconds(seconds), e_.timed_runs,
        amount(e_.plan.flops / seconds, "FLOP/s"), amount(static_cast<double>(bytes) / seconds, "B/s"), percent(least / seconds));
  }

  void operators() {
    struct Sum {
      size_t count = 0;
      double flops = 0, seconds = 0;
    };
    std::map<std::string, Sum> sums;
    for (const StepReport& step : e_.plan.steps) {
      Sum& sum = sums[step.op];
      ++sum.count;
      sum.flops += step.flops;
      sum.seconds += step.seconds;
    }
    std::vector<std::pair<std::string, Sum>> order(sums.begin(), sums.end());
    std::ranges::stable_sort(order, [](const auto& a, const auto& b) {
      return std::tuple(a.second.seconds, a.second.flops, a.second.count) > std::tuple(b.second.seconds, b.second.flops, b.second.count);
    });
    std::vector<Column> columns = {{"operator", false, 0, 12}, {"nodes", true, 0}, {"FLOP", true, 2}};
    if (e_.peak) columns.insert(columns.end(), {{"time", true, 0}, {"of all", true, 1}});
    for (const auto& [op, sum] : order) {
      std::vector<std::string> cells = {op, std::to_string(sum.count), amount(sum.flops, "")};
      if (e_.peak) cells.insert(cells.end(), {milliseconds(sum.seconds), percent(sum.seconds / e_.seconds())});
      for (size_t c = 0; c < columns.size(); ++c) columns[c].cells.push_back(std::move(cells[c]));
    }
    const std::vector<size_t> widths = fitted(columns, width_);
    out_ += "\n" + row(columns, widths, [](const Column& column) -> const std::string& { return column.title; });
    for (size_t i = 0; i < order.size(); ++i) {
      out_ += row(columns, widths, [&](const Column& column) -> const std::string& { return column.cells[i]; });
    }
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
    std::vector<Column> columns = {
        {"largest values", false, 0, 16}, {"type", false, 2}, {"bytes", true, 0}, {"steps", false, 1}, {"made by", false, 0, 10}};
    for (const MemoryReport* piece : largest) {
      std::vector<std::string> cells = {(piece->scratch ? "scratch of " : "") + piece->name,
                                        piece->scratch ? "" : fmt::format("{} {}", to_string(piece->dtype), to_string(piece->shape)),
                                        human(static_cast<double>(piece->bytes), "B"),
                                        fmt::format("{} to {}", piece->first_step, piece->last_step), piece->op};
      for (size_t c = 0; c < columns.size(); ++c) columns[c].cells.push_back(std::move(cells[c]));
    }
    const std::vector<size_t> widths = fitted(columns, width_);
    out_ += row(columns, widths, [](const Column& column) -> const std::string& { return column.title; });
    for (size_t i = 0; i < largest.size(); ++i) {
      out_ += row(columns, widths, [&](const Column& column) -> const std::string& { return column.cells[i]; });
    }
  }

  const Explanation& e_;
  const size_t width_;
  std::string out_;
};
}  // namespace

std::string explanation_text(const Explanation& explanation, size_t width) { return Text(explanation, width).write(); }

}  // namespace sardonyx::cli
