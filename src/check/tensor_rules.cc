#include "check/tensor_rules.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <optional>
#include <string_view>

namespace sardonyx::check {

namespace {
using model::TensorData;

struct Field {
  std::string_view name;
  size_t entries;
};

std::array<Field, 7> fields_of(const TensorData& tensor) {
  return {{{"float_data", tensor.float_data.size()},
           {"int32_data", tensor.int32_data.size()},
           {"string_data", tensor.string_data.size()},
           {"int64_data", tensor.int64_data.size()},
           {"double_data", tensor.double_data.size()},
           {"uint64_data", tensor.uint64_data.size()},
           {"raw_data", tensor.raw_data.size()}}};
}

// The typed field that holds elements of the type, as TensorProto says.
std::string_view typed_field(DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
    case DType::kComplex64:
      return "float_data";
    case DType::kFloat64:
    case DType::kComplex128:
      return "double_data";
    case DType::kInt64:
      return "int64_data";
    case DType::kUInt32:
    case DType::kUInt64:
      return "uint64_data";
    case DType::kString:
      return "string_data";
    default:
      return "int32_data";
  }
}

// Entries of the typed field that hold `count` elements.
size_t typed_entries(DType dtype, size_t count) {
  if (dtype == DType::kComplex64 || dtype == DType::kComplex128) return 2 * count;
  const int bits = bit_width(dtype);
  return bits > 0 && bits < 8 ? storage_bytes(dtype, static_cast<int64_t>(count)) : count;
}

// Number of elements, or nothing (with the problem reported).
std::optional<size_t> count_elements(Reporter& reporter, std::span<const int64_t> dims, DType dtype) {
  try {
    const int64_t count = element_count(dims);
    storage_bytes(dtype, count);
    return static_cast<size_t>(count);
  } catch (const Error& error) {
    reporter.add(error.code() == ErrorCode::kResourceLimit ? Code::kTooLarge : Code::kTensorData, error.what());
    return std::nullopt;
  }
}

bool is_count(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && value >= 0;
}

void check_external(Reporter& reporter, const TensorData& tensor, const std::array<Field, 7>& fields) {
  for (const Field& field : fields) {
    if (field.entries > 0) {
      reporter.add(Code::kTensorData, fmt::format("the data are external, but {} holds {} entries too", field.name, field.entries));
    }
  }
  const std::string* location = model::find_value(tensor.external_data, "location");
  if (location == nullptr || location->empty()) {
    reporter.add(Code::kTensorExternal, "data_location is EXTERNAL, but external_data has no 'location'",
                 "add the key 'location' with the file's name, relative to the model's folder");
  }
  for (const std::string_view key : {"offset", "length"}) {
    const std::string* value = model::find_value(tensor.external_data, key);
    if (value != nullptr && !is_count(*value)) {
      reporter.add(Code::kTensorExternal, fmt::format("external_data '{}' is '{}', not a number of bytes", key, *value));
    }
  }
}

void check_raw(Reporter& reporter, const TensorData& tensor, DType dtype, size_t count) {
  if (dtype == DType::kString) {
    reporter.add(Code::kTensorData, "strings stand in raw_data", "store them in string_data");
    return;
  }
  const size_t expected = storage_bytes(dtype, static_cast<int64_t>(count));
  if (tensor.raw_data.size() != expected) {
    reporter.add(Code::kTensorData, fmt::format("{} of {} need {} bytes, raw_data has {}", to_string(tensor.dims), to_string(dtype),
                                                expected, tensor.raw_data.size()));
  }
}

void check_typed(Reporter& reporter, const TensorData& tensor, DType dtype, size_t count, const Field& field) {
  const std::string_view expected = typed_field(dtype);
  if (field.name != expected) {
    reporter.add(Code::kTensorData, fmt::format("elements of {} stand in {}", to_string(dtype), field.name),
                 fmt::format("store them in {} or raw_data", expected));
    return;
  }
  const size_t entries = typed_entries(dtype, count);
  if (field.entries != entries) {
    reporter.add(Code::kTensorData, fmt::format("{} of {} need {} entries of {}, it has {}", to_string(tensor.dims), to_string(dtype),
                                                entries, field.name, field.entries));
  }
}
}  // namespace

void check_tensor(Reporter& reporter, const TensorData& tensor) {
  const Reporter::Scope scope(reporter, fmt::format("tensor '{}'", tensor.name));
  const DType dtype = tensor.dtype();
  if (dtype == DType::kUndefined) {
    reporter.add(Code::kTensorType, fmt::format("data_type {} is not an element type", tensor.data_type));
    return;
  }
  const std::optional<size_t> count = count_elements(reporter, tensor.dims, dtype);
  const std::array<Field, 7> fields = fields_of(tensor);
  if (tensor.is_external()) return check_external(reporter, tensor, fields);
  const Field* used = nullptr;
  for (const Field& field : fields) {
    if (field.entries == 0) continue;
    if (used != nullptr) {
      reporter.add(Code::kTensorData, fmt::format("both {} and {} hold data; only one may", used->name, field.name));
      return;
    }
    used = &field;
  }
  if (!count) return;
  if (used == nullptr) {
    if (*count > 0) reporter.add(Code::kTensorData, fmt::format("{} elements of {}, but no data", *count, to_string(dtype)));
  } else if (used->name == "raw_data") {
    check_raw(reporter, tensor, dtype, *count);
  } else {
    check_typed(reporter, tensor, dtype, *count, *used);
  }
}

void check_sparse_tensor(Reporter& reporter, const model::SparseTensorData& tensor) {
  const Reporter::Scope scope(reporter, "sparse tensor");
  if (!tensor.has_values || !tensor.has_indices) {
    reporter.add(Code::kTensorData, "a sparse tensor needs values and indices");
    return;
  }
  check_tensor(reporter, tensor.values);
  check_tensor(reporter, tensor.indices);
  const std::optional<size_t> size = count_elements(reporter, tensor.dims, DType::kUInt8);
  if (tensor.values.dims.size() != 1) {
    reporter.add(Code::kTensorData, fmt::format("values have rank {}, not 1", tensor.values.dims.size()));
    return;
  }
  if (tensor.indices.dtype() != DType::kInt64) reporter.add(Code::kTensorData, "indices must be int64");
  const int64_t count = tensor.values.dims[0];
  const std::vector<int64_t>& dims = tensor.indices.dims;
  const bool linear = dims.size() == 1 && dims[0] == count;
  const bool coordinates = dims.size() == 2 && dims[0] == count && dims[1] == static_cast<int64_t>(tensor.dims.size());
  if (!linear && !coordinates) {
    reporter.add(Code::kTensorData,
                 fmt::format("indices have shape {}; expected [{}] or [{}, {}]", to_string(dims), count, count, tensor.dims.size()));
  }
  if (size && count > static_cast<int64_t>(*size)) reporter.add(Code::kTensorData, fmt::format("{} values for {} elements", count, *size));
}

}  // namespace sardonyx::check
