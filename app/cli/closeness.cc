#include "cli/closeness.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstring>

#include "sardonyx/npy.h"

namespace sardonyx::cli {

namespace {
// The elements in a type of NumPy's, so that packed and small float types can be compared as numbers.
Tensor widened(const Tensor& tensor) {
  if (tensor.dtype() == DType::kString) return tensor;
  const std::string bytes = serialize_npy(tensor);
  return parse_npy(std::as_bytes(std::span(bytes.data(), bytes.size()))).clone();
}

// Takes one more element; whether its error is the greatest so far. NaN in one place only is the greatest of all.
bool note(Closeness& result, int64_t index, double error, double expected, const Tolerance& tolerance) {
  const double tolerated = tolerance.atol + tolerance.rtol * std::abs(expected);
  const bool close = error <= tolerated && std::isfinite(expected);
  if (!close) ++result.mismatches;
  if (expected != 0) result.max_rel_error = std::max(result.max_rel_error, error / std::abs(expected));
  if (tolerated > 0) result.tolerance_share = std::max(result.tolerance_share, error / tolerated);
  const bool is_greatest = error > result.max_abs_error || (std::isnan(error) && !std::isnan(result.max_abs_error));
  if (!is_greatest) return false;
  result.max_abs_error = error;
  result.worst = index;
  return true;
}

void note_pair(Closeness& result, std::string actual, std::string expected) {
  result.worst_actual = std::move(actual);
  result.worst_expected = std::move(expected);
}

void compare_doubles(Closeness& result, const Tensor& a, const Tensor& b, const Tolerance& tolerance) {
  const std::span<const double> x = a.values<double>(), y = b.values<double>();
  for (size_t i = 0; i < x.size(); ++i) {
    if (x[i] == y[i] || (std::isnan(x[i]) && std::isnan(y[i]))) continue;
    if (note(result, static_cast<int64_t>(i), std::abs(x[i] - y[i]), y[i], tolerance)) {
      note_pair(result, fmt::format("{}", x[i]), fmt::format("{}", y[i]));
    }
  }
}

// Real and imaginary parts as numbers of their own.
Tensor parts(const Tensor& tensor) {
  Tensor result({tensor.numel() * 2}, DType::kFloat64);
  const std::span<double> out = result.mutable_values<double>();
  for (size_t i = 0; i < out.size() / 2; ++i) {
    const std::complex<double> value = tensor.dtype() == DType::kComplex64 ? std::complex<double>(tensor.values<std::complex<float>>()[i])
                                                                           : tensor.values<std::complex<double>>()[i];
    out[2 * i] = value.real();
    out[2 * i + 1] = value.imag();
  }
  return result;
}

void compare_integers(Closeness& result, const Tensor& a, const Tensor& b, const Tolerance& tolerance) {
  // 64-bit integers do not all fit a double: equal bits are told first.
  const size_t item = a.numel() > 0 ? a.byte_size() / static_cast<size_t>(a.numel()) : 1;
  const auto* x = static_cast<const char*>(a.raw());
  const auto* y = static_cast<const char*>(b.raw());
  const Tensor wide_x = a.to(DType::kFloat64), wide_y = b.to(DType::kFloat64);
  for (size_t i = 0; i < static_cast<size_t>(a.numel()); ++i) {
    if (std::memcmp(x + i * item, y + i * item, item) == 0) continue;
    const double left = wide_x.values<double>()[i], right = wide_y.values<double>()[i];
    const double error = std::max(1.0, std::abs(left - right));
    if (note(result, static_cast<int64_t>(i), error, right, tolerance)) {
      note_pair(result, fmt::format("{}", left), fmt::format("{}", right));
    }
  }
}

void compare_strings(Closeness& result, const Tensor& a, const Tensor& b) {
  for (size_t i = 0; i < a.strings().size(); ++i) {
    if (a.strings()[i] != b.strings()[i]) {
      const bool is_greatest = note(result, static_cast<int64_t>(i), 1, 0, {0, 0});
      if (is_greatest) note_pair(result, fmt::format("'{}'", a.strings()[i]), fmt::format("'{}'", b.strings()[i]));
    }
  }
}
// Adds what was found of one more item; `index` is told where it is not close.
void note_item(Closeness& result, Closeness item, size_t index) {
  if (!item.close) {
    item.difference = fmt::format("item {}: {}", index, item.describe());
    result = std::move(item);
    return;
  }
  result.elements += item.elements;
  result.max_abs_error = std::max(result.max_abs_error, item.max_abs_error);
  result.max_rel_error = std::max(result.max_rel_error, item.max_rel_error);
  result.tolerance_share = std::max(result.tolerance_share, item.tolerance_share);
}

Closeness compare_sequences(const Tensor& actual, const Tensor& expected, const Tolerance& tolerance) {
  Closeness result;
  if (actual.numel() != expected.numel()) {
    result.difference = fmt::format("{} items, expected {}", actual.numel(), expected.numel());
    return result;
  }
  result.close = true;
  for (size_t i = 0; i < expected.tensors().size() && result.close; ++i) {
    note_item(result, compare_tensors(actual.tensors()[i], expected.tensors()[i], tolerance), i);
  }
  return result;
}

}  // namespace

std::string Closeness::describe() const {
  if (!difference.empty()) return difference;
  std::string text = fmt::format("max abs error {:.3g}, max rel error {:.3g}, {} of {} elements differ beyond the tolerance", max_abs_error,
                                 max_rel_error, mismatches, elements);
  if (mismatches > 0) text += fmt::format("; greatest at element {}: {} and {}", worst, worst_actual, worst_expected);
  return text;
}

Closeness compare_ranges(const Tensor& actual, const Tensor& expected) {
  Closeness result;
  if (!actual.defined() || !expected.defined() || actual.dtype() != expected.dtype() || actual.shape() != expected.shape() ||
      actual.dtype() == DType::kString || actual.dtype() == DType::kTensor) {
    return compare_tensors(actual, expected, {0, 0});
  }
  result.elements = expected.numel();
  const Tensor a = widened(actual).to(DType::kFloat64), b = widened(expected).to(DType::kFloat64);
  const std::span<const double> x = a.values<double>(), y = b.values<double>();
  const auto range = std::ranges::minmax_element(y);
  const auto outside = [&](double value) { return !(value >= *range.min && value <= *range.max); };
  result.mismatches = std::ranges::count_if(x, outside);
  result.close = result.mismatches == 0;
  if (!result.close) {
    result.difference = fmt::format("{} of {} elements, {} first, are not between {} and {}", result.mismatches, result.elements,
                                    *std::ranges::find_if(x, outside), *range.min, *range.max);
  }
  return result;
}

Closeness compare_tensors(const Tensor& actual, const Tensor& expected, const Tolerance& tolerance) {
  Closeness result;
  if (!actual.defined() || !expected.defined()) {
    result.close = actual.defined() == expected.defined();
    if (!result.close) result.difference = actual.defined() ? "a value, expected none" : "no value, expected one";
    return result;
  }
  if (actual.dtype() == DType::kTensor && expected.dtype() == DType::kTensor) return compare_sequences(actual, expected, tolerance);
  if (actual.dtype() != expected.dtype()) {
    result.difference = fmt::format("element type {}, expected {}", to_string(actual.dtype()), to_string(expected.dtype()));
  } else if (actual.shape() != expected.shape()) {
    result.difference = fmt::format("shape {}, expected {}", to_string(actual.shape()), to_string(expected.shape()));
  }
  if (!result.difference.empty()) return result;
  result.elements = expected.numel();
  const Tensor a = widened(actual), b = widened(expected);
  if (a.dtype() == DType::kString) {
    compare_strings(result, a, b);
  } else if (a.dtype() == DType::kComplex64 || a.dtype() == DType::kComplex128) {
    compare_doubles(result, parts(a), parts(b), tolerance);
  } else if (is_floating_point(a.dtype())) {
    compare_doubles(result, a.to(DType::kFloat64), b.to(DType::kFloat64), tolerance);
  } else {
    compare_integers(result, a, b, tolerance);
  }
  result.close = result.mismatches == 0;
  return result;
}

}  // namespace sardonyx::cli
