// Scan, whose version 8 has an axis for batches, and the recurrent operators' layout.
#include <fmt/format.h>

#include <algorithm>

#include "convert/adapters.h"

namespace sardonyx::convert {

namespace {
using model::Attribute;
using model::Graph;

const Attribute& need_body(Rewriter& rewriter) {
  const Attribute* body = rewriter.attribute("body");
  if (body == nullptr || body->g == nullptr) rewriter.refuse("it has no body");
  return *body;
}

model::ValueInfo untyped(std::string name) {
  model::ValueInfo value;
  value.name = std::move(name);
  return value;
}

std::string transposed(Rewriter& rewriter, const std::string& value, const std::vector<int64_t>& order) {
  return rewriter.emit("Transpose", {value}, {Attribute::of("perm", order)});
}

bool all_zero(const std::optional<std::vector<int64_t>>& values) {
  return !values || std::all_of(values->begin(), values->end(), [](int64_t value) { return value == 0; });
}
}  // namespace

// A scan over the batch around the scan over the sequence.
void scan_9_up(Rewriter& rewriter) {
  if (rewriter.has_input(0)) rewriter.refuse("its samples have lengths of their own (sequence_lens)");
  need_body(rewriter);
  if (!rewriter.node.input.empty()) rewriter.node.input.erase(rewriter.node.input.begin());
  model::Node inner = rewriter.node;
  if (const auto directions = rewriter.take_ints("directions"))
    inner.attribute.push_back(Attribute::of("scan_input_directions", *directions));
  std::erase_if(inner.attribute, [](const Attribute& attribute) { return attribute.name == "directions"; });
  Graph body;
  body.name = "batch";
  for (std::string& input : inner.input) {
    input = rewriter.fresh("sample");
    body.input.push_back(untyped(input));
  }
  for (std::string& output : inner.output) {
    output = rewriter.fresh("sample");
    body.output.push_back(untyped(output));
  }
  const auto count = static_cast<int64_t>(inner.input.size());
  body.node.push_back(std::move(inner));
  rewriter.node.attribute = {Attribute::of("body", std::move(body)), Attribute::of("num_scan_inputs", count)};
  rewriter.finish();
}

// A batch of one.
void scan_9_down(Rewriter& rewriter) {
  need_body(rewriter);
  for (const std::string_view axes : {"scan_input_axes", "scan_output_axes", "scan_output_directions"}) {
    if (!all_zero(rewriter.take_ints(axes))) rewriter.refuse(fmt::format("its {} are not all 0", axes));
  }
  if (const auto directions = rewriter.take_ints("scan_input_directions")) rewriter.set(Attribute::of("directions", *directions));
  const Attribute axes = Attribute::of("axes", std::vector<int64_t>{0});
  for (std::string& input : rewriter.node.input) input = rewriter.emit("Unsqueeze", {input}, {axes});
  rewriter.node.input.insert(rewriter.node.input.begin(), "");
  const std::vector<std::string> outputs = rewriter.node.output;
  for (std::string& output : rewriter.node.output) {
    if (!output.empty()) output = rewriter.fresh("batch");
  }
  rewriter.finish();
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (!outputs[i].empty()) rewriter.emit_as("Squeeze", {rewriter.node.output[i]}, {outputs[i]}, {axes});
  }
}

// Layout 1 has the batch first: X [batch, sequence, input], states [batch, directions, hidden], Y [batch, sequence, directions, hidden].
void recurrent_14_down(Rewriter& rewriter) {
  if (rewriter.take_int("layout", 0) == 0) return rewriter.finish();
  const bool is_lstm = rewriter.node.op_type == "LSTM";
  const std::vector<int64_t> swap = {1, 0, 2};
  rewriter.set_input(0, transposed(rewriter, rewriter.input(0), swap));
  for (const size_t state : {size_t{5}, size_t{6}}) {
    if (rewriter.has_input(state) && (state == 5 || is_lstm)) rewriter.set_input(state, transposed(rewriter, rewriter.input(state), swap));
  }
  const std::vector<std::string> outputs = rewriter.node.output;
  for (std::string& output : rewriter.node.output) {
    if (!output.empty()) output = rewriter.fresh("sequence_first");
  }
  rewriter.finish();
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i].empty()) continue;
    rewriter.emit_as("Transpose", {rewriter.node.output[i]}, {outputs[i]},
                     {Attribute::of("perm", i == 0 ? std::vector<int64_t>{2, 0, 1, 3} : swap)});
  }
}

}  // namespace sardonyx::convert
