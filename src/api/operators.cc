#include "sardonyx/operators.h"

#include <algorithm>

#include "ops/op.h"
#include "schema/schema.h"

namespace sardonyx {
namespace {

std::vector<DType> allowed_types(const schema::Schema& schema, std::string_view parameter_type) {
  std::vector<DType> types;
  for (int i = 1; i < kDTypeCount; ++i) {
    const auto type = static_cast<DType>(i);
    if (schema.allows(parameter_type, type_string(type))) types.push_back(type);
  }
  return types;
}

std::vector<TypeConstraint> constraints_of(const schema::Schema& schema) {
  std::vector<TypeConstraint> constraints;
  const auto entry = [&](std::string_view name) -> TypeConstraint& {
    const auto found = std::ranges::find(constraints, name, &TypeConstraint::name);
    if (found != constraints.end()) return *found;
    constraints.push_back({std::string(name), {}, {}, allowed_types(schema, name)});
    return constraints.back();
  };
  for (size_t i = 0; i < schema.input_count(); ++i) entry(schema.input(i).type).inputs.push_back(i);
  for (size_t i = 0; i < schema.output_count(); ++i) entry(schema.output(i).type).outputs.push_back(i);
  return constraints;
}

}  // namespace

std::vector<OperatorInfo> supported_operators() {
  std::vector<OperatorInfo> result;
  for (const ops::Operator& row : ops::all_operators()) {
    OperatorInfo info{std::string(row.domain), std::string(row.op_type), {}, {}};
    const int64_t latest = std::max<int64_t>(schema::latest_version(row.domain), row.since);
    for (int64_t opset = row.since; opset <= latest; ++opset) {
      const auto schema = schema::find(row.domain, row.op_type, opset);
      const int version = schema ? schema->since_version() : row.since;
      if (schema && schema->deprecated()) continue;
      if (info.versions.empty() || info.versions.back() != version) info.versions.push_back(version);
      if (schema) info.constraints = constraints_of(*schema);
    }
    result.push_back(std::move(info));
  }
  return result;
}

}  // namespace sardonyx
