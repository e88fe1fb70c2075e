// MelWeightMatrix: triangles of height 1, evenly spaced on the mel scale, over the bins of a spectrum.
#include <cmath>

#include "ops/attributes/attributes.h"
#include "ops/cast/cast.h"
#include "ops/elements/elements.h"
#include "ops/stages.h"

namespace sardonyx::ops {
namespace {

enum Input { kBands, kDftLength, kSampleRate, kLowerEdge, kUpperEdge };

double to_mel(double hertz) noexcept { return 2595 * std::log10(1 + hertz / 700); }
double to_hertz(double mel) noexcept { return 700 * (std::pow(10, mel / 2595) - 1); }

double scalar(const RunContext& r, size_t index) noexcept {
  double value = 0;
  load_elements(r.inputs[index].dtype(), r.inputs[index].raw(), 0, 1, &value);
  return value;
}

// Where the triangles begin, peak and end: bands + 2 bins, each peak the begin of the next triangle.
std::vector<double> edges(size_t bands, double dft_length, double sample_rate, double lower, double upper) {
  const double first = to_mel(lower), step = (to_mel(upper) - first) / static_cast<double>(bands + 2);
  std::vector<double> bins(bands + 2);
  for (size_t i = 0; i < bins.size(); ++i) {
    bins[i] = std::floor((dft_length + 1) * to_hertz(first + static_cast<double>(i) * step) / sample_rate);
  }
  return bins;
}

double triangle(double left, double center, double right, double bin) noexcept {
  if (bin >= center && bin < right) return (right - bin) / (right - center);
  if (bin >= left && bin < center) return (bin - left) / (center - left);
  return bin == center ? 1 : 0;
}

void run_mel(const RunContext& r) {
  const Shape& shape = r.outputs[0].shape();
  const auto rows = to_size(shape[0]), bands = to_size(shape[1]);
  const double rate = scalar(r, kSampleRate), lower = scalar(r, kLowerEdge), upper = scalar(r, kUpperEdge);
  if (!(rate > 0) || !(lower >= 0) || !(upper >= lower) || !std::isfinite(upper)) {
    throw argument_error("no mel bands for edges {} and {} Hz at sample rate {}; edges must rise from 0, the rate be positive", lower,
                         upper, rate);
  }
  const std::vector<double> at = edges(bands, scalar(r, kDftLength), rate, lower, upper);
  const DType dtype = r.outputs[0].dtype();
  auto* to = static_cast<std::byte*>(r.outputs[0].mutable_raw());
  const size_t bytes = element_bytes(dtype);
  r.pool.for_each(rows, [&](size_t row) {
    for (size_t band = 0; band < bands; ++band) {
      const double value = triangle(at[band], at[band + 1], at[band + 2], static_cast<double>(row));
      store_run<double>(dtype)(&value, 1, to + (row * bands + band) * bytes);
    }
  });
}

std::unique_ptr<Bound> bind_mel(DType dtype, const BindContext& b) {
  constexpr std::array<std::string_view, 5> kNames = {"num_mel_bins", "dft_length", "sample_rate", "lower_edge_hertz", "upper_edge_hertz"};
  for (size_t i = 0; i < kNames.size(); ++i) {
    const ValueFacts& facts = required(b, i, kNames[i]);
    require_dtype(facts, i < kLowerEdge ? DTypeSet{DType::kInt32, DType::kInt64} : kFloats, kNames[i]);
    if (element_count(facts.shape) != 1) throw argument_error("{} has shape {}; it must be a scalar", kNames[i], to_string(facts.shape));
  }
  const int64_t bands = integer_values(b.inputs[kBands], kNames[kBands])[0];
  const int64_t length = integer_values(b.inputs[kDftLength], kNames[kDftLength])[0];
  constexpr int64_t kMost = int64_t{1} << 24;  // as long as a DFT may be
  if (bands < 1 || length < 1 || bands > kMost || length > kMost) {
    throw argument_error("{} mel bands of a transform of length {}; both must lie in [1, {}]", bands, length, kMost);
  }
  return make_bound(output(dtype, {length / 2 + 1, bands}), run_mel);
}

}  // namespace

std::unique_ptr<Prepared> prepare_mel_weight_matrix(const PrepareContext& context) {
  DType dtype = get_dtype(context.node, "output_datatype", kNumbers);
  if (dtype == DType::kUndefined) dtype = DType::kFloat32;
  return make_value_driven(make_prepared([dtype](const BindContext& b) { return bind_mel(dtype, b); }),
                           {.value_inputs = 0b11, .output_types = [dtype](const BindContext&) { return std::vector{dtype}; }});
}

}  // namespace sardonyx::ops
