#include "optimize/functions.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "ops/op.h"
#include "optimize/pass.h"
#include "optimize/product.h"

namespace sardonyx::optimize {
namespace {

using model::Attribute;
constexpr int64_t kFirstOverloadIr = 10;        // functions have overloads from this IR version on
constexpr int64_t kFirstInitializerOnlyIr = 4;  // before, initializers had to be graph inputs too

// The body of a function while it is written.
class Body {
 public:
  Body(const model::Node& call, int64_t opset) : call_(call), opset_(opset) {
    function_.domain = kFusedDomain;
    function_.name = call.op_type;
    function_.output = {"Y"};
    model::OpsetId id;
    id.version = opset;
    function_.opset_import = {id};
    for (const Attribute& attribute : call.attribute) declare(attribute.name);
  }

  int64_t opset() const noexcept { return opset_; }
  const model::Node& call() const noexcept { return call_; }
  bool has_input(size_t i) const { return i < call_.input.size() && !call_.input[i].empty(); }
  void inputs(std::vector<std::string> names) { function_.input = std::move(names); }
  // An attribute that calls may have.
  void declare(const std::string& name) {
    if (std::ranges::find(function_.attribute, name) == function_.attribute.end()) function_.attribute.push_back(name);
  }
  void tell_apart(std::string_view part) { fmt::format_to(std::back_inserter(variant_), "{}{}", variant_.empty() ? "" : "_", part); }

  // Adds a node and gives the name of its result.
  std::string add(std::string op_type, std::vector<std::string> inputs, std::vector<Attribute> attributes = {}, std::string domain = {}) {
    if (!domain.empty()) {
      function_.opset_import.emplace_back().domain = domain;
      function_.opset_import.back().version = 1;
    }
    model::Node node;
    node.domain = std::move(domain);
    node.op_type = std::move(op_type);
    node.input = std::move(inputs);
    node.output = {fmt::format("v{}", function_.node.size())};
    node.attribute = std::move(attributes);
    function_.node.push_back(std::move(node));
    return function_.node.back().output[0];
  }
  std::string constant(const Tensor& value) { return add("Constant", {}, {Attribute::of("value", model::encode(value))}); }
  // The attribute of the call, under the same name.
  Attribute reference(std::string name, Attribute::Type type) {
    declare(name);
    Attribute attribute;
    attribute.name = name;
    attribute.ref_attr_name = std::move(name);
    attribute.type = type;
    return attribute;
  }

  model::Function finish(const std::string& result) && {
    for (model::Node& node : function_.node) {
      std::ranges::replace(node.output, result, std::string("Y"));
      std::ranges::replace(node.input, result, std::string("Y"));
    }
    function_.overload = variant_;
    return std::move(function_);
  }

 private:
  const model::Node& call_;
  int64_t opset_;
  model::Function function_;
  std::string variant_;
};

std::string swish(Body& body, const std::string& x, float alpha) {
  if (alpha == 1.0f) return body.add("Mul", {x, body.add("Sigmoid", {x})});
  constexpr int64_t kCastLike = 15;
  std::string factor = body.constant(Tensor::scalar(alpha));
  if (body.opset() >= kCastLike) factor = body.add("CastLike", {factor, x});
  return body.add("Mul", {x, body.add("Sigmoid", {body.add("Mul", {factor, x})})});
}

std::string clip(Body& body, const std::string& x, float lower, float upper) {
  constexpr int64_t kBoundsAreInputs = 11;
  if (body.opset() < kBoundsAreInputs) return body.add("Clip", {x}, {Attribute::of("min", lower), Attribute::of("max", upper)});
  return body.add("Clip", {x, body.constant(Tensor::scalar(lower)), body.constant(Tensor::scalar(upper))});
}

std::string hard_swish(Body& body, const std::string& x) {
  constexpr int64_t kHardSwish = 14;
  if (body.opset() >= kHardSwish) return body.add("HardSwish", {x});
  return body.add("Mul", {x, body.add("HardSigmoid", {x}, {Attribute::of("alpha", 1.0f / 6), Attribute::of("beta", 0.5f)})});
}

// The call's activation, its numbers written out.
std::string activate(Body& body, const std::string& x) {
  if (!has_activation(body.call())) return x;
  const std::string name = model::get_string(body.call(), "activation", "");
  const std::vector<float> params = model::get_floats(body.call(), "activation_params");
  body.tell_apart(name);
  for (const float p : params) body.tell_apart(fmt::format("{}", p));
  if (name == "Clip") return clip(body, x, params.at(0), params.at(1));
  if (name == "Swish") return swish(body, x, params.at(0));
  if (name == "HardSwish") return hard_swish(body, x);
  std::vector<Attribute> attributes;
  if (!params.empty()) attributes.push_back(Attribute::of("alpha", params[0]));
  if (params.size() > 1) attributes.push_back(Attribute::of("beta", params[1]));
  return body.add(name, {x}, std::move(attributes));
}

struct AttributeRow {
  const char* name;
  Attribute::Type type;
};
using Type = Attribute::Type;

// `op_type` of the first inputs of the call, with the bias as third where there is one.
std::string product(Body& body, const char* op_type, std::span<const AttributeRow> rows) {
  std::vector<std::string> inputs = {"X", "W"};
  if (body.has_input(2)) {
    inputs.emplace_back("B");
    body.tell_apart("bias");
  }
  std::vector<Attribute> attributes;
  for (const AttributeRow& row : rows) attributes.push_back(body.reference(row.name, row.type));
  return body.add(op_type, std::move(inputs), std::move(attributes));
}

constexpr std::array<AttributeRow, 6> kConvAttributes = {{{"auto_pad", Type::kString},
                                                          {"dilations", Type::kInts},
                                                          {"group", Type::kInt},
                                                          {"kernel_shape", Type::kInts},
                                                          {"pads", Type::kInts},
                                                          {"strides", Type::kInts}}};

model::Function fused_conv(Body body) {
  body.inputs({"X", "W", "B", "Z"});
  std::string y = product(body, "Conv", kConvAttributes);
  if (body.has_input(3)) {
    body.tell_apart("residual");
    y = body.add("Add", {y, "Z"});
  }
  y = activate(body, y);
  return std::move(body).finish(y);
}

model::Function fused_conv_transpose(Body body) {
  std::vector<AttributeRow> rows(kConvAttributes.begin(), kConvAttributes.end());
  rows.insert(rows.end(), {{"output_padding", Type::kInts}, {"output_shape", Type::kInts}});
  body.inputs({"X", "W", "B"});
  const std::string y = activate(body, product(body, "ConvTranspose", rows));
  return std::move(body).finish(y);
}

model::Function fused_gemm(Body body) {
  constexpr std::array<AttributeRow, 4> kRows = {
      {{"alpha", Type::kFloat}, {"beta", Type::kFloat}, {"transA", Type::kInt}, {"transB", Type::kInt}}};
  body.inputs({"X", "W", "B"});
  const std::string y = activate(body, product(body, "Gemm", kRows));
  return std::move(body).finish(y);
}

// The product of operands that lie as the attributes of com.microsoft's FusedMatMul say.
std::string matrices(Body& body) {
  constexpr std::array<AttributeRow, 5> kRows = {
      {{"alpha", Type::kFloat}, {"transA", Type::kInt}, {"transB", Type::kInt}, {"transBatchA", Type::kInt}, {"transBatchB", Type::kInt}}};
  const auto is_given = [&](const AttributeRow& row) { return body.call().find_attribute(row.name) != nullptr; };
  if (std::ranges::none_of(kRows, is_given)) return body.add("MatMul", {"X", "W"});
  body.tell_apart("scaled");
  std::vector<Attribute> attributes;
  for (const AttributeRow& row : kRows) attributes.push_back(body.reference(row.name, row.type));
  return body.add("FusedMatMul", {"X", "W"}, std::move(attributes), "com.microsoft");
}

model::Function fused_matmul(Body body) {
  body.inputs({"X", "W", "B"});
  std::string y = matrices(body);
  if (body.has_input(2)) {
    body.tell_apart("bias");
    y = body.add("Add", {y, "B"});
  }
  y = activate(body, y);
  return std::move(body).finish(y);
}

// (channels) as (channels, 1).
std::string as_column(Body& body, const std::string& x) {
  constexpr int64_t kAxesAreInputs = 13;
  if (body.opset() < kAxesAreInputs) return body.add("Unsqueeze", {x}, {Attribute::of("axes", std::vector<int64_t>{1})});
  return body.add("Unsqueeze", {x, body.constant(Tensor::of<int64_t>({1}, {1}))});
}

// InstanceNormalization of (batch, groups, the rest), then scale and bias on (batch, channels, pixels).
model::Function group_normalization(Body body) {
  constexpr int64_t kCastLike = 15;
  const int64_t groups = model::get_int(body.call(), "num_groups", 1);
  body.inputs({"X", "scale", "bias"});
  body.tell_apart(fmt::format("{}", groups));
  std::string one = body.constant(Tensor::ones({groups})), zero = body.constant(Tensor::zeros({groups}));
  if (body.opset() >= kCastLike) {
    one = body.add("CastLike", {one, "X"});
    zero = body.add("CastLike", {zero, "X"});
  }
  const std::string split = body.add("Reshape", {"X", body.constant(Tensor::of<int64_t>({3}, {0, groups, -1}))});
  const std::string norm = body.add("InstanceNormalization", {split, one, zero}, {body.reference("epsilon", Type::kFloat)});
  const std::string lines = body.add("Reshape", {"X", body.constant(Tensor::of<int64_t>({3}, {0, 0, -1}))});
  const std::string channels = body.add("Reshape", {norm, body.add("Shape", {lines})});
  const std::string scaled = body.add("Mul", {channels, as_column(body, "scale")});
  const std::string sum = body.add("Add", {scaled, as_column(body, "bias")});
  const std::string y = body.add("Reshape", {sum, body.add("Shape", {"X"})});
  return std::move(body).finish(y);
}

model::Function hard_swish_function(Body body) {
  body.inputs({"X"});
  const std::string y = hard_swish(body, "X");
  return std::move(body).finish(y);
}

model::Function mish_function(Body body) {
  body.inputs({"X"});
  const std::string y = body.add("Mul", {"X", body.add("Tanh", {body.add("Softplus", {"X"})})});
  return std::move(body).finish(y);
}

struct FunctionRow {
  std::string_view op_type;
  model::Function (*make)(Body body);
};
constexpr std::array<FunctionRow, 7> kFunctions = {{{"FusedConv", fused_conv},
                                                    {"FusedConvTranspose", fused_conv_transpose},
                                                    {"FusedGemm", fused_gemm},
                                                    {"FusedMatMul", fused_matmul},
                                                    {"GroupNormalization", group_normalization},
                                                    {"HardSwish", hard_swish_function},
                                                    {"Mish", mish_function}}};

model::Function function_for(const model::Node& node, int64_t opset) {
  const auto* row = std::ranges::find(kFunctions, std::string_view(node.op_type), &FunctionRow::op_type);
  if (row != kFunctions.end()) return row->make(Body(node, opset));
  throw Error(ErrorCode::kUnsupported, fmt::format("{}: the optimised model cannot be saved, for standard operators do not say what {} of "
                                                   "{} computes; disable the pass that makes it",
                                                   model::describe(node), node.op_type, kFusedDomain));
}

void raise_ir_version(model::Model& model, int64_t version) {
  if (model.ir_version >= version) return;
  if (model.ir_version < kFirstInitializerOnlyIr) {  // what was constant must not become overridable
    std::erase_if(model.graph.input, [&](const model::ValueInfo& input) { return model.graph.find_initializer(input.name) != nullptr; });
  }
  model.ir_version = version;
}

// The calls' attributes differ; a function takes those of all its calls.
void add_attributes(model::Function& function, const model::Function& other) {
  for (const std::string& name : other.attribute) {
    if (std::ranges::find(function.attribute, name) == function.attribute.end()) function.attribute.push_back(name);
  }
}

// A function may use operator sets that the graph does not.
void import_opsets(model::Model& model) {
  for (const model::Function& function : model.functions) {
    for (const model::OpsetId& id : function.opset_import) {
      if (model.opset_version(id.domain) == 0) model.opset_import.push_back(id);
    }
  }
}

}  // namespace

void add_functions(model::Model& model) {
  std::erase_if(model.functions, [](const model::Function& f) { return f.domain == kFusedDomain; });
  std::map<std::pair<std::string, std::string>, size_t> known;  // operator and overload
  for (model::Node& node : model.graph.node) {
    if (node.domain != kFusedDomain) continue;
    model::Function function = function_for(node, model.opset_version(""));
    node.overload = function.overload;
    const auto [at, is_new] = known.emplace(std::pair(function.name, function.overload), model.functions.size());
    if (is_new) {
      model.functions.push_back(std::move(function));
    } else {
      add_attributes(model.functions[at->second], function);
    }
  }
  if (!known.empty()) raise_ir_version(model, kFirstOverloadIr);
  import_opsets(model);
}

void drop_functions_with_kernel(model::Model& model) {
  std::erase_if(model.functions,
                [](const model::Function& f) { return f.domain == kFusedDomain && ops::find_operator(f.domain, f.name) != nullptr; });
}

}  // namespace sardonyx::optimize
