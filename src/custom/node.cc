#include "custom/node.h"

#include <fmt/format.h>

#include <algorithm>

namespace sardonyx::custom {
namespace {

using model::Attribute;

template <class... Args>
Error invalid(fmt::format_string<Args...> format, Args&&... args) {
  return Error(ErrorCode::kInvalidModel, fmt::format(format, std::forward<Args>(args)...));
}

// In the order of CustomValue's alternatives.
constexpr Attribute::Type kKinds[] = {Attribute::Type::kInt,  Attribute::Type::kFloat,  Attribute::Type::kString,
                                      Attribute::Type::kInts, Attribute::Type::kFloats, Attribute::Type::kStrings};

CustomValue value_of(const Attribute& attribute) {
  switch (attribute.type) {
    case Attribute::Type::kInt:
      return attribute.i;
    case Attribute::Type::kFloat:
      return attribute.f;
    case Attribute::Type::kString:
      return std::string(attribute.s.text());
    case Attribute::Type::kInts:
      return attribute.ints;
    case Attribute::Type::kFloats:
      return attribute.floats;
    default: {
      std::vector<std::string> texts;
      for (const model::Bytes& text : attribute.strings) texts.emplace_back(text.text());
      return texts;
    }
  }
}

CustomAttributes attributes_of(const CustomOp& op, const model::Node& node) {
  for (const Attribute& given : node.attribute) {
    if (std::ranges::find(op.attributes, given.name, &CustomAttribute::name) == op.attributes.end()) {
      throw invalid("operator {} has no attribute '{}'", full_name(op), given.name);
    }
  }
  std::vector<std::pair<std::string, CustomValue>> values;
  for (const CustomAttribute& declared : op.attributes) {
    const Attribute* given = node.find_attribute(declared.name);
    const Attribute::Type kind = kKinds[declared.default_value.index()];
    if (!given && declared.required) throw invalid("operator {} needs attribute '{}'", full_name(op), declared.name);
    if (given && (given->type != kind || !given->ref_attr_name.empty())) {
      throw invalid("attribute '{}' of operator {} must be {}, it is {}", declared.name, full_name(op), to_string(kind),
                    to_string(given->type));
    }
    values.emplace_back(declared.name, given ? value_of(*given) : declared.default_value);
  }
  return CustomAttributes(std::move(values));
}

const CustomInput* declared_input(const CustomOp& op, size_t index) {
  if (index < op.inputs.size()) return &op.inputs[index];
  return op.variadic && !op.inputs.empty() ? &op.inputs.back() : nullptr;
}

void check_counts(const CustomOp& op, const model::Node& node) {
  if (!op.variadic && node.input.size() > op.inputs.size()) {
    throw invalid("the node has {} inputs, operator {} takes at most {}", node.input.size(), full_name(op), op.inputs.size());
  }
  for (size_t i = 0; i < op.inputs.size(); ++i) {
    const bool given = i < node.input.size() && !node.input[i].empty();
    if (!given && !op.inputs[i].optional) throw invalid("input {} ('{}') of operator {} is required", i, op.inputs[i].name, full_name(op));
  }
  if (node.output.size() > op.outputs.size()) {
    throw invalid("the node has {} outputs, operator {} gives {}", node.output.size(), full_name(op), op.outputs.size());
  }
}

void check_type(const CustomOp& op, size_t index, DType type) {
  const CustomInput* input = declared_input(op, index);
  if (!input || type == DType::kUndefined || input->types.empty() || std::ranges::find(input->types, type) != input->types.end()) return;
  std::string allowed;
  for (const DType one : input->types) allowed += (allowed.empty() ? "" : ", ") + type_string(one);
  throw invalid("input {} ('{}') of operator {} is {}; it must be one of {}", index, input->name, full_name(op), type_string(type),
                allowed);
}

}  // namespace

std::string full_name(const CustomOp& op) { return op.domain + "." + op.name; }

bool is_known(const TensorFacts& facts) noexcept {
  return std::ranges::none_of(facts.shape, [](int64_t size) { return size < 0; });
}

void blame(const CustomOp& op, const char* what, const std::function<void()>& body) {
  try {
    body();
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    throw Error(ErrorCode::kInternal, fmt::format("{} of the custom operator {} threw: {}", what, full_name(op), error.what()));
  }
}

CustomKernel make_kernel(const CustomOp& op, const model::Node& node) {
  check_counts(op, node);
  const CustomAttributes attributes = attributes_of(op, node);
  CustomKernel kernel;
  blame(op, "make", [&] { kernel = op.make(attributes); });
  if (kernel.infer && kernel.run) return kernel;
  throw Error(ErrorCode::kInternal, fmt::format("make of the custom operator {} gave no {}: fill both members of CustomKernel",
                                                full_name(op), kernel.infer ? "run" : "infer"));
}

std::vector<TensorFacts> infer(const CustomOp& op, const CustomKernel& kernel, const model::Node& node,
                               const std::vector<TensorFacts>& inputs) {
  for (size_t i = 0; i < inputs.size(); ++i) check_type(op, i, inputs[i].dtype);
  std::vector<TensorFacts> outputs;
  blame(op, "infer", [&] { outputs = kernel.infer(inputs); });
  if (outputs.size() < node.output.size()) {
    throw Error(ErrorCode::kInternal, fmt::format("infer of the custom operator {} told {} outputs, the node has {}", full_name(op),
                                                  outputs.size(), node.output.size()));
  }
  for (size_t i = 0; i < node.output.size(); ++i) {
    if (!is_valid(outputs[i].dtype)) {
      throw Error(ErrorCode::kInternal, fmt::format("infer of the custom operator {} told no type for output {}", full_name(op), i));
    }
  }
  outputs.resize(node.output.size());
  return outputs;
}

}  // namespace sardonyx::custom
