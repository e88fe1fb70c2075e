#include "infer/rules/subgraph.h"

#include <fmt/format.h>

#include <unordered_set>

#include "infer/arithmetic.h"

namespace sardonyx::infer {

const model::Graph& graph_attribute(const NodeContext& context, std::string_view name) {
  const model::Attribute* attribute = context.attribute(name);
  if (attribute == nullptr || attribute->g == nullptr) context.fail(fmt::format("attribute '{}' must be a graph, it is missing", name));
  return *attribute->g;
}

namespace {
// Before IR version 4, initializers stand among the inputs; they follow those that the operator gives.
bool has_values_from(const model::Graph& body, size_t first) {
  std::unordered_set<std::string_view> initialised;
  for (const model::TensorData& tensor : body.initializer) initialised.insert(tensor.name);
  for (size_t i = first; i < body.input.size(); ++i) {
    if (!initialised.contains(body.input[i].name)) return false;
  }
  return true;
}

std::vector<Value> body_inputs(const NodeContext& context, const model::Graph& body, std::string_view name,
                               const std::vector<ValueType>& types) {
  const size_t wanted = body.input.size();
  if (wanted < types.size() || (wanted > types.size() && !has_values_from(body, types.size()))) {
    context.fail(fmt::format("{} has {} inputs, {} gives it {}", name, wanted, context.node().op_type, types.size()));
  }
  std::vector<Value> values(wanted);
  for (size_t i = 0; i < types.size(); ++i) values[i].type = types[i];
  return values;
}
}  // namespace

std::vector<Value> infer_graph(const NodeContext& context, std::string_view name, const std::vector<ValueType>& inputs) {
  const model::Graph& body = graph_attribute(context, name);
  return context.infer_body(body, name, body_inputs(context, body, name, inputs));
}

std::optional<std::vector<Value>> try_graph(const NodeContext& context, std::string_view name, const std::vector<ValueType>& inputs) {
  const model::Graph& body = graph_attribute(context, name);
  return context.try_body(body, name, body_inputs(context, body, name, inputs));
}

// Types are nested a few levels at most: those of a model are cut when read, and no rule wraps a wrapped type.
ValueType without_shapes(ValueType type) {
  type.has_rank = false;
  type.dims.clear();
  if (type.element != nullptr) type.element = std::make_shared<const ValueType>(without_shapes(*type.element));
  return type;
}

namespace {
void join_dims(ValueType& joined, const ValueType& a, const ValueType& b) {
  joined.has_rank = a.has_rank && b.has_rank && a.dims.size() == b.dims.size();
  if (!joined.has_rank) joined.dims.clear();
  for (size_t i = 0; i < joined.dims.size(); ++i) {
    if (!same(a.dims[i], b.dims[i])) joined.dims[i] = Dim();
  }
}

std::string shown(const ValueType& type) {
  const std::string text = type_text(type);
  return text.empty() ? "a value of another kind" : text;
}
}  // namespace

ValueType join_types(const NodeContext& context, const ValueType& a, const ValueType& b, std::string_view what) {
  if (!a.is_known() || !b.is_known()) return without_shapes(a.is_known() ? a : b);
  const bool has_dtypes = a.dtype != DType::kUndefined && b.dtype != DType::kUndefined;
  if (a.kind != b.kind || (has_dtypes && a.dtype != b.dtype)) {
    context.fail(fmt::format("{} must be of one type: found {} and {}", what, shown(a), shown(b)));
  }
  ValueType joined = a.dtype == DType::kUndefined ? b : a;
  joined.has_rank = a.has_rank;
  joined.dims = a.dims;
  join_dims(joined, a, b);
  if (a.element != nullptr && b.element != nullptr) {
    joined.element = std::make_shared<const ValueType>(join_types(context, *a.element, *b.element, what));
  } else if (a.element != nullptr || b.element != nullptr) {
    joined.element = std::make_shared<const ValueType>(without_shapes(a.element != nullptr ? *a.element : *b.element));
  }
  return joined;
}

ValueType merge_tensors(const NodeContext& context, const ValueType& a, const ValueType& b, std::string_view what) {
  ValueType type = join_types(context, a, b, what);
  if (!type.is_tensor() || (!a.has_rank && !b.has_rank)) return type;
  type.has_rank = true;
  type.dims = a.has_rank && b.has_rank ? merge(context, a.dims, b.dims, what) : (a.has_rank ? a : b).dims;
  return type;
}

bool same_types(const ValueType& a, const ValueType& b) {
  if (a.kind != b.kind || a.dtype != b.dtype || a.has_rank != b.has_rank || a.dims != b.dims) return false;
  if (a.element == nullptr || b.element == nullptr) return a.element == b.element;
  return same_types(*a.element, *b.element);
}

}  // namespace sardonyx::infer
