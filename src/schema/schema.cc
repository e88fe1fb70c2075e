#include "schema/schema.h"

#include <algorithm>
#include <utility>

namespace sardonyx::schema {

namespace {
struct SchemaRow {
  uint16_t name;
  uint8_t domain, since, flags;
  uint8_t min_inputs, max_inputs, min_outputs, max_outputs;
  uint16_t first_parameter;
  uint8_t inputs, outputs;
  uint16_t first_attribute;
  uint8_t attributes;
  uint16_t first_constraint;
  uint8_t constraints;
};
struct ParameterRow {
  uint16_t name, type;
  uint8_t option, homogeneous, min_arity;
};
struct AttributeRow {
  uint16_t name;
  uint8_t type, required;
  uint16_t default_value;
};
struct ConstraintRow {
  uint16_t name, type_set;
};
struct TypeSetRow {
  uint16_t first, count;
};

#include "schema/table.inc"

constexpr uint8_t kInfinite = 255;
enum Flag : uint8_t { kDeprecated = 1, kFunction = 2, kNonDeterministic = 4 };

std::string_view text(uint16_t number) noexcept { return kTextPool + kTextOffsets[number]; }

std::string_view canonical(std::string_view domain) noexcept { return domain == "ai.onnx" ? std::string_view() : domain; }

// Rows of one operator: a contiguous range, oldest first.
std::pair<const SchemaRow*, const SchemaRow*> versions_of(std::string_view domain, std::string_view op_type) noexcept {
  const auto key = std::pair(canonical(domain), op_type);
  const auto key_of = [](const SchemaRow& row) { return std::pair(kDomains[row.domain], text(row.name)); };
  const auto* low = std::lower_bound(std::begin(kSchemas), std::end(kSchemas), key,
                                     [&](const SchemaRow& row, const auto& wanted) { return key_of(row) < wanted; });
  const auto* high = low;
  while (high != std::end(kSchemas) && key_of(*high) == key) ++high;
  return {low, high};
}

Parameter parameter(size_t number) noexcept {
  const ParameterRow& row = kParameters[number];
  return {text(row.name), text(row.type), static_cast<Option>(row.option), row.homogeneous != 0, row.min_arity};
}

size_t bound(uint8_t count) noexcept { return count == kInfinite ? SIZE_MAX : count; }
}  // namespace

std::string_view Schema::domain() const noexcept { return kDomains[kSchemas[row_].domain]; }
std::string_view Schema::name() const noexcept { return text(kSchemas[row_].name); }
int Schema::since_version() const noexcept { return kSchemas[row_].since; }
bool Schema::deprecated() const noexcept { return (kSchemas[row_].flags & kDeprecated) != 0; }
bool Schema::is_function() const noexcept { return (kSchemas[row_].flags & kFunction) != 0; }
bool Schema::non_deterministic() const noexcept { return (kSchemas[row_].flags & kNonDeterministic) != 0; }
size_t Schema::min_inputs() const noexcept { return kSchemas[row_].min_inputs; }
size_t Schema::max_inputs() const noexcept { return bound(kSchemas[row_].max_inputs); }
size_t Schema::min_outputs() const noexcept { return kSchemas[row_].min_outputs; }
size_t Schema::max_outputs() const noexcept { return bound(kSchemas[row_].max_outputs); }
size_t Schema::input_count() const noexcept { return kSchemas[row_].inputs; }
size_t Schema::output_count() const noexcept { return kSchemas[row_].outputs; }
Parameter Schema::input(size_t i) const noexcept { return parameter(kSchemas[row_].first_parameter + i); }
Parameter Schema::output(size_t i) const noexcept { return parameter(kSchemas[row_].first_parameter + kSchemas[row_].inputs + i); }
size_t Schema::attribute_count() const noexcept { return kSchemas[row_].attributes; }

AttributeSchema Schema::attribute(size_t i) const noexcept {
  const AttributeRow& row = kAttributes[kSchemas[row_].first_attribute + i];
  return {text(row.name), static_cast<model::Attribute::Type>(row.type), row.required != 0, text(row.default_value)};
}

std::optional<AttributeSchema> Schema::find_attribute(std::string_view name) const noexcept {
  for (size_t i = 0; i < attribute_count(); ++i) {
    if (const AttributeSchema found = attribute(i); found.name == name) return found;
  }
  return std::nullopt;
}

bool Schema::allows(std::string_view parameter_type, std::string_view type) const noexcept {
  const SchemaRow& row = kSchemas[row_];
  for (size_t i = 0; i < row.constraints; ++i) {
    const ConstraintRow& constraint = kConstraints[row.first_constraint + i];
    if (text(constraint.name) != parameter_type) continue;
    const TypeSetRow& set = kTypeSets[constraint.type_set];
    const auto* first = kTypeSetRows + set.first;
    return std::any_of(first, first + set.count, [&](uint16_t allowed) { return text(allowed) == type; });
  }
  return parameter_type == type;
}

size_t schema_count() noexcept { return std::size(kSchemas); }

size_t table_bytes() noexcept {
  return sizeof(kDomains) + sizeof(kTextPool) + sizeof(kTextOffsets) + sizeof(kTypeSetRows) + sizeof(kTypeSets) + sizeof(kParameters) +
         sizeof(kAttributes) + sizeof(kConstraints) + sizeof(kSchemas);
}

std::optional<Schema> find(std::string_view domain, std::string_view op_type, int64_t opset) noexcept {
  auto [low, high] = versions_of(domain, op_type);
  while (high != low) {
    if ((--high)->since <= opset) return Schema(static_cast<size_t>(high - kSchemas));
  }
  return std::nullopt;
}

std::optional<Schema> find_first(std::string_view domain, std::string_view op_type) noexcept {
  const auto [low, high] = versions_of(domain, op_type);
  if (low == high) return std::nullopt;
  return Schema(static_cast<size_t>(low - kSchemas));
}

bool is_standard_domain(std::string_view domain) noexcept {
  return std::find(std::begin(kDomains), std::end(kDomains), canonical(domain)) != std::end(kDomains);
}

int64_t ir_version_of(std::string_view domain, int64_t version) noexcept {
  struct Release {
    std::string_view domain;
    int64_t version, ir_version;
  };
  // The opsets that came with a new IR version, the latest first.
  constexpr Release kReleases[] = {
      {"", 25, 13},          {"", 24, 12},         {"", 23, 11},         {"", 21, 10},         {"", 19, 9},
      {"", 15, 8},           {"", 12, 7},          {"", 11, 6},          {"", 10, 5},          {"", 9, 4},
      {"ai.onnx.ml", 5, 10}, {"ai.onnx.ml", 4, 9}, {"ai.onnx.ml", 3, 8}, {"ai.onnx.ml", 2, 6}, {"ai.onnx.preview.training", 1, 7}};
  const std::string_view plain = domain == "ai.onnx" ? "" : domain;
  for (const Release& release : kReleases) {
    if (release.domain == plain && version >= release.version) return release.ir_version;
  }
  return 3;
}

int64_t latest_version(std::string_view domain) noexcept {
  if (canonical(domain).empty()) return kLatestOpset;
  int64_t latest = 0;
  for (const SchemaRow& row : kSchemas) {
    if (kDomains[row.domain] == domain) latest = std::max<int64_t>(latest, row.since);
  }
  return latest;
}

}  // namespace sardonyx::schema
