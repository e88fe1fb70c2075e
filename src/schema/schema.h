// The signatures of all ONNX operators, of every version: what the specification says of inputs, outputs, attributes and types.
//
// Facts only, in one constant table (see tools/generate_schemas.py); no kernels and no shape rules. Everything returned is a view on it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "sardonyx/model.h"

namespace sardonyx::schema {

inline constexpr int64_t kLatestOpset = 27;      // ai.onnx
inline constexpr int64_t kLatestIrVersion = 13;  // onnx 1.22

enum class Option : uint8_t { kSingle, kOptional, kVariadic };

struct Parameter {
  std::string_view name;
  std::string_view type;  // a constraint's name ("T"), or a type ("tensor(int64)")
  Option option;
  bool homogeneous;  // variadic: all of one type
  int min_arity;     // variadic
};

struct AttributeSchema {
  std::string_view name;
  model::Attribute::Type type;
  bool required;
  std::string_view default_value;  // as text: 1, 0.5, "NOTSET", [1, 1]; "" if there is none
};

// One version of one operator. Cheap to copy.
class Schema {
 public:
  explicit Schema(size_t row) noexcept : row_(row) {}

  std::string_view domain() const noexcept;  // "" is ai.onnx
  std::string_view name() const noexcept;
  int since_version() const noexcept;
  bool deprecated() const noexcept;
  bool is_function() const noexcept;        // the specification also defines it by a body
  bool non_deterministic() const noexcept;  // random
  size_t min_inputs() const noexcept;
  size_t max_inputs() const noexcept;  // SIZE_MAX: any number
  size_t min_outputs() const noexcept;
  size_t max_outputs() const noexcept;

  size_t input_count() const noexcept;  // formal parameters
  size_t output_count() const noexcept;
  Parameter input(size_t i) const noexcept;
  Parameter output(size_t i) const noexcept;
  size_t attribute_count() const noexcept;
  AttributeSchema attribute(size_t i) const noexcept;  // sorted by name
  std::optional<AttributeSchema> find_attribute(std::string_view name) const noexcept;
  // Whether type `type` ("tensor(float)") may stand for a parameter whose type is `parameter_type`.
  bool allows(std::string_view parameter_type, std::string_view type) const noexcept;

 private:
  size_t row_;
};

size_t schema_count() noexcept;
size_t table_bytes() noexcept;  // what the table takes in the program
// The version of the operator that a model importing `opset` of `domain` means: the latest not after it. "ai.onnx" is "".
std::optional<Schema> find(std::string_view domain, std::string_view op_type, int64_t opset) noexcept;
// The operator's first version, whatever is imported.
std::optional<Schema> find_first(std::string_view domain, std::string_view op_type) noexcept;
// Whether the specification owns the domain (ai.onnx, ai.onnx.ml, ai.onnx.preview.training, ...).
bool is_standard_domain(std::string_view domain) noexcept;
// The least IR version that a model importing this version of a domain has, by ONNX's release table (docs/Versioning.md); 3 at least.
int64_t ir_version_of(std::string_view domain, int64_t version) noexcept;
// The greatest version of a standard domain that the table knows; 0 for other domains.
int64_t latest_version(std::string_view domain) noexcept;

}  // namespace sardonyx::schema
