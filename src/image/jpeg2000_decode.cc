// JPEG 2000 (ISO/IEC 15444-1) through OpenJPEG: JP2 files and bare code streams.
#include <openjpeg.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <memory>

#include "image/codec.h"
#include "image/ordered_bytes.h"
#include "image/pixels.h"

namespace sardonyx::image {
namespace {

constexpr uint32_t kCodestreamStart = 0xff4fff51;  // the markers SOC and SIZ
constexpr uint32_t kCodestreamBox = 0x6a703263;    // "jp2c"
constexpr uint32_t kHeaderBox = 0x6a703268;        // "jp2h"
constexpr uint32_t kPaletteBox = 0x70636c72;       // "pclr"
constexpr size_t kLeastTilePart = 14;              // bytes: the markers SOT and SOD

struct Source {
  std::span<const std::byte> bytes;
  size_t at = 0;
  std::string message;  // the first error
};

OPJ_SIZE_T on_read(void* out, OPJ_SIZE_T size, void* user) {
  Source& source = *static_cast<Source*>(user);
  const size_t taken = std::min(size, source.bytes.size() - source.at);
  if (taken == 0) return static_cast<OPJ_SIZE_T>(-1);
  std::memcpy(out, source.bytes.data() + source.at, taken);
  source.at += taken;
  return taken;
}

OPJ_OFF_T on_skip(OPJ_OFF_T size, void* user) {
  Source& source = *static_cast<Source*>(user);
  if (size < 0 || static_cast<uint64_t>(size) > source.bytes.size() - source.at) return -1;
  source.at += static_cast<size_t>(size);
  return size;
}

OPJ_BOOL on_seek(OPJ_OFF_T to, void* user) {
  Source& source = *static_cast<Source*>(user);
  if (to < 0 || static_cast<uint64_t>(to) > source.bytes.size()) return OPJ_FALSE;
  source.at = static_cast<size_t>(to);
  return OPJ_TRUE;
}

void on_error(const char* text, void* user) {
  Source& source = *static_cast<Source*>(user);
  if (!source.message.empty()) return;
  try {
    source.message = text;
    while (!source.message.empty() && source.message.back() == '\n') source.message.pop_back();
  } catch (const std::bad_alloc&) {
    source.message.clear();
  }
}

// What the header says that decides how much memory OpenJPEG takes.
struct Siz {
  int64_t width = 0, height = 0, tiles = 0, components = 0;
};

struct Box {
  uint32_t kind = 0;
  size_t contents = 0, end = 0;
};

// The box at `at`, inside [at, end).
Box read_box(const OrderedBytes& file, size_t at, size_t end) {
  const uint64_t size = file.needed(at, 4);
  Box box{file.needed(at + 4, 4), at + 8, end};
  uint64_t length = size;
  if (size == 1) {
    length = uint64_t{file.needed(at + 8, 4)} << 32 | file.needed(at + 12, 4);
    box.contents = at + 16;
  }
  if (size == 0) return box;  // up to the end
  if (length < box.contents - at || (length > end - at && box.kind != kCodestreamBox)) {
    throw Error(ErrorCode::kInvalidArgument, "a box of it is longer than what it lies in: it is cut off or damaged");
  }
  box.end = at + static_cast<size_t>(std::min<uint64_t>(length, end - at));
  return box;
}

struct Layout {
  size_t codestream = 0;         // where it begins
  int64_t palette_channels = 0;  // the palette makes that many of one component
};

Layout read_layout(const OrderedBytes& file) {
  Layout layout;
  if (file.integer(0, 4) == kCodestreamStart) return layout;
  const auto note_palette = [&](const Box& box) {
    if (box.kind == kPaletteBox) layout.palette_channels = std::max<int64_t>(layout.palette_channels, file.needed(box.contents + 2, 1));
  };
  for (size_t at = 0;;) {
    const Box box = read_box(file, at, file.bytes.size());
    note_palette(box);
    if (box.kind == kCodestreamBox) {
      layout.codestream = box.contents;
      return layout;
    }
    if (box.kind == kHeaderBox) {
      for (size_t inner = box.contents; inner < box.end;) {
        const Box part = read_box(file, inner, box.end);
        note_palette(part);
        inner = part.end;
      }
    }
    at = box.end;
  }
}

Siz read_siz(std::span<const std::byte> bytes) {
  const OrderedBytes file{bytes, true};
  const Layout layout = read_layout(file);
  const size_t at = layout.codestream;
  if (file.needed(at, 4) != kCodestreamStart) throw Error(ErrorCode::kInvalidArgument, "its code stream does not begin with SIZ");
  const auto field = [&](size_t i) -> int64_t { return file.needed(at + 8 + 4 * i, 4); };  // X, Y, XO, YO, XT, YT, XTO, YTO
  Siz siz;
  siz.width = field(0) - field(2);
  siz.height = field(1) - field(3);
  siz.components = std::max<int64_t>(file.needed(at + 40, 2), layout.palette_channels);
  if (field(4) < 1 || field(5) < 1 || field(6) > field(2) || field(7) > field(3)) {
    throw Error(ErrorCode::kInvalidArgument, "its tiles do not cover it: the header is damaged");
  }
  const auto count = [&](size_t axis) { return (field(axis) - field(6 + axis) + field(4 + axis) - 1) / field(4 + axis); };
  siz.tiles = count(0) * count(1);
  return siz;
}

void check(const Siz& siz, size_t file_bytes, const ImageLimits& limits) {
  if (siz.components < 1 || siz.components > 4) {
    throw Error(ErrorCode::kUnsupported, std::to_string(siz.components) + " components; 1 to 4 are supported");
  }
  // The coefficients and the samples of a component take 4 bytes each, the result up to 2; no bound on what a byte may stand for.
  check_header(siz.width, siz.height, siz.components * 10, Image::kMaxPixels, file_bytes, limits);
  if (siz.tiles < 1 || static_cast<uint64_t>(siz.tiles) > file_bytes / kLeastTilePart) {
    throw Error(ErrorCode::kInvalidArgument, "the header promises " + std::to_string(siz.tiles) + " tiles, which " +
                                                 std::to_string(file_bytes) + " bytes cannot hold: the file is cut off or damaged");
  }
}

struct DestroyCodec {
  void operator()(opj_codec_t* codec) const noexcept { opj_destroy_codec(codec); }
};
struct DestroyStream {
  void operator()(opj_stream_t* stream) const noexcept { opj_stream_destroy(stream); }
};
struct DestroyImage {
  void operator()(opj_image_t* image) const noexcept { opj_image_destroy(image); }
};
using OpenedImage = std::unique_ptr<opj_image_t, DestroyImage>;

std::unique_ptr<opj_stream_t, DestroyStream> open_stream(Source& source) {
  std::unique_ptr<opj_stream_t, DestroyStream> stream(opj_stream_default_create(OPJ_TRUE));
  if (stream == nullptr) throw Error(ErrorCode::kResourceLimit, "the decoder cannot be set up: out of memory");
  opj_stream_set_user_data(stream.get(), &source, nullptr);
  opj_stream_set_user_data_length(stream.get(), source.bytes.size());
  opj_stream_set_read_function(stream.get(), on_read);
  opj_stream_set_skip_function(stream.get(), on_skip);
  opj_stream_set_seek_function(stream.get(), on_seek);
  return stream;
}

OpenedImage decode_components(Source& source) {
  const bool bare = OrderedBytes{source.bytes, true}.integer(0, 4) == kCodestreamStart;
  const auto stream = open_stream(source);
  const std::unique_ptr<opj_codec_t, DestroyCodec> codec(opj_create_decompress(bare ? OPJ_CODEC_J2K : OPJ_CODEC_JP2));
  if (codec == nullptr) throw Error(ErrorCode::kResourceLimit, "the decoder cannot be set up: out of memory");
  opj_set_error_handler(codec.get(), on_error, &source);
  opj_dparameters_t parameters;
  opj_set_default_decoder_parameters(&parameters);
  opj_image_t* opened = nullptr;
  const bool header = opj_setup_decoder(codec.get(), &parameters) != OPJ_FALSE &&
                      opj_decoder_set_strict_mode(codec.get(), OPJ_TRUE) != OPJ_FALSE &&
                      opj_read_header(stream.get(), codec.get(), &opened) != OPJ_FALSE;
  OpenedImage picture(opened);
  if (!header || opj_decode(codec.get(), stream.get(), picture.get()) == OPJ_FALSE ||
      opj_end_decompress(codec.get(), stream.get()) == OPJ_FALSE) {
    throw Error(ErrorCode::kInvalidArgument, source.message.empty() ? "the picture is cut off or damaged" : source.message);
  }
  return picture;
}

// Throws unless every component covers the picture at a depth that an Image can hold.
void expect_components(const opj_image_t& picture, int width, int height) {
  if (picture.numcomps < 1 || picture.numcomps > 4) throw Error(ErrorCode::kUnsupported, "more than 4 channels are not supported");
  for (OPJ_UINT32 c = 0; c < picture.numcomps; ++c) {
    const opj_image_comp_t& component = picture.comps[c];
    if (component.data == nullptr || component.w < 1 || component.h < 1) {
      throw Error(ErrorCode::kInvalidArgument, "a component of the picture is not there");
    }
    if (component.prec < 1 || component.prec > 16) {
      throw Error(ErrorCode::kUnsupported, "samples of " + std::to_string(component.prec) + " bits; 1 to 16 are supported");
    }
    if (component.dx < 1 || component.dy < 1 || component.w > static_cast<OPJ_UINT32>(width) ||
        component.h > static_cast<OPJ_UINT32>(height)) {
      throw Error(ErrorCode::kInvalidArgument, "a component is larger than the picture");
    }
  }
}

ImageMode mode_of(const opj_image_t& picture) {
  bool wide = false;
  for (OPJ_UINT32 c = 0; c < picture.numcomps; ++c) wide = wide || picture.comps[c].prec > 8;
  const bool luma = picture.color_space == OPJ_CLRSPC_SYCC || picture.color_space == OPJ_CLRSPC_EYCC;
  if (picture.color_space == OPJ_CLRSPC_CMYK) throw Error(ErrorCode::kUnsupported, "CMYK is not supported");
  if (luma && (picture.numcomps != 3 || wide)) throw Error(ErrorCode::kUnsupported, "luma and chroma with alpha or beyond 8 bits");
  if (luma) return ImageMode::kYCbCr;
  constexpr ImageMode kNarrow[] = {ImageMode::kL, ImageMode::kLA, ImageMode::kRGB, ImageMode::kRGBA};
  constexpr ImageMode kWide[] = {ImageMode::kI16, ImageMode::kLA16, ImageMode::kRGB16, ImageMode::kRGBA16};
  return (wide ? kWide : kNarrow)[picture.numcomps - 1];
}

// The samples of one component, spread over the range of T; coarser ones are repeated.
template <class T>
void fill_channel(const opj_image_comp_t& component, size_t channel, Image& result) {
  const int64_t most = (int64_t{1} << component.prec) - 1;
  const int64_t origin = component.sgnd != 0 ? int64_t{1} << (component.prec - 1) : 0;
  const size_t channels = static_cast<size_t>(result.channels());
  T* out = result.mutable_samples<T>().data() + channel;
  for (int y = 0; y < result.height(); ++y) {
    const OPJ_UINT32 from_y = std::min(static_cast<OPJ_UINT32>(y) / component.dy, component.h - 1);
    const OPJ_INT32* row = component.data + size_t{from_y} * component.w;
    for (int x = 0; x < result.width(); ++x, out += channels) {
      const OPJ_UINT32 from_x = std::min(static_cast<OPJ_UINT32>(x) / component.dx, component.w - 1);
      const int64_t value = std::clamp<int64_t>(row[from_x] + origin, 0, most);
      *out = static_cast<T>((value * std::numeric_limits<T>::max() + most / 2) / most);
    }
  }
}

}  // namespace

Decoded decode_jpeg2000(std::span<const std::byte> bytes, const ImageLimits& limits) {
  const Siz siz = read_siz(bytes);
  check(siz, bytes.size(), limits);
  Source source{bytes, 0, {}};
  const OpenedImage picture = decode_components(source);
  const int width = static_cast<int>(siz.width), height = static_cast<int>(siz.height);
  expect_components(*picture, width, height);
  Decoded decoded;
  decoded.picture = Image(mode_of(*picture), width, height);
  with_sample_type(decoded.picture.mode(), [&]<class T>(T) {
    for (size_t c = 0; c < picture->numcomps; ++c) fill_channel<T>(picture->comps[c], c, decoded.picture);
  });
  if (decoded.picture.mode() == ImageMode::kYCbCr) decoded.picture = convert(decoded.picture, ImageMode::kRGB);
  return decoded;
}

}  // namespace sardonyx::image
