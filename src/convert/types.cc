// Types that the neighbouring version of an operator does not take: refused, or computed in a wider type.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "convert/adapters.h"
#include "schema/schema.h"

namespace sardonyx::convert {

namespace {
using schema::Parameter;
using schema::Schema;

// Wider types that hold every value of a type, the best first.
std::vector<DType> wider_types(DType dtype) {
  switch (dtype) {
    case DType::kBFloat16:
      return {DType::kFloat32};
    case DType::kFloat16:
      return {DType::kFloat32, DType::kFloat64};
    case DType::kFloat8E4M3FN:
    case DType::kFloat8E4M3FNUZ:
    case DType::kFloat8E5M2:
    case DType::kFloat8E5M2FNUZ:
      return {DType::kFloat16, DType::kFloat32};
    case DType::kUInt4:
    case DType::kUInt2:
      return {DType::kUInt8, DType::kInt32};
    case DType::kInt4:
    case DType::kInt2:
      return {DType::kInt8, DType::kInt32};
    case DType::kBool:
      return {DType::kUInt8, DType::kInt32, DType::kFloat32};
    case DType::kInt8:
    case DType::kUInt8:
    case DType::kInt16:
    case DType::kUInt16:
      return {DType::kInt32, DType::kFloat32, DType::kFloat64};
    case DType::kInt32:
      return {DType::kInt64, DType::kFloat64};
    case DType::kUInt32:
      return {DType::kInt64, DType::kUInt64, DType::kFloat64};
    default:
      return {};
  }
}

bool can_cast(DType dtype, int64_t opset) {
  const auto cast = schema::find("", "Cast", opset);
  return cast && cast->allows(cast->input(0).type, type_string(dtype));
}

Parameter parameter_of(const Schema& schema, bool input, size_t i) {
  const size_t count = input ? schema.input_count() : schema.output_count();
  const size_t place = std::min(i, count - 1);
  return input ? schema.input(place) : schema.output(place);
}

bool has_parameter(const Schema& schema, bool input, size_t i) {
  const size_t count = input ? schema.input_count() : schema.output_count();
  return i < count || (count > 0 && parameter_of(schema, input, count - 1).option == schema::Option::kVariadic);
}

// Inputs and outputs by the name of their type constraint in the target's version; what the two versions call differently is left aside.
struct Place {
  bool input;
  size_t i;
  std::string type;
};
using Places = std::map<std::string, std::vector<Place>, std::less<>>;

void add_places(Places& places, const Rewriter& rewriter, const Schema& source, const Schema& target, bool input) {
  const auto& values = input ? rewriter.node.input : rewriter.node.output;
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i].empty() || !has_parameter(source, input, i) || !has_parameter(target, input, i)) continue;
    const Parameter wanted = parameter_of(target, input, i);
    if (wanted.name != parameter_of(source, input, i).name) continue;
    const model::Type* known = rewriter.type(values[i]);
    if (wanted.option == schema::Option::kVariadic && !wanted.homogeneous) {
      if (known != nullptr && !target.allows(wanted.type, type_string(*known))) {
        rewriter.refuse(fmt::format("'{}' is {}, which the operator does not take there", values[i], type_string(*known)));
      }
      continue;
    }
    places[std::string(wanted.type)].push_back({input, i, known == nullptr ? std::string() : type_string(*known)});
  }
}

std::string_view name_at(const Rewriter& rewriter, const Place& place) {
  return place.input ? rewriter.input(place.i) : rewriter.output(place.i);
}

DType widened(const Rewriter& rewriter, const Schema& target, std::string_view constraint, DType dtype) {
  if (!can_cast(dtype, rewriter.to())) return DType::kUndefined;
  for (const DType wider : wider_types(dtype)) {
    if (target.allows(constraint, type_string(wider)) && can_cast(wider, rewriter.to())) return wider;
  }
  return DType::kUndefined;
}

void cast_places(Rewriter& rewriter, const std::vector<Place>& places, DType narrow, DType wide, std::vector<OutputCast>& after) {
  for (const Place& place : places) {
    if (place.input) {
      rewriter.set_input(place.i, rewriter.cast(rewriter.input(place.i), wide));
    } else {
      const std::string name = rewriter.fresh("wide");
      after.push_back({name, rewriter.output(place.i), narrow});
      rewriter.note_cast(name, rewriter.output(place.i), wide);
      rewriter.node.output[place.i] = name;
    }
  }
}

// The place whose type does not do, if any.
const Place* misfit(const std::vector<Place>& places, const Schema& target, std::string_view constraint) {
  const auto found = std::find_if(places.begin(), places.end(),
                                  [&](const Place& place) { return !place.type.empty() && !target.allows(constraint, place.type); });
  return found == places.end() ? nullptr : &*found;
}

void check_alike(const Rewriter& rewriter, const std::vector<Place>& places) {
  const Place* first = nullptr;
  for (const Place& place : places) {
    if (place.type.empty()) continue;
    if (first == nullptr) first = &place;
    if (first->type == place.type) continue;
    rewriter.refuse(fmt::format("'{}' is {} and '{}' is {}, and the operator wants them alike there", name_at(rewriter, *first),
                                first->type, name_at(rewriter, place), place.type));
  }
}
}  // namespace

std::vector<OutputCast> settle_types(Rewriter& rewriter, Types types) {
  std::vector<OutputCast> after;
  const auto source = schema::find("", rewriter.node.op_type, rewriter.from());
  const auto target = schema::find("", rewriter.node.op_type, rewriter.to());
  if (types == Types::kOwn || !source || !target || target->deprecated()) return after;
  Places places;
  add_places(places, rewriter, *source, *target, true);
  add_places(places, rewriter, *source, *target, false);
  for (const auto& [constraint, values] : places) {
    check_alike(rewriter, values);
    const Place* wrong = misfit(values, *target, constraint);
    if (wrong == nullptr) continue;
    const DType narrow = rewriter.dtype(name_at(rewriter, *wrong));
    const DType wide = types == Types::kCast ? widened(rewriter, *target, constraint, narrow) : DType::kUndefined;
    if (wide == DType::kUndefined) {
      rewriter.refuse(fmt::format("'{}' is {}, which the operator does not take there", name_at(rewriter, *wrong), wrong->type));
    }
    cast_places(rewriter, values, narrow, wide, after);
  }
  return after;
}

}  // namespace sardonyx::convert
