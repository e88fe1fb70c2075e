#include "check/tensor_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string_view>

#include "check/dims.h"
#include "check/external_rules.h"

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

// ONNX's checker does not look at the type of raw data, unless there should be none.
bool has_raw_elements(const TensorData& tensor) {
  return !tensor.raw_data.empty() && std::find(tensor.dims.begin(), tensor.dims.end(), 0) == tensor.dims.end();
}

// ONNX's checker counts the elements only where there must be none, and those that share a byte, of which raw data may hold too many.
Severity count_severity(DType dtype, size_t count, bool is_raw_beyond) {
  const int bits = bit_width(dtype);
  return count == 0 || (!is_raw_beyond && bits > 0 && bits < 8) ? Severity::kError : Severity::kUnrunnable;
}

// Entries of the typed field that hold `count` elements.
size_t typed_entries(DType dtype, size_t count) {
  if (dtype == DType::kComplex64 || dtype == DType::kComplex128) return 2 * count;
  const int bits = bit_width(dtype);
  return bits > 0 && bits < 8 ? storage_bytes(dtype, static_cast<int64_t>(count)) : count;
}

void check_fields_empty(Reporter& reporter, const std::array<Field, 7>& fields) {
  for (const Field& field : fields) {
    if (field.entries > 0) {
      reporter.add(Code::kTensorData, fmt::format("the data are external, but {} holds {} entries too", field.name, field.entries));
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
    reporter.add({.code = Code::kTensorData,
                  .message = fmt::format("{} of {} need {} bytes, raw_data has {}", dims_text(tensor.dims), to_string(dtype), expected,
                                         tensor.raw_data.size()),
                  .cure = "mend the dims, or write the data again",
                  .expected = fmt::format("{} bytes", expected),
                  .found = fmt::format("{} bytes", tensor.raw_data.size()),
                  .severity = count_severity(dtype, count, tensor.raw_data.size() > expected)});
  }
}

void check_typed(Reporter& reporter, const TensorData& tensor, DType dtype, size_t count, const Field& field) {
  const std::string_view expected = typed_field(dtype);
  if (field.name != expected) {
    reporter.add({.code = Code::kTensorData,
                  .message = fmt::format("elements of {} stand in {}", to_string(dtype), field.name),
                  .cure = fmt::format("store them in {} or raw_data", expected),
                  .expected = std::string(expected),
                  .found = std::string(field.name)});
    return;
  }
  const size_t entries = typed_entries(dtype, count);
  if (field.entries != entries) {
    reporter.add({.code = Code::kTensorData,
                  .message = fmt::format("{} of {} need {} entries of {}, it has {}", dims_text(tensor.dims), to_string(dtype), entries,
                                         field.name, field.entries),
                  .cure = "mend the dims, or write the data again",
                  .expected = fmt::format("{} entries", entries),
                  .found = fmt::format("{} entries", field.entries),
                  .severity = count_severity(dtype, count, false)});
  }
}
}  // namespace

void check_tensor(Reporter& reporter, const TensorData& tensor, ExternalFolder* external) {
  const Reporter::Scope scope(reporter, "tensor " + quote(tensor.name));
  const DType dtype = tensor.dtype();
  const std::array<Field, 7> fields = fields_of(tensor);
  if (dtype == DType::kUndefined) {
    reporter.add({.code = Code::kTensorType,
                  .message = fmt::format("data_type {} is not an element type", tensor.data_type),
                  .found = std::to_string(tensor.data_type),
                  .severity = tensor.data_type != 0 && has_raw_elements(tensor) ? Severity::kUnrunnable : Severity::kError});
    return;
  }
  const std::optional<size_t> count = count_elements(reporter, tensor.dims, dtype);
  if (tensor.is_external()) {
    check_fields_empty(reporter, fields);
    const bool sized = count && dtype != DType::kString;
    check_external(reporter, tensor, sized ? storage_bytes(dtype, static_cast<int64_t>(*count)) : 0, external);
    return;
  }
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

}  // namespace sardonyx::check
