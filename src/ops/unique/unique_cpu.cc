// Unique: the different elements, or slices along an axis, with where they first stand, which one each is, and how often they come.
//
// Elements become 64-bit keys in the order of their values, so that slices of any type compare as rows of keys. -0 equals 0, NaN equals
// NaN and is greater than all numbers.
#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>
#include <optional>

#include "core/interrupt.h"
#include "ops/elements/elements.h"
#include "ops/lines/lines.h"
#include "ops/movement/element.h"
#include "ops/stages.h"
#include "sardonyx/model.h"

namespace sardonyx::ops {
namespace {

constexpr uint64_t kSign = uint64_t{1} << 63;

uint64_t key_of(uint64_t value) noexcept { return value; }
uint64_t key_of(int64_t value) noexcept { return static_cast<uint64_t>(value) ^ kSign; }
uint64_t key_of(double value) noexcept {
  if (std::isnan(value)) return ~uint64_t{0};
  const uint64_t bits = std::bit_cast<uint64_t>(value + 0.0);  // -0 becomes 0
  return (bits & kSign) != 0 ? ~bits : bits | kSign;
}
uint64_t key_of(float value) noexcept { return key_of(static_cast<double>(value)); }

std::vector<uint64_t> number_keys(DType dtype, const void* data, size_t count) {
  std::vector<uint64_t> keys(count);
  with_accumulator(dtype, [&]<class Acc>() {
    const LoadRun<Acc> load = load_run<Acc>(dtype);
    const size_t bytes = element_bytes(dtype);
    Acc values[kRunLength];
    core::in_pieces(count, kRunLength, [&](size_t first, size_t size) {
      load(static_cast<const std::byte*>(data) + first * bytes, 1, size, values);
      for (size_t i = 0; i < size; ++i) keys[first + i] = key_of(values[i]);
    });
  });
  return keys;
}

std::vector<uint64_t> string_keys(std::span<const std::string> texts) {
  std::vector<std::string_view> sorted(texts.begin(), texts.end());
  core::InterruptCounter interrupt;
  std::ranges::sort(sorted, [&](std::string_view a, std::string_view b) {
    interrupt.step();
    return a < b;
  });
  std::vector<uint64_t> keys(texts.size());
  for (size_t i = 0; i < texts.size(); ++i) {
    interrupt.step();
    keys[i] = static_cast<uint64_t>(std::ranges::lower_bound(sorted, std::string_view(texts[i])) - sorted.begin());
  }
  return keys;
}

// Complex numbers give two keys each: real part first.
std::vector<uint64_t> keys_of(const Tensor& x) {
  const size_t count = to_size(x.numel());
  switch (x.dtype()) {
    case DType::kString:
      return string_keys(x.strings());
    case DType::kComplex64:
      return number_keys(DType::kFloat32, x.raw(), 2 * count);
    case DType::kComplex128:
      return number_keys(DType::kFloat64, x.raw(), 2 * count);
    default:
      return number_keys(x.dtype(), x.raw(), count);
  }
}

// The keys of slice i along the lines' axis, one slice after another.
std::vector<uint64_t> slice_keys(const std::vector<uint64_t>& keys, const Lines& lines, size_t width) {
  if (lines.outer == 1) return keys;
  std::vector<uint64_t> rows;
  rows.reserve(keys.size());
  const size_t run = lines.inner * width;
  for (size_t i = 0; i < lines.size; ++i) {
    for (size_t o = 0; o < lines.outer; ++o) {
      const auto from = keys.begin() + to_int((o * lines.size + i) * run);
      rows.insert(rows.end(), from, from + to_int(run));
    }
  }
  return rows;
}

struct Groups {
  std::vector<size_t> first, counts;  // of each group
  std::vector<size_t> group_of;       // of each slice
};

Groups group_rows(const std::vector<uint64_t>& rows, size_t count, size_t size, bool sorted) {
  const auto row = [&](size_t i) { return std::span(rows).subspan(i * size, size); };
  std::vector<size_t> order(count);
  std::iota(order.begin(), order.end(), size_t{0});
  core::InterruptCounter interrupt;
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    interrupt.step();
    const auto [x, y] = std::ranges::mismatch(row(a), row(b));
    return x == row(a).end() ? a < b : *x < *y;
  });
  Groups groups{.first = {}, .counts = {}, .group_of = std::vector<size_t>(count)};
  for (size_t i = 0; i < count; ++i) {
    interrupt.step();
    if (i == 0 || !std::ranges::equal(row(order[i]), row(order[i - 1]))) {
      groups.first.push_back(order[i]);
      groups.counts.push_back(0);
    }
    ++groups.counts.back();
    groups.group_of[order[i]] = groups.first.size() - 1;
  }
  if (sorted) return groups;
  std::vector<size_t> by_place(groups.first.size()), place_of(groups.first.size());
  std::iota(by_place.begin(), by_place.end(), size_t{0});
  std::ranges::sort(by_place, {}, [&](size_t g) {
    interrupt.step();
    return groups.first[g];
  });
  Groups result{.first = {}, .counts = {}, .group_of = std::move(groups.group_of)};
  for (const size_t g : by_place) {
    place_of[g] = result.first.size();
    result.first.push_back(groups.first[g]);
    result.counts.push_back(groups.counts[g]);
  }
  for (size_t& g : result.group_of) g = place_of[g];
  return result;
}

Tensor chosen_slices(const Tensor& x, const Shape& out, const Lines& lines, const std::vector<size_t>& chosen) {
  Tensor y = Tensor::empty(out, x.dtype());
  with_element(x.dtype(), [&]<class T>() {
    const T* from = static_cast<const T*>(x.raw());
    T* to = static_cast<T*>(y.mutable_raw());
    for (size_t o = 0; o < lines.outer; ++o) {
      for (const size_t i : chosen) to = std::copy_n(from + (o * lines.size + i) * lines.inner, lines.inner, to);
    }
  });
  return y;
}

Tensor index_tensor(const std::vector<size_t>& values) {
  Tensor result = Tensor::empty({to_int(values.size())}, DType::kInt64);
  std::ranges::transform(values, result.mutable_values<int64_t>().begin(), to_int);
  return result;
}

struct UniqueSpec {
  std::optional<int64_t> axis;
  bool sorted = true;
  std::vector<bool> wanted;  // outputs
};

void run_unique(const UniqueSpec& spec, const RunContext& r) {
  const Tensor& x = r.inputs[0];
  const size_t axis = spec.axis ? checked_axis(*spec.axis, x.shape().size()) : 0;
  const Lines lines = spec.axis ? lines_of(x.shape(), axis) : Lines{1, to_size(x.numel()), 1};
  output(DType::kInt64, {to_int(lines.size)});  // an empty tensor may have more slices than fit any memory
  const bool is_complex = x.dtype() == DType::kComplex64 || x.dtype() == DType::kComplex128;
  const size_t width = is_complex ? 2 : 1, slice = lines.count() * width;
  const Groups groups = group_rows(slice_keys(keys_of(x), lines, width), lines.size, slice, spec.sorted);
  Shape out = spec.axis ? x.shape() : Shape{0};
  out[axis] = to_int(groups.first.size());
  const std::vector<size_t>* results[] = {&groups.first, &groups.group_of, &groups.counts};
  for (size_t i = 1; i < r.outputs.size(); ++i) {
    if (spec.wanted[i]) r.outputs[i] = index_tensor(*results[i - 1]);
  }
  if (spec.wanted[0]) r.outputs[0] = chosen_slices(x, out, lines, groups.first);
}

}  // namespace

std::unique_ptr<Prepared> prepare_unique(const PrepareContext& context) {
  UniqueSpec spec = {.axis = {}, .sorted = model::get_int(context.node, "sorted", 1) != 0, .wanted = {}};
  if (context.node.find_attribute("axis")) spec.axis = model::get_int(context.node, "axis", 0);
  for (const std::string& name : context.node.output) spec.wanted.push_back(!name.empty());
  return make_prepared([spec](const BindContext& b) {
    const ValueFacts& x = required(b, 0, "X");
    require_dtype(x, kNumbers | DTypeSet{DType::kBool, DType::kString, DType::kComplex64, DType::kComplex128}, "X");
    if (spec.axis) checked_axis(*spec.axis, x.shape.size());
    std::vector<ValueFacts> facts(spec.wanted.size());
    for (size_t i = 0; i < facts.size(); ++i) {
      if (spec.wanted[i]) facts[i].dtype = i == 0 ? x.dtype : DType::kInt64;
    }
    auto bound = make_bound(std::move(facts), [spec](const RunContext& r) { run_unique(spec, r); });
    bound->dynamic = true;
    return bound;
  });
}

}  // namespace sardonyx::ops
