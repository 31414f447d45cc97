// A row as bytes: the form in which rows wait in memory and in run files.
//
// The key is `sku NUL location`: neither may hold a NUL, so comparing keys byte by byte is comparing SKU, then location.
// The payload is quantity, time and item id, as short as they are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "domain/stock_rows.h"

namespace reconciliation {

inline constexpr std::size_t kKeyBytesMax = kSkuBytesMax + 1 + kLocationBytesMax;
// A flag, a quantity of at most 36 digits with sign and point, two numbers.
inline constexpr std::size_t kPayloadBytesMax = 80;

// A whole row: two bytes for the size of the key, one for that of the payload, key, payload.
inline constexpr std::size_t kPackedHeadBytes = 3;
inline constexpr std::size_t kPackedBytesMax = kPackedHeadBytes + kKeyBytesMax + kPayloadBytesMax;
// Writes at most kPackedBytesMax bytes; how many it were. SKU and location are within their bounds.
[[nodiscard]] std::size_t pack_row(const StockRow& row, char* to);
// How many bytes the row at the beginning of `bytes` takes; 0 if there is no whole one.
[[nodiscard]] std::size_t packed_size(std::string_view bytes);
[[nodiscard]] inline std::string_view packed_key(const char* from) {
    const auto low = static_cast<unsigned char>(from[0]);
    const auto high = static_cast<unsigned char>(from[1]);
    return {from + kPackedHeadBytes, static_cast<std::size_t>(low) | (static_cast<std::size_t>(high) << 8U)};
}
[[nodiscard]] inline std::string_view packed_payload(const char* from) {
    const auto key = packed_key(from);
    return {key.data() + key.size(), static_cast<unsigned char>(from[2])};
}

// Writes the payload, at most kPayloadBytesMax bytes; how many it were.
[[nodiscard]] std::size_t pack_payload(const StockRow& row, char* to);
// False if the bytes are no payload. `used` is how many it took.
[[nodiscard]] bool unpack_payload(const char* from, std::size_t size, StockRow& row, std::size_t& used);
// Sets SKU and location from a key; false if it has no NUL.
[[nodiscard]] bool split_key(std::string_view key, StockRow& row);

// Whether a row can be packed: kind malformed, code "snapshot_row", for a SKU that is empty and texts too long or with a NUL.
[[nodiscard]] core::Result<void> check_row(const StockRow& row);

// Numbers in as few bytes as they need, seven bits a byte.
[[nodiscard]] inline std::size_t put_number(std::uint64_t value, char* to) {
    std::size_t at = 0;
    for (; value >= 0x80; value >>= 7U) {
        to[at++] = static_cast<char>((value & 0x7FU) | 0x80U);
    }
    to[at++] = static_cast<char>(value);
    return at;
}
// False at the end of the bytes.
[[nodiscard]] inline bool get_number(const char* from, std::size_t size, std::size_t& at, std::uint64_t& value) {
    constexpr unsigned kShiftMax = 63;
    value = 0;
    for (unsigned shift = 0; shift <= kShiftMax && at < size; shift += 7) {
        const auto byte = static_cast<unsigned char>(from[at++]);
        value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
        if ((byte & 0x80U) == 0) {
            return true;
        }
    }
    return false;
}

}  // namespace reconciliation
