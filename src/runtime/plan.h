// Plan: a program compiled for one combination of input shapes and requested outputs.
//
// Every shape is known, every node has its kernel, and every intermediate value has a fixed offset in one block of memory. Nodes whose
// inputs are all known when the plan is made are computed then and vanish from it. Where shapes depend on data, the steps behind are bound
// while they run and allocate their own outputs ("late").
#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "core/parallel.h"
#include "ops/op.h"
#include "runtime/chain_refusal.h"
#include "runtime/memory_guard.h"
#include "runtime/program.h"
#include "runtime/workspace.h"
#include "sardonyx/session.h"

namespace sardonyx::runtime {

struct PlanKey {
  std::vector<Shape> shapes;       // one per input of the signature; {} for those that are no plain tensors
  std::vector<DType> dtypes = {};  // the same, of a graph inside a node: its inputs declare no types that bind
  std::vector<size_t> outputs;     // indexes of the program's outputs, ascending
  int threads = 1;
  bool operator==(const PlanKey&) const = default;
};

// Where the elements of a value are.
enum class Place {
  kNowhere,   // not needed by this plan
  kConstant,  // in the program or the plan
  kInput,     // in a feed
  kArena,     // in the workspace
  kOutput,    // in a result of the run
  kHeap,      // allocated by its step: strings, and values whose shape depends on data
};

// Bound steps made while running, for one step; a few recent shapes are kept.
class LateBinder {
 public:
  std::shared_ptr<const ops::Bound> bind(const ops::Prepared& prepared, const ops::BindContext& context);

 private:
  struct Entry {
    std::vector<std::pair<DType, Shape>> inputs;
    std::shared_ptr<const ops::Bound> bound;
  };
  static constexpr size_t kCapacity = 4;
  std::mutex mutex_;
  std::vector<Entry> entries_;
  size_t next_ = 0;
};

struct PlanValue {
  DType dtype = DType::kUndefined;
  Shape shape;
  bool shape_known = false;
  Tensor constant;  // if place is kConstant, unless every reader has packed it
  Place place = Place::kNowhere;
  ValueId root = kAbsent;  // the value whose memory this one is in (itself, where it has its own)
  size_t view_offset = 0;  // bytes from the beginning of the root
  size_t offset = 0;       // of a root in the arena
  int32_t run_value = -1;  // index among the tensors that each run makes anew: kHeap, and inputs that are no plain tensors
};

class Chain;
class ChannelLayouts;

struct PlanStep {
  size_t node = 0;                    // of the program
  const Chain* chain = nullptr;       // in `bound`: a chain of nodes from `node` on; null: the node alone
  size_t first_part = 0;              // of a chain: of its nodes among those of all chains
  std::unique_ptr<ops::Bound> bound;  // null: late
  std::unique_ptr<LateBinder> late;
  bool aliased = false;  // nothing to run
  bool in_place = false;
  bool has_run_values = false;               // some input or output is a tensor that each run makes anew
  size_t first_input = 0, first_output = 0;  // in the frame's slots
  size_t scratch_offset = 0;
  std::vector<int32_t> last_uses;  // run values that no later step needs
};

// A value in the memory of a feed or a result: its handle is moved there by each run.
struct Moving {
  ValueId value = kAbsent;
  bool is_input = false;
  size_t source = 0;  // index of the signature's inputs, or of the plan's results
};

// A piece of the arena, for reports.
struct Piece {
  ValueId value = kAbsent;  // kAbsent: scratch memory of step `first`
  size_t bytes = 0, offset = 0;
  int32_t first = 0, last = 0;  // steps
};

// How a run gets one of the requested outputs.
struct Result {
  ValueId value = kAbsent;
  bool is_place = false;   // steps write straight into it
  bool is_shared = false;  // its memory belongs to somebody else: it is copied
  bool is_input = false;   // to the caller
};

struct RunSetting {
  core::ThreadPool& pool;
  const core::Interrupt* interrupt = nullptr;  // asked before and after each step
  double* seconds = nullptr;                   // gets the time of each step of the report
  double* chain_seconds = nullptr;             // gets the time of each node in a chain, one chain after the other
  bool lend_inputs = false;                    // results may share memory with inputs
  const ValueObserver* observer = nullptr;     // is shown what each step has made
};

class Plan {
 public:
  // Throws what binding throws, with the node's trail.
  Plan(const Program& program, PlanKey key, core::ThreadPool& pool);
  ~Plan();

  const PlanKey& key() const noexcept { return key_; }
  size_t peak_memory() const noexcept { return peak_; }
  size_t lower_bound_memory() const noexcept { return lower_bound_; }
  size_t output_memory() const noexcept { return output_bytes_; }
  // The least that graphs inside nodes take besides, as far as it is known before a run.
  size_t inner_memory() const noexcept { return inner_bytes_; }
  // Whether some values' shapes, and so their bytes, are known only when they are made.
  bool depends_on_data() const noexcept { return run_values_ > 0; }
  size_t step_count() const noexcept { return steps_.size(); }
  size_t chain_node_count() const noexcept { return chain_nodes_; }
  PlanReport report() const;

  // `inputs` has one tensor per input of the signature, of the plan's shapes, `results` one per requested output: an undefined one is set,
  // into a defined one, which must be of the right type and shape and overlap nothing else, the elements are written. May be called from
  // several threads, each with its own workspace of at least peak_memory().
  void run(std::span<const Tensor* const> inputs, std::span<Tensor> results, Workspace& workspace, const RunSetting& setting) const;
  std::vector<Tensor> run(std::span<const Tensor* const> inputs, Workspace& workspace, const RunSetting& setting) const;
  // Type and shape of a result as far as they are known before a run.
  const PlanValue& result_value(size_t result) const noexcept { return values_[static_cast<size_t>(results_[result].value)]; }

 private:
  friend class PlanBuilder;
  friend class ChainFinder;
  struct Frame;

  Frame& frame(Workspace& workspace) const;
  void prepare(Frame& frame, std::byte* base) const;
  void start(Frame& frame, std::span<const Tensor* const> inputs, std::span<Tensor> results) const;
  void run_interruptible(size_t step, Frame& frame, const RunSetting& setting) const;
  void run_guarded(size_t step, Frame& frame, const RunSetting& setting) const;
  void run_step(const PlanStep& step, Frame& frame, const RunSetting& setting) const;
  void run_late(const PlanStep& step, std::span<const Tensor> inputs, std::span<Tensor> outputs, const RunSetting& setting) const;
  static void allocate_missing(const ops::Bound& bound, const ProgramNode& node, std::span<Tensor> outputs);
  Tensor owned(const Tensor& tensor, const ProgramNode& node, std::span<const Tensor> inputs) const;
  void own_results(const ProgramNode& node, const ops::Bound& bound, std::span<const Tensor> inputs, std::span<Tensor> outputs) const;
  void finish(Frame& frame, std::span<const Tensor* const> inputs, std::span<Tensor> results, bool lend_inputs) const;
  Tensor result_source(const Result& result, const Frame& frame, std::span<const Tensor* const> inputs, std::span<Tensor> results) const;
  // What the step runs; of a chain, a node that stands for it.
  const ProgramNode& node_of(const PlanStep& step) const;
  // plan_report.cc
  StepReport report(const PlanStep& step, const ChannelLayouts& layouts) const;
  StepReport report(const ProgramNode& node, const ops::Bound* bound, const ChannelLayouts& layouts) const;
  ValueReport report(ValueId id) const;
  std::vector<MemoryReport> report_memory() const;
  void show(const PlanStep& step, std::span<const Tensor> outputs, const ValueObserver& observer) const;

  const Program& program_;
  PlanKey key_;
  std::vector<PlanValue> values_;  // by ValueId
  std::vector<PlanStep> steps_;
  std::vector<Piece> pieces_;
  std::vector<ChainGap> chain_gaps_;
  std::vector<ValueId> slots_;             // the inputs and outputs of the steps, one after the other
  std::vector<int32_t> input_run_values_;  // by signature index; -1: a plain tensor, or not needed
  std::vector<Moving> moving_;
  std::vector<Result> results_;
  std::unique_ptr<MemoryGuard> guard_;  // null: memory is not guarded
  size_t run_values_ = 0;
  size_t evaluated_ = 0;
  size_t chain_nodes_ = 0;  // in all chains
  size_t peak_ = 0, lower_bound_ = 0, output_bytes_ = 0, inner_bytes_ = 0;

  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Frame>> frames_;  // by workspace index
};

}  // namespace sardonyx::runtime
