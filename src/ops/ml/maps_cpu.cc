// ai.onnx.ml: CastMap, DictVectorizer and ZipMap: between maps and tensors. tensor.h tells how a map is held.
#include <cstdlib>
#include <map>

#include "ops/attributes/attributes.h"
#include "ops/ml/class_labels.h"
#include "ops/ml/key_index.h"
#include "ops/ml/rows.h"
#include "ops/movement/element.h"
#include "ops/stages.h"

namespace sardonyx::ops {
namespace {

struct MapParts {
  Tensor keys, values;
};

// Input 0 as a map. Throws InvalidArgument unless it is one with keys and values of types in these sets.
MapParts map_parts(const Tensor& x, DTypeSet keys, DTypeSet values) {
  const auto is_list = [](const Tensor& tensor, DTypeSet types) {
    return tensor.defined() && tensor.dim() == 1 && types.has(tensor.dtype());
  };
  if (!x.defined() || x.dtype() != DType::kTensor || x.numel() != 2) throw argument_error("X is no map; it must hold keys and values");
  const MapParts parts = {x.tensors()[0], x.tensors()[1]};
  if (!is_list(parts.keys, keys) || !is_list(parts.values, values) || parts.keys.numel() != parts.values.numel())
    throw argument_error("X is no map that the operator takes: its keys and values must be of known types and as many");
  return parts;
}

// One output of that type, made when the node runs.
template <class Run>
std::unique_ptr<Bound> bind_map_step(const BindContext& b, DType input, DType result, Run run) {
  const ValueFacts& x = required(b, 0, "X");
  if (x.dtype != input) {
    throw argument_error("X is a {}; it must be a {}", x.dtype == DType::kTensor ? "sequence or map" : type_string(x.dtype),
                         input == DType::kTensor ? "map" : type_string(input));
  }
  auto bound = make_bound(ValueFacts{result, {}, nullptr}, std::move(run));
  bound->dynamic = true;
  return bound;
}

struct CastMapSpec {
  DType to = DType::kFloat32;
  bool is_sparse = false;
  int64_t length = 1;  // of a sparse result
};

CastMapSpec cast_map_spec_from_node(const model::Node& node) {
  CastMapSpec spec;
  spec.to = get_choice<DType>(node, "cast_to", "TO_FLOAT",
                              {{"TO_FLOAT", DType::kFloat32}, {"TO_STRING", DType::kString}, {"TO_INT64", DType::kInt64}});
  spec.is_sparse = get_choice<bool>(node, "map_form", "DENSE", {{"DENSE", false}, {"SPARSE", true}});
  if (spec.is_sparse) spec.length = get_count(node, "max_map", 1, 1);
  return spec;
}

// The number that the text begins with, as C's strtof and strtoll read it.
template <class T>
T parse_number(const std::string& text) {
  char* end = nullptr;
  T value{};
  if constexpr (std::is_same_v<T, float>) {
    value = std::strtof(text.c_str(), &end);
  } else {
    value = std::strtoll(text.c_str(), &end, 10);
  }
  if (end == text.c_str()) throw argument_error("the map holds the value '{}', which is no number", text);
  return value;
}

// `values` are strings, or floats where the result is strings, or of the type of the result.
template <class T>
T cast_value(const Tensor& values, size_t at) {
  if constexpr (std::is_same_v<T, std::string>) {
    return values.dtype() == DType::kString ? values.strings()[at] : fmt::format("{:f}", values.values<float>()[at]);
  } else {
    if (values.dtype() == DType::kString) return parse_number<T>(values.strings()[at]);
    return values.values<T>()[at];
  }
}

// What stands where no key is.
template <class T>
T absent_value() {
  if constexpr (std::is_same_v<T, std::string>) {
    return "0.f";  // as ONNX Runtime has it
  } else {
    return T{};
  }
}

template <class T>
Tensor cast_map(const CastMapSpec& spec, const MapParts& parts) {
  std::map<int64_t, size_t> positions;
  for (size_t i = 0; i < to_size(parts.keys.numel()); ++i) positions[parts.keys.values<int64_t>()[i]] = i;
  if (!positions.empty() && spec.is_sparse && positions.begin()->first < 0)
    throw argument_error("the map holds the key {}; a sparse form has keys from 0 on", positions.begin()->first);
  const ValueFacts facts = output(kDTypeOf<T>, {1, spec.is_sparse ? spec.length : to_int(positions.size())});
  Tensor y = Tensor::empty(facts.shape, facts.dtype);
  const std::span<T> to = y.mutable_values<T>();
  const Tensor values =
      parts.values.dtype() == DType::kString || kDTypeOf<T> == DType::kString ? parts.values : parts.values.to(kDTypeOf<T>);
  if (spec.is_sparse) std::ranges::fill(to, absent_value<T>());
  size_t next = 0;
  for (const auto& [key, position] : positions) {
    const size_t at = spec.is_sparse ? to_size(key) : next++;
    if (at < to.size()) to[at] = cast_value<T>(values, position);
  }
  return y;
}

void run_cast_map(const CastMapSpec& spec, const RunContext& r) {
  const MapParts parts = map_parts(r.inputs[0], {DType::kInt64}, {DType::kFloat32, DType::kString});
  if (spec.to == DType::kString) {
    r.outputs[0] = cast_map<std::string>(spec, parts);
  } else if (spec.to == DType::kInt64) {
    r.outputs[0] = cast_map<int64_t>(spec, parts);
  } else {
    r.outputs[0] = cast_map<float>(spec, parts);
  }
}

struct Vocabulary {
  KeyIndex words;
  int64_t size = 0;
};

// One row; words that the vocabulary does not have are left out.
void run_dict_vectorizer(const Vocabulary& vocabulary, const RunContext& r) {
  const MapParts parts =
      map_parts(r.inputs[0], {vocabulary.words.dtype()}, {DType::kInt64, DType::kFloat32, DType::kFloat64, DType::kString});
  Tensor y(Shape{1, vocabulary.size}, parts.values.dtype());
  with_element(y.dtype(), [&]<class T>() {
    const T* from = static_cast<const T*>(parts.values.raw());
    T* to = static_cast<T*>(y.mutable_raw());
    for (size_t i = 0; i < to_size(parts.keys.numel()); ++i) {
      const size_t found = vocabulary.words.find(parts.keys, i);
      if (found != KeyIndex::kNone) to[found] = from[i];
    }
  });
  r.outputs[0] = std::move(y);
}

// The maps of all rows share the keys.
struct ZipSpec {
  size_t width = 0;  // columns of X
  Tensor keys;
  std::vector<size_t> columns;  // of the keys: the last of those that have the same
};

ZipSpec zip_spec_from_node(const model::Node& node) {
  const Tensor labels = ClassLabels::from_node(node, "classlabels_int64s").tensor();
  const KeyIndex index(labels, KeyIndex::Repeated::kLastWins);
  ZipSpec spec;
  spec.width = to_size(labels.numel());
  for (size_t i = 0; i < spec.width; ++i) {
    if (index.find(labels, i) == i) spec.columns.push_back(i);
  }
  spec.keys = Tensor::empty({to_int(spec.columns.size())}, labels.dtype());
  with_element(labels.dtype(), [&]<class T>() {
    T* to = static_cast<T*>(spec.keys.mutable_raw());
    for (const size_t column : spec.columns) *to++ = static_cast<const T*>(labels.raw())[column];
  });
  return spec;
}

void run_zip_map(const ZipSpec& spec, const RunContext& r) {
  const Tensor& x = r.inputs[0];
  const Rows rows = feature_rows({x.dtype(), x.shape(), nullptr});
  if (rows.features != spec.width) throw argument_error("X has {} columns; attribute classlabels_* has {} keys", rows.features, spec.width);
  const Tensor keys = spec.keys.clone();
  std::vector<Tensor> maps;
  maps.reserve(rows.count);
  for (size_t row = 0; row < rows.count; ++row) {
    Tensor values = Tensor::empty({to_int(spec.columns.size())});
    float* to = values.mutable_values<float>().data();
    for (const size_t column : spec.columns) *to++ = x.values<float>()[row * spec.width + column];
    maps.push_back(Tensor::of_tensors({keys, std::move(values)}));
  }
  r.outputs[0] = Tensor::of_tensors(std::move(maps));
}

}  // namespace

std::unique_ptr<Prepared> prepare_cast_map(const PrepareContext& context) {
  return make_prepared([spec = cast_map_spec_from_node(context.node)](const BindContext& b) {
    return bind_map_step(b, DType::kTensor, spec.to, [spec](const RunContext& r) { run_cast_map(spec, r); });
  });
}

std::unique_ptr<Prepared> prepare_dict_vectorizer(const PrepareContext& context) {
  const Tensor words = ClassLabels::from_node(context.node, "int64_vocabulary", "string_vocabulary").tensor();
  auto vocabulary = std::make_shared<const Vocabulary>(Vocabulary{KeyIndex(words, KeyIndex::Repeated::kLastWins), words.numel()});
  return make_prepared([vocabulary](const BindContext& b) {
    return bind_map_step(b, DType::kTensor, DType::kUndefined, [vocabulary](const RunContext& r) { run_dict_vectorizer(*vocabulary, r); });
  });
}

std::unique_ptr<Prepared> prepare_zip_map(const PrepareContext& context) {
  return make_prepared([spec = std::make_shared<const ZipSpec>(zip_spec_from_node(context.node))](const BindContext& b) {
    return bind_map_step(b, DType::kFloat32, DType::kTensor, [spec](const RunContext& r) { run_zip_map(*spec, r); });
  });
}

}  // namespace sardonyx::ops
