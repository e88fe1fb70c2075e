// Runs an ONNX model: load once, run often, from any number of threads.
//
//   sardonyx::InferenceSession session("model.onnx");
//   std::vector<Tensor> outputs = session.run({{"input", image}});
//
// Loading optimises the graph and packs weights once. The first run with a combination of input shapes compiles a plan: a kernel is chosen
// for each node and each intermediate value gets a fixed place in one block of memory. Plans are kept (SessionOptions::max_plans). The bits
// of a result do not depend on the number of threads. The calling thread's floating-point state
// (rounding, traps, denormals) plays no part and is left as it was.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "sardonyx/model.h"
#include "sardonyx/tensor.h"

namespace sardonyx {

namespace core {
class ThreadPool;
}
class CustomOps;

// How much the graph may be rewritten; each level includes the ones before. optimization_passes() tells what each does.
enum class GraphOptimizationLevel {
  kNone = 0,      // as it stands in the file
  kBasic = 1,     // rewrites that keep every bit: folding of constants, removal of what has no effect
  kExtended = 2,  // fusions, which round differently in the last bits
  kAll = 99,      // everything
};

// Threads that several sessions may share (SessionOptions::thread_pool). `threads` counts the calling one; 0: as many as this process may
// use, by its CPU affinity and container limits.
std::shared_ptr<core::ThreadPool> make_thread_pool(int threads = 0);

enum class LogSeverity { kVerbose, kInfo, kWarning, kError };
std::string_view to_string(LogSeverity severity) noexcept;  // "verbose", "info", "warning", "error"
// Told what a session does: at kInfo a summary of loading and each new plan with its memory, at kVerbose each pass that changed the model
// and each phase of loading, at kWarning a run that is refused for its memory. Called by the thread that loads or runs, at times by several
// at once.
using LogCallback = std::function<void(LogSeverity severity, std::string_view message)>;

struct SessionOptions {
  // Threads that work on one operator, the calling one included; 0: as many as this process may use. Ignored with `thread_pool`.
  int intra_op_num_threads = 0;
  GraphOptimizationLevel graph_optimization_level = GraphOptimizationLevel::kAll;
  std::vector<std::string> disabled_passes = {};  // names of optimization_passes(); an unknown name is an InvalidArgument error
  // Fixes symbolic dimensions: {"batch", 1}. A symbol that no input has is an InvalidArgument error.
  std::vector<std::pair<std::string, int64_t>> free_dimension_overrides = {};
  // Where the optimised model is written while the session is made (optimize.h tells what it holds); empty: nowhere.
  std::filesystem::path optimized_model_path = {};
  size_t max_plans = 16;  // plans kept for different input shapes, at least 1; the least recently used goes
  // Bytes that one run may take for intermediate values and outputs, those of graphs inside nodes (Loop, If) included; 0: no limit. A run
  // that needs more is refused with the figure before it computes anything. Values whose shape depends on data are known, and counted, only
  // when they are made: the run then ends at the node whose values do not fit.
  size_t max_memory = 0;
  // A file that keeps packed weights, so that later sessions of the same model map them instead of packing: they take no memory of their
  // own, and processes share them. Empty: none. It is made by the first run and replaced where it does not fit (another model, machine or
  // version; damaged), so give each model its own. Errors (Io) tell of a place that cannot be written, unless a sound file is there and
  // nothing is missing in it. The file is trusted for the weights in it as the model file is: keep others from writing it.
  std::filesystem::path packed_weights_cache = {};
  std::shared_ptr<core::ThreadPool> thread_pool = {};  // null: the session has its own
  std::shared_ptr<const CustomOps> custom_ops = {};    // operators of your own: see custom_op.h
  LogCallback log = {};                                // empty: nothing is told
  LogSeverity log_severity = LogSeverity::kInfo;       // the least that is told
  // A file to write what takes how long to, in Chrome's trace format (chrome://tracing, Perfetto): loading, plans, and every step of every
  // run; "" writes none. It is complete after end_profiling() or when the session is gone. See docs/explain.md.
  std::filesystem::path profile_path = {};
  size_t max_profile_events = 1'000'000;  // runs that would make more are left out, and counted in the file
  // Denormal floats count as zero, as operands and as results: some processors compute with them a hundred times slower.
  bool flush_denormals = true;
  // For tests of operators: memory holds NaNs until it is written and after its last use, and zones behind each value and each scratch are
  // checked after every step; a kernel that leaves its own memory is an Internal error. Slow; results are the same.
  bool guard_memory = false;
};

// How the caller may end a run before it is done; it then throws Cancelled, and the session stays usable. Asked all along, also within
// a node and while a plan is made: a run ends within a few milliseconds. A plan that is not done is dropped, but for the weights that are
// packed by then; explain() makes plans beforehand.
struct RunOptions {
  std::stop_token cancel = {};  // of a std::stop_source that another thread may ask to stop
  std::optional<std::chrono::steady_clock::time_point> deadline = {};
  std::string tag = {};  // begins the errors of the run ("run 'request 17': ..."), and names it in the profile; "" does neither
};

// An input or output of the model.
struct NodeArg {
  using Axis = std::variant<std::monostate, int64_t, std::string>;  // unknown, a size, or a symbol ("batch")

  std::string name;
  model::Type type;

  std::string type_string() const;                 // "tensor(float)"
  std::optional<std::vector<Axis>> shape() const;  // nullopt: rank unknown, or not a tensor
};
// "NodeArg(name='x', type='tensor(float)', shape=[1, 3, 'h', None])"; shape=None where the rank is unknown.
std::string to_string(const NodeArg& arg);

struct ModelMetadata {
  std::string producer_name, producer_version, graph_name, domain, description, graph_description;
  int64_t version = 0, ir_version = 0;
  std::vector<std::pair<std::string, int64_t>> opset_import;  // domain ("" is ai.onnx) and version
  std::vector<std::pair<std::string, std::string>> custom_metadata_map;
};

using Feeds = std::vector<std::pair<std::string, Tensor>>;
using InputShapes = std::vector<std::pair<std::string, Shape>>;

// Nodes that run together, some rows of their results at a time ("tile_chains").
struct ChainReport {
  size_t bands = 0;        // passes over all nodes
  size_t tile_rows = 0;    // rows of the last result in each band, at most
  size_t band_bytes = 0;   // of the rows between nodes that are held at once
  size_t saved_bytes = 0;  // of the values between nodes, which are never held as a whole
  std::string end;         // why the next node is none of them: "node 'r' (Resize): its kernel ..."; "" where the graph ends
};

// Consecutive steps that were considered as a chain, and are none.
struct ChainRefusal {
  size_t first_step = 0, last_step = 0;  // indexes of PlanReport::steps, both included
  size_t value_bytes = 0;                // of the largest value between them; of a single step, of what it makes
  bool fits_cache = false;               // the reason: the values between them stay in the cache as they are
  std::string reason;
  std::string end;  // why the next step is none of them, as ChainReport::end; "" where the graph ends or a chain begins
};

// A value as a step reads or makes it.
struct ValueReport {
  std::string name;                 // "": an optional input or output that is left out
  DType dtype = DType::kUndefined;  // kUndefined, too: it depends on data
  Shape shape;
  bool shape_known = false;  // false: it depends on data
  bool constant = false;     // known before the run: a weight, a folded value
};
// "float [1, 3, 224, 224]"; "float ?" where the shape, "?" where the type depends on data.
std::string to_string(const ValueReport& value);

// One node as a plan runs it, or a chain of nodes.
struct StepReport {
  std::string node;                   // its name, or that of its first output
  std::string op;                     // "Conv"; "ai.sardonyx.FusedConv" outside ai.onnx
  int64_t opset = 0;                  // version of the operator's domain that the model imports
  std::string kernel;                 // the chosen candidate, or the operator's own name ("softmax"); "": it is chosen while running (late)
  std::vector<std::string> refusals;  // "winograd: not 3x3 stride 1": why better candidates were passed over
  double flops = 0;                   // a multiply-add counts two
  size_t bytes = 0;                   // of all inputs and outputs, each once; of what is gathered or sliced, as much as is taken
  size_t scratch_bytes = 0;
  DType output_dtype = DType::kUndefined;  // of the first output
  Shape output_shape;
  bool aliased = false;   // nothing to do: the output is the input under another shape
  bool in_place = false;  // the output overwrites an input
  bool late = false;      // shapes depend on data: bound while running; kernel, flops and output_shape are then unknown
  double seconds = 0;     // filled by profile()
  // "plain": as ONNX has it; "blocked 8": channels in blocks of 8, which lie innermost; "to blocked 8", "to plain": only converts.
  std::string layout = {};
  std::optional<ChainReport> chain = {};
  std::vector<StepReport> nodes = {};  // of a chain, in the order they run; their seconds are those of all bands
  std::vector<ValueReport> inputs = {}, outputs = {};
};

// A piece of the block of memory that holds intermediate values.
struct MemoryReport {
  std::string name;                 // the value whose memory it is; of scratch memory: the node
  std::vector<std::string> shared;  // values that take over or share this memory
  std::string op;                   // operator of the step that makes it
  bool scratch = false;             // working memory of one step
  DType dtype = DType::kUndefined;
  Shape shape;
  size_t bytes = 0;
  size_t offset = 0;
  size_t first_step = 0, last_step = 0;  // indexes of PlanReport::steps, both included
};

struct PlanReport {
  std::vector<StepReport> steps;  // in the order they run
  size_t evaluated_nodes = 0;     // computed once, when the plan was made (shape arithmetic)
  size_t peak_memory = 0;         // bytes of the block that holds all intermediate values and scratch
  size_t lower_bound_memory = 0;  // greatest sum of bytes alive at one step: no placement can need less
  size_t output_memory = 0;       // bytes of the outputs, allocated by each run
  double flops = 0;
  std::vector<MemoryReport> memory = {};  // what lies where in that block, by first step and offset
  bool tiles_chains = false;              // the pass tile_chains is on
  std::vector<ChainRefusal> chain_refusals = {};
};

// A pass over the graph, made while loading; "tile_chains" and "winograd" act when plans are made: StepReport::chain, StepReport::kernel
// and PlanReport::chain_refusals tell what they did.
struct PassReport {
  std::string name;         // as SessionOptions::disabled_passes takes it
  std::string description;  // one line
  GraphOptimizationLevel level = GraphOptimizationLevel::kBasic;
  size_t rewrites = 0;                     // how often it changed this model
  std::vector<std::string> refusals = {};  // "node 'a' (Add): the bias is not constant": where it nearly matched, and why not; a few
  double seconds = 0;                      // it took
};
// All passes, in the order they run.
std::vector<PassReport> optimization_passes();

// A part of creating a session.
struct LoadPhase {
  std::string name;  // "read", "optimize", "prepare"
  std::chrono::steady_clock::time_point start;
  double seconds = 0;
};

// Called with each value that a step of a run has made, in the order they run. The tensor's memory may be overwritten after the call.
using ValueObserver = std::function<void(const std::string& name, const Tensor& value)>;

class IoBinding;

class InferenceSession {
 public:
  // Throws Io, InvalidModel, Unsupported (an operator without a kernel, named with its node), ResourceLimit; InvalidArgument for options.
  explicit InferenceSession(const std::filesystem::path& path, SessionOptions options = {});
  explicit InferenceSession(model::Model model, SessionOptions options = {});
  // From the bytes of an .onnx file, which `owner` keeps alive (null: they are copied). External data is looked up in `folder`.
  static InferenceSession from_bytes(std::string_view bytes, std::shared_ptr<const void> owner = nullptr, SessionOptions options = {},
                                     const std::filesystem::path& folder = {});
  ~InferenceSession();
  InferenceSession(InferenceSession&&) noexcept;
  InferenceSession& operator=(InferenceSession&&) noexcept;

  // What must be fed, what is computed, and initializers that a feed may replace; in the order of the model.
  const std::vector<NodeArg>& inputs() const noexcept;
  const std::vector<NodeArg>& outputs() const noexcept;
  const std::vector<NodeArg>& overridable_initializers() const noexcept;
  const ModelMetadata& metadata() const noexcept;
  int threads() const noexcept;

  // Computes the named outputs (empty: all, in the order of the model). Only what they need is computed. May be called from many threads
  // at once. The results are owned by the caller and share nothing with feeds, weights or each other.
  // Throws InvalidArgument where names, types or shapes of feeds do not fit the model; ResourceLimit; and what operators find in the data.
  // Sequences, maps and optionals are fed and returned as tensor.h describes; results in a sequence may share memory with one another.
  std::vector<Tensor> run(const std::vector<std::string>& output_names, const Feeds& feeds, const RunOptions& run_options = {}) const;
  std::vector<Tensor> run(const Feeds& feeds, const RunOptions& run_options = {}) const { return run({}, feeds, run_options); }

  // Computes the bound outputs from the bound inputs. In a steady state nothing is allocated. Throws as above.
  void run(IoBinding& binding, const RunOptions& run_options = {}) const;

  // The plan for these shapes of the inputs. Inputs that are left out take their declared size; a symbolic axis must be given.
  PlanReport explain(const InputShapes& shapes) const;
  // Runs once (after one run to warm up) and tells the time of each step too.
  PlanReport profile(const Feeds& feeds) const;
  // Runs once, with the very plan that run() takes, and shows the values in between: for finding where two sessions part. Values that were
  // fused away or computed while loading do not occur, nor do those of graphs inside nodes.
  std::vector<Tensor> observe(const Feeds& feeds, const ValueObserver& observer) const;
  // What each pass did while loading.
  const std::vector<PassReport>& passes() const noexcept;
  const std::vector<LoadPhase>& load_phases() const noexcept;
  // Completes the file of SessionOptions::profile_path; later runs are not in it. Returns the path; "" without one. Throws Io where the
  // file could not be written.
  std::filesystem::path end_profiling();
  // The number of plans kept at the moment.
  size_t plan_count() const noexcept;
  // Gives the memory of idle runs back to the system; the next run takes it anew.
  void trim();

 private:
  friend class IoBinding;
  struct State;
  explicit InferenceSession(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Inputs and outputs that stay bound from run to run, for callers who bring their own memory or must not allocate:
//
//   sardonyx::IoBinding binding(session);
//   binding.bind_input("input", Tensor::from_blob(camera_frame, {1, 3, 224, 224}));
//   binding.bind_output("scores", scores);
//   while (next_frame(camera_frame)) session.run(binding);  // reads camera_frame, writes into `scores`
//
// Inputs are read and outputs are written where they are; their memory may change between runs, and Tensor::rebind moves it. For another
// type or shape bind anew. The session must outlive the binding; one binding serves one run at a time.
class IoBinding {
 public:
  explicit IoBinding(const InferenceSession& session);
  ~IoBinding();
  IoBinding(IoBinding&&) noexcept;
  IoBinding& operator=(IoBinding&&) noexcept;

  // Throw InvalidArgument for a name that the model does not have, and for an output to a read-only tensor. What does not fit the model is
  // found by the next run. A second binding of a name replaces the first.
  void bind_input(std::string_view name, Tensor tensor);
  // The run writes into `tensor`, which must not overlap another bound tensor.
  void bind_output(std::string_view name, Tensor tensor);
  // The run makes the tensor; the next runs write into the same one, unless its shape depends on data.
  void bind_output(std::string_view name);
  void clear_inputs();
  void clear_outputs();

  // What the last run computed, in the order in which the outputs were bound.
  const std::vector<Tensor>& outputs() const noexcept;

 private:
  friend class InferenceSession;
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sardonyx
