// What printer and parser of the text syntax agree on: names of types, and which fields of a message the syntax itself writes. The fields
// that it does not write stand by name between "%{" and "}".
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "model/schema.h"

namespace sardonyx::model::text {

using AttributeType = Attribute::Type;

constexpr uint64_t bit(int field) { return uint64_t{1} << field; }
template <class... Ints>
constexpr uint64_t bits(Ints... fields) {
  return (bit(fields) | ...);
}

// Field numbers of M that have their own place in the syntax in every text. Messages with none are written as {field: value, ...}.
template <class M>
inline constexpr uint64_t kPlaced = 0;
template <>
inline constexpr uint64_t kPlaced<Dimension> = bits(1, 2);
template <>
inline constexpr uint64_t kPlaced<Type> = bits(1, 4, 5, 7, 8, 9);
template <>
inline constexpr uint64_t kPlaced<ValueInfo> = bits(1, 2);
template <>
inline constexpr uint64_t kPlaced<TensorData> = bits(1, 2, 8, 14);
template <>
inline constexpr uint64_t kPlaced<Attribute> = bits(1, 20, 21);
template <>
inline constexpr uint64_t kPlaced<Node> = bits(1, 2, 3, 4, 5, 7, 8);
template <>
inline constexpr uint64_t kPlaced<Graph> = bits(1, 2, 5, 11, 12, 13);
template <>
inline constexpr uint64_t kPlaced<Function> = bits(1, 4, 5, 6, 7, 11, 12);
template <>
inline constexpr uint64_t kPlaced<Model> = bits(7, 25);

// Lower-case names of attribute types, by number.
inline constexpr std::array<std::string_view, 15> kAttributeTypeNames = {
    "undefined", "float",   "int",    "string",        "tensor",         "graph",      "floats",     "ints",
    "strings",   "tensors", "graphs", "sparse_tensor", "sparse_tensors", "type_proto", "type_protos"};

// The field of TensorProto whose entries hold elements of `dtype` outside raw_data; 0 for none.
int typed_field_of(DType dtype) noexcept;

// [A-Za-z_][A-Za-z0-9_]*, whatever the locale.
constexpr bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool begins_identifier(char c) { return is_letter(c) || c == '_'; }
constexpr bool continues_identifier(char c) { return begins_identifier(c) || is_digit(c); }
bool is_identifier(std::string_view text) noexcept;
// Identifiers joined by '.'.
bool is_qualified_identifier(std::string_view text) noexcept;

// Identifiers with which a type or a number begins, so that a name must be quoted where those could stand.
bool names_type(std::string_view word) noexcept;
bool names_float(std::string_view word) noexcept;  // inf, infinity, nan, in any case

}  // namespace sardonyx::model::text
