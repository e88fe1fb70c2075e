// A chain: consecutive steps of a plan that run together, some rows of their results at a time, so that of the values between them only
// a few rows are held at once and stay in the cache.
//
// A run goes over the results from the first row to the last in bands. In each band every step computes the rows that the steps behind it
// need next, and no row twice: rows that will be read again by the next band are kept (moved to the front of the value's buffer). So each
// element is computed by the same operations as without chains, and has the same bits. Values that somebody outside the chain reads are
// results, kept as a whole; all others are bands.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "ops/op.h"
#include "ops/rows.h"
#include "runtime/chain_refusal.h"
#include "runtime/program.h"

namespace sardonyx::runtime {

// What a chain computes, without the order in which it does so.
struct ChainGraph {
  enum class Kind { kOutside, kBand, kResult };
  struct Reader {
    size_t step, input;
  };
  struct Value {
    ValueId id = kAbsent;
    Kind kind = Kind::kOutside;
    ops::RowShape shape;  // empty where it is only read whole
    size_t bytes = 0;
    std::vector<Reader> readers = {};  // within the chain, by rows
  };
  struct Step {
    const ops::RowKernel* kernel = nullptr;
    std::vector<int32_t> inputs;  // indexes of values; -1: absent
    size_t output = 0;
  };

  std::vector<Value> values;
  std::vector<Step> steps;
};

// Which rows each step computes in each band.
struct ChainSchedule {
  struct Cell {
    ops::RowRange rows;  // of the step's output, to compute; may be none
    size_t first = 0;    // the first row of the output that its buffer then holds
  };

  // Bands of about `tile_rows` rows of the last step's result.
  ChainSchedule(const ChainGraph& graph, size_t tile_rows);
  const Cell& at(size_t band, size_t step) const noexcept { return cells[band * steps + step]; }

  size_t steps = 0, bands = 0, tile_rows = 0;
  std::vector<Cell> cells;
  std::vector<size_t> capacity;     // by step: the most rows of its output that are held at once
  std::vector<size_t> plane_bytes;  // by step: from one plane of its buffer to the next; 0: a result
  size_t band_bytes = 0;            // of all buffers
  size_t scratch_bytes = 0;         // of the kernels
};

class Chain final : public ops::Bound {
 public:
  // What runs in each step.
  struct Member {
    const ProgramNode* node;            // of the program
    std::unique_ptr<ops::Bound> bound;  // owns the kernel of the graph's step
  };

  // `node` stands for the chain: its inputs are the values from outside, its outputs the results, both in the order of the graph's values.
  Chain(ChainGraph graph, ChainSchedule schedule, std::vector<Member> members, ProgramNode node, ChainStop stop);

  void run(const ops::RunContext& context) const override { run(context, nullptr); }
  // `seconds`, if not null, gets the time of each step, over all bands.
  void run(const ops::RunContext& context, double* seconds) const;

  const ProgramNode& node() const noexcept { return node_; }
  const std::vector<Member>& members() const noexcept { return members_; }
  ChainReport report() const;

 private:
  struct Views;
  void open(const ops::RunContext& context, Views& places) const;
  void keep_rows(size_t band, const Views& places, core::ThreadPool& pool) const;
  void run_step(size_t band, size_t step, const ops::RunContext& context, const Views& places) const;

  ChainGraph graph_;
  ChainSchedule schedule_;
  std::vector<Member> members_;
  ProgramNode node_;
  ChainStop stop_;
  std::vector<size_t> offsets_;  // by step: of its buffer in the scratch
  size_t kernel_scratch_ = 0;    // where the kernels' begins
};

// A chain of consecutive steps, before it is one.
struct FoundChain {
  size_t end;  // behind its last step
  ChainGraph graph;
  ChainSchedule schedule;
  ChainStop stop;
};

}  // namespace sardonyx::runtime
