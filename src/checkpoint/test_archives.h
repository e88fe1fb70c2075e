// Small checkpoints, made by hand for the tests: pickles instruction by instruction, zips field by field.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/byte_writer.h"
#include "checkpoint/formats.h"
#include "sardonyx/checkpoint.h"

namespace sardonyx::checkpoint::testing {

using namespace std::string_literals;

inline std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text.data(), text.size())); }

template <class T>
std::string little(T value) {
  std::string out;
  append_little(out, value);
  return out;
}

// Instructions of pickles.
inline std::string text(std::string_view value) { return "X" + little(static_cast<uint32_t>(value.size())) + std::string(value); }
inline std::string number(int64_t value) { return "\x8A\x08" + little(value); }
inline std::string global(std::string_view module, std::string_view name) {
  return "c" + std::string(module) + "\n" + std::string(name) + "\n";
}
inline std::string tuple(const std::vector<int64_t>& values) {
  std::string out = "(";
  for (const int64_t value : values) out += number(value);
  return out + "t";
}
inline std::string storage(std::string_view type, std::string_view key, int64_t count, std::string_view tail = "") {
  return "(" + text("storage") + global("torch", type) + text(key) + text("cpu") + number(count) + std::string(tail) + "tQ";
}
struct TensorPickle {
  std::string type = "FloatStorage";
  std::string key = "0";
  int64_t count = 4;
  int64_t offset = 0;
  std::vector<int64_t> size = {4};
  std::vector<int64_t> stride = {1};
  std::string storage_tail = "";
};
inline std::string tensor(const TensorPickle& t = {}) {
  return global("torch._utils", "_rebuild_tensor_v2") + "(" + storage(t.type, t.key, t.count, t.storage_tail) + number(t.offset) +
         tuple(t.size) + tuple(t.stride) + "\x89" + global("collections", "OrderedDict") + ")RtR";
}
inline std::string dict(const std::vector<std::pair<std::string, std::string>>& items) {
  std::string out = "}(";
  for (const auto& [key, value] : items) out += text(key) + value;
  return out + "u";
}
inline std::string pickle(const std::string& body) { return "\x80\x02" + body + "."; }

struct ZipItem {
  std::string name;
  std::string contents;
  bool deflate = false;
};

inline std::string deflated(const std::string& contents) {
  z_stream stream{};
  if (deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK) throw std::runtime_error("deflateInit2");
  std::string out(deflateBound(&stream, contents.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(contents.data()));
  stream.avail_in = static_cast<uInt>(contents.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  if (deflate(&stream, Z_FINISH) != Z_STREAM_END) throw std::runtime_error("deflate");
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

// The fields of one entry, open to falsification.
struct ZipFields {
  std::string name;
  std::string local_name;
  std::string data;
  uint16_t flags = 0;
  uint16_t local_flags = 0;
  uint16_t method = 0;
  uint32_t crc = 0;
  uint32_t stored_size = 0;
  uint32_t size = 0;
  uint32_t local_size = 0;
  uint32_t offset = 0;
  uint16_t disk = 0;
};

// `edit` is called for each entry when its place is known.
inline std::string zip(const std::vector<ZipItem>& items, const std::function<void(ZipFields&)>& edit = nullptr) {
  std::string out;
  std::string directory;
  for (const ZipItem& item : items) {
    ZipFields f{item.name, item.name, item.deflate ? deflated(item.contents) : item.contents};
    f.method = item.deflate ? 8 : 0;
    f.crc = static_cast<uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(item.contents.data()), static_cast<uInt>(item.contents.size())));
    f.stored_size = static_cast<uint32_t>(f.data.size());
    f.size = f.local_size = static_cast<uint32_t>(item.contents.size());
    f.offset = static_cast<uint32_t>(out.size());
    if (edit) edit(f);
    const std::string sizes = little(f.crc) + little(f.stored_size);
    const size_t unpadded = out.size() + 30 + f.local_name.size() + 4;
    const std::string extra = "FB" + little(static_cast<uint16_t>((64 - unpadded % 64) % 64)) + std::string((64 - unpadded % 64) % 64, 'Z');
    out += "PK\x03\x04" + little(uint16_t{20}) + little(f.local_flags) + little(f.method) + little(uint32_t{0}) + sizes +
           little(f.local_size) + little(static_cast<uint16_t>(f.local_name.size())) + little(static_cast<uint16_t>(extra.size())) +
           f.local_name + extra + f.data;
    directory += "PK\x01\x02" + little(uint32_t{20}) + little(f.flags) + little(f.method) + little(uint32_t{0}) + sizes + little(f.size) +
                 little(static_cast<uint16_t>(f.name.size())) + little(uint32_t{0}) + little(f.disk) + std::string(6, '\0') +
                 little(f.offset) + f.name;
  }
  const auto count = static_cast<uint16_t>(items.size());
  return out + directory + "PK\x05\x06" + little(uint32_t{0}) + little(count) + little(count) +
         little(static_cast<uint32_t>(directory.size())) + little(static_cast<uint32_t>(out.size())) + little(uint16_t{0});
}

inline std::string floats(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

// A torch zip of that pickle body, with storage "0" of four floats.
inline std::string torch_zip(const std::string& body, std::vector<ZipItem> more = {}) {
  std::vector<ZipItem> items = {{"a/data.pkl", pickle(body)}, {"a/data/0", floats({1, 2, 3, 4})}, {"a/version", "3\n"}};
  items.insert(items.end(), more.begin(), more.end());
  return zip(items);
}

// The bytes must outlive the result.
inline Checkpoint read(const std::string& file, const CheckpointOptions& options = {}) {
  return read_checkpoint(bytes_of(file), nullptr, options, "test");
}
inline StateDict load(const std::string& file, const CheckpointOptions& options = {}) {
  return load_checkpoint(bytes_of(file), nullptr, options, "test");
}

// The error's code and text, as "Unsupported: checkpoint 'test': ..."; "no error" without.
inline std::string error_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return std::string(to_string(error.code())) + ": " + error.what();
  }
  return "no error";
}
inline std::string read_error(const std::string& file, const CheckpointOptions& options = {}) {
  return error_of([&] { read(file, options); });
}
inline std::string body_error(const std::string& body, const CheckpointOptions& options = {}) {
  return read_error(torch_zip(body), options);
}

}  // namespace sardonyx::checkpoint::testing
