// The driver: walks graphs in order, gives each node's rule what is known, merges what it finds with what is declared.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "infer/context.h"
#include "sardonyx/custom_op.h"
#include "sardonyx/error.h"
#include "sardonyx/infer.h"
#include "schema/schema.h"

namespace sardonyx::infer {

// A declared type that contradicts the inferred one.
struct Contradiction : Error {
  Contradiction(std::string declared_type, std::string inferred_type, bool same_types)
      : Error(ErrorCode::kInvalidModel, "declared as " + declared_type + ", inferred as " + inferred_type),
        declared(std::move(declared_type)),
        inferred(std::move(inferred_type)),
        is_of_shapes(same_types) {}

  std::string declared, inferred;
  bool is_of_shapes;
};

// Declared and inferred type as one: known sizes win over symbols, declared symbols over inferred ones. Throws Contradiction.
ValueType merge_types(const ValueType& declared, const ValueType& inferred, const Symbols& symbols);

// What of a model is taken for true.
enum class Trust {
  kFile,   // all that it declares; initializers are constants
  kFeeds,  // what a session holds feeds to: only graph inputs declare sizes, and a feed may replace an initializer that is an input too
};

class Inference final : private BodyInference {
 public:
  // The model must outlive it.
  Inference(const model::Model& model, const InferOptions& options, Trust trust = Trust::kFile);

  void run();
  InferReport take_report() { return std::move(report_); }
  // What is known of the values of the main graph, after run(). Names are those of the model.
  const std::unordered_map<std::string_view, Value>& values() const noexcept { return main_.values; }
  const Symbols& symbols() const noexcept { return symbols_; }
  // What was found, written into a copy of the model.
  void write(model::Model& model) const;

 private:
  // The values that can be seen within a graph or a function.
  struct Scope {
    const Scope* outer = nullptr;
    std::unordered_map<std::string_view, Value> values = {};
    std::unordered_map<std::string_view, ValueType> declared = {};
    const Value* find(std::string_view name) const;
  };
  // What nodes made in a graph, in order.
  struct GraphResult {
    std::vector<std::pair<std::string, ValueType>> made;
    std::vector<ValueType> outputs;
  };
  // One element of the path that problems are reported under, while it lives.
  class Place;

  void reserve_names(const model::Graph& graph, int depth);
  void reserve_names(const std::vector<model::Node>& nodes, int depth);
  void infer_graph(const model::Graph& graph, Scope& scope);
  void declare(const model::Graph& graph, Scope& scope, bool is_body);
  bool may_be_fed(std::string_view initializer, const Scope& scope) const;
  ValueType with_declared(const ValueType& declared, const ValueType& inferred) const;
  void prefer_output_types(const model::Graph& graph, Scope& scope);
  void declare_initializer(const model::TensorData& tensor, Scope& scope);
  void infer_node(const model::Node& node, Scope& scope, GraphResult* result);
  bool infer_operator(NodeContext& context, const schema::Schema& schema);
  bool infer_foreign(NodeContext& context);
  bool infer_function(NodeContext& context, const model::Function& function);
  const CustomOp* find_custom(const model::Node& node) const;
  bool infer_custom(NodeContext& context, const CustomOp& op);
  bool check_types(const NodeContext& context, const schema::Schema& schema);
  void check_output_types(const NodeContext& context, const schema::Schema& schema);
  void set_default_types(NodeContext& context, const schema::Schema& schema);
  void keep_outputs(NodeContext& context, bool is_inferred, Scope& scope, GraphResult* result);
  Value output_of(const model::ValueInfo& output, const Scope& scope);
  std::vector<Value> infer_body(const model::Graph& body, std::string_view attribute, std::span<const Value> inputs) override;
  void infer_untaken(const model::Graph& body, std::string_view attribute) override;
  std::optional<std::vector<Value>> try_body(const model::Graph& body, std::string_view attribute, std::span<const Value> inputs) override;
  int tries() const noexcept override { return tries_; }
  void forget_results(const model::Graph& graph, int depth);
  void bind_body_inputs(const model::Graph& body, std::span<const Value> inputs, Scope& scope);
  const model::Function* find_function(const model::Node& node) const;
  int64_t imported_version(std::string_view domain) const;
  void enter(const char* what);
  void name_unknown(ValueType& type);
  bool may_keep(const Elements& elements);
  // Notes it, or throws it where the options say strict.
  void problem(InferProblem found);
  void problem(std::string message, InferProblem::Kind kind = InferProblem::Kind::kOperator);
  void problem(const std::string& subject, const Contradiction& contradiction, bool is_of_given_output = false);
  std::string where() const;

  const model::Model& model_;
  InferOptions options_;
  Trust trust_;
  Symbols symbols_;
  Scope main_;
  InferReport report_;
  std::vector<std::string> path_;
  std::unordered_map<std::string, const model::Function*> functions_;
  // Where the walk is.
  struct State {
    const Scope* scope;
    const std::vector<model::OpsetId>* imports;
    int depth;
    bool in_function;
  };
  State state_;
  std::vector<const model::Function*> calls_;  // that the walk is in
  size_t steps_ = 0, max_steps_;
  int tries_ = 0;  // bodies on the way that are inferred on an assumption
  size_t elements_left_ = size_t{1} << 22;
  bool reported_ = false;  // a strict error is on its way out
  std::deque<model::Node> bound_nodes_;
  std::unordered_map<const model::Graph*, GraphResult> results_;
};

}  // namespace sardonyx::infer
