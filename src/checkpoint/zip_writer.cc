#include "checkpoint/zip_writer.h"

#include <zlib.h>

#include <algorithm>

#include "checkpoint/byte_writer.h"
#include "checkpoint/zip_format.h"
#include "core/arena.h"

namespace sardonyx::checkpoint {

namespace {

constexpr uint16_t kVersion64 = 45;    // zip64 is known to readers of 4.5
constexpr uint16_t kFirstDate = 0x21;  // 1 January 1980: files do not depend on the clock

uint32_t saturated(uint64_t value) { return static_cast<uint32_t>(std::min<uint64_t>(value, zip::kSee64)); }

// Version, flags, method, time, date, CRC and sizes: alike in local header and directory.
void append_common(std::string& out, uint32_t crc, uint64_t size) {
  append_little<uint16_t>(out, size >= zip::kSee64 ? kVersion64 : uint16_t{20});
  append_little<uint16_t>(out, zip::kFlagUtf8);
  append_little<uint16_t>(out, zip::kStored);
  append_little<uint16_t>(out, 0);
  append_little<uint16_t>(out, kFirstDate);
  append_little<uint32_t>(out, crc);
  append_little<uint32_t>(out, saturated(size));
  append_little<uint32_t>(out, saturated(size));
}

std::string sizes_extra(uint64_t size) {
  std::string extra;
  if (size < zip::kSee64) return extra;
  append_little<uint16_t>(extra, zip::kExtra64);
  append_little<uint16_t>(extra, 16);
  append_little<uint64_t>(extra, size);
  append_little<uint64_t>(extra, size);
  return extra;
}

}  // namespace

void ZipWriter::write(std::string_view bytes) {
  file_.write(bytes);
  position_ += bytes.size();
}

void ZipWriter::add(const std::string& name, std::span<const std::byte> contents) {
  const auto crc = static_cast<uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(contents.data()), contents.size()));
  entries_.push_back({name, crc, contents.size(), position_});
  std::string extra = sizes_extra(contents.size());
  const uint64_t unpadded = position_ + zip::kLocalSize + name.size() + extra.size() + 4;
  const uint64_t padding = core::align_up(unpadded) - unpadded;
  append_little<uint16_t>(extra, zip::kExtraPadding);
  append_little<uint16_t>(extra, static_cast<uint16_t>(padding));
  extra.append(padding, 'Z');

  std::string header;
  append_little<uint32_t>(header, zip::kLocalSignature);
  append_common(header, crc, contents.size());
  append_little<uint16_t>(header, static_cast<uint16_t>(name.size()));
  append_little<uint16_t>(header, static_cast<uint16_t>(extra.size()));
  write(header + name + extra);
  file_.write(contents);
  position_ += contents.size();
}

void ZipWriter::finish() {
  const uint64_t start = position_;
  for (const Entry& entry : entries_) {
    const bool far = entry.offset >= zip::kSee64;
    std::string extra = sizes_extra(entry.size);
    if (far) {
      if (extra.empty()) {
        append_little<uint16_t>(extra, zip::kExtra64);
        append_little<uint16_t>(extra, 8);
      } else {
        extra[2] = 24;
      }
      append_little<uint64_t>(extra, entry.offset);
    }
    std::string header;
    append_little<uint32_t>(header, zip::kCentralSignature);
    append_little<uint16_t>(header, kVersion64);
    append_common(header, entry.crc, entry.size);
    append_little<uint16_t>(header, static_cast<uint16_t>(entry.name.size()));
    append_little<uint16_t>(header, static_cast<uint16_t>(extra.size()));
    header.append(10, '\0');  // comment, disk, attributes
    append_little<uint32_t>(header, saturated(entry.offset));
    write(header + entry.name + extra);
  }
  const uint64_t end = position_;
  std::string tail;
  append_little<uint32_t>(tail, zip::kEnd64Signature);
  append_little<uint64_t>(tail, zip::kEnd64Size - 12);
  append_little<uint16_t>(tail, kVersion64);
  append_little<uint16_t>(tail, kVersion64);
  append_little<uint64_t>(tail, 0);
  append_little<uint64_t>(tail, entries_.size());
  append_little<uint64_t>(tail, entries_.size());
  append_little<uint64_t>(tail, end - start);
  append_little<uint64_t>(tail, start);
  append_little<uint32_t>(tail, zip::kLocator64Signature);
  append_little<uint32_t>(tail, 0);
  append_little<uint64_t>(tail, end);
  append_little<uint32_t>(tail, 1);
  const auto count = static_cast<uint16_t>(std::min<size_t>(entries_.size(), zip::kSee64Short));
  append_little<uint32_t>(tail, zip::kEndSignature);
  append_little<uint32_t>(tail, 0);
  append_little<uint16_t>(tail, count);
  append_little<uint16_t>(tail, count);
  append_little<uint32_t>(tail, saturated(end - start));
  append_little<uint32_t>(tail, saturated(start));
  append_little<uint16_t>(tail, 0);
  write(tail);
}

}  // namespace sardonyx::checkpoint
