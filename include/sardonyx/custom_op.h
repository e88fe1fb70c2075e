// Operators of your own, from this program or from a shared library.
//
//   sardonyx::CustomOp scale;
//   scale.domain = "com.example";
//   scale.name = "Scale";
//   scale.inputs = {{"x", {DType::kFloat32}}};
//   scale.outputs = {{"y"}};
//   scale.attributes = {{"factor", 1.0f}};
//   scale.make = [](const CustomAttributes& attributes) { ... return CustomKernel{infer, run}; };
//   auto ops = std::make_shared<sardonyx::CustomOps>();
//   ops->add(std::move(scale));       // or ops->load("libmy_ops.so")
//   sardonyx::InferenceSession session("model.onnx", {.custom_ops = ops});
//
// A library exports one function (see examples/custom_op):
//
//   static void add_ops(sardonyx::CustomOps& ops) { ops.add(...); }
//   extern "C" SARDONYX_EXPORT const sardonyx::CustomOpLibrary* sardonyx_custom_ops() {
//     static constexpr sardonyx::CustomOpLibrary library{.add_ops = &add_ops};
//     return &library;
//   }
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "sardonyx/dtype.h"
#include "sardonyx/tensor.h"

#define SARDONYX_EXPORT __attribute__((visibility("default")))

namespace sardonyx {

using CustomValue = std::variant<int64_t, float, std::string, std::vector<int64_t>, std::vector<float>, std::vector<std::string>>;

struct CustomInput {
  std::string name;
  std::vector<DType> types = {};  // allowed ones; empty: all
  bool optional = false;          // may be left out: run() gets an undefined tensor
};

struct CustomOutput {
  std::string name;
};

// The kind of the default is the kind of the attribute. A required one has a default, too, which only tells its kind.
struct CustomAttribute {
  std::string name;
  CustomValue default_value;
  bool required = false;
};

// The attributes of one node, as declared: defaults filled in, kinds checked.
class CustomAttributes {
 public:
  explicit CustomAttributes(std::vector<std::pair<std::string, CustomValue>> values) : values_(std::move(values)) {}
  // Throws InvalidArgument for a name that is not declared, or declared with another kind.
  template <class Kind>
  const Kind& get(std::string_view name) const {
    for (const auto& [known, value] : values_) {
      if (known != name) continue;
      if (const Kind* found = std::get_if<Kind>(&value)) return *found;
      throw Error(ErrorCode::kInvalidArgument, "attribute '" + std::string(name) + "' is declared with another kind");
    }
    throw Error(ErrorCode::kInvalidArgument, "attribute '" + std::string(name) + "' is not declared");
  }

 private:
  std::vector<std::pair<std::string, CustomValue>> values_;
};

// Type and shape of a value. A size of -1 is not known. kUndefined: the optional input is left out.
struct TensorFacts {
  DType dtype = DType::kUndefined;
  Shape shape;
};

// What one node computes. Both functions may be called from several threads at once, and may throw.
struct CustomKernel {
  // The outputs' types and shapes. When a model is inferred or checked, sizes of the inputs may be unknown; when it runs they are all
  // known, and an output with an unknown size is one whose shape depends on the data.
  std::function<std::vector<TensorFacts>(const std::vector<TensorFacts>& inputs)> infer;
  // Fills the outputs, which have the type and shape that infer() told; where that told an unknown size it assigns them. An output that the
  // node leaves out is an undefined tensor.
  std::function<void(const std::vector<Tensor>& inputs, std::vector<Tensor>& outputs)> run;
};

struct CustomOp {
  std::string domain;  // your own: not one of ONNX's
  std::string name;
  int64_t since_version = 1;  // a model that imports this version of the domain, or a later one, means this operator
  std::vector<CustomInput> inputs = {};
  bool variadic = false;  // the last input may be repeated
  std::vector<CustomOutput> outputs = {};
  std::vector<CustomAttribute> attributes = {};
  std::function<CustomKernel(const CustomAttributes& attributes)> make;  // once for each node
};

// Changes with the layout of what crosses the boundary of a library.
inline constexpr uint64_t kCustomOpAbi = uint64_t{1} << 32 | sizeof(CustomOp) << 16 | sizeof(CustomKernel) << 8 | sizeof(Tensor);

class CustomOps;

struct CustomOpLibrary {
  uint64_t abi = kCustomOpAbi;
  void (*add_ops)(CustomOps& ops) = nullptr;
};

// A set of operators. Not to be changed while a session is made from it; sessions keep it alive.
class CustomOps {
 public:
  virtual ~CustomOps() = default;

  // Throws InvalidArgument: no name, no make, a domain of ONNX's own, an operator that is there already.
  virtual void add(CustomOp op);
  // Adds those of a shared library, which stays loaded until the program ends. Throws Io where it cannot be loaded, InvalidArgument where
  // it has no function sardonyx_custom_ops or was built with another version of this header.
  void load(const std::filesystem::path& library);

  // The operator that a model importing `version` of the domain means, or null.
  const CustomOp* find(std::string_view domain, std::string_view name, int64_t version) const noexcept;
  const std::deque<CustomOp>& all() const noexcept { return ops_; }

 private:
  std::deque<CustomOp> ops_;
};

}  // namespace sardonyx
