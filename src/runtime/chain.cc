#include "runtime/chain.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "core/arena.h"

namespace sardonyx::runtime {
namespace {

using Kind = ChainGraph::Kind;

// Planes whose distance is a multiple of this fall on the same lines of a cache.
constexpr size_t kAliasing = 1024;

size_t plane_distance(size_t bytes) {
  const size_t aligned = core::align_up(bytes);
  return aligned % kAliasing == 0 ? aligned + core::kAlignment : aligned;
}

size_t round_up(size_t rows, size_t unit) { return (rows + unit - 1) / unit * unit; }

// Goes over the bands, keeping what has been computed.
class Scheduler {
 public:
  explicit Scheduler(const ChainGraph& graph) : graph_(graph), done_(graph.steps.size(), 0), target_(done_), first_(done_) {}

  // The rows to be done after this band: `share` of `bands` of each result, and what is read of all others.
  void aim(size_t share, size_t bands) {
    for (size_t s = graph_.steps.size(); s-- > 0;) {
      const ChainGraph::Value& value = output(s);
      size_t rows = done_[s];
      if (value.kind == Kind::kResult) rows = std::max(rows, (value.shape.rows * share + bands - 1) / bands);
      for (const ChainGraph::Reader& reader : value.readers) {
        if (target_[reader.step] == done_[reader.step]) continue;
        rows = std::max(rows, kernel(reader.step).reads(reader.input, {done_[reader.step], target_[reader.step]}).end);
      }
      target_[s] = std::min(value.shape.rows, round_up(rows, kernel(s).unit()));
      first_[s] = std::max(first_[s], first_needed(s));
    }
  }
  ChainSchedule::Cell cell(size_t step) const { return {{done_[step], target_[step]}, first_[step]}; }
  void advance() { done_ = target_; }

 private:
  const ChainGraph::Value& output(size_t step) const { return graph_.values[graph_.steps[step].output]; }
  const ops::RowKernel& kernel(size_t step) const { return *graph_.steps[step].kernel; }

  // Of what has been computed, the first row that will be read again.
  size_t first_needed(size_t step) const {
    size_t first = done_[step];
    for (const ChainGraph::Reader& reader : output(step).readers) {
      const size_t next = done_[reader.step], end = output(reader.step).shape.rows;
      if (next == end) continue;
      first = std::min(first, kernel(reader.step).reads(reader.input, {next, std::min(end, next + kernel(reader.step).unit())}).begin);
    }
    return first;
  }

  const ChainGraph& graph_;
  std::vector<size_t> done_, target_, first_;
};

}  // namespace

ChainSchedule::ChainSchedule(const ChainGraph& graph, size_t rows)
    : steps(graph.steps.size()), tile_rows(rows), capacity(steps, 0), plane_bytes(steps, 0) {
  const size_t all_rows = graph.values[graph.steps.back().output].shape.rows;
  bands = (all_rows + rows - 1) / rows;
  cells.reserve(bands * steps);
  std::vector<size_t> most(steps, 0);
  Scheduler scheduler(graph);
  for (size_t band = 0; band < bands; ++band) {
    scheduler.aim(band + 1, bands);
    for (size_t s = 0; s < steps; ++s) {
      const Cell cell = scheduler.cell(s);
      most[s] = std::max(most[s], cell.rows.size());
      capacity[s] = std::max(capacity[s], cell.rows.end - cell.first);
      cells.push_back(cell);
    }
    scheduler.advance();
  }
  for (size_t s = 0; s < steps; ++s) {
    const ChainGraph::Value& value = graph.values[graph.steps[s].output];
    scratch_bytes = std::max(scratch_bytes, graph.steps[s].kernel->scratch_bytes(most[s]));
    if (value.kind != Kind::kBand) continue;
    plane_bytes[s] = plane_distance(capacity[s] * value.shape.row_bytes);
    band_bytes += plane_bytes[s] * value.shape.planes;
  }
}

// Where the values of a chain lie during one run; in the scratch.
struct Chain::Views {
  Views(const ChainGraph& graph, std::byte* scratch)
      : read(reinterpret_cast<ops::ReadRows*>(scratch)),
        inputs(read + graph.values.size()),
        write(reinterpret_cast<ops::WriteRows*>(inputs + most_inputs(graph))) {}

  static size_t most_inputs(const ChainGraph& graph) {
    size_t most = 0;
    for (const ChainGraph::Step& step : graph.steps) most = std::max(most, step.inputs.size());
    return most;
  }
  static size_t bytes(const ChainGraph& graph) {
    return core::align_up((graph.values.size() + most_inputs(graph)) * sizeof(ops::ReadRows) +
                          graph.values.size() * sizeof(ops::WriteRows));
  }

  ops::ReadRows* read;    // by value
  ops::ReadRows* inputs;  // of the step that runs
  ops::WriteRows* write;  // by value, of those that the chain makes
};

Chain::Chain(ChainGraph graph, ChainSchedule schedule, std::vector<Member> members, ProgramNode node, ChainStop stop)
    : graph_(std::move(graph)),
      schedule_(std::move(schedule)),
      members_(std::move(members)),
      node_(std::move(node)),
      stop_(std::move(stop)) {
  kernel = "row_tiles";
  scratch_bytes = Views::bytes(graph_);
  for (size_t s = 0; s < graph_.steps.size(); ++s) {
    const ChainGraph::Value& value = graph_.values[graph_.steps[s].output];
    offsets_.push_back(scratch_bytes);
    scratch_bytes += core::align_up(schedule_.plane_bytes[s] * value.shape.planes);
    flops += members_[s].bound->flops;
  }
  kernel_scratch_ = scratch_bytes;
  scratch_bytes += schedule_.scratch_bytes;
}

void Chain::open(const ops::RunContext& context, Views& places) const {
  size_t input = 0, result = 0;
  for (size_t v = 0; v < graph_.values.size(); ++v) {
    const ChainGraph::Value& value = graph_.values[v];
    places.read[v] = {};
    places.write[v] = {};
    if (value.kind == Kind::kOutside) {
      const Tensor& tensor = context.inputs[input++];
      places.read[v] = value.shape.whole(tensor.defined() ? tensor.raw() : nullptr);
    } else if (value.kind == Kind::kResult) {
      void* data = context.outputs[result++].mutable_raw();
      places.read[v] = value.shape.whole(static_cast<const void*>(data));
      places.write[v] = value.shape.whole(data);
    }
  }
  for (size_t s = 0; s < graph_.steps.size(); ++s) {
    const size_t v = graph_.steps[s].output;
    if (schedule_.plane_bytes[s] == 0) continue;
    std::byte* data = context.scratch + offsets_[s];
    places.read[v] = {data, 0, graph_.values[v].shape.row_bytes, schedule_.plane_bytes[s]};
    places.write[v] = {data, 0, graph_.values[v].shape.row_bytes, schedule_.plane_bytes[s]};
  }
}

// Moves the rows that are still needed to the front of their buffers.
void Chain::keep_rows(size_t band, const Views& places, core::ThreadPool& pool) const {
  constexpr size_t kTaskBytes = size_t{1} << 16;
  for (size_t s = 0; s < graph_.steps.size(); ++s) {
    if (schedule_.plane_bytes[s] == 0) continue;
    const ChainSchedule::Cell& cell = schedule_.at(band, s);
    ops::WriteRows& write = places.write[graph_.steps[s].output];
    const size_t bytes = (cell.rows.begin - cell.first) * write.row_bytes;
    if (cell.first != write.first && bytes != 0) {
      const std::byte* from = write.at(cell.first);
      pool.for_ranges(graph_.values[graph_.steps[s].output].shape.planes, kTaskBytes / bytes, [&](size_t begin, size_t end) {
        for (size_t plane = begin; plane < end; ++plane) {
          std::memmove(write.data + plane * write.plane_bytes, from + plane * write.plane_bytes, bytes);
        }
      });
    }
    write.first = cell.first;
    places.read[graph_.steps[s].output].first = cell.first;
  }
}

void Chain::run_step(size_t band, size_t step, const ops::RunContext& context, const Views& places) const {
  const ChainGraph::Step& s = graph_.steps[step];
  const ChainSchedule::Cell& cell = schedule_.at(band, step);
  if (cell.rows.size() == 0) return;
  for (size_t i = 0; i < s.inputs.size(); ++i) {
    places.inputs[i] = s.inputs[i] < 0 ? ops::ReadRows() : places.read[static_cast<size_t>(s.inputs[i])];
  }
  s.kernel->run({.rows = cell.rows,
                 .inputs = {places.inputs, s.inputs.size()},
                 .output = places.write[s.output],
                 .scratch = context.scratch + kernel_scratch_,
                 .pool = context.pool});
}

void Chain::run(const ops::RunContext& context, double* seconds) const {
  using Clock = std::chrono::steady_clock;
  if (seconds) std::fill_n(seconds, schedule_.steps, 0.0);
  Views places(graph_, context.scratch);
  open(context, places);
  for (size_t band = 0; band < schedule_.bands; ++band) {
    if (context.interrupt) context.interrupt->check();
    keep_rows(band, places, context.pool);
    for (size_t step = 0; step < schedule_.steps; ++step) {
      const Clock::time_point start = seconds ? Clock::now() : Clock::time_point();
      run_step(band, step, context, places);
      if (seconds) seconds[step] += std::chrono::duration<double>(Clock::now() - start).count();
    }
  }
}

ChainReport Chain::report() const {
  ChainReport report{.bands = schedule_.bands,
                     .tile_rows = schedule_.tile_rows,
                     .band_bytes = schedule_.band_bytes,
                     .saved_bytes = 0,
                     .end = stop_.text()};
  for (const ChainGraph::Value& value : graph_.values) report.saved_bytes += value.kind == Kind::kBand ? value.bytes : 0;
  return report;
}

}  // namespace sardonyx::runtime
