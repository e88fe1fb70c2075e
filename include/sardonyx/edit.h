// Surgery on models: cut a part out, join two, rename, fix shapes, inline functions, and tell how two models differ.
//
//   using namespace sardonyx;
//   model::Model backbone = extract_model(model, {"image"}, {"features"});
//   model::Model pipeline = merge_models(preprocess, backbone, {{"normalised", "image"}}, {.prefix_a = "pre/"});
//   set_input_shapes(pipeline, {{"pixels", {1, "height", "width", 3}}});
//   model::Model flat = inline_functions(pipeline);
//   std::cout << to_string(diff_models(pipeline, flat));
//
// All of them take time proportional to the size of the model, copy no weights, and follow names into the subgraphs of If, Loop and Scan.
// A model that cannot be edited as asked gives an Error and stays unchanged. Subgraphs nested more than 200 deep are a ResourceLimit error.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sardonyx/model.h"

namespace sardonyx {

// ---- Extract ----

struct ExtractOptions {
  // The inputs and outputs of the part must have a type, declared or known from an initializer. false: they may be left without one.
  bool require_types = true;
};

// The part of the main graph that computes `outputs` from `inputs`, both names of any values of it. It keeps the order of the nodes and
// what belongs to them: initializers, value_info, quantization annotations, the functions that are called, opsets, metadata. Values that
// subgraphs take from the main graph count as inputs of their node. Inputs that no node needs stay inputs; an input that has a default
// value keeps it, a constant that is named as an input becomes a plain input. training_info is left out.
// Throws InvalidArgument for names that the graph does not have (with the closest one), names given twice, values without a type, and
// where outputs depend on graph inputs that are not among `inputs` (naming them).
model::Model extract_model(const model::Model& model, const std::vector<std::string>& inputs, const std::vector<std::string>& outputs,
                           const ExtractOptions& options = {});

// ---- Rename ----

struct Renames {
  std::map<std::string, std::string> values = {};     // values of the graph, of its subgraphs and of its training graphs
  std::map<std::string, std::string> nodes = {};      // node names
  std::map<std::string, model::Dimension> dims = {};  // symbols of shapes: another symbol, or a size
};

// Renames everywhere at once, so that names can be exchanged: inputs, outputs, initializers, value_info, quantization annotations, bindings
// of training_info. Bodies of functions have names of their own and stay. Two dim symbols may become one: their sizes then count as equal.
// Throws InvalidArgument for a name that the model does not have (with the closest one) and for a new name that is taken.
void rename(model::Model& model, const Renames& renames);

struct PrefixOptions {
  bool nodes = true;   // names of nodes
  bool values = true;  // values inside the graph, those of subgraphs included
  bool inputs = true;  // a value that is an input, an output or an initializer gets the prefix if one of its kinds does
  bool outputs = true;
  bool initializers = true;
  bool functions = true;  // names of the model's functions
  bool dims = false;      // dim symbols
};
// Puts `prefix` before the names, in subgraphs too. Throws InvalidArgument where a new name is taken.
void add_prefix(model::Model& model, std::string_view prefix, const PrefixOptions& which = {});

// ---- Merge ----

using IoMap = std::vector<std::pair<std::string, std::string>>;

struct MergeOptions {
  std::string prefix_a = {}, prefix_b = {};  // put before all names of a model; io_map has the names without it
  std::vector<std::string> inputs = {},
                           outputs = {};  // those to keep, by their names in the result; empty: all that io_map does not connect
  bool first_metadata_wins = false;       // where both models have a metadata key with different values; else that is an error
  std::string name = {};                  // of the graph; empty: "<a>_<b>"
};

// `a` followed by `b`: each pair of io_map connects an output of `a` to an input of `b`. Initializers, functions (equal ones once),
// metadata, annotations and training information of both are kept; the IR version is the later one. With `inputs` or `outputs`, the parts
// that are then without use are left out. Dim symbols of the same name count as equal.
// Throws InvalidArgument where the opsets differ, names of values, nodes or functions clash, types of connected values contradict each
// other, or io_map names what is not there: the message names the things and the cure.
model::Model merge_models(const model::Model& a, const model::Model& b, const IoMap& io_map, const MergeOptions& options = {});

// ---- Shapes ----

struct ShapeOptions {
  // Declared sizes and ranks may be contradicted: shapes of inner values are then forgotten, and so are the sizes of the outputs.
  bool replace = false;
};

// Gives inputs their shapes. A dimension without a value leaves the declared one. Where the declared dimension is a symbol, the symbol is
// replaced by the new size or symbol wherever it stands in the model. Outputs may be named too.
// Throws InvalidArgument for unknown names, values that are no tensors, and, unless `replace` is set, for another rank or size than
// declared and for a symbol that gets two sizes.
void set_input_shapes(model::Model& model, const std::map<std::string, std::vector<model::Dimension>>& shapes,
                      const ShapeOptions& options = {});
// The same for the first axis of every input that is a tensor of rank at least 1 and has no default value.
void set_batch(model::Model& model, const model::Dimension& batch, const ShapeOptions& options = {});

// ---- Inline ----

struct InlineOptions {
  std::function<bool(const model::Function&)> filter = {};  // which functions; empty: all
  size_t max_nodes = size_t{1} << 23;                       // nodes that inlining may add
  size_t max_bytes = size_t{1} << 32;                       // memory that they may take, about
};

// The model with its own functions in the place of their calls: in the graph, in subgraphs, in training graphs and in the functions that
// stay. Inner values and nodes are named "<call>/<name>". Attributes come from the call or from the function's defaults; those that are
// given nowhere are left out. Functions that are inlined are removed, and their opsets imported.
// Throws InvalidModel for functions that call themselves, ResourceLimit where they grow beyond the limits, InvalidArgument where function
// and model import versions of an operator set in which an operator of the function differs.
model::Model inline_functions(const model::Model& model, const InlineOptions& options = {});

// ---- Write ----

// How to write a model that was changed: everything inside the file, unless weights came from external data or are more than 1 GiB
// together; then they go to "<name>.data".
model::WriteOptions fitting_write_options(const model::Model& model, const std::filesystem::path& path);

// ---- Diff ----

struct Difference {
  std::string path;  // where: "graph / node 'conv1' (Conv) / attribute 'pads'"
  std::string what;  // what differs: "value", "type", "dims", "only in A", ...
  std::string a, b;  // both sides, shortened; "" where there is nothing
  bool operator==(const Difference&) const = default;
};

struct DiffOptions {
  bool ignore_names = false;     // of values, nodes, graphs: what is connected how counts
  bool ignore_docs = false;      // doc strings, producer, versions of model and IR
  bool ignore_metadata = false;  // metadata_props everywhere
  size_t max_differences = 1000;
};

struct DiffReport {
  std::vector<Difference> differences;
  size_t left_out = 0;  // more of them than max_differences
  bool equal() const noexcept { return differences.empty() && left_out == 0; }
};

// Nodes are matched by name, by what they give, and else by what they compute from what (or what is computed from them), so that an
// inserted node is one difference. Tensors are compared by their elements, wherever they stand; the order of initializers and of
// value_info means nothing, and that of nodes nothing beyond what it feeds. Whether a field that has its default was written does not
// count.
DiffReport diff_models(const model::Model& a, const model::Model& b, const DiffOptions& options = {});
std::string to_string(const DiffReport& report);  // a line each
std::string to_json(const DiffReport& report);    // {"equal": ..., "differences": [{"path", "what", "a", "b"}], "left_out": N}

}  // namespace sardonyx
