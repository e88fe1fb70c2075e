#include "export/dynamic_sizes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <optional>

#include "export/graph_builder.h"

namespace sardonyx::exporter {

namespace {
// The symbols that options.dynamic_axes gives one input or output.
struct Declared {
  std::string name;
  size_t rank;
  std::vector<std::string> symbols;
};

std::vector<Declared> boundary(const std::vector<std::string>& names, const nn::Trace& trace, const std::vector<nn::ValueId>& ids) {
  std::vector<Declared> result;
  for (size_t i = 0; i < ids.size(); ++i) {
    const size_t rank = trace.values[static_cast<size_t>(ids[i])].shape.size();
    result.push_back({names[i], rank, std::vector<std::string>(rank)});
  }
  return result;
}

void declare(Declared& target, int64_t axis, const std::string& symbol, std::vector<std::string>& problems) {
  const auto rank = static_cast<int64_t>(target.rank);
  if (axis < -rank || axis >= rank) {
    problems.push_back(fmt::format("axis {} of '{}', which has rank {}", axis, target.name, rank));
  } else if (symbol.empty()) {
    problems.push_back(fmt::format("an empty symbol for axis {} of '{}'", axis, target.name));
  } else {
    target.symbols[static_cast<size_t>(axis < 0 ? axis + rank : axis)] = symbol;
  }
}

void declare_all(Declared& target, const DynamicAxes::mapped_type& axes, std::vector<std::string>& problems) {
  if (const auto* named = std::get_if<std::map<int64_t, std::string>>(&axes)) {
    for (const auto& [axis, symbol] : *named) declare(target, axis, symbol, problems);
    return;
  }
  int serial = 0;
  for (const int64_t axis : std::get<std::vector<int64_t>>(axes)) {
    declare(target, axis, fmt::format("{}_dynamic_axes_{}", target.name, ++serial), problems);
  }
}

void apply_options(const ExportOptions& options, std::vector<Declared>& inputs, std::vector<Declared>& outputs) {
  std::vector<std::string> problems;
  for (const auto& [name, axes] : options.dynamic_axes) {
    bool known = false;
    for (std::vector<Declared>* side : {&inputs, &outputs}) {
      for (Declared& target : *side) {
        if (target.name != name) continue;
        known = true;
        declare_all(target, axes, problems);
      }
    }
    if (!known) problems.push_back(fmt::format("'{}', which is neither an input nor an output", name));
  }
  if (!problems.empty()) throw Error(ErrorCode::kInvalidArgument, fmt::format("dynamic_axes names {}", fmt::join(problems, "; ")));
}

// The size of each symbol in the example inputs.
std::map<std::string, int64_t> example_sizes(const std::vector<Declared>& inputs, const std::vector<Tensor>& args) {
  std::map<std::string, int64_t> sizes;
  for (size_t i = 0; i < inputs.size(); ++i) {
    for (size_t axis = 0; axis < inputs[i].rank; ++axis) {
      const std::string& symbol = inputs[i].symbols[axis];
      if (symbol.empty()) continue;
      const int64_t size = args[i].shape()[axis];
      const auto [place, fresh] = sizes.try_emplace(symbol, size);
      if (!fresh && place->second != size) {
        throw Error(ErrorCode::kInvalidArgument, fmt::format("dynamic_axes: '{}' stands for size {} and, in input '{}', for {}", symbol,
                                                             place->second, inputs[i].name, size));
      }
    }
  }
  return sizes;
}

using Sizes = std::map<std::string, int64_t>;

// Other sizes for the symbols, each by another factor so that they can be told apart. Smaller ones first, to be quick; modules may need
// sizes that divide by something, so these are halves and multiples.
std::vector<Sizes> other_sizes(const Sizes& example) {
  constexpr int64_t kLarge = 32;
  Sizes smaller, larger, next;
  int64_t order = 1;
  for (const auto& [symbol, size] : example) {
    const int64_t divisor = int64_t{1} << std::min<int64_t>(order, 3);
    smaller[symbol] = size >= kLarge && size % divisor == 0 ? size / divisor : (size == 0 ? 1 : size) * (order + 1);
    larger[symbol] = (size == 0 ? 1 : size) * (order + 1);
    next[symbol] = size + order;
    ++order;
  }
  return {smaller, larger, next};
}

std::vector<Tensor> resized(const std::vector<Tensor>& args, const std::vector<Declared>& inputs, const Sizes& sizes) {
  std::vector<Tensor> result;
  for (size_t i = 0; i < args.size(); ++i) {
    Shape shape = args[i].shape();
    for (size_t axis = 0; axis < shape.size(); ++axis) {
      if (!inputs[i].symbols[axis].empty()) shape[axis] = sizes.at(inputs[i].symbols[axis]);
    }
    result.push_back(Tensor(std::move(shape), args[i].dtype()));
  }
  return result;
}

struct SecondTrace {
  nn::Trace trace;
  Sizes sizes;
};

SecondTrace trace_again(nn::Module& module, const std::vector<Tensor>& args, const std::vector<Declared>& inputs, const Sizes& example) {
  std::optional<Error> failure;
  for (const Sizes& sizes : other_sizes(example)) {
    try {
      return {nn::trace(module, resized(args, inputs, sizes)), sizes};
    } catch (const Error& error) {
      if (!failure) failure = error;
    }
  }
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("dynamic_axes: the module takes the example's sizes, but no others that were tried: {}", failure->what()));
}

// The symbol of an output axis that the caller did not name: the input symbol whose sizes it has in both traces, else a derived name.
std::string derived_symbol(int64_t before, int64_t after, const Sizes& example, const Sizes& other, const std::string& output,
                           size_t axis) {
  for (const auto& [symbol, size] : example) {
    if (size == before && other.at(symbol) == after) return symbol;
  }
  return fmt::format("{}_dim_{}", output, axis);
}

std::vector<std::vector<model::Dimension>> fixed_or_symbol(const std::vector<Declared>& declared, const nn::Trace& trace,
                                                           const std::vector<nn::ValueId>& ids) {
  std::vector<std::vector<model::Dimension>> result;
  for (size_t i = 0; i < ids.size(); ++i) {
    std::vector<model::Dimension>& dims = result.emplace_back();
    const Shape& shape = trace.values[static_cast<size_t>(ids[i])].shape;
    for (size_t axis = 0; axis < shape.size(); ++axis) {
      const std::string& symbol = declared[i].symbols[axis];
      dims.push_back(symbol.empty() ? model::Dimension(shape[axis]) : model::Dimension(symbol));
    }
  }
  return result;
}
}  // namespace

DynamicSizes find_dynamic_sizes(nn::Module& module, const std::vector<Tensor>& args, const nn::Trace& trace, const ExportOptions& options) {
  std::vector<Declared> inputs = boundary(boundary_names(options.input_names, trace.inputs.size(), "input"), trace, trace.inputs);
  std::vector<Declared> outputs = boundary(boundary_names(options.output_names, trace.outputs.size(), "output"), trace, trace.outputs);
  apply_options(options, inputs, outputs);
  DynamicSizes result;
  for (const nn::TraceValue& value : trace.values) result.values.emplace_back(value.shape.size(), false);
  const Sizes example = example_sizes(inputs, args);
  if (!example.empty()) {
    const SecondTrace second = trace_again(module, args, inputs, example);
    if (const std::optional<std::string> difference = nn::first_difference(trace, second.trace)) {
      throw Error(
          ErrorCode::kInvalidArgument,
          fmt::format("dynamic_axes: the module's forward depends on the size of a dynamic axis: {}. Use flatten, or reshape with one "
                      "-1, instead of sizes taken from a tensor; or leave the axis fixed",
                      *difference));
    }
    for (size_t v = 0; v < trace.values.size(); ++v) {
      for (size_t axis = 0; axis < trace.values[v].shape.size(); ++axis) {
        result.values[v][axis] = trace.values[v].shape[axis] != second.trace.values[v].shape[axis];
      }
    }
    for (size_t i = 0; i < outputs.size(); ++i) {
      const auto id = static_cast<size_t>(trace.outputs[i]);
      for (size_t axis = 0; axis < outputs[i].rank; ++axis) {
        if (!result.values[id][axis] || !outputs[i].symbols[axis].empty()) continue;
        outputs[i].symbols[axis] =
            derived_symbol(trace.values[id].shape[axis], second.trace.values[id].shape[axis], example, second.sizes, outputs[i].name, axis);
      }
    }
  }
  result.inputs = fixed_or_symbol(inputs, trace, trace.inputs);
  result.outputs = fixed_or_symbol(outputs, trace, trace.outputs);
  return result;
}

}  // namespace sardonyx::exporter
