// Bounded reading of protobuf's wire format. Knows fields and bytes, not what they mean.
//
// A Reader walks over the fields of one message without copying; a Budget is shared by all readers of one file and bounds what decoding it
// may cost. Everything malformed is an InvalidModel error that tells the byte offset; exceeding a limit is a ResourceLimit error.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sardonyx::wire {

static_assert(std::endian::native == std::endian::little, "the wire format is copied as it stands: little-endian machines only");

enum class WireType : uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kGroup = 3, kEndGroup = 4, kFixed32 = 5 };

// One field as it stands on the wire.
struct Field {
  uint32_t number = 0;
  WireType type = WireType::kVarint;
  uint64_t value = 0;      // kVarint, kFixed32, kFixed64: the bits
  std::string_view bytes;  // kBytes: the payload
  std::string_view whole;  // tag and value, to be kept verbatim
};

struct Limits {
  int depth = 64;       // nested messages
  size_t messages = 0;  // messages, together
  size_t elements = 0;  // entries of repeated scalars and strings, together
  size_t memory = 0;    // bytes of what is decoded, together
};

// What is left of the limits.
class Budget {
 public:
  explicit Budget(const Limits& limits) : limits_(limits), left_(limits) {}

  void take_message(size_t bytes);                      // one message that decodes into `bytes`
  void take_elements(size_t count, size_t bytes_each);  // `count` entries of `bytes_each`
  void take_memory(size_t bytes);
  void expect_memory(size_t count, size_t bytes_each) const;  // throws if it could not be taken

  // Holds one level of nesting.
  class Level {
   public:
    explicit Level(Budget& budget);
    ~Level() { ++budget_.left_.depth; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;

   private:
    Budget& budget_;
  };

 private:
  Limits limits_;
  Limits left_;
};

class Reader {
 public:
  // `origin` is where offsets in messages count from: the first byte of the file.
  Reader(std::string_view message, const char* origin) : at_(message.data()), end_(at_ + message.size()), origin_(origin) {}

  // The next field; false at the end. Groups, which no field of ours uses, are skipped as a whole.
  bool next(Field& field);
  // How many of the coming fields have this number, up to the first that has not. Reads ahead without moving.
  size_t count_run(uint32_t number) const;

 private:
  void read_value(Field& field);
  uint64_t varint();
  std::string_view take(uint64_t size);
  void skip_group(uint32_t number);
  void read_tag(Field& field);
  [[noreturn]] void fail(const std::string& reason) const;

  const char* at_;
  const char* end_;
  const char* origin_;
};

// Appends the entries of a packed field. `origin` as for Reader.
template <class T>
void read_packed(std::string_view payload, const char* origin, Budget& budget, std::vector<T>& out);
extern template void read_packed(std::string_view, const char*, Budget&, std::vector<float>&);
extern template void read_packed(std::string_view, const char*, Budget&, std::vector<double>&);
extern template void read_packed(std::string_view, const char*, Budget&, std::vector<int32_t>&);
extern template void read_packed(std::string_view, const char*, Budget&, std::vector<int64_t>&);
extern template void read_packed(std::string_view, const char*, Budget&, std::vector<uint64_t>&);

}  // namespace sardonyx::wire
