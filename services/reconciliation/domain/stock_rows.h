// One line of a stock snapshot, and a stream of them.
//
// Rows come in the order of their key (SKU, then location, byte by byte), so that two snapshots of any size are compared in
// constant memory and everything of one SKU stands together. A row with an empty location says only that the item exists: it
// sorts before the SKU's levels, which is how a comparison knows an unknown SKU from one that is not stocked at a location.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/decimal.h>
#include <syncline/core/error.h>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace reconciliation {

namespace core = syncline::core;

inline constexpr std::size_t kSkuBytesMax = 512;
inline constexpr std::size_t kLocationBytesMax = 256;

struct StockRow {
    std::string_view sku;
    std::string_view location;  // Empty: the item itself, without a level.
    core::Decimal quantity;
    std::int64_t observed_at_ns = 0;  // 0: the snapshot does not say.
    std::int64_t item_id = 0;         // Shopify's inventory item; 0 where the side has none.
};

// Equal texts, which are mostly as long as two words: without a call.
[[nodiscard]] inline bool same_text(std::string_view a, std::string_view b) {
    constexpr std::size_t kWord = sizeof(std::uint64_t);
    if (a.size() != b.size()) {
        return false;
    }
    if (a.size() < kWord || a.size() > 2 * kWord) {
        return a == b;
    }
    const auto word = [](const char* at) {
        std::uint64_t value = 0;
        std::memcpy(&value, at, kWord);
        return value;
    };
    const auto last = a.size() - kWord;
    return word(a.data()) == word(b.data()) && word(a.data() + last) == word(b.data() + last);
}

class StockRows {
public:
    virtual ~StockRows() = default;
    // Whether the texts of a row live one call longer, until the next but one.
    [[nodiscard]] virtual bool keeps_previous() const { return false; }
    // The next row, nullptr after the last one. A row and its views live until the next call. The end is reported only once the
    // whole snapshot has proven to be complete; errors (kind malformed, codes "snapshot_…") are final.
    [[nodiscard]] virtual core::Result<const StockRow*> next() = 0;
};

}  // namespace reconciliation
