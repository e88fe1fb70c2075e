#include "export/boundary.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "core/closest.h"

namespace sardonyx::exporter {

namespace {
using Problems = std::vector<std::string>;

// Hands out the names of inputs and outputs.
class Names {
 public:
  Names(const nn::Trace& trace, const ExportOptions& options, Problems& problems) : problems_(problems) {
    for (const nn::TraceValue& value : trace.values) {
      if (!value.name.empty()) parameters_.insert(value.name);
    }
    check("input_names", options.input_names, trace.inputs.size(), "input");
    check("output_names", options.output_names, trace.outputs.size(), "output");
  }

  std::string take(const std::vector<std::string>& given, size_t index, std::string_view stem) {
    if (index < given.size()) return given[index];
    std::string name(stem);
    for (int serial = 1; parameters_.contains(name) || !taken_.insert(name).second; ++serial) name = fmt::format("{}.{}", stem, serial);
    return name;
  }

 private:
  void check(std::string_view option, const std::vector<std::string>& names, size_t count, std::string_view what) {
    if (names.size() > count) {
      problems_.push_back(
          fmt::format("{} has {} entries, the module has {} {}{}", option, names.size(), count, what, count == 1 ? "" : "s"));
    }
    for (const std::string& name : names) {
      if (name.empty()) {
        problems_.push_back(fmt::format("{} has an empty name", option));
      } else if (parameters_.contains(name)) {
        problems_.push_back(fmt::format("{} has '{}', which is the name of a parameter", option, name));
      } else if (!taken_.insert(name).second) {
        problems_.push_back(fmt::format("{} has '{}', which is taken already", option, name));
      }
    }
  }

  Problems& problems_;
  std::set<std::string, std::less<>> parameters_, taken_;
};

std::vector<Port> ports(Names& names, const nn::Trace& trace, const std::vector<nn::ValueId>& ids, const std::vector<std::string>& given,
                        std::string_view stem) {
  std::vector<Port> result;
  for (size_t i = 0; i < ids.size(); ++i) {
    const size_t rank = trace.values[static_cast<size_t>(ids[i])].shape.size();
    result.push_back({names.take(given, i, stem), ids[i], std::vector<std::string>(rank)});
  }
  return result;
}

void declare(Port& port, int64_t axis, const std::string& symbol, Problems& problems) {
  const auto rank = static_cast<int64_t>(port.symbols.size());
  if (axis < -rank || axis >= rank) {
    problems.push_back(fmt::format("dynamic_axes names axis {} of '{}', which has rank {}", axis, port.name, rank));
    return;
  }
  const auto index = static_cast<size_t>(axis < 0 ? axis + rank : axis);
  if (symbol.empty()) {
    problems.push_back(fmt::format("dynamic_axes gives {} an empty symbol", describe_axis(port, index)));
  } else if (!port.symbols[index].empty()) {
    problems.push_back(fmt::format("dynamic_axes names {} twice", describe_axis(port, index)));
  } else {
    port.symbols[index] = symbol;
  }
}

void declare_all(Port& port, const DynamicAxes::mapped_type& axes, Problems& problems) {
  if (const auto* named = std::get_if<std::map<int64_t, std::string>>(&axes)) {
    for (const auto& [axis, symbol] : *named) declare(port, axis, symbol, problems);
    return;
  }
  int serial = 0;
  for (const int64_t axis : std::get<std::vector<int64_t>>(axes)) {
    declare(port, axis, fmt::format("{}_dynamic_axes_{}", port.name, ++serial), problems);
  }
}

void declare_dynamic_axes(Boundary& boundary, const DynamicAxes& dynamic_axes, Problems& problems) {
  std::map<std::string_view, Port*> by_name;
  std::vector<std::string_view> names;
  for (std::vector<Port>* side : {&boundary.inputs, &boundary.outputs}) {
    for (Port& port : *side) {
      by_name.emplace(port.name, &port);
      names.push_back(port.name);
    }
  }
  for (const auto& [name, axes] : dynamic_axes) {
    if (const auto found = by_name.find(name); found != by_name.end()) {
      declare_all(*found->second, axes, problems);
    } else {
      problems.push_back(
          fmt::format("dynamic_axes names '{}', which is neither an input nor an output{}", name, core::closest_hint(name, names)));
    }
  }
}

void check_symbols(const std::vector<Port>& inputs, const nn::Trace& trace, Problems& problems) {
  std::map<std::string_view, std::pair<int64_t, std::string>> sizes;  // symbol -> size, and where
  for (const Port& port : inputs) {
    for (size_t axis = 0; axis < port.symbols.size(); ++axis) {
      if (port.symbols[axis].empty()) continue;
      const int64_t size = trace.values[static_cast<size_t>(port.value)].shape[axis];
      const auto [first, fresh] = sizes.try_emplace(port.symbols[axis], size, describe_axis(port, axis));
      if (fresh || first->second.first == size) continue;
      problems.push_back(fmt::format("dynamic_axes: symbol '{}' stands for size {} ({}) and for size {} ({})", port.symbols[axis],
                                     first->second.first, first->second.second, size, describe_axis(port, axis)));
    }
  }
}
}  // namespace

Boundary find_boundary(const nn::Trace& trace, const ExportOptions& options) {
  Problems problems;
  Names names(trace, options, problems);
  Boundary boundary;
  boundary.inputs = ports(names, trace, trace.inputs, options.input_names, "input");
  boundary.outputs = ports(names, trace, trace.outputs, options.output_names, "output");
  declare_dynamic_axes(boundary, options.dynamic_axes, problems);
  check_symbols(boundary.inputs, trace, problems);
  if (!problems.empty()) {
    throw Error(ErrorCode::kInvalidArgument, fmt::format("the export options do not fit the module: {}", fmt::join(problems, "; ")));
  }
  return boundary;
}

std::string describe_axis(const Port& port, size_t axis) { return fmt::format("axis {} of '{}'", axis, port.name); }

model::ValueInfo declaration(const Port& port, const nn::TraceValue& value) {
  std::vector<model::Dimension> dims;
  for (size_t axis = 0; axis < value.shape.size(); ++axis) {
    dims.push_back(port.symbols[axis].empty() ? model::Dimension(value.shape[axis]) : model::Dimension(port.symbols[axis]));
  }
  model::ValueInfo info;
  info.name = port.name;
  info.type = model::Type::of_tensor(value.dtype, std::move(dims));
  return info;
}

}  // namespace sardonyx::exporter
