// For tests: models in the ONNX text syntax, before and after.
#pragma once

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "core/expect_error.h"
#include "sardonyx/edit.h"
#include "sardonyx/text.h"

namespace sardonyx::edit {

inline constexpr std::string_view kHeader = "<ir_version: 8, opset_import: [\"\" : 17]>\n";

// A model of IR version 8 and opset 17, unless the text begins with a header of its own.
inline model::Model model_of(std::string_view text) {
  return model::parse_text_model(text.starts_with('<') ? std::string(text) : std::string(kHeader) + std::string(text));
}

inline std::string normal(std::string_view text) { return to_text(model_of(text)); }

inline void expect_model(const model::Model& model, std::string_view expected) { EXPECT_EQ(to_text(model), normal(expected)); }

// A graph of `depth` If nodes within each other.
inline model::Model nested_ifs(int depth) {
  model::Model model = model_of("g (bool c, float[2] x) => (float[2] y) { y = Identity(x) }");
  for (int i = 0; i < depth; ++i) {
    model::Graph outer;
    outer.name = "g";
    outer.output = model.graph.output;
    model::Graph inner = std::move(model.graph);
    if (i == 0) inner.input.clear();
    model::Node node;
    node.op_type = "If";
    node.input = {"c"};
    node.output = {"y"};
    node.attribute.push_back(model::Attribute::of("then_branch", inner));
    outer.node.push_back(std::move(node));
    model.graph = std::move(outer);
  }
  model.graph.input = model_of("g (bool c, float[2] x) => (float[2] y) { y = Identity(x) }").graph.input;
  return model;
}

}  // namespace sardonyx::edit
