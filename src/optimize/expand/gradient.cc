// Gradient (ai.onnx.preview.training, since 1): reverse-mode differentiation of the nodes that lead from xs and zs to y.
//
// The nodes are looked up by the names in the attributes. Where the inputs of the Gradient are other values than those named, the nodes are
// copied for these values. Of a y with several elements the sum is differentiated.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <unordered_map>

#include "optimize/expand/gradient_rules.h"
#include "optimize/expand/rewrites.h"
#include "optimize/pass.h"

namespace sardonyx::optimize {
namespace {

constexpr int64_t kFirstWithWhere = 9;  // opset of ai.onnx

Error invalid(std::string message) { return Error(ErrorCode::kInvalidModel, std::move(message)); }

std::vector<std::string> strings(const model::Node& node, std::string_view name) {
  const model::Attribute* attribute = node.find_attribute(name);
  if (attribute == nullptr) return {};
  if (attribute->type != model::Attribute::Type::kStrings) throw invalid(fmt::format("attribute {} must be a list of strings", name));
  std::vector<std::string> values;
  for (const model::Bytes& value : attribute->strings) values.emplace_back(value.text());
  return values;
}

struct GradientSpec {
  std::vector<std::string> xs, given;  // given: xs, then zs
  std::string y;
};

GradientSpec spec_from_node(const model::Node& node) {
  GradientSpec spec{.xs = strings(node, "xs"), .given = {}, .y = model::get_string(node, "y", "")};
  spec.given = spec.xs;
  std::ranges::copy(strings(node, "zs"), std::back_inserter(spec.given));
  if (spec.xs.empty() || spec.y.empty()) throw invalid("attributes xs and y must name values");
  if (node.input.size() != spec.given.size()) {
    throw invalid(fmt::format("it has {} inputs; xs and zs name {} values", node.input.size(), spec.given.size()));
  }
  if (node.output.size() > spec.xs.size())
    throw invalid(fmt::format("it has {} outputs for {} values in xs", node.output.size(), spec.xs.size()));
  std::set<std::string_view> seen;
  for (const std::string& name : spec.given) {
    if (!seen.insert(name).second) throw invalid(fmt::format("xs and zs name '{}' twice", name));
  }
  return spec;
}

// The nodes of a graph that lead to a value.
class Ancestry {
 public:
  explicit Ancestry(const model::Graph& graph) : graph_(graph) {
    for (size_t i = 0; i < graph.node.size(); ++i) {
      for (const std::string& output : graph.node[i].output) {
        if (!output.empty()) producers_.emplace(output, i);
      }
    }
  }

  // In running order; the search ends at the values in `given`.
  std::vector<size_t> nodes_to(const std::string& value, const std::set<std::string_view>& given) const {
    std::vector<size_t> order;
    std::vector<State> states(graph_.node.size(), State::kNew);
    std::vector<std::pair<size_t, size_t>> stack;  // node, inputs that are done
    const auto open = [&](std::string_view name) {
      const auto found = producers_.find(name);
      if (given.contains(name) || found == producers_.end() || states[found->second] == State::kDone) return;
      if (states[found->second] == State::kOpen) throw invalid(fmt::format("the value '{}' depends on itself", name));
      states[found->second] = State::kOpen;
      stack.emplace_back(found->second, 0);
    };
    open(value);
    while (!stack.empty()) {
      auto& [node, done] = stack.back();
      if (done < graph_.node[node].input.size()) {
        open(graph_.node[node].input[done++]);
        continue;
      }
      states[node] = State::kDone;
      order.push_back(node);
      stack.pop_back();
    }
    return order;
  }

  bool is_produced(const std::string& value) const { return producers_.contains(value); }

 private:
  enum class State { kNew, kOpen, kDone };
  const model::Graph& graph_;
  std::unordered_map<std::string_view, size_t> producers_;
};

// Copies of the nodes for other values of what is given, as far as they depend on them. `renaming`: the values to replace; gets those that
// the copies make.
std::vector<model::Node> copies_for(const std::vector<model::Node>& nodes, Renaming& renaming, NodeWriter& writer) {
  std::vector<model::Node> result;
  for (model::Node node : nodes) {
    if (std::ranges::any_of(node.input, [&](const std::string& input) { return renaming.contains(input); })) {
      rename_reads(node, renaming);
      for (std::string& output : node.output) {
        if (!output.empty()) output = renaming[output] = writer.names().fresh(output + "/again");
      }
      writer.add(node);
    }
    result.push_back(std::move(node));
  }
  return result;
}

class ReverseSweep {
 public:
  ReverseSweep(std::vector<model::Node> nodes, const std::vector<std::string>& xs, NodeWriter& writer)
      : nodes_(std::move(nodes)), writer_(writer) {
    active_.insert(xs.begin(), xs.end());
    for (const model::Node& node : nodes_) {
      if (is_piecewise_constant(node) || std::ranges::none_of(node.input, [&](const std::string& x) { return active_.contains(x); }))
        continue;
      active_.insert(node.output.begin(), node.output.end());
    }
    active_.erase("");  // outputs and inputs that are left out
  }

  void run(const std::string& y) {
    if (!active_.contains(y)) return;
    gradients_[y] = writer_.own("FilledLike", {y}, {model::Attribute::of("value", 1.0F)});
    for (auto node = nodes_.rbegin(); node != nodes_.rend(); ++node) step_back(*node);
  }

  // Of one of xs; zeros where y does not depend on it.
  std::string gradient_of(const std::string& x) {
    const auto found = gradients_.find(x);
    return found == gradients_.end() ? writer_.own("FilledLike", {x}, {model::Attribute::of("value", 0.0F)}) : found->second;
  }

 private:
  void step_back(const model::Node& node) {
    for (size_t i = 0; i < node.output.size(); ++i) {
      const auto found = gradients_.find(node.output[i]);
      if (found == gradients_.end() || !is_active(node)) continue;
      const GradientRule rule = gradient_rule(node);
      if (rule == nullptr || i > 0) refuse(node);
      const std::string gradient = found->second;
      with_trail([&] { return "the derivative of " + model::describe(node); },
                 [&] {
                   rule({.node = node,
                         .gradient = gradient,
                         .writer = writer_,
                         .wants = [&](size_t input) { return active_.contains(node.input[input]); },
                         .gives = [&](size_t input, const std::string& part) { accumulate(node.input[input], part); }});
                 });
    }
  }

  bool is_active(const model::Node& node) const {
    return std::ranges::any_of(node.output, [&](const std::string& output) { return active_.contains(output); }) &&
           std::ranges::any_of(node.input, [&](const std::string& input) { return active_.contains(input); });
  }

  void accumulate(const std::string& value, const std::string& part) {
    if (!active_.contains(value)) return;
    std::string& gradient = gradients_[value];
    gradient = gradient.empty() ? part : writer_.onnx("Add", {gradient, part});
  }

  [[noreturn]] static void refuse(const model::Node& node) {
    throw Error(ErrorCode::kUnsupported, fmt::format("{} cannot be differentiated; the operators that can are {}", model::describe(node),
                                                     differentiable_operators()));
  }

  std::vector<model::Node> nodes_;
  NodeWriter& writer_;
  std::set<std::string> active_;  // values that depend on xs
  Renaming gradients_;            // value -> the value that is its gradient
};

bool is_known(const model::Graph& graph, const Ancestry& ancestry, const std::string& value) {
  return ancestry.is_produced(value) || graph.find_initializer(value) != nullptr ||
         std::ranges::find(graph.input, value, &model::ValueInfo::name) != graph.input.end();
}

}  // namespace

bool rewrite_gradient(const model::Model& model, size_t index, NodeWriter& writer) {
  const model::Node& node = model.graph.node[index];
  const GradientSpec spec = spec_from_node(node);
  if (model.opset_version() < kFirstWithWhere) {
    throw Error(ErrorCode::kUnsupported, fmt::format("the model imports opset {} of ai.onnx; gradients need {} or later: convert it",
                                                     model.opset_version(), kFirstWithWhere));
  }
  const Ancestry ancestry(model.graph);
  for (const std::string& name : spec.given) {
    if (!is_known(model.graph, ancestry, name)) throw invalid(fmt::format("xs or zs names '{}', which this graph does not have", name));
  }
  if (!is_known(model.graph, ancestry, spec.y)) throw invalid(fmt::format("y names '{}', which this graph does not have", spec.y));
  std::vector<model::Node> nodes;
  for (const size_t i : ancestry.nodes_to(spec.y, {spec.given.begin(), spec.given.end()})) {
    if (model.graph.node[i].op_type == "Gradient" && model.graph.node[i].domain == node.domain) return false;
    nodes.push_back(model.graph.node[i]);
  }
  Renaming renaming;
  for (size_t i = 0; i < spec.given.size(); ++i) {
    if (node.input[i].empty()) throw invalid("an input is left out");
    // A value of its own, which nothing else reads: one value may be given for two names, or stand elsewhere in the graph.
    if (node.input[i] != spec.given[i]) renaming[spec.given[i]] = writer.onnx("Identity", {node.input[i]});
  }
  const auto now = [&](const std::string& value) { return renaming.contains(value) ? renaming[value] : value; };
  nodes = copies_for(nodes, renaming, writer);
  std::vector<std::string> xs;
  for (const std::string& x : spec.xs) xs.push_back(now(x));
  ReverseSweep sweep(std::move(nodes), xs, writer);
  sweep.run(now(spec.y));
  for (size_t i = 0; i < node.output.size(); ++i) {
    if (!node.output[i].empty()) writer.name(sweep.gradient_of(xs[i]), node.output[i]);
  }
  return true;
}

}  // namespace sardonyx::optimize
