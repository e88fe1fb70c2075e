#include "export/dynamic_sizes.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

namespace sardonyx::exporter {

namespace {
using Sizes = std::map<std::string, int64_t>;  // of each symbol
using SizesInRuns = std::vector<int64_t>;      // of one axis, in the example and in each probe

constexpr int64_t kLarge = 32;

// The module's trace at other sizes.
struct Probe {
  Sizes sizes;
  nn::Trace trace;
};

Sizes example_sizes(const std::vector<Port>& inputs, const std::vector<Tensor>& args) {
  Sizes sizes;
  for (size_t i = 0; i < inputs.size(); ++i) {
    for (size_t axis = 0; axis < inputs[i].symbols.size(); ++axis) {
      if (const std::string& symbol = inputs[i].symbols[axis]; !symbol.empty()) sizes.emplace(symbol, args[i].shape()[axis]);
    }
  }
  return sizes;
}

// Other sizes for the symbols, each changed in another way so that they can be told apart. Smaller ones first, to be quick; modules may
// need sizes that divide by something, so these are halves and multiples.
std::vector<Sizes> other_sizes(const Sizes& example) {
  Sizes smaller, larger, next;
  int64_t order = 1;
  for (const auto& [symbol, size] : example) {
    larger[symbol] = std::max<int64_t>(size, 1) * (order + 1);
    const int64_t divisor = order <= 3 ? int64_t{1} << order : 0;
    smaller[symbol] = size >= kLarge && divisor != 0 && size % divisor == 0 ? size / divisor : larger[symbol];
    next[symbol] = size + order;
    ++order;
  }
  return {smaller, larger, next};
}

// Sizes that are far from the example's where that is small: there a stride can hide a difference.
Sizes far_sizes(const Sizes& example, const Sizes& probed) {
  Sizes far;
  int64_t order = 1;
  for (const auto& [symbol, size] : example) {
    far[symbol] = size >= kLarge ? probed.at(symbol) : std::max<int64_t>(size, 1) * (2 * order + 3);
    ++order;
  }
  return far;
}

std::vector<Tensor> resized(const std::vector<Tensor>& args, const std::vector<Port>& inputs, const Sizes& sizes) {
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

class Prober {
 public:
  Prober(nn::Module& module, const std::vector<Tensor>& args, const nn::Trace& trace, const std::vector<Port>& inputs)
      : module_(module), args_(args), trace_(trace), inputs_(inputs) {}

  std::vector<Probe> probe(const Sizes& example) const {
    std::vector<Probe> probes;
    probes.push_back(first_that_runs(other_sizes(example)));
    const Sizes far = far_sizes(example, probes[0].sizes);
    if (far != probes[0].sizes && is_cheap(far)) {
      std::optional<Error> failure;
      if (std::optional<Probe> second = run(far, failure)) probes.push_back(std::move(*second));
    }
    return probes;
  }

 private:
  Probe first_that_runs(const std::vector<Sizes>& candidates) const {
    std::optional<Error> failure;
    for (const Sizes& sizes : candidates) {
      if (std::optional<Probe> probe = run(sizes, failure)) return std::move(*probe);
    }
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("dynamic_axes: the module takes the example's sizes, but no others that were tried (give axes that must be "
                            "equal the same symbol, leave others fixed): {}",
                            failure->what()));
  }

  // Nothing if the module does not take these sizes; `failure` then keeps the first reason.
  std::optional<Probe> run(const Sizes& sizes, std::optional<Error>& failure) const {
    std::optional<Probe> probe;
    try {
      probe = Probe{sizes, nn::trace(module_, resized(args_, inputs_, sizes))};
    } catch (const Error& error) {
      if (!failure) failure = error;
      return std::nullopt;
    }
    if (const std::optional<std::string> difference = nn::first_difference(trace_, probe->trace)) {
      throw Error(ErrorCode::kInvalidArgument,
                  fmt::format("dynamic_axes: the module's forward depends on the size of a dynamic axis: {}. Use flatten, or reshape with "
                              "one -1, instead of sizes taken from a tensor; or leave the axis fixed",
                              *difference));
    }
    return probe;
  }

  bool is_cheap(const Sizes& sizes) const {
    constexpr double kElements = 65536;
    double elements = 0;
    for (size_t i = 0; i < args_.size(); ++i) {
      double product = 1;
      for (size_t axis = 0; axis < args_[i].shape().size(); ++axis) {
        const std::string& symbol = inputs_[i].symbols[axis];
        product *= static_cast<double>(symbol.empty() ? args_[i].shape()[axis] : sizes.at(symbol));
      }
      elements += product;
    }
    return elements <= kElements;
  }

  nn::Module& module_;
  const std::vector<Tensor>& args_;
  const nn::Trace& trace_;
  const std::vector<Port>& inputs_;
};

SizesInRuns sizes_in_runs(const nn::Trace& trace, const std::vector<Probe>& probes, nn::ValueId id, size_t axis) {
  const auto v = static_cast<size_t>(id);
  SizesInRuns sizes = {trace.values[v].shape[axis]};
  for (const Probe& probe : probes) sizes.push_back(probe.trace.values[v].shape[axis]);
  return sizes;
}

bool differs(const SizesInRuns& sizes) {
  return std::any_of(sizes.begin(), sizes.end(), [&](int64_t size) { return size != sizes[0]; });
}

// The symbols of outputs: those that the caller gave are held to their meaning; the others are the input's symbol of the same sizes, or
// made up.
class OutputSymbols {
 public:
  OutputSymbols(const Sizes& example, const std::vector<Probe>& probes) {
    for (const auto& [symbol, size] : example) {
      SizesInRuns& sizes = meaning_[symbol];
      sizes.push_back(size);
      for (const Probe& probe : probes) sizes.push_back(probe.sizes.at(symbol));
    }
  }

  // A symbol that means another size already is dropped with a warning: PyTorch users write the input's symbol on outputs too.
  void hold(Port& port, size_t axis, const SizesInRuns& sizes, DynamicSizes& result) {
    const auto [meaning, fresh] = meaning_.try_emplace(port.symbols[axis], sizes);
    if (!fresh && meaning->second != sizes) {
      result.warnings.push_back(
          fmt::format("dynamic_axes: symbol '{}' stands for size {}{} and cannot name {}, of size {}, as well; that axis "
                      "gets a symbol of its own",
                      port.symbols[axis], meaning->second[0], sizes[0] == meaning->second[0] ? " (equal in the example only)" : "",
                      describe_axis(port, axis), sizes[0]));
      port.symbols[axis].clear();
    } else if (!differs(sizes)) {
      result.warnings.push_back(
          fmt::format("dynamic_axes names {}, whose size {} depends on no dynamic axis of an input", describe_axis(port, axis), sizes[0]));
    }
  }

  std::string derive(const Port& port, size_t axis, const SizesInRuns& sizes) const {
    for (const auto& [symbol, meaning] : meaning_) {
      if (meaning == sizes) return symbol;
    }
    std::string symbol = fmt::format("{}_dim_{}", port.name, axis);
    while (meaning_.contains(symbol)) symbol += '_';
    return symbol;
  }

 private:
  std::map<std::string, SizesInRuns> meaning_;
};

void complete_outputs(DynamicSizes& result, const nn::Trace& trace, const Sizes& example, const std::vector<Probe>& probes) {
  OutputSymbols symbols(example, probes);
  const auto for_each_axis = [&](const auto& body) {
    for (Port& port : result.boundary.outputs) {
      for (size_t axis = 0; axis < port.symbols.size(); ++axis) body(port, axis, sizes_in_runs(trace, probes, port.value, axis));
    }
  };
  for_each_axis([&](Port& port, size_t axis, const SizesInRuns& sizes) {
    if (!port.symbols[axis].empty()) symbols.hold(port, axis, sizes, result);
  });
  for_each_axis([&](Port& port, size_t axis, const SizesInRuns& sizes) {
    if (port.symbols[axis].empty() && differs(sizes)) port.symbols[axis] = symbols.derive(port, axis, sizes);
  });
}
}  // namespace

DynamicSizes find_dynamic_sizes(nn::Module& module, const std::vector<Tensor>& args, const nn::Trace& trace, Boundary boundary) {
  DynamicSizes result;
  result.boundary = std::move(boundary);
  const Sizes example = example_sizes(result.boundary.inputs, args);
  std::vector<Probe> probes;
  if (!example.empty()) probes = Prober(module, args, trace, result.boundary.inputs).probe(example);
  for (size_t v = 0; v < trace.values.size(); ++v) {
    std::vector<bool>& axes = result.values.emplace_back();
    for (size_t axis = 0; axis < trace.values[v].shape.size(); ++axis) {
      axes.push_back(differs(sizes_in_runs(trace, probes, static_cast<nn::ValueId>(v), axis)));
    }
  }
  complete_outputs(result, trace, example, probes);
  return result;
}

}  // namespace sardonyx::exporter
