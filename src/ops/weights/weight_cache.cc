#include "ops/weights/weight_cache.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <chrono>
#include <cstring>

#include "core/arena.h"
#include "core/pages.h"

namespace sardonyx::ops {
namespace {

constexpr std::array<char, 8> kMagic = {'S', 'D', 'X', 'P', 'A', 'C', 'K', '\n'};
constexpr uint32_t kVersion = 1;
constexpr uint64_t kByteOrder = 0x0102030405060708;

struct Header {
  std::array<char, 8> magic = kMagic;
  uint32_t version = kVersion;
  uint32_t entries = 0;
  uint64_t file_bytes = 0;
  uint64_t byte_order = kByteOrder;
  uint64_t table_checksum = 0;
  std::array<uint64_t, 3> reserved = {};
};
static_assert(sizeof(Header) == 64 && sizeof(PackedEntry) == 64);

std::array<uint64_t, 2> hash(const void* data, size_t bytes) {
  const XXH128_hash_t result = XXH3_128bits(data, bytes);
  return {result.low64, result.high64};
}
std::array<uint64_t, 2> hash(std::string_view text) { return hash(text.data(), text.size()); }

std::string signature(const Tensor& plain) { return fmt::format("{} {}", to_string(plain.dtype()), to_string(plain.shape())); }

std::array<uint64_t, 2> content_of(const Tensor& plain) {
  core::fetch_pages(plain.stored(), plain.byte_size());
  const auto elements = hash(plain.stored(), plain.byte_size());
  return hash(fmt::format("{} {} {}", signature(plain), elements[0], elements[1]));
}

// A file that was written just now may be written again within the same tick of its clock: its times do not tell yet.
bool is_settled(const core::FileIdentity& file) {
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  return std::max(file.modified_ns, file.changed_ns) / 1000000000 + 2 < now;
}

std::array<uint64_t, 2> source_of(const Tensor& plain) {
  const std::optional<core::FilePlace> place = core::MappedFile::place(plain.stored(), plain.byte_size());
  if (!place || !is_settled(place->file)) return {};
  const core::FileIdentity& f = place->file;
  return hash(
      fmt::format("{} {} {} {} {} {} {}", signature(plain), f.device, f.inode, f.bytes, f.modified_ns, f.changed_ns, place->offset));
}

bool is_sound(const PackedEntry& entry, uint64_t data_begin, uint64_t file_bytes) {
  return entry.offset % core::kAlignment == 0 && entry.offset >= data_begin && entry.offset <= file_bytes &&
         entry.bytes <= file_bytes - entry.offset;
}

}  // namespace

std::optional<std::vector<PackedEntry>> read_packed_entries(std::span<const std::byte> file) {
  Header header;
  if (file.size() < sizeof(Header)) return std::nullopt;
  std::memcpy(&header, file.data(), sizeof(Header));
  if (header.magic != kMagic || header.version != kVersion || header.byte_order != kByteOrder) return std::nullopt;
  if (header.file_bytes != file.size() || header.entries > (file.size() - sizeof(Header)) / sizeof(PackedEntry)) return std::nullopt;
  const size_t table_bytes = header.entries * sizeof(PackedEntry);
  if (XXH3_64bits(file.data() + sizeof(Header), table_bytes) != header.table_checksum) return std::nullopt;
  std::vector<PackedEntry> entries(header.entries);
  if (!entries.empty()) std::memcpy(entries.data(), file.data() + sizeof(Header), table_bytes);
  const uint64_t data_begin = sizeof(Header) + table_bytes;
  if (!std::ranges::all_of(entries, [&](const PackedEntry& e) { return is_sound(e, data_begin, file.size()); })) return std::nullopt;
  return entries;
}

WeightCache::WeightCache(std::filesystem::path path) : path_(std::move(path)) {
  std::shared_ptr<const core::MappedFile> file;
  if (std::filesystem::exists(path_)) file = core::MappedFile::open(path_);
  const std::optional<std::vector<PackedEntry>> entries = file ? read_packed_entries(file->bytes()) : std::nullopt;
  if (!entries) {
    with_trail([] { return "packed_weights_cache needs a folder that can be written to"; }, [&] { core::AtomicFile probe(path_); });
    return;
  }
  for (const PackedEntry& entry : *entries) entries_.push_back({entry, Data(file, file->bytes().data() + entry.offset)});
}

WeightCache::Kept* WeightCache::search(const PackedEntry& key, bool by_source) {
  const auto found = std::ranges::find_if(entries_, [&](const Kept& kept) {
    const PackedEntry& e = kept.entry;
    return e.layout == key.layout && e.bytes == key.bytes && (by_source ? e.source == key.source : e.content == key.content);
  });
  return found == entries_.end() ? nullptr : &*found;
}

WeightCache::Data WeightCache::find(const Tensor& plain, std::string_view layout, size_t bytes) {
  const std::lock_guard lock(mutex_);
  if (entries_.empty()) return nullptr;
  PackedEntry key = {.content = {}, .layout = hash(layout), .source = source_of(plain), .offset = 0, .bytes = bytes};
  Kept* found = key.source == std::array<uint64_t, 2>{} ? nullptr : search(key, true);
  const auto fits = [&](const Kept& kept) { return kept.entry.layout == key.layout && kept.entry.bytes == bytes; };
  if (!found && std::ranges::any_of(entries_, fits)) {
    key.content = content_of(plain);
    found = search(key, false);
  }
  if (!found) return nullptr;
  found->used = true;
  return found->data;
}

void WeightCache::add(const Tensor& plain, std::string_view layout, Data packed, size_t bytes) {
  const PackedEntry entry = {.content = content_of(plain), .layout = hash(layout), .source = source_of(plain), .offset = 0, .bytes = bytes};
  const std::lock_guard lock(mutex_);
  if (search(entry, false)) return;  // equal constants are kept once
  entries_.push_back({entry, std::move(packed), true});
  is_changed_ = true;
}

void WeightCache::drop_unused() {
  uint64_t used = 0, unused = 0;
  for (const Kept& kept : entries_) (kept.used ? used : unused) += kept.entry.bytes;
  if (unused > used) std::erase_if(entries_, [](const Kept& kept) { return !kept.used; });
}

void WeightCache::save() {
  if (!is_changed_.load(std::memory_order_acquire)) return;
  const std::lock_guard lock(mutex_);
  if (!is_changed_.exchange(false)) return;
  drop_unused();
  std::vector<PackedEntry> table;
  uint64_t end = sizeof(Header) + entries_.size() * sizeof(PackedEntry);
  for (Kept& kept : entries_) {
    kept.entry.offset = core::align_up(end);
    end = kept.entry.offset + kept.entry.bytes;
    table.push_back(kept.entry);
  }
  Header header;
  header.entries = static_cast<uint32_t>(table.size());
  header.file_bytes = end;
  header.table_checksum = XXH3_64bits(table.data(), table.size() * sizeof(PackedEntry));
  core::AtomicFile file(path_);
  file.write(std::as_bytes(std::span(&header, 1)));
  file.write(std::as_bytes(std::span(table)));
  uint64_t at = sizeof(Header) + table.size() * sizeof(PackedEntry);
  for (const Kept& kept : entries_) {
    static constexpr std::array<std::byte, core::kAlignment> kGap = {};
    file.write(std::span(kGap).first(kept.entry.offset - at));
    file.write({kept.data.get(), kept.entry.bytes});
    at = kept.entry.offset + kept.entry.bytes;
  }
  file.commit();
}

}  // namespace sardonyx::ops
