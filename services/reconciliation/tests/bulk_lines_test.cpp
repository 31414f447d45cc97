#include <catch2/catch_test_macros.hpp>

#include <syncline/core/time.h>

#include "snapshot/bulk_lines.h"
#include "tests/rows.h"

namespace {

using namespace reconciliation;
using namespace reconciliation::testing;

struct Bulk {
    std::vector<OwnedRow> rows;
    BulkLines lines;
    explicit Bulk(std::string quantity = "available")
        : lines(std::move(quantity), [this](const StockRow& row) {
              rows.push_back(owned(row));
              return core::Result<void>{};
          }) {}
};

constexpr std::string_view kItem = R"({"id":"gid:\/\/shopify\/InventoryItem\/30","sku":"A-1","tracked":true})";
constexpr std::string_view kLevel =
    R"({"id":"gid://shopify/InventoryLevel/7?inventory_item_id=30","location":{"id":"gid://shopify/Location/9"},)"
    R"("item":{"id":"gid://shopify/InventoryItem/30","sku":"A-1","tracked":true},)"
    R"("quantities":[{"name":"available","quantity":-5,"updatedAt":"2026-11-20T10:00:00Z"},{"name":"on_hand","quantity":8,"updatedAt":null}],)"
    R"("__parentId":"gid://shopify/InventoryItem/30"})";

}  // namespace

TEST_CASE("bulk lines: items and levels in any order are rows", "[reconciliation][unit]") {
    Bulk bulk;
    REQUIRE(bulk.lines.line(kLevel));
    REQUIRE(bulk.lines.line(kItem));
    REQUIRE(bulk.lines.finish(2));
    const auto at = core::nanos_since_epoch(core::parse_rfc3339("2026-11-20T10:00:00Z").value());
    CHECK(bulk.rows == std::vector<OwnedRow>{{"A-1", "9", "-5", at, 30}, {"A-1", "", "0", 0, 30}});
    Bulk on_hand("on_hand");
    REQUIRE(on_hand.lines.line(kLevel));
    CHECK(on_hand.rows == std::vector<OwnedRow>{{"A-1", "9", "8", 0, 30}});
}

TEST_CASE("bulk lines: items without SKU or stock of their own give no row", "[reconciliation][unit]") {
    Bulk bulk;
    REQUIRE(bulk.lines.line(R"({"id":"gid://shopify/InventoryItem/31","sku":null,"tracked":true})"));
    REQUIRE(bulk.lines.line(R"({"id":"gid://shopify/InventoryItem/32","sku":"","tracked":true})"));
    REQUIRE(bulk.lines.line(R"({"id":"gid://shopify/InventoryItem/33","sku":"B","tracked":false})"));
    CHECK(bulk.rows.empty());
    CHECK(bulk.lines.without_sku() == 2);
}

TEST_CASE("bulk lines: fewer lines than Shopify counted, or half a line, refuse the snapshot", "[reconciliation][unit]") {
    Bulk bulk;
    REQUIRE(bulk.lines.line(kItem));
    CHECK(bulk.lines.finish(2).error().code == "snapshot_truncated");
    CHECK(bulk.lines.line(kLevel.substr(0, 200)).error().code == "snapshot_row");
    CHECK(bulk.lines.line("").error().code == "snapshot_row");
    CHECK(bulk.lines.line("[]").error().code == "snapshot_row");
    CHECK(bulk.lines.line(R"({"id":"gid://shopify/Product/31","sku":"A","tracked":true})").error().code == "snapshot_row");
    CHECK(bulk.lines.line(R"({"id":"gid://shopify/InventoryItem/31","sku":"A"})").error().code == "snapshot_row");
    Bulk other("incoming");
    CHECK(other.lines.line(kLevel).error().code == "snapshot_row");
}

TEST_CASE("bulk lines: levels that changed come below their locations, and the quantity is the location's", "[unit]") {
    CHECK(changed_stock_query("2026-11-20T10:00:00Z").find("inventoryLevels(query: \"updated_at:>='2026-11-20T10:00:00Z'\")") !=
          std::string::npos);
    std::vector<reconciliation::testing::OwnedRow> rows;
    BulkLines lines(
        [](std::string_view location) -> std::string_view {
            return location == "9" ? "on_hand" : (location == "8" ? "available" : "");
        },
        [&](const StockRow& row) -> core::Result<void> {
            rows.push_back(reconciliation::testing::owned(row));
            return {};
        });
    const auto level = [](const std::string& location) {
        return R"({"id":"gid://shopify/InventoryLevel/7?inventory_item_id=30","location":{"id":"gid://shopify/Location/)" +
               location + R"("},"item":{"id":"gid://shopify/InventoryItem/30","sku":"A-1","tracked":true},"quantities":[)" +
               R"({"name":"available","quantity":5},{"name":"on_hand","quantity":6}],"__parentId":"gid://shopify/Location/)" +
               location + R"("})";
    };
    REQUIRE(lines.line(R"({"id":"gid://shopify/Location/9"})"));
    REQUIRE(lines.line(level("9")));
    REQUIRE(lines.line(level("8")));
    REQUIRE(lines.line(level("7")));
    REQUIRE(lines.finish(4));
    CHECK(rows == std::vector<reconciliation::testing::OwnedRow>{{"A-1", "9", "6", 0, 30}, {"A-1", "8", "5", 0, 30}});
    CHECK(lines.levels() == 2);
}
