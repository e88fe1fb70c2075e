// Products for the tests of the rules about them: each kind with its weight, from graph input 'x' to value 'c'; 'y' is still to be made.
#pragma once

#include <string>
#include <vector>

#include "optimize/rule_testing.h"

namespace sardonyx::optimize {

struct ProductCase {
  std::string op_type, fused_type;
  Shape x, weight, bias, per_channel;  // per_channel: a constant that broadcasts to the result along its channels
  std::vector<model::Attribute> attributes;
};

inline std::vector<ProductCase> product_cases() {
  using model::Attribute;
  const auto pads = [] { return Attribute::of("pads", std::vector<int64_t>{1, 1, 1, 1}); };
  return {{"Conv", "FusedConv", {1, 3, 5, 5}, {4, 3, 3, 3}, {4}, {4, 1, 1}, {pads()}},
          {"Conv", "FusedConv", {1, 4, 5, 5}, {4, 2, 3, 3}, {4}, {1, 4, 1, 1}, {Attribute::of("group", 2)}},
          {"ConvTranspose", "FusedConvTranspose", {1, 3, 5, 5}, {3, 4, 3, 3}, {4}, {4, 1, 1}, {}},
          {"ConvTranspose", "FusedConvTranspose", {1, 4, 3, 3}, {4, 3, 2, 2}, {6}, {6, 1, 1}, {Attribute::of("group", 2)}},
          {"Gemm", "FusedGemm", {2, 3}, {3, 4}, {4}, {4}, {Attribute::of("alpha", 0.5f), Attribute::of("beta", 2.0f)}},
          {"Gemm", "FusedGemm", {2, 3}, {4, 3}, {1, 4}, {1, 4}, {Attribute::of("transB", 1)}},
          {"MatMul", "FusedMatMul", {2, 3, 3}, {3, 4}, {}, {4}, {}}};
}

inline Feeds feeds_of(const ProductCase& c) { return {{"x", random_tensor(c.x, 9)}}; }

inline ModelBuilder product_block(const ProductCase& c, bool with_bias, int64_t opset = 17) {
  ModelBuilder builder(opset);
  builder.input("x", {c.x.begin(), c.x.end()}).output("y").constant("w", random_tensor(c.weight, 2));
  std::vector<std::string> inputs = {"x", "w"};
  if (with_bias && !c.bias.empty()) {
    builder.constant("b", random_tensor(c.bias, 3));
    inputs.push_back("b");
  }
  builder.node(c.op_type, inputs, {"c"}, c.attributes);
  return builder;
}

}  // namespace sardonyx::optimize
