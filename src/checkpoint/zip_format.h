// Numbers of the zip format that reader and writer share.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sardonyx::checkpoint::zip {

inline constexpr uint32_t kLocalSignature = 0x04034B50;
inline constexpr uint32_t kCentralSignature = 0x02014B50;
inline constexpr uint32_t kEndSignature = 0x06054B50;
inline constexpr uint32_t kEnd64Signature = 0x06064B50;
inline constexpr uint32_t kLocator64Signature = 0x07064B50;

inline constexpr size_t kLocalSize = 30;
inline constexpr size_t kCentralSize = 46;
inline constexpr size_t kEndSize = 22;
inline constexpr size_t kEnd64Size = 56;
inline constexpr size_t kLocator64Size = 20;

inline constexpr uint16_t kExtra64 = 0x0001;
inline constexpr uint16_t kExtraPadding = 0x4246;  // "FB", as torch pads
inline constexpr uint16_t kStored = 0;
inline constexpr uint16_t kDeflated = 8;
inline constexpr uint16_t kFlagDescriptor = 1 << 3;  // sizes and CRC follow the data
inline constexpr uint16_t kFlagUtf8 = 1 << 11;

// In a 16-bit or 32-bit field: the value is in the zip64 record.
inline constexpr uint16_t kSee64Short = 0xFFFF;
inline constexpr uint32_t kSee64 = 0xFFFFFFFF;

}  // namespace sardonyx::checkpoint::zip
