#include "optimize/sort.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <queue>
#include <unordered_map>
#include <unordered_set>

namespace sardonyx::optimize {
namespace {

constexpr size_t kGiven = static_cast<size_t>(-1);  // "producer" of graph inputs and initializers

// Appends the names; a name may come more than once.
void collect_outer_names(const model::Graph& graph, std::vector<std::string_view>& names);

void collect_outer_names(const model::Node& node, std::vector<std::string_view>& names) {
  for (const model::Attribute& attribute : node.attribute) {
    if (attribute.g) collect_outer_names(*attribute.g, names);
    for (const auto& graph : attribute.graphs) collect_outer_names(*graph, names);
  }
}

void collect_outer_names(const model::Graph& graph, std::vector<std::string_view>& names) {
  std::unordered_set<std::string_view> own;
  for (const model::ValueInfo& input : graph.input) own.insert(input.name);
  for (const model::TensorData& tensor : graph.initializer) own.insert(tensor.name);
  for (const model::SparseTensorData& tensor : graph.sparse_initializer) own.insert(tensor.values.name);
  for (const model::Node& node : graph.node) own.insert(node.output.begin(), node.output.end());
  std::vector<std::string_view> read;
  for (const model::Node& node : graph.node) {
    read.insert(read.end(), node.input.begin(), node.input.end());
    collect_outer_names(node, read);
  }
  for (const model::ValueInfo& output : graph.output) read.push_back(output.name);
  std::ranges::copy_if(read, std::back_inserter(names), [&](std::string_view name) { return !name.empty() && !own.contains(name); });
}

using Producers = std::unordered_map<std::string_view, size_t>;

Producers find_producers(const model::Graph& graph) {
  Producers producers;
  for (const model::ValueInfo& input : graph.input) producers.emplace(input.name, kGiven);
  for (const model::TensorData& tensor : graph.initializer) producers.emplace(tensor.name, kGiven);
  for (const model::SparseTensorData& tensor : graph.sparse_initializer) producers.emplace(tensor.values.name, kGiven);
  for (size_t i = 0; i < graph.node.size(); ++i) {
    for (const std::string& output : graph.node[i].output) {
      if (output.empty() || producers.emplace(output, i).second) continue;
      throw Error(ErrorCode::kInvalidModel, fmt::format("{}: the value '{}' is produced a second time; each name must be produced once",
                                                        describe(graph.node[i]), output));
    }
  }
  return producers;
}

struct Dependencies {
  std::vector<std::vector<size_t>> consumers;  // by producing node
  std::vector<size_t> missing;                 // by node: producers that have not run yet
};

Dependencies find_dependencies(const model::Graph& graph) {
  const Producers producers = find_producers(graph);
  Dependencies result{std::vector<std::vector<size_t>>(graph.node.size()), std::vector<size_t>(graph.node.size())};
  for (size_t i = 0; i < graph.node.size(); ++i) {
    const model::Node& node = graph.node[i];
    const auto depend = [&](size_t producer) {
      if (producer == kGiven) return;
      result.consumers[producer].push_back(i);
      ++result.missing[i];
    };
    for (const std::string& input : node.input) {
      if (input.empty()) continue;
      const auto found = producers.find(input);
      if (found == producers.end()) {
        throw Error(
            ErrorCode::kInvalidModel,
            fmt::format("{}: its input '{}' is neither a graph input, an initializer nor the output of a node", describe(node), input));
      }
      depend(found->second);
    }
    for (const std::string_view name : names_read_by_subgraphs(node)) {
      const auto found = producers.find(name);
      if (found != producers.end() && found->second != i) depend(found->second);
    }
  }
  return result;
}

}  // namespace

std::vector<std::string_view> names_read_by_subgraphs(const model::Node& node) {
  std::vector<std::string_view> names;
  collect_outer_names(node, names);
  return names;
}

std::vector<std::string_view> outer_names(const model::Graph& graph) {
  std::vector<std::string_view> names;
  collect_outer_names(graph, names);
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

std::vector<size_t> running_order(const model::Graph& graph) {
  Dependencies dependencies = find_dependencies(graph);
  std::priority_queue<size_t, std::vector<size_t>, std::greater<>> ready;
  for (size_t i = 0; i < graph.node.size(); ++i) {
    if (dependencies.missing[i] == 0) ready.push(i);
  }
  std::vector<size_t> order;
  order.reserve(graph.node.size());
  while (!ready.empty()) {
    const size_t node = ready.top();
    ready.pop();
    order.push_back(node);
    for (const size_t consumer : dependencies.consumers[node]) {
      if (--dependencies.missing[consumer] == 0) ready.push(consumer);
    }
  }
  if (order.size() == graph.node.size()) return order;
  size_t stuck = 0;
  while (dependencies.missing[stuck] == 0) ++stuck;
  throw Error(ErrorCode::kInvalidModel,
              fmt::format("{}: it is part of a cycle, or reads from one; an ONNX graph must have none", describe(graph.node[stuck])));
}

void put_in_running_order(model::Graph& graph) {
  const std::vector<size_t> order = running_order(graph);
  if (std::ranges::is_sorted(order)) return;
  std::vector<model::Node> sorted;
  sorted.reserve(order.size());
  for (const size_t index : order) sorted.push_back(std::move(graph.node[index]));
  graph.node = std::move(sorted);
}

}  // namespace sardonyx::optimize
