// ai.onnx.ml: LabelEncoder (versions 1, 2 and 4) and CategoryMapper: each element is a key that is replaced with its value.
#include <numeric>

#include "ops/attributes/attributes.h"
#include "ops/ml/key_index.h"
#include "ops/movement/element.h"
#include "ops/stages.h"

namespace sardonyx::ops {
namespace {

struct LabelMap {
  KeyIndex keys;
  Tensor values;
  Tensor fallback;  // one element
};

LabelMap label_map(const Tensor& keys, Tensor values, Tensor fallback, KeyIndex::Repeated rule) {
  if (keys.numel() != values.numel())
    throw model_error("there are {} keys and {} values; as many are needed", keys.numel(), values.numel());
  return {KeyIndex(keys, rule), std::move(values), std::move(fallback)};
}

// Maps of which the one is taken that has the input's type.
using LabelMaps = std::vector<LabelMap>;

template <class T>
Tensor vector_of(const std::vector<T>& values) {
  return Tensor::of<T>({to_int(values.size())}, std::span<const T>(values));
}

Tensor integer_default(const model::Node& node) { return Tensor::scalar<int64_t>(model::get_int(node, "default_int64", -1)); }
Tensor string_default(const model::Node& node) { return Tensor::of_strings({}, {model::get_string(node, "default_string", "_Unused")}); }

// Between integers and strings, both ways.
LabelMaps two_ways(const model::Node& node, const Tensor& integers, const Tensor& strings) {
  LabelMaps maps;
  maps.push_back(label_map(strings, integers, integer_default(node), KeyIndex::Repeated::kLastWins));
  maps.push_back(label_map(integers, strings, string_default(node), KeyIndex::Repeated::kLastWins));
  return maps;
}

LabelMaps maps_of_classes(const model::Node& node) {
  const Tensor strings = vector_of(get_strings(node, "classes_strings"));
  std::vector<int64_t> positions(to_size(strings.numel()));
  std::iota(positions.begin(), positions.end(), 0);
  return two_ways(node, vector_of(positions), strings);
}

LabelMaps maps_of_categories(const model::Node& node) {
  return two_ways(node, vector_of(model::get_ints(node, "cats_int64s")), vector_of(get_strings(node, "cats_strings")));
}

const model::TensorData* tensor_attribute(const model::Node& node, const std::string& name) {
  const model::Attribute* attribute = node.find_attribute(name);
  if (!attribute) return nullptr;
  if (attribute->type != model::Attribute::Type::kTensor || !attribute->t) throw model_error("attribute {} must be a tensor", name);
  return attribute->t.get();
}

// The list that one of the attributes <prefix>_int64s, _floats, _strings and _tensor gives.
Tensor typed_list(const model::Node& node, const std::string& prefix) {
  std::vector<Tensor> lists;
  lists.push_back(vector_of(model::get_ints(node, prefix + "_int64s")));
  lists.push_back(vector_of(model::get_floats(node, prefix + "_floats")));
  lists.push_back(vector_of(get_strings(node, prefix + "_strings")));
  if (const model::TensorData* tensor = tensor_attribute(node, prefix + "_tensor")) {
    lists.push_back(model::decode(*tensor));
    const Tensor& list = lists.back();
    if (!kKeyTypes.has(list.dtype()) || list.dim() != 1)
      throw model_error("attribute {}_tensor is a {} of shape {}; it must be of rank 1 and a type that the operator knows", prefix,
                        type_string(list.dtype()), to_string(list.shape()));
  }
  std::erase_if(lists, [](const Tensor& list) { return list.numel() == 0; });
  if (lists.size() != 1) throw model_error("exactly one of the attributes {}_* must be given, with at least one entry", prefix);
  return lists[0];
}

Tensor default_of_type(const model::Node& node, DType dtype) {
  if (const model::TensorData* tensor = tensor_attribute(node, "default_tensor")) {
    Tensor value = model::decode(*tensor);
    if (value.dtype() != dtype || value.numel() != 1)
      throw model_error("attribute default_tensor is a {} of shape {}; it must be one {}, as the values", type_string(value.dtype()),
                        to_string(value.shape()), to_string(dtype));
    return value;
  }
  if (dtype == DType::kString) return string_default(node);
  if (is_floating_point(dtype)) return Tensor::scalar(model::get_float(node, "default_float", -0.0f)).to(dtype);
  return integer_default(node).to(dtype);
}

LabelMaps maps_of_lists(const model::Node& node, int64_t opset) {
  const Tensor keys = typed_list(node, "keys"), values = typed_list(node, "values");
  const auto rule = opset >= 4 ? KeyIndex::Repeated::kLastWins : KeyIndex::Repeated::kFirstWins;
  LabelMaps maps;
  maps.push_back(label_map(keys, values, default_of_type(node, values.dtype()), rule));
  return maps;
}

void run_label_map(const LabelMap& map, const RunContext& r) {
  const Tensor& x = r.inputs[0];
  with_element(map.values.dtype(), [&]<class T>() {
    const T* values = static_cast<const T*>(map.values.raw());
    const T* fallback = static_cast<const T*>(map.fallback.raw());
    T* y = static_cast<T*>(r.outputs[0].mutable_raw());
    r.pool.for_ranges(to_size(x.numel()), 2048, [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) {
        const size_t found = map.keys.find(x, i);
        y[i] = found == KeyIndex::kNone ? *fallback : values[found];
      }
    });
  });
}

std::unique_ptr<Prepared> prepare_maps(LabelMaps all) {
  return make_prepared([maps = std::make_shared<const LabelMaps>(std::move(all))](const BindContext& b) {
    const ValueFacts& x = required(b, 0, "X");
    for (const LabelMap& map : *maps) {
      if (map.keys.dtype() != x.dtype) continue;
      return make_bound(output(map.values.dtype(), x.shape), [maps, &map](const RunContext& r) { run_label_map(map, r); });
    }
    throw argument_error("X is a {}; the keys are of type {}", type_string(x.dtype), to_string(maps->front().keys.dtype()));
  });
}

}  // namespace

std::unique_ptr<Prepared> prepare_label_encoder(const PrepareContext& context) {
  return prepare_maps(context.opset >= 2 ? maps_of_lists(context.node, context.opset) : maps_of_classes(context.node));
}

std::unique_ptr<Prepared> prepare_category_mapper(const PrepareContext& context) { return prepare_maps(maps_of_categories(context.node)); }

}  // namespace sardonyx::ops
