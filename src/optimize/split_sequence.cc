// SplitToSequence whose parts are taken one by one with SequenceAt: Split.
#include <fmt/format.h>

#include <algorithm>

#include "optimize/match.h"
#include "optimize/rules.h"

namespace sardonyx::optimize {
namespace {

constexpr int64_t kMaxParts = 256;
constexpr int64_t kSplitIsInput = 13;

// The sizes of the parts along the axis; nullopt where they are not known.
std::optional<std::vector<int64_t>> parts_of(const GraphView& graph, const model::Node& node) {
  const bool has_sizes = node.input.size() > 1 && !node.input[1].empty();
  const auto sizes = has_sizes ? constant_ints(graph, node.input[1]) : std::vector<int64_t>{1};
  if (!sizes || (!has_sizes && model::get_int(node, "keepdims", 1) == 0)) return std::nullopt;
  if (has_sizes && graph.constant(node.input[1])->dim() == 1) return sizes;
  const auto* dims = graph.dims(node.input[0]);
  int64_t axis = model::get_int(node, "axis", 0);
  if (!dims || dims->empty()) return std::nullopt;
  if (axis < 0) axis += static_cast<int64_t>(dims->size());
  if (axis < 0 || axis >= static_cast<int64_t>(dims->size()) || !(*dims)[static_cast<size_t>(axis)].is_known()) return std::nullopt;
  const int64_t whole = (*dims)[static_cast<size_t>(axis)].size(), part = sizes->front();
  if (part < 1 || (whole + part - 1) / part > kMaxParts) return std::nullopt;
  std::vector<int64_t> parts;
  for (int64_t left = whole; left > 0; left -= part) parts.push_back(std::min(left, part));
  return parts;
}

// Which part a reader of the sequence takes.
std::optional<size_t> part_of(const GraphView& graph, const model::Node& reader, const std::string& sequence, size_t count) {
  if (!is_onnx_node(reader, "SequenceAt") || reader.input[0] != sequence || reader.output.size() != 1) return std::nullopt;
  const auto index = constant_ints(graph, reader.input[1]);
  if (!index || index->size() != 1) return std::nullopt;
  const int64_t at = index->front() < 0 ? index->front() + static_cast<int64_t>(count) : index->front();
  return at >= 0 && at < static_cast<int64_t>(count) ? std::optional(static_cast<size_t>(at)) : std::nullopt;
}

}  // namespace

std::optional<Patch> split_sequence(const GraphView& graph, size_t index) {
  const model::Node& node = *graph.node(index);
  if (!is_onnx_node(node, "SplitToSequence")) return std::nullopt;
  const std::string& sequence = first_output(node);
  const auto parts = parts_of(graph, node);
  if (!parts || parts->empty()) return graph.refuse(index, "Split: the number of parts is not known");
  if (graph.is_pinned(sequence)) return graph.refuse(index, "Split: the sequence itself is read");
  model::Node split = named_like(node, "", "Split", {node.input[0]}, "");
  split.output.assign(parts->size(), "");
  Patch patch{.remove = {index}};
  for (const size_t reader : graph.consumers(sequence)) {
    const auto part = part_of(graph, *graph.node(reader), sequence, parts->size());
    if (!part) return graph.refuse(index, "Split: the sequence itself is read");
    const std::string& taken = first_output(*graph.node(reader));
    patch.remove.push_back(reader);
    if (split.output[*part].empty()) {
      split.output[*part] = taken;
    } else if (graph.is_pinned(taken)) {
      return graph.refuse(index, "Split: two graph outputs are one part");
    } else {
      patch.replace.emplace_back(taken, split.output[*part]);
    }
  }
  for (size_t i = 0; i < parts->size(); ++i) {
    if (split.output[i].empty()) split.output[i] = graph.fresh_name(fmt::format("{}_{}", sequence, i));
  }
  split.attribute = {model::Attribute::of("axis", model::get_int(node, "axis", 0))};
  if (graph.opset("") >= kSplitIsInput) {
    split.input.push_back(graph.fresh_name(sequence + "_sizes"));
    const Tensor sizes = Tensor::of<int64_t>({static_cast<int64_t>(parts->size())}, std::span<const int64_t>(*parts));
    patch.constants.push_back(model::encode(sizes, split.input[1]));
  } else {
    split.attribute.push_back(model::Attribute::of("split", *parts));
  }
  patch.add.push_back(std::move(split));
  return patch;
}

}  // namespace sardonyx::optimize
