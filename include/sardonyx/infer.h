// Infers the types and shapes of all values of a model, without running it.
//
//   sardonyx::infer_shapes(model);   // fills model.graph.value_info and the outputs' shapes
//
// Every operator of ONNX 1.22 has a rule. Sizes may be symbols ("batch"); small integer tensors (shapes, axes, ends of slices) are followed
// through Shape, Gather, Concat, arithmetic and so on, into Reshape, Expand, Resize... Subgraphs, sequences, optionals and functions of
// the model are inferred too. Initializers count as constants, also where a graph input of the same name could replace them. What is
// declared is merged with what is inferred; unknown sizes get symbols of their own ("unk__0").
#pragma once

#include <string>
#include <vector>

#include "sardonyx/model.h"

namespace sardonyx {

class CustomOps;

struct InferOptions {
  // Throw InvalidModel at the first contradiction. Else it is noted in the report, what was declared stays, and the values that depend on
  // it stay unknown. Outputs of operators outside ONNX have the types that are declared for them.
  bool strict = false;
  bool data_propagation = true;
  // Symbols of their own for sizes that stay unknown, so that equal ones can be told.
  bool name_unknown_dims = true;
  // Hold types to the letter, as ONNX's full check does: sparse initializers are of type sparse_tensor, which few operators take; outputs
  // must be of types that the operator's version makes; an input that is a graph output too has the type that the output is declared with.
  // Runtimes take sparse initializers for tensors, and types of later versions where they mean one thing.
  bool schema_types = false;
  const CustomOps* custom_ops = nullptr;  // operators of your own, whose rules are used, too (custom_op.h)
};

// A node whose inputs contradict its operator, or a declared type that contradicts the inferred one.
struct InferProblem {
  enum class Kind {
    kOperator,     // inputs or attributes contradict the operator
    kInput,        // an input's type is none that the operator takes, or another than that of an input which must share it
    kType,         // a declared type contradicts the inferred one
    kShape,        // types agree, shapes contradict each other
    kInitializer,  // the same between an initializer and the input of its name
  };
  std::string where;    // as in CheckReport: "graph 'main' / node 'conv1' (Conv)"
  std::string message;  // what was expected and what was found
  Kind kind = Kind::kOperator;
  bool is_of_given_output = false;           // with schema_types: a graph output that is an input is declared otherwise as one
  std::string declared = {}, inferred = {};  // of the last three kinds: "tensor(float) [2, 3]"
};

struct InferReport {
  std::vector<InferProblem> problems;  // at most 1000
  size_t values = 0, known = 0;        // values that nodes of the main graph make; those of them whose type and rank are known
};

// Completes the model's types: value_info of the graph and of its subgraphs, types of outputs. Time is proportional to the number of nodes.
// Throws InvalidModel as InferOptions::strict says, ResourceLimit for subgraphs or functions nested too deeply; the model is then
// unchanged.
InferReport infer_shapes(model::Model& model, const InferOptions& options = {});

}  // namespace sardonyx
