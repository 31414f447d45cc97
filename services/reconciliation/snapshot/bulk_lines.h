// The lines of Shopify's bulk query of stock as rows.
//
// The query (libs/shopify runs it) is kStockQuery: items, and below them their levels, each line complete in itself, because
// Shopify promises no order between parents and children:
//   {"id":"gid://shopify/InventoryItem/30","sku":"A-1","tracked":true}
//   {"id":"gid://shopify/InventoryLevel/7?inventory_item_id=30","location":{"id":"gid://shopify/Location/9"},
//    "item":{"id":"gid://shopify/InventoryItem/30","sku":"A-1","tracked":true},
//    "quantities":[{"name":"available","quantity":5,"updatedAt":"2026-11-20T10:00:00Z"}, …],"__parentId":"…"}
//
// A line that cannot be read refuses the snapshot (kind malformed, code "snapshot_row"), and so does another number of lines than
// the operation counted ("snapshot_truncated"). Items without SKU cannot be compared and are counted; those that Shopify does not
// track have no stock. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "domain/stock_rows.h"

namespace reconciliation {

extern const std::string_view kStockQuery;
// Levels alone, those that changed since then ("2026-11-20T10:00:00Z"): locations, and below them their levels as above.
[[nodiscard]] std::string changed_stock_query(std::string_view since);

class BulkLines {
public:
    using Take = std::function<core::Result<void>(const StockRow&)>;

    // "available" or "on_hand", by Shopify's location id; empty: levels of that location are passed over.
    using QuantityOf = std::function<std::string_view(std::string_view location)>;

    // `take` gets each row, its texts only for the call.
    BulkLines(QuantityOf quantity, Take take);
    BulkLines(std::string quantity, Take take);
    [[nodiscard]] core::Result<void> line(std::string_view text);
    // `objects` is the operation's objectCount.
    [[nodiscard]] core::Result<void> finish(std::uint64_t objects);

    [[nodiscard]] std::uint64_t without_sku() const { return without_sku_; }
    [[nodiscard]] std::uint64_t levels() const { return levels_; }

private:
    [[nodiscard]] core::Error refuse(std::string_view what) const;

    QuantityOf quantity_;
    Take take_;
    std::uint64_t lines_ = 0;
    std::uint64_t levels_ = 0;
    std::uint64_t without_sku_ = 0;
};

}  // namespace reconciliation
