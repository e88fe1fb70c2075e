#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "custom/node.h"

namespace sardonyx {
namespace {

using testing::HasSubstr;

CustomOp twice(int64_t version = 1) {
  CustomOp op;
  op.domain = "com.example";
  op.name = "Twice";
  op.since_version = version;
  op.inputs = {{"x", {DType::kFloat32, DType::kInt64}}, {.name = "bias", .optional = true}};
  op.outputs = {{"y"}};
  op.attributes = {{"count", int64_t{2}}, {.name = "mode", .default_value = std::string(), .required = true}};
  op.make = [](const CustomAttributes& attributes) {
    attributes.get<int64_t>("count");
    return CustomKernel{[](const std::vector<TensorFacts>& inputs) { return std::vector<TensorFacts>{inputs[0]}; },
                        [](const std::vector<Tensor>&, std::vector<Tensor>&) {}};
  };
  return op;
}

template <class Body>
void expect_error(ErrorCode code, const std::string& text, const Body& body) {
  try {
    body();
    ADD_FAILURE() << "nothing thrown; expected: " << text;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    EXPECT_THAT(error.what(), HasSubstr(text));
  }
}

model::Node node(std::vector<std::string> inputs, std::vector<model::Attribute> attributes, size_t outputs = 1) {
  model::Node result;
  result.domain = "com.example";
  result.op_type = "Twice";
  result.input = std::move(inputs);
  result.attribute = std::move(attributes);
  for (size_t i = 0; i < outputs; ++i) result.output.push_back("y" + std::to_string(i));
  return result;
}

TEST(CustomOps, TheLatestVersionNotAfterTheImportedOneIsMeant) {
  CustomOps ops;
  ops.add(twice(1));
  ops.add(twice(4));
  EXPECT_EQ(ops.find("com.example", "Twice", 3)->since_version, 1);
  EXPECT_EQ(ops.find("com.example", "Twice", 9)->since_version, 4);
  EXPECT_EQ(ops.find("com.example", "Twice", 0), nullptr);
  EXPECT_EQ(ops.find("com.other", "Twice", 9), nullptr);
}

TEST(CustomOps, WhatCannotBeAnOperatorIsRefused) {
  CustomOps ops;
  ops.add(twice());
  const auto refused = [&](const std::string& text, void (*change)(CustomOp&)) {
    CustomOp op = twice(2);
    change(op);
    expect_error(ErrorCode::kInvalidArgument, text, [&] { ops.add(op); });
  };
  refused("com.example.Twice version 1 is there already", [](CustomOp& op) { op.since_version = 1; });
  refused("domain 'ai.onnx', which is ONNX's: give it a domain of your own", [](CustomOp& op) { op.domain = ""; });
  refused("has no name", [](CustomOp& op) { op.name.clear(); });
  refused("com.example.Twice has no make function", [](CustomOp& op) { op.make = nullptr; });
  refused("versions begin with 1", [](CustomOp& op) { op.since_version = 0; });
  EXPECT_EQ(ops.all().size(), 1u);
}

TEST(CustomOps, NodesAreHeldToTheDeclaration) {
  const CustomOp op = twice();
  const auto mode = model::Attribute::of("mode", "a");
  EXPECT_TRUE(custom::make_kernel(op, node({"x"}, {mode})).run);
  const auto refused = [&](const std::string& text, const model::Node& wrong) {
    expect_error(ErrorCode::kInvalidModel, text, [&] { custom::make_kernel(op, wrong); });
  };
  refused("needs attribute 'mode'", node({"x"}, {}));
  refused("has no attribute 'size'", node({"x"}, {mode, model::Attribute::of("size", 1)}));
  refused("attribute 'count' of operator com.example.Twice must be INT, it is FLOAT",
          node({"x"}, {mode, model::Attribute::of("count", 1.0f)}));
  refused("input 0 ('x') of operator com.example.Twice is required", node({""}, {mode}));
  refused("has 3 inputs, operator com.example.Twice takes at most 2", node({"x", "b", "c"}, {mode}));
  refused("has 2 outputs", node({"x"}, {mode}, 2));
  const CustomKernel kernel = custom::make_kernel(op, node({"x"}, {mode}));
  expect_error(ErrorCode::kInvalidModel, "input 0 ('x') of operator com.example.Twice is tensor(bool); it must be one of tensor(float)",
               [&] {
                 custom::infer(op, kernel, node({"x"}, {mode}), {{DType::kBool, {2}}});
               });
}

TEST(CustomOps, AFailingOperatorIsBlamed) {
  CustomOp op = twice();
  op.attributes.clear();
  op.make = [](const CustomAttributes& attributes) -> CustomKernel {
    attributes.get<float>("count");
    return {};
  };
  expect_error(ErrorCode::kInvalidArgument, "attribute 'count' is not declared", [&] { custom::make_kernel(op, node({"x"}, {})); });
  op.make = [](const CustomAttributes&) -> CustomKernel { throw std::runtime_error("no luck"); };
  expect_error(ErrorCode::kInternal, "make of the custom operator com.example.Twice threw: no luck",
               [&] { custom::make_kernel(op, node({"x"}, {})); });
  op.make = [](const CustomAttributes&) { return CustomKernel{}; };
  expect_error(ErrorCode::kInternal, "gave no infer", [&] { custom::make_kernel(op, node({"x"}, {})); });
  const CustomKernel silent{[](const std::vector<TensorFacts>&) { return std::vector<TensorFacts>(); }, nullptr};
  expect_error(ErrorCode::kInternal, "told 0 outputs, the node has 1", [&] {
    custom::infer(op, silent, node({"x"}, {}), {{DType::kFloat32, {}}});
  });
}

TEST(CustomOps, LibrariesThatCannotBeUsedAreNamedWithTheCure) {
  CustomOps ops;
  expect_error(ErrorCode::kIo, "/nowhere/libops.so: cannot be loaded", [&] { ops.load("/nowhere/libops.so"); });
  const std::string text = testing::TempDir() + "no_library.so";
  std::ofstream(text) << "text";
  expect_error(ErrorCode::kIo, "no_library.so: cannot be loaded", [&] { ops.load(text); });
  std::remove(text.c_str());
}

}  // namespace
}  // namespace sardonyx
