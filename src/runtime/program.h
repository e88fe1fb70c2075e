// A loaded model: optimised, in running order, its constants decoded and its nodes prepared. Shared by all plans; immutable.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ops/op.h"
#include "ops/weights/weight_cache.h"
#include "runtime/backend.h"
#include "runtime/chain_policy.h"
#include "runtime/signature.h"
#include "sardonyx/model.h"
#include "sardonyx/session.h"

namespace sardonyx::runtime {

// Index of a value; kAbsent: an optional input or output that is left out.
using ValueId = int32_t;
inline constexpr ValueId kAbsent = -1;

struct ProgramValue {
  std::string name;
  int32_t input = -1;        // index of Signature::inputs()
  bool is_constant = false;  // dtype and shape are then known
  DType dtype = DType::kUndefined;
  Shape shape;
  Tensor constant;  // undefined also where every reader has packed it
};

struct ProgramNode {
  model::Node node;
  int64_t opset = 0;
  std::unique_ptr<ops::Prepared> prepared;
  std::vector<ValueId> inputs, outputs;  // inputs: behind the node's own ones, what its graphs read from around
  bool deterministic = true;

  std::string where() const;  // "node 'conv1' (Conv, opset 17)"
  std::string op() const;     // "Conv", "ai.sardonyx.FusedConv"
  std::string label() const;  // its name, or that of its first output
};

class WorkspacePool;

// What a program shares with the graphs inside its nodes.
struct ProgramShare {
  std::shared_ptr<ops::WeightCache> weights;  // null: packed weights are not kept in a file
  std::shared_ptr<WorkspacePool> workspaces;
};

class Program {
 public:
  Program(model::Model model, const Backend& backend, const SessionOptions& options, ProgramShare share);
  // Of a graph inside a node: `model` has it as its graph, whose inputs are its own and the values around that it reads; `captured` are
  // those of them that are constant.
  Program(model::Model model, std::vector<std::pair<std::string, Tensor>> captured, const Backend& backend, const SessionOptions& options,
          ProgramShare share);

  const Signature& signature() const noexcept { return signature_; }
  const std::vector<ProgramNode>& nodes() const noexcept { return nodes_; }
  const std::vector<ProgramValue>& values() const noexcept { return values_; }
  const std::vector<NodeArg>& outputs() const noexcept { return outputs_; }
  const std::vector<ValueId>& output_values() const noexcept { return output_values_; }
  const ModelMetadata& metadata() const noexcept { return metadata_; }
  const std::vector<PassReport>& passes() const noexcept { return passes_; }
  ops::WeightCache* weight_cache() const noexcept { return share_.weights.get(); }  // null: packed weights are not kept in a file
  const std::vector<LoadPhase>& load_phases() const noexcept { return phases_; }
  bool guards_memory() const noexcept { return guards_memory_; }
  const ChainPolicy& chain_policy() const noexcept { return chain_policy_; }
  bool winograd() const noexcept { return winograd_; }  // convolutions may go by Winograd's filtering
  // For plans that are made from now on.
  void set_chain_policy(const ChainPolicy& policy) noexcept { chain_policy_ = policy; }

 private:
  // What compiling the graphs inside nodes needs, while loading.
  struct Source {
    const model::Model& model;
    const Backend& backend;
    const SessionOptions& options;
  };

  void load(model::Model& model, const Source& source);
  void note_phase(std::string name);
  std::vector<std::pair<std::string, std::shared_ptr<const ops::Body>>> compile_bodies(ProgramNode& node, const Source& source);
  std::shared_ptr<const ops::Body> compile_body(model::Graph graph, ProgramNode& node, const Source& source);
  size_t capture(ValueId id, ProgramNode& node);
  ValueId value_id(const std::string& name);
  void add_constants(const model::Graph& graph);
  void add_nodes(model::Model& model, const Source& source);
  void add_node(model::Node node, const Source& source);
  bool evaluate(const ProgramNode& node);
  void set_constant(ValueId id, Tensor tensor);
  void add_outputs(const model::Graph& graph);
  void release_consumed();

  ModelMetadata metadata_;
  Signature signature_;
  std::vector<PassReport> passes_;
  std::vector<LoadPhase> phases_;
  std::chrono::steady_clock::time_point phase_start_ = std::chrono::steady_clock::now();
  bool guards_memory_ = false;
  ProgramShare share_;
  ChainPolicy chain_policy_;
  bool winograd_ = false;
  std::vector<ProgramValue> values_;
  std::unordered_map<std::string, ValueId> ids_;  // while loading
  std::vector<ProgramNode> nodes_;
  std::vector<NodeArg> outputs_;
  std::vector<ValueId> output_values_;
};

}  // namespace sardonyx::runtime
