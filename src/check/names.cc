#include "check/names.h"

#include <fmt/format.h>

#include <algorithm>

#include "check/report.h"

namespace sardonyx::check {

namespace {
constexpr size_t kMaxChain = 8;
}

void NameScope::expect(const std::vector<model::Node>& nodes) {
  for (const model::Node& node : nodes) {
    for (const std::string& output : node.output) {
      if (!output.empty()) later_.emplace(output, &node);
    }
  }
}

const NameScope::Source* NameScope::find(std::string_view name) const {
  for (const NameScope* scope = this; scope != nullptr; scope = scope->outer_) {
    const auto found = scope->sources_.find(name);
    if (found != scope->sources_.end()) return &found->second;
  }
  return nullptr;
}

const model::Node* NameScope::later(std::string_view name) const {
  const auto found = later_.find(name);
  return found == later_.end() ? nullptr : found->second;
}

const model::Node* NameScope::maker(std::string_view name) const {
  const Source* source = find(name);
  return source != nullptr ? source->node : later(name);
}

// The input that the chain goes on with: the first that a node makes; else the first there is.
std::string_view NameScope::main_input(const model::Node& node) const {
  const auto is_made = [&](const std::string& input) { return !input.empty() && maker(input) != nullptr; };
  auto found = std::find_if(node.input.begin(), node.input.end(), is_made);
  if (found == node.input.end())
    found = std::find_if(node.input.begin(), node.input.end(), [](const auto& input) { return !input.empty(); });
  return found == node.input.end() ? std::string_view() : std::string_view(*found);
}

std::vector<std::string> NameScope::chain(std::string_view value) const {
  std::vector<std::string> steps;
  std::vector<const model::Node*> seen;  // a cycle has no source
  while (!value.empty()) {
    const Source* source = find(value);
    const model::Node* node = maker(value);
    if (source == nullptr && node == nullptr) break;
    if (steps.size() == kMaxChain || (node != nullptr && std::find(seen.begin(), seen.end(), node) != seen.end())) {
      steps.emplace_back("...");
      break;
    }
    if (node == nullptr) {
      steps.push_back(fmt::format("{} {}", source->origin == Origin::kInput ? "input" : "initializer", quote(value)));
      break;
    }
    steps.push_back(fmt::format("{} makes {}", model::describe(*node), quote(value)));
    seen.push_back(node);
    value = main_input(*node);
  }
  std::reverse(steps.begin(), steps.end());
  return steps;
}

}  // namespace sardonyx::check
