// ImageDecoder: the bytes of a picture file to samples [height, width, channels].
#include "ops/attributes/attributes.h"
#include "ops/stages.h"
#include "sardonyx/image.h"

namespace sardonyx::ops {
namespace {

struct Channels {
  ImageMode mode = ImageMode::kRGB;
  bool reversed = false;  // blue first
};

// The picture, or nothing where the bytes hold none: the operator's answer to those is an empty output. What asks for too much memory
// is refused like any other size.
std::optional<Image> decoded(const Tensor& stream) {
  DecodeOptions options;
  options.apply_orientation = false;
  options.limits.max_bytes = std::min<int64_t>(options.limits.max_bytes, to_int(tensor_byte_limit()));
  try {
    return decode_image(std::as_bytes(stream.values<uint8_t>()), options);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInvalidArgument && error.code() != ErrorCode::kUnsupported) throw;
    return std::nullopt;
  }
}

void run_image_decoder(const Channels& wanted, const RunContext& r) {
  const int64_t channels = channel_count(wanted.mode);
  const std::optional<Image> picture = decoded(r.inputs[0]);
  if (!picture) {
    r.outputs[0] = Tensor::empty({0, 0, channels}, DType::kUInt8);
    return;
  }
  const Image result = convert(*picture, wanted.mode);
  r.outputs[0] = Tensor::empty({result.height(), result.width(), channels}, DType::kUInt8);
  const std::span<uint8_t> out = r.outputs[0].mutable_values<uint8_t>();
  std::ranges::copy(result.samples<uint8_t>(), out.begin());
  if (!wanted.reversed) return;
  for (size_t i = 0; i + 2 < out.size(); i += 3) std::swap(out[i], out[i + 2]);
}

}  // namespace

std::unique_ptr<Prepared> prepare_image_decoder(const PrepareContext& context) {
  const auto channels =
      get_choice<Channels>(context.node, "pixel_format", "RGB",
                           {{"RGB", {ImageMode::kRGB, false}}, {"BGR", {ImageMode::kRGB, true}}, {"Grayscale", {ImageMode::kL, false}}});
  return make_prepared([channels](const BindContext& b) {
    const ValueFacts& stream = required(b, 0, "encoded_stream");
    require_dtype(stream, {DType::kUInt8}, "encoded_stream");
    require_rank(stream, 1, "encoded_stream");
    auto bound = make_bound(ValueFacts{DType::kUInt8, {}, nullptr}, [channels](const RunContext& r) { run_image_decoder(channels, r); });
    bound->dynamic = true;
    return bound;
  });
}

}  // namespace sardonyx::ops
