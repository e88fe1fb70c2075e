// Nodes given as text, with the values of the node that they replace.
#include <fmt/format.h>

#include <algorithm>

#include "convert/adapters.h"
#include "sardonyx/text.h"

namespace sardonyx::convert {

namespace {
using NameMap = std::unordered_map<std::string, std::string>;

const model::Attribute* find(const Attributes& values, std::string_view name) {
  const auto found = std::find_if(values.begin(), values.end(), [&](const model::Attribute& value) { return value.name == name; });
  return found == values.end() ? nullptr : &*found;
}

Attributes filled(const Attributes& attributes, const Attributes& values) {
  Attributes result;
  for (const model::Attribute& attribute : attributes) {
    if (attribute.ref_attr_name.empty()) {
      result.push_back(attribute);
    } else if (const model::Attribute* value = find(values, attribute.ref_attr_name)) {
      result.push_back(*value);
      result.back().name = attribute.name;
    }
  }
  return result;
}

// A cast of a value to the type that it has.
bool changes_nothing(const Rewriter& rewriter, const model::Node& node) {
  return node.op_type == "Cast" && static_cast<int64_t>(rewriter.dtype(node.input.at(0))) == model::get_int(node, "to", 0);
}

// The value of one of the operators that make constants; "" for others.
std::string constant_of(Rewriter& rewriter, const model::Node& node, const NameMap& names) {
  if (node.op_type == "Ints") return rewriter.ints(model::get_ints(node, "v"));
  if (node.op_type == "Float") return rewriter.constant_value(Tensor::scalar(model::get_float(node, "v", 0)));
  if (node.op_type == "Like") return rewriter.scalar_like(model::get_float(node, "v", 0), names.at(node.input.at(0)));
  return {};
}
}  // namespace

void expand(Rewriter& rewriter, std::string_view text, const Attributes& values) {
  const model::Function function = model::parse_text_function(fmt::format("<domain: \"t\", opset_import: [\"\" : 1]> T {}", text));
  NameMap names{{"", ""}};
  for (size_t i = 0; i < function.input.size(); ++i) names[function.input[i]] = rewriter.input(i);
  for (size_t i = 0; i < function.output.size(); ++i) {
    names[function.output[i]] = rewriter.has_output(i) ? rewriter.output(i) : rewriter.fresh(function.output[i]);
  }
  for (model::Node node : function.node) {
    node.attribute = filled(node.attribute, values);
    if (std::string made = constant_of(rewriter, node, names); !made.empty()) {
      names[node.output.at(0)] = std::move(made);
      continue;
    }
    for (std::string& input : node.input) input = names.at(input);
    if (changes_nothing(rewriter, node) && names.count(node.output.at(0)) == 0) {
      names[node.output[0]] = node.input[0];
      continue;
    }
    for (std::string& output : node.output) {
      const auto [place, fresh] = names.try_emplace(output);
      if (fresh) place->second = rewriter.fresh(output);
      output = place->second;
    }
    rewriter.emit_as(node.op_type, std::move(node.input), std::move(node.output), std::move(node.attribute));
  }
  rewriter.drop();
}

}  // namespace sardonyx::convert
