#include "edit/diff_tensor.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>

#include "sardonyx/error.h"
#include "sardonyx/text.h"

namespace sardonyx::edit {

namespace {
using model::TensorData;

constexpr size_t kShownElements = 16;

// The elements where they stand as bytes already, so that equal weights are not decoded.
std::string_view stored_bytes(const TensorData& tensor) { return (tensor.is_external() ? tensor.external.bytes : tensor.raw_data).text(); }

bool can_be_numbers(DType dtype) {
  return dtype == DType::kFloat32 || dtype == DType::kFloat64 || dtype == DType::kFloat16 || dtype == DType::kBFloat16 ||
         (is_integral(dtype) && bit_width(dtype) >= 8);
}

std::string told(size_t count, int64_t total) { return fmt::format("elements: {} of {} differ", count, total); }

TensorDifference compare_strings(const Tensor& a, const Tensor& b) {
  const auto x = a.strings(), y = b.strings();
  TensorDifference difference;
  size_t count = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    if (x[i] == y[i] || count++ > 0) continue;
    difference.a = fmt::format("'{}' at {}", x[i], i);
    difference.b = fmt::format("'{}' at {}", y[i], i);
  }
  if (count > 0) difference.what = told(count, a.numel());
  return difference;
}

// Elements of a whole number of bytes, or, for packed types, the bytes that hold them.
TensorDifference compare_bytes(const Tensor& a, const Tensor& b) {
  const size_t width = std::max<size_t>(1, static_cast<size_t>(bit_width(a.dtype())) / 8);
  const bool packed = bit_width(a.dtype()) < 8;
  const auto* x = static_cast<const char*>(a.raw());
  const auto* y = static_cast<const char*>(b.raw());
  const size_t total = a.byte_size() / width;
  std::vector<size_t> differing;
  size_t count = 0;
  for (size_t i = 0; i < total; ++i) {
    if (std::memcmp(x + i * width, y + i * width, width) != 0 && count++ == 0) differing.push_back(i);
  }
  TensorDifference difference;
  if (count == 0) return difference;
  difference.what = packed ? fmt::format("elements: {} of {} packed bytes differ", count, total) : told(count, a.numel());
  if (!can_be_numbers(a.dtype())) return difference;
  const Tensor left = a.to(DType::kFloat64), right = b.to(DType::kFloat64);
  const auto u = left.values<double>(), v = right.values<double>();
  double most = 0;
  for (size_t i = 0; i < u.size(); ++i) {
    const double distance = std::abs(u[i] - v[i]);
    if (distance > most || std::isnan(distance)) most = std::isnan(most) ? most : distance;
  }
  difference.what += fmt::format(", by at most {:.6g}", most);
  difference.a = fmt::format("{:.9g} at {}", u[differing.front()], differing.front());
  difference.b = fmt::format("{:.9g} at {}", v[differing.front()], differing.front());
  return difference;
}

std::optional<TensorDifference> compare_fields(TensorData a, TensorData b) {
  b.name = a.name;
  b.doc_string = a.doc_string;
  b.metadata_props = a.metadata_props;
  if (semantically_equal(a, b)) return std::nullopt;
  return TensorDifference{"elements, which could not be decoded", to_text(a, {.max_elements = kShownElements}),
                          to_text(b, {.max_elements = kShownElements})};
}

std::optional<TensorDifference> compare_elements(const TensorData& a, const TensorData& b) {
  std::optional<Tensor> left, right;
  try {
    left = decode(a);
    right = decode(b);
  } catch (const Error&) {
    return compare_fields(a, b);
  }
  TensorDifference difference = left->dtype() == DType::kString ? compare_strings(*left, *right) : compare_bytes(*left, *right);
  if (difference.what.empty()) return std::nullopt;
  return difference;
}
}  // namespace

std::optional<TensorDifference> compare_tensors(const TensorData& a, const TensorData& b) {
  if (a.data_type != b.data_type) {
    const auto name = [](const TensorData& t) {
      return t.dtype() == DType::kUndefined ? std::to_string(t.data_type) : std::string(to_string(t.dtype()));
    };
    return TensorDifference{"type", name(a), name(b)};
  }
  if (a.dims != b.dims) {
    return TensorDifference{"dims", sardonyx::to_string(std::span<const int64_t>(a.dims)),
                            sardonyx::to_string(std::span<const int64_t>(b.dims))};
  }
  const std::string_view x = stored_bytes(a), y = stored_bytes(b);
  if (!x.empty() && x == y) return std::nullopt;
  return compare_elements(a, b);
}

}  // namespace sardonyx::edit
