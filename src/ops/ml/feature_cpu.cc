// ai.onnx.ml: what changes features one by one or row by row: Binarizer, Imputer, Scaler, Normalizer, FeatureVectorizer.
#include <array>
#include <cmath>

#include "ops/attributes/attributes.h"
#include "ops/ml/rows.h"
#include "ops/stages.h"

namespace sardonyx::ops {
namespace {

// Calls body.template operator()<T>() with the type of features.
template <class Body>
void with_feature(DType dtype, Body body) {
  if (dtype == DType::kFloat32) return body.template operator()<float>();
  if (dtype == DType::kFloat64) return body.template operator()<double>();
  if (dtype == DType::kInt64) return body.template operator()<int64_t>();
  body.template operator()<int32_t>();
}

constexpr size_t kGrain = size_t{1} << 14;

// Calls change(element, column) for each element; `width` is the size of the last axis.
template <class T, class Y, class Change>
void each_element(const RunContext& r, size_t width, const Change& change) {
  const T* x = static_cast<const T*>(r.inputs[0].raw());
  Y* y = static_cast<Y*>(r.outputs[0].mutable_raw());
  r.pool.for_ranges(to_size(r.inputs[0].numel()), kGrain, [&](size_t begin, size_t end) {
    for (size_t i = begin, column = begin % width; i < end; ++i) {
      y[i] = change(x[i], column);
      if (++column == width) column = 0;
    }
  });
}

size_t last_size(const ValueFacts& x) { return x.shape.empty() ? 1 : std::max<size_t>(to_size(x.shape.back()), 1); }

// Throws unless a list has one entry, or one for each feature.
void require_entries(size_t count, const ValueFacts& x, std::string_view name) {
  const size_t features = x.shape.empty() ? 1 : to_size(x.shape.back());
  if (count != 1 && count != features)
    throw model_error("attribute {} has {} entries; it must have 1, or {}, as X has features", name, count, features);
}

struct ImputerSpec {
  std::vector<float> float_values;
  std::vector<int64_t> integer_values;
  float replaced_float = 0;
  int64_t replaced_integer = 0;
};

template <class T>
void impute(const ImputerSpec& spec, size_t width, const RunContext& r) {
  std::vector<T> values;
  T replaced{};
  if constexpr (std::is_floating_point_v<T>) {
    values.assign(spec.float_values.begin(), spec.float_values.end());
    replaced = static_cast<T>(spec.replaced_float);
  } else {
    for (const int64_t value : spec.integer_values) values.push_back(static_cast<T>(value));
    replaced = static_cast<T>(spec.replaced_integer);
  }
  const bool is_one = values.size() == 1, replaces_nan = replaced != replaced;
  each_element<T, T>(r, width,
                     [&](T x, size_t column) { return x == replaced || (replaces_nan && x != x) ? values[is_one ? 0 : column] : x; });
}

// Integers that do not fit int32 cannot stand in a tensor of it, and no element equals them.
void require_int32(const ImputerSpec& spec) {
  for (const int64_t value : spec.integer_values) {
    if (value != static_cast<int32_t>(value)) throw model_error("attribute imputed_value_int64s holds {}, which is no int32", value);
  }
  if (spec.replaced_integer != static_cast<int32_t>(spec.replaced_integer))
    throw model_error("attribute replaced_value_int64 is {}, which is no int32", spec.replaced_integer);
}

std::unique_ptr<Bound> bind_imputer(const std::shared_ptr<const ImputerSpec>& spec, const BindContext& b) {
  const ValueFacts& x = required(b, 0, "X");
  require_dtype(x, kFeatureTypes, "X");
  const bool is_float = x.dtype == DType::kFloat32 || x.dtype == DType::kFloat64;
  require_entries(is_float ? spec->float_values.size() : spec->integer_values.size(), x,
                  is_float ? "imputed_value_floats" : "imputed_value_int64s");
  if (x.dtype == DType::kInt32) require_int32(*spec);
  auto bound = make_bound(output(x.dtype, x.shape), [spec, width = last_size(x)](const RunContext& r) {
    with_feature(r.inputs[0].dtype(), [&]<class T>() { impute<T>(*spec, width, r); });
  });
  bound->in_place_input = 0;
  return bound;
}

struct ScalerSpec {
  std::vector<float> offset, scale;
};

std::unique_ptr<Bound> bind_scaler(const std::shared_ptr<const ScalerSpec>& spec, const BindContext& b) {
  const ValueFacts& x = required(b, 0, "X");
  require_dtype(x, kFeatureTypes, "X");
  require_entries(spec->scale.size(), x, "scale");
  require_entries(spec->offset.size(), x, "offset");
  return make_bound(output(DType::kFloat32, x.shape), [spec, width = last_size(x)](const RunContext& r) {
    const size_t scale_step = spec->scale.size() > 1, offset_step = spec->offset.size() > 1;
    with_feature(r.inputs[0].dtype(), [&]<class T>() {
      using Wide = std::conditional_t<std::is_same_v<T, float>, float, double>;
      each_element<T, float>(r, width, [&](T value, size_t column) {
        const Wide apart = static_cast<Wide>(value) - static_cast<Wide>(spec->offset[column * offset_step]);
        return static_cast<float>(apart * static_cast<Wide>(spec->scale[column * scale_step]));
      });
    });
  });
}

enum class Norm { kMax, kL1, kL2 };

double divisor_of(Norm norm, const double* x, size_t count) noexcept {
  double result = norm == Norm::kMax && count > 0 ? x[0] : 0;
  for (size_t i = 0; i < count; ++i) {
    result = norm == Norm::kMax ? std::max(result, x[i]) : result + (norm == Norm::kL1 ? std::abs(x[i]) : x[i] * x[i]);
  }
  return norm == Norm::kL2 ? std::sqrt(result) : result;
}

void normalize_rows(Norm norm, const Rows& rows, const RunContext& r) {
  const Tensor& x = r.inputs[0];
  if (x.numel() == 0) return;
  const LoadRun<double> load = load_run<double>(x.dtype());
  const auto* from = static_cast<const std::byte*>(x.raw());
  const size_t bytes = element_bytes(x.dtype());
  float* y = r.outputs[0].mutable_values<float>().data();
  auto* buffers = reinterpret_cast<double*>(r.scratch);
  const size_t grain = rows_per_task(rows.features * 4), tasks = (rows.count + grain - 1) / grain;
  r.pool.for_each_with_thread(tasks, [&](size_t task, size_t thread) {
    double* row = buffers + thread * rows.features;
    for (size_t i = task * grain; i < std::min(rows.count, (task + 1) * grain); ++i) {
      load(from + i * rows.features * bytes, 1, rows.features, row);
      const double divisor = divisor_of(norm, row, rows.features);
      for (size_t j = 0; j < rows.features; ++j) {
        y[i * rows.features + j] = static_cast<float>(divisor == 0 ? row[j] : row[j] / divisor);
      }
    }
  });
}

struct Part {
  size_t width, taken;  // features of a row of the input, and those of them that are copied
};

void run_feature_vectorizer(const std::vector<Part>& parts, std::span<const int64_t> widths, const RunContext& r) {
  const std::span<float> y = r.outputs[0].mutable_values<float>();
  std::ranges::fill(y, 0.0f);
  const size_t rows = y.empty() ? 0 : to_size(r.outputs[0].shape()[0]), stride = rows == 0 ? 0 : y.size() / rows;
  size_t first = 0;
  for (size_t i = 0; i < parts.size(); ++i) {
    const Tensor& x = r.inputs[i];
    const LoadRun<float> load = load_run<float>(x.dtype());
    const size_t bytes = element_bytes(x.dtype());
    for (size_t row = 0; row < rows; ++row) {
      load(static_cast<const std::byte*>(x.raw()) + row * parts[i].width * bytes, 1, parts[i].taken, &y[row * stride] + first);
    }
    first += to_size(widths[i]);
  }
}

std::unique_ptr<Bound> bind_feature_vectorizer(const std::shared_ptr<const std::vector<int64_t>>& given, const BindContext& b) {
  std::vector<int64_t> widths = *given;
  if (!widths.empty() && widths.size() != b.inputs.size())
    throw model_error("attribute inputdimensions has {} entries, the node {} inputs", widths.size(), b.inputs.size());
  const bool is_given = !widths.empty();
  widths.resize(b.inputs.size());
  std::vector<Part> parts;
  Rows all;
  int64_t total = 0;
  for (size_t i = 0; i < b.inputs.size(); ++i) {
    const Rows rows = feature_rows(required(b, i, fmt::format("X{}", i)));
    if (i > 0 && rows.count != all.count) throw argument_error("X{} has {} rows, X0 has {}", i, rows.count, all.count);
    all = rows;
    if (!is_given) widths[i] = to_int(rows.features);
    parts.push_back({rows.features, std::min(rows.features, to_size(widths[i]))});
    if (__builtin_add_overflow(total, widths[i], &total)) throw argument_error("the inputs have more features than can be counted");
  }
  return make_bound(
      output(DType::kFloat32, {to_int(all.count), total}),
      [parts = std::move(parts), widths = std::move(widths)](const RunContext& r) { run_feature_vectorizer(parts, widths, r); });
}

}  // namespace

std::unique_ptr<Prepared> prepare_binarizer(const PrepareContext& context) {
  return make_prepared([threshold = model::get_float(context.node, "threshold", 0)](const BindContext& b) {
    const ValueFacts& x = required(b, 0, "X");
    require_dtype(x, kFeatureTypes, "X");
    auto bound = make_bound(output(x.dtype, x.shape), [threshold](const RunContext& r) {
      with_feature(r.inputs[0].dtype(), [&]<class T>() {
        each_element<T, T>(
            r, 1, [&](T value, size_t) { return static_cast<T>(static_cast<double>(value) > static_cast<double>(threshold) ? 1 : 0); });
      });
    });
    bound->in_place_input = 0;
    return bound;
  });
}

std::unique_ptr<Prepared> prepare_imputer(const PrepareContext& context) {
  const model::Node& node = context.node;
  const ImputerSpec spec = {model::get_floats(node, "imputed_value_floats"), model::get_ints(node, "imputed_value_int64s"),
                            model::get_float(node, "replaced_value_float", 0), model::get_int(node, "replaced_value_int64", 0)};
  return make_prepared([shared = std::make_shared<const ImputerSpec>(spec)](const BindContext& b) { return bind_imputer(shared, b); });
}

std::unique_ptr<Prepared> prepare_scaler(const PrepareContext& context) {
  ScalerSpec spec = {model::get_floats(context.node, "offset"), model::get_floats(context.node, "scale")};
  if (spec.offset.empty()) spec.offset = {0};
  if (spec.scale.empty()) spec.scale = {1};
  return make_prepared([shared = std::make_shared<const ScalerSpec>(spec)](const BindContext& b) { return bind_scaler(shared, b); });
}

std::unique_ptr<Prepared> prepare_normalizer(const PrepareContext& context) {
  const Norm norm = get_choice<Norm>(context.node, "norm", "MAX", {{"MAX", Norm::kMax}, {"L1", Norm::kL1}, {"L2", Norm::kL2}});
  return make_prepared([norm](const BindContext& b) {
    const ValueFacts& x = required(b, 0, "X");
    const Rows rows = feature_rows(x);
    auto bound = make_bound(output(DType::kFloat32, x.shape), [norm, rows](const RunContext& r) { normalize_rows(norm, rows, r); });
    bound->scratch_bytes = rows.count == 0 ? 0 : rows.features * to_size(b.threads) * sizeof(double);
    return bound;
  });
}

std::unique_ptr<Prepared> prepare_feature_vectorizer(const PrepareContext& context) {
  for (const int64_t width : model::get_ints(context.node, "inputdimensions")) {
    if (width < 1 || width > std::numeric_limits<int32_t>::max()) throw model_error("attribute inputdimensions holds {}", width);
  }
  return make_prepared([widths = std::make_shared<const std::vector<int64_t>>(model::get_ints(context.node, "inputdimensions"))](
                           const BindContext& b) { return bind_feature_vectorizer(widths, b); });
}

}  // namespace sardonyx::ops
