#include "sardonyx/npy.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>
#include <string_view>

#include "core/float8.h"
#include "core/mapped_file.h"
#include "core/utf8.h"

namespace sardonyx {

namespace {
constexpr std::string_view kMagic = "\x93NUMPY";
constexpr size_t kMaxHeader = 1 << 20;
constexpr size_t kMaxRank = 64;

[[noreturn]] void bad(const std::string& reason) { throw Error(ErrorCode::kInvalidArgument, ".npy: " + reason); }

struct Kind {
  std::string_view code;  // NumPy's, without byte order
  DType dtype;
};
constexpr Kind kKinds[] = {{"f4", DType::kFloat32},   {"f8", DType::kFloat64},    {"f2", DType::kFloat16}, {"i1", DType::kInt8},
                           {"i2", DType::kInt16},     {"i4", DType::kInt32},      {"i8", DType::kInt64},   {"u1", DType::kUInt8},
                           {"u2", DType::kUInt16},    {"u4", DType::kUInt32},     {"u8", DType::kUInt64},  {"b1", DType::kBool},
                           {"c8", DType::kComplex64}, {"c16", DType::kComplex128}};

struct Header {
  char order = '<';      // < > | =
  std::string code;      // "f4"
  bool fortran = false;  // column-major
  Shape shape;
  size_t data_offset = 0;
};

// The header is a Python dict literal of three known keys; this reads just that form.
class HeaderParser {
 public:
  explicit HeaderParser(std::string_view text) : rest_(text) {}

  Header parse() {
    Header header;
    expect('{');
    while (!accept('}')) {
      const std::string key = string();
      expect(':');
      if (key == "descr") {
        descriptor(header);
      } else if (key == "fortran_order") {
        header.fortran = boolean();
      } else if (key == "shape") {
        header.shape = tuple();
      } else {
        bad(fmt::format("unknown header key '{}'", key));
      }
      ++keys_;
      accept(',');
    }
    if (keys_ != 3 || header.code.empty()) bad("the header lacks descr, fortran_order or shape");
    return header;
  }

 private:
  void space() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \n\t"), rest_.size())); }
  bool accept(char wanted) {
    space();
    if (rest_.empty() || rest_[0] != wanted) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(char wanted) {
    if (!accept(wanted)) bad(fmt::format("the header has no '{}' where one is expected", wanted));
  }
  std::string string() {
    space();
    if (rest_.empty() || (rest_[0] != '\'' && rest_[0] != '"')) bad("structured or damaged header; only plain arrays are read");
    const size_t end = rest_.find(rest_[0], 1);
    if (end == std::string_view::npos) bad("unterminated string in the header");
    std::string text(rest_.substr(1, end - 1));
    rest_.remove_prefix(end + 1);
    return text;
  }
  void descriptor(Header& header) {
    const std::string text = string();
    if (text.size() < 2) bad(fmt::format("element type '{}'", text));
    header.order = text[0];
    header.code = text.substr(1);
  }
  bool boolean() {
    space();
    for (const auto& [word, value] : {std::pair<std::string_view, bool>("True", true), {"False", false}}) {
      if (rest_.starts_with(word)) {
        rest_.remove_prefix(word.size());
        return value;
      }
    }
    bad("fortran_order is neither True nor False");
  }
  Shape tuple() {
    Shape shape;
    expect('(');
    while (!accept(')')) {
      space();
      int64_t size = 0;
      const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), size);
      if (error != std::errc() || size < 0 || shape.size() >= kMaxRank) bad("the header's shape is not a tuple of sizes");
      rest_.remove_prefix(static_cast<size_t>(end - rest_.data()));
      shape.push_back(size);
      accept(',');
    }
    return shape;
  }

  std::string_view rest_;
  int keys_ = 0;
};

Header parse_header(std::string_view bytes) {
  if (bytes.size() < 10 || !bytes.starts_with(kMagic)) bad("not a .npy file");
  const auto byte = [&](size_t i) { return static_cast<size_t>(static_cast<uint8_t>(bytes[i])); };
  const bool wide = byte(6) >= 2;
  if (byte(6) < 1 || byte(6) > 3) bad(fmt::format("format version {}", byte(6)));
  const size_t start = wide ? 12 : 10;
  if (bytes.size() < start) bad("truncated");
  const size_t length = byte(8) | byte(9) << 8 | (wide ? byte(10) << 16 | byte(11) << 24 : 0);
  if (length > kMaxHeader || length > bytes.size() - start) bad("truncated, or a header of absurd length");
  Header header = HeaderParser(bytes.substr(start, length)).parse();
  header.data_offset = start + length;
  return header;
}

void append_utf8(std::string& out, uint32_t code) {
  if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) bad("a string holds what is no Unicode character");
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0 | code >> 6);
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else {
    if (code < 0x10000) {
      out += static_cast<char>(0xe0 | code >> 12);
    } else {
      out += static_cast<char>(0xf0 | code >> 18);
      out += static_cast<char>(0x80 | (code >> 12 & 0x3f));
    }
    out += static_cast<char>(0x80 | (code >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  }
}

std::u32string from_utf8(std::string_view text) {
  std::u32string out;
  for (size_t i = 0; i < text.size();) {
    const size_t length = core::utf8_length(text, i);
    if (length == 0) bad("a string is not UTF-8");
    char32_t code = length == 1 ? static_cast<uint8_t>(text[i]) : static_cast<uint8_t>(text[i]) & (0x7f >> length);
    for (size_t k = 1; k < length; ++k) code = code << 6 | (static_cast<uint8_t>(text[i + k]) & 0x3f);
    out += code;
    i += length;
  }
  return out;
}

// Row-major order of elements that stand in column-major order.
void transpose_bytes(const std::byte* from, std::byte* to, const Shape& shape, size_t item) {
  const size_t rank = shape.size();
  std::vector<size_t> strides(rank, item), index(rank, 0);
  for (size_t d = 1; d < rank; ++d) strides[d] = strides[d - 1] * static_cast<size_t>(shape[d - 1]);
  const auto count = static_cast<size_t>(element_count(shape));
  size_t offset = 0;
  for (size_t i = 0; i < count; ++i) {
    std::memcpy(to + i * item, from + offset, item);
    for (size_t d = rank; d-- > 0;) {
      offset += strides[d];
      if (++index[d] < static_cast<size_t>(shape[d])) break;
      offset -= strides[d] * index[d];
      index[d] = 0;
    }
  }
}

void swap_bytes(std::byte* data, size_t bytes, size_t word) {
  for (size_t i = 0; i + word <= bytes; i += word) std::reverse(data + i, data + i + word);
}

Tensor parse_numbers(const Header& header, std::string_view payload, const std::shared_ptr<const void>& owner, const Kind& kind) {
  const size_t bytes = storage_bytes(kind.dtype, element_count(header.shape));
  if (payload.size() < bytes)
    bad(fmt::format("truncated: shape {} needs {} bytes, {} are there", to_string(header.shape), bytes, payload.size()));
  const bool complex = kind.dtype == DType::kComplex64 || kind.dtype == DType::kComplex128;
  const size_t item = static_cast<size_t>(bit_width(kind.dtype)) / 8;
  const size_t word = complex ? item / 2 : item;
  const bool swap = header.order == '>' && word > 1;
  const bool aligned = reinterpret_cast<uintptr_t>(payload.data()) % word == 0;
  if (!swap && aligned && (!header.fortran || header.shape.size() < 2) && kind.dtype != DType::kBool) {
    return Tensor::view(owner, payload.data(), header.shape, kind.dtype);
  }
  Tensor result = Tensor::empty(header.shape, kind.dtype);
  if (bytes == 0) return result;
  auto* out = static_cast<std::byte*>(result.mutable_raw());
  const auto* in = reinterpret_cast<const std::byte*>(payload.data());
  if (header.fortran && header.shape.size() > 1) {
    transpose_bytes(in, out, header.shape, item);
  } else {
    std::memcpy(out, in, bytes);
  }
  if (swap) swap_bytes(out, bytes, word);
  if (kind.dtype == DType::kBool) std::transform(out, out + bytes, out, [](std::byte b) { return std::byte{b != std::byte{0}}; });
  return result;
}

// One fixed-width string: S holds bytes, U holds 4-byte code points; trailing zeros are padding.
std::string parse_string(std::string_view bytes, bool unicode, bool swap) {
  if (!unicode) return std::string(bytes.substr(0, bytes.find_last_not_of('\0') + 1));
  std::string out;
  size_t pending = 0;  // zeros not known to be padding yet
  for (size_t i = 0; i + 4 <= bytes.size(); i += 4) {
    std::byte word[4];
    std::memcpy(word, bytes.data() + i, 4);
    if (swap) std::reverse(word, word + 4);
    uint32_t code = 0;
    std::memcpy(&code, word, 4);
    if (code == 0) {
      ++pending;
      continue;
    }
    out.append(pending, '\0');
    pending = 0;
    append_utf8(out, code);
  }
  return out;
}

Tensor parse_strings(const Header& header, std::string_view payload) {
  const bool unicode = header.code[0] == 'U';
  size_t width = 0;
  const auto [end, error] = std::from_chars(header.code.data() + 1, header.code.data() + header.code.size(), width);
  if (error != std::errc() || end != header.code.data() + header.code.size() || width > kMaxHeader)
    bad("element type '" + header.code + "'");
  if (header.fortran && header.shape.size() > 1)
    throw Error(ErrorCode::kUnsupported, ".npy: strings in Fortran order; save with order='C'");
  width *= unicode ? 4 : 1;
  const auto count = static_cast<size_t>(element_count(header.shape));
  // Even strings of no width cost memory here.
  if (count > (size_t{1} << 32) || (width > 0 ? payload.size() / width < count : count > kMaxHeader)) bad("truncated: too few strings");
  Tensor result(header.shape, DType::kString);
  const std::span<std::string> out = result.mutable_values<std::string>();
  for (size_t i = 0; i < count; ++i) out[i] = parse_string(payload.substr(i * width, width), unicode, header.order == '>');
  return result;
}

// Types that NumPy lacks, as the nearest that holds all their values.
Tensor representable(const Tensor& tensor) {
  const DType dtype = tensor.dtype();
  if (dtype == DType::kBFloat16) return tensor.to(DType::kFloat32);
  const int bits = bit_width(dtype);
  const bool small_float = is_floating_point(dtype) && bits <= 8;
  if (!small_float && (bits >= 8 || bits == 0)) return tensor;
  const auto* data = static_cast<const uint8_t*>(tensor.raw());
  const bool is_signed = dtype == DType::kInt4 || dtype == DType::kInt2;
  Tensor result = Tensor::empty(tensor.shape(), small_float ? DType::kFloat32 : is_signed ? DType::kInt8 : DType::kUInt8);
  for (size_t i = 0; i < static_cast<size_t>(tensor.numel()); ++i) {
    const uint8_t raw = bits == 8 ? data[i] : core::packed_get(data, bits, i);
    if (dtype == DType::kFloat4E2M1) {
      result.mutable_values<float>()[i] = core::float4_to_float(raw);
    } else if (dtype == DType::kFloat8E8M0) {
      result.mutable_values<float>()[i] = core::e8m0_to_float(raw);
    } else if (small_float) {
      result.mutable_values<float>()[i] = core::float8_to_float(dtype, raw);
    } else if (is_signed) {
      const int half = 1 << (bits - 1);
      result.mutable_values<int8_t>()[i] = static_cast<int8_t>((raw ^ half) - half);
    } else {
      result.mutable_values<uint8_t>()[i] = raw;
    }
  }
  return result;
}

std::string serialize_header(std::string_view descriptor, const Shape& shape) {
  const std::string sizes = shape.size() == 1 ? fmt::format("{},", shape[0]) : fmt::format("{}", fmt::join(shape, ", "));
  std::string dict = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", descriptor, sizes);
  const size_t prefix = dict.size() + 11 < 65536 ? 10 : 12;
  dict.append((64 - (prefix + dict.size() + 1) % 64) % 64, ' ');
  dict += '\n';
  std::string out(kMagic);
  out += prefix == 10 ? '\x01' : '\x02';
  out += '\0';
  for (size_t i = 0; i < prefix - 8; ++i) out += static_cast<char>(dict.size() >> (8 * i) & 0xff);
  return out + dict;
}

std::string serialize_strings(const Tensor& tensor) {
  std::vector<std::u32string> texts;
  size_t width = 1;
  for (const std::string& text : tensor.strings()) {
    texts.push_back(from_utf8(text));
    width = std::max(width, texts.back().size());
  }
  std::string out = serialize_header(fmt::format("<U{}", width), tensor.shape());
  for (std::u32string& text : texts) {
    text.resize(width);
    out.append(reinterpret_cast<const char*>(text.data()), width * 4);
  }
  return out;
}
}  // namespace

Tensor parse_npy(std::span<const std::byte> bytes, std::shared_ptr<const void> owner) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const Header header = parse_header(text);
  const std::string_view payload = text.substr(header.data_offset);
  if (header.code[0] == 'S' || header.code[0] == 'U') return parse_strings(header, payload);
  const auto* kind = std::find_if(std::begin(kKinds), std::end(kKinds), [&](const Kind& k) { return k.code == header.code; });
  if (kind == std::end(kKinds)) {
    throw Error(ErrorCode::kUnsupported,
                fmt::format(".npy: element type '{}'{}", header.code,
                            header.code[0] == 'O' ? " (pickled objects are never read)" : " has no ONNX counterpart"));
  }
  return parse_numbers(header, payload, owner, *kind);
}

Tensor load_npy(const std::filesystem::path& path) {
  const std::shared_ptr<const core::MappedFile> file = core::MappedFile::open(path);
  return with_trail([&] { return path.string(); }, [&] { return parse_npy(file->bytes(), file); });
}

std::string serialize_npy(const Tensor& given) {
  if (given.dtype() == DType::kString) return serialize_strings(given);
  const Tensor tensor = representable(given);
  const auto* kind = std::find_if(std::begin(kKinds), std::end(kKinds), [&](const Kind& k) { return k.dtype == tensor.dtype(); });
  std::string out = serialize_header(fmt::format("{}{}", bit_width(kind->dtype) == 8 ? '|' : '<', kind->code), tensor.shape());
  out.append(static_cast<const char*>(tensor.raw()), tensor.byte_size());
  return out;
}

void save_npy(const std::filesystem::path& path, const Tensor& tensor) {
  core::AtomicFile file(path);
  file.write(serialize_npy(tensor));
  file.commit();
}

}  // namespace sardonyx
