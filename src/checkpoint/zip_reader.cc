#include "checkpoint/zip_reader.h"

#include <zlib.h>

#include <algorithm>
#include <limits>

#include "checkpoint/byte_reader.h"
#include "checkpoint/text.h"
#include "checkpoint/zip_format.h"

namespace sardonyx::checkpoint {

namespace {

[[noreturn]] void invalid(const std::string& message) { throw Error(ErrorCode::kInvalidModel, "the zip archive is broken: " + message); }

[[noreturn]] void unsupported(const std::string& message) {
  throw Error(ErrorCode::kUnsupported, "the zip archive " + message + ". Cure: save it anew with torch.save");
}

void check_name(std::string_view name) {
  const bool leads_elsewhere =
      name.starts_with('/') || name.find("..") != std::string_view::npos || name.find('\\') != std::string_view::npos;
  if (name.empty() || leads_elsewhere || name.find('\0') != std::string_view::npos) invalid("it has an entry named " + quote(name));
}

// The zip64 fields stand for those members that are saturated, in this order.
void read_extra64(std::span<const std::byte> extra, ZipReader::Entry& entry, uint64_t* offset) {
  ByteReader reader(extra, "extra field of a zip entry");
  while (reader.remaining() >= 4) {
    const uint16_t id = reader.read<uint16_t>();
    const uint16_t length = reader.read<uint16_t>();
    ByteReader field(reader.take(length), "zip64 field of a zip entry");
    if (id != zip::kExtra64) continue;
    if (entry.size == zip::kSee64) entry.size = field.read<uint64_t>();
    if (entry.stored_size == zip::kSee64) entry.stored_size = field.read<uint64_t>();
    if (offset != nullptr && *offset == zip::kSee64) *offset = field.read<uint64_t>();
    return;
  }
}

void check_method(const ZipReader::Entry& entry) {
  constexpr uint16_t kDeflateLevel = 3 << 1;
  constexpr uint16_t kKnownFlags = kDeflateLevel | zip::kFlagDescriptor | zip::kFlagUtf8;
  if ((entry.flags & 1) != 0) unsupported("has the encrypted entry " + quote(entry.name));
  if ((entry.flags & ~kKnownFlags) != 0) unsupported("has entry " + quote(entry.name) + " with flags " + std::to_string(entry.flags));
  if (entry.method != zip::kStored && entry.method != zip::kDeflated) {
    unsupported("has entry " + quote(entry.name) + " of compression method " + std::to_string(entry.method));
  }
  if (entry.method == zip::kStored && entry.stored_size != entry.size) invalid("entry " + quote(entry.name) + " has two sizes");
}

// Raw deflate, all of the input into all of the output.
bool inflate_exactly(std::span<const std::byte> input, std::span<std::byte> output) {
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) throw Error(ErrorCode::kResourceLimit, "there is no memory to inflate a zip entry");
  constexpr size_t kStep = size_t{1} << 30;
  size_t read = 0;
  size_t written = 0;
  int status = Z_OK;
  while (status == Z_OK) {
    const size_t in_step = std::min(kStep, input.size() - read);
    const size_t out_step = std::min(kStep, output.size() - written);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(input.data() + read));
    stream.avail_in = static_cast<uInt>(in_step);
    stream.next_out = reinterpret_cast<Bytef*>(output.data() + written);
    stream.avail_out = static_cast<uInt>(out_step);
    status = inflate(&stream, Z_NO_FLUSH);
    const size_t consumed = in_step - stream.avail_in;
    const size_t produced = out_step - stream.avail_out;
    read += consumed;
    written += produced;
    if (status == Z_OK && consumed == 0 && produced == 0) break;
  }
  inflateEnd(&stream);
  return status == Z_STREAM_END && read == input.size() && written == output.size();
}

}  // namespace

ZipReader::ZipReader(Bytes file, uint64_t max_entries) : file_(std::move(file)) {
  const Directory directory = find_directory();
  if (directory.count > max_entries) {
    throw Error(ErrorCode::kResourceLimit, "the zip archive has " + std::to_string(directory.count) + " entries, more than " +
                                               std::to_string(max_entries) + " (CheckpointLimits::max_entries)");
  }
  read_directory(directory);
  for (Entry& entry : entries_) check_local_header(entry, directory.offset);
  check_overlap();
}

const ZipReader::Entry* ZipReader::find(std::string_view name) const noexcept {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &entries_[found->second];
}

// The end record lies before a comment of at most 65535 bytes that reaches exactly to the end of the file.
ZipReader::Directory ZipReader::find_directory() const {
  const std::span<const std::byte> data = file_.data;
  const uint64_t reach = std::min<uint64_t>(data.size(), zip::kEndSize + std::numeric_limits<uint16_t>::max());
  for (uint64_t back = zip::kEndSize; back <= reach; ++back) {
    const uint64_t position = data.size() - back;
    if (load_little<uint32_t>(data.data() + position) != zip::kEndSignature) continue;
    ByteReader reader(data.subspan(position), "end record of the zip archive");
    reader.skip(4);
    const uint16_t disk = reader.read<uint16_t>();
    const uint16_t directory_disk = reader.read<uint16_t>();
    const uint16_t count_here = reader.read<uint16_t>();
    const uint16_t count = reader.read<uint16_t>();
    const uint32_t size = reader.read<uint32_t>();
    const uint32_t offset = reader.read<uint32_t>();
    if (reader.read<uint16_t>() != back - zip::kEndSize) continue;
    if ((disk != 0 && disk != zip::kSee64Short) || disk != directory_disk || count_here != count) unsupported("spans several disks");
    const Directory directory = find_directory64(position, {count, offset, uint64_t{offset} + size});
    if (directory.offset > directory.end || directory.count > (directory.end - directory.offset) / zip::kCentralSize) {
      invalid("its directory is too small for " + std::to_string(directory.count) + " entries");
    }
    return directory;
  }
  invalid("its end record is missing. Cure: the file is probably cut short; fetch or save it again");
}

// The directory must end where the end records begin.
ZipReader::Directory ZipReader::find_directory64(uint64_t end_record, const Directory& small) const {
  const std::byte* data = file_.data.data();
  const bool has_locator =
      end_record >= zip::kLocator64Size && load_little<uint32_t>(data + end_record - zip::kLocator64Size) == zip::kLocator64Signature;
  if (!has_locator) {
    if (small.end != end_record) invalid("its directory does not end at its end record");
    return small;
  }
  const uint64_t locator = end_record - zip::kLocator64Size;
  const uint64_t record = load_little<uint64_t>(data + locator + 8);
  const uint32_t disks = load_little<uint32_t>(data + locator + 16);
  if (disks > 1 || load_little<uint32_t>(data + locator + 4) != 0) unsupported("spans several disks");
  if (record > locator || locator - record < zip::kEnd64Size || load_little<uint32_t>(data + record) != zip::kEnd64Signature ||
      load_little<uint64_t>(data + record + 4) != locator - record - 12) {
    invalid("its zip64 end record is not where its locator says");
  }
  const uint64_t count = load_little<uint64_t>(data + record + 32);
  const uint64_t size = load_little<uint64_t>(data + record + 40);
  const uint64_t offset = load_little<uint64_t>(data + record + 48);
  if (load_little<uint64_t>(data + record + 24) != count || load_little<uint64_t>(data + record + 16) != 0)
    unsupported("spans several disks");
  if (offset > record || size != record - offset) invalid("its directory does not end at its zip64 end record");
  const bool contradicts =
      (small.count != zip::kSee64Short && small.count != count) || (small.offset != zip::kSee64 && small.offset != offset);
  if (contradicts) invalid("its two end records contradict each other");
  return {count, offset, record};
}

void ZipReader::read_directory(const Directory& directory) {
  ByteReader reader(file_.data.first(directory.end), "directory of the zip archive");
  reader.seek(directory.offset);
  entries_.reserve(static_cast<size_t>(directory.count));
  for (uint64_t i = 0; i < directory.count; ++i) {
    if (reader.read<uint32_t>() != zip::kCentralSignature) invalid("its directory has no entry " + std::to_string(i));
    Entry entry;
    reader.skip(4);
    entry.flags = reader.read<uint16_t>();
    entry.method = reader.read<uint16_t>();
    reader.skip(4);
    entry.crc = reader.read<uint32_t>();
    entry.stored_size = reader.read<uint32_t>();
    entry.size = reader.read<uint32_t>();
    const uint16_t name_length = reader.read<uint16_t>();
    const uint16_t extra_length = reader.read<uint16_t>();
    const uint16_t comment_length = reader.read<uint16_t>();
    const uint16_t disk = reader.read<uint16_t>();
    reader.skip(6);
    entry.header_offset = reader.read<uint32_t>();
    entry.name = as_text(reader.take(name_length));
    read_extra64(reader.take(extra_length), entry, &entry.header_offset);
    reader.skip(comment_length);
    if (disk != 0) unsupported("spans several disks");
    check_name(entry.name);
    check_method(entry);
    if (!index_.emplace(entry.name, entries_.size()).second) invalid("it has two entries named " + quote(entry.name));
    entries_.push_back(entry);
  }
  if (reader.position() != directory.end) invalid("its directory has bytes after its last entry");
}

void ZipReader::check_local_header(Entry& entry, uint64_t directory_offset) const {
  ByteReader reader(file_.data.first(directory_offset), "part of the zip archive before its directory");
  reader.seek(entry.header_offset);
  Entry local;
  if (reader.read<uint32_t>() != zip::kLocalSignature) invalid("entry " + quote(entry.name) + " does not begin where the directory says");
  reader.skip(2);
  local.flags = reader.read<uint16_t>();
  local.method = reader.read<uint16_t>();
  reader.skip(4);
  local.crc = reader.read<uint32_t>();
  local.stored_size = reader.read<uint32_t>();
  local.size = reader.read<uint32_t>();
  const uint16_t name_length = reader.read<uint16_t>();
  const uint16_t extra_length = reader.read<uint16_t>();
  local.name = as_text(reader.take(name_length));
  read_extra64(reader.take(extra_length), local, nullptr);
  const bool same_sizes = local.crc == entry.crc && local.stored_size == entry.stored_size && local.size == entry.size;
  // Sizes that follow the data may be zero or unset here.
  const auto is_open = [](uint64_t size, uint64_t real) { return size == 0 || size == zip::kSee64 || size == real; };
  const bool open_sizes = (entry.flags & zip::kFlagDescriptor) != 0 && (local.crc == 0 || local.crc == entry.crc) &&
                          is_open(local.stored_size, entry.stored_size) && is_open(local.size, entry.size);
  const bool same = local.flags == entry.flags && local.method == entry.method && local.name == entry.name;
  if (!same || (!same_sizes && !open_sizes)) invalid("entry " + quote(entry.name) + " is described differently in its two places");
  entry.data_offset = reader.position();
  if (entry.stored_size > reader.remaining()) invalid("entry " + quote(entry.name) + " reaches beyond its end");
}

void ZipReader::check_overlap() const {
  std::vector<const Entry*> sorted;
  for (const Entry& entry : entries_) sorted.push_back(&entry);
  std::ranges::sort(sorted, {}, &Entry::header_offset);
  for (size_t i = 1; i < sorted.size(); ++i) {
    if (sorted[i]->header_offset < sorted[i - 1]->data_offset + sorted[i - 1]->stored_size) {
      invalid("entries " + quote(sorted[i - 1]->name) + " and " + quote(sorted[i]->name) + " overlap");
    }
  }
}

Bytes ZipReader::contents(const Entry& entry, bool verify_crc, CopyBudget& budget) const {
  Bytes result{file_.data.subspan(entry.data_offset, entry.stored_size), file_.owner};
  if (entry.method == zip::kDeflated) {
    // Deflate yields at most 1032 bytes for one.
    if (entry.size / 1032 > entry.stored_size) invalid("entry " + quote(entry.name) + " declares more bytes than it can hold");
    const auto block = budget.block(entry.size, "the compressed zip entry " + quote(entry.name));
    const std::span<std::byte> room(block->data(), static_cast<size_t>(entry.size));
    if (!inflate_exactly(result.data, room)) invalid("the compressed entry " + quote(entry.name) + " is damaged");
    result = {room, block};
  }
  if (verify_crc && crc32_z(0, reinterpret_cast<const Bytef*>(result.data.data()), result.data.size()) != entry.crc) {
    invalid("entry " + quote(entry.name) + " does not have its CRC-32. Cure: fetch the file again; if it was saved without CRC, set " +
            "CheckpointOptions::verify_crc_up_to to 0");
  }
  return result;
}

}  // namespace sardonyx::checkpoint
