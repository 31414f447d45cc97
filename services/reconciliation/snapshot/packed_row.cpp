#include "snapshot/packed_row.h"

#include <cstring>

namespace reconciliation {
namespace {

// Small numbers of either sign become small numbers.
std::uint64_t folded(std::int64_t value) {
    return (static_cast<std::uint64_t>(value) << 1U) ^ static_cast<std::uint64_t>(value >> 63U);
}
std::int64_t unfolded(std::uint64_t value) {
    return static_cast<std::int64_t>(value >> 1U) ^ -static_cast<std::int64_t>(value & 1U);
}

constexpr char kWhole = 0;
constexpr char kText = 1;

}  // namespace

std::size_t pack_payload(const StockRow& row, char* to) {
    std::size_t at = 1;
    if (const auto whole = row.quantity.places() == 0 ? row.quantity.to_int64() : core::Result<std::int64_t>(std::unexpect);
        whole) {
        to[0] = kWhole;
        at += put_number(folded(*whole), to + at);
    } else {
        const auto text = row.quantity.to_string();
        to[0] = kText;
        at += put_number(text.size(), to + at);
        std::memcpy(to + at, text.data(), text.size());
        at += text.size();
    }
    at += put_number(folded(row.observed_at_ns), to + at);
    at += put_number(folded(row.item_id), to + at);
    return at;
}

core::Result<void> check_row(const StockRow& row) {
    if (row.sku.empty() || row.sku.size() > kSkuBytesMax || row.location.size() > kLocationBytesMax ||
        row.sku.find('\0') != std::string_view::npos || row.location.find('\0') != std::string_view::npos) {
        return core::fail(core::ErrorKind::malformed, "snapshot_row", "a SKU or location that is empty, too long or holds a NUL");
    }
    return {};
}

std::size_t pack_row(const StockRow& row, char* to) {
    const auto key_size = row.sku.size() + 1 + row.location.size();
    char* const key = to + kPackedHeadBytes;
    std::memcpy(key, row.sku.data(), row.sku.size());
    key[row.sku.size()] = '\0';
    std::memcpy(key + row.sku.size() + 1, row.location.data(), row.location.size());
    const auto payload_size = pack_payload(row, key + key_size);
    to[0] = static_cast<char>(key_size & 0xFFU);
    to[1] = static_cast<char>(key_size >> 8U);
    to[2] = static_cast<char>(payload_size);
    return kPackedHeadBytes + key_size + payload_size;
}

std::size_t packed_size(std::string_view bytes) {
    if (bytes.size() < kPackedHeadBytes) {
        return 0;
    }
    const auto key_size = packed_key(bytes.data()).size();
    const auto size = kPackedHeadBytes + key_size + static_cast<unsigned char>(bytes[2]);
    return size <= bytes.size() ? size : 0;
}

bool unpack_payload(const char* from, std::size_t size, StockRow& row, std::size_t& used) {
    if (size == 0) {
        return false;
    }
    std::size_t at = 1;
    std::uint64_t number = 0;
    if (!get_number(from, size, at, number)) {
        return false;
    }
    if (from[0] == kWhole) {
        row.quantity = core::Decimal(unfolded(number));
    } else {
        if (from[0] != kText || number > size - at) {
            return false;
        }
        const auto quantity = core::Decimal::parse({from + at, static_cast<std::size_t>(number)});
        if (!quantity) {
            return false;
        }
        row.quantity = *quantity;
        at += number;
    }
    if (!get_number(from, size, at, number)) {
        return false;
    }
    row.observed_at_ns = unfolded(number);
    if (!get_number(from, size, at, number)) {
        return false;
    }
    row.item_id = unfolded(number);
    used = at;
    return true;
}

bool split_key(std::string_view key, StockRow& row) {
    const auto at = key.find('\0');
    if (at == std::string_view::npos) {
        return false;
    }
    row.sku = key.substr(0, at);
    row.location = key.substr(at + 1);
    return true;
}

}  // namespace reconciliation
