// Which place of a source feeds which location of a shop: what of inventory-sync's mapping a comparison needs.
//
// Made whole by adapters/stock_mapping; immutable once made, any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "domain/divergence.h"

namespace reconciliation {

// The CSV snapshots of a source, as inventory-sync reads them.
struct SourceFiles {
    std::string folder;
    bool by_rename = false;
    char delimiter = ';';
    bool decimal_comma = false;
    std::string sku = "sku";
    std::string quantity = "quantity";
    std::string location;  // Empty: every row is of fixed_location.
    std::string fixed_location;
    std::string unit;  // Empty: pieces.
};

struct SourceRules {
    bool physical = true;  // Compared with on_hand; else with available.
    std::optional<SourceFiles> files;
};

struct FedBy {
    std::string source;
    std::string place;
    friend auto operator<=>(const FedBy&, const FedBy&) = default;
};

struct PolicyRules {
    std::optional<core::Decimal> buffer;
    std::optional<core::Decimal> minimum;
    std::optional<core::Decimal> hide_below;
};

struct ShopRules {
    std::map<std::string, std::vector<FedBy>, std::less<>> locations;  // By Shopify's location id.
    // By SKU and location; empty: all. The narrower one wins, member by member.
    std::map<std::pair<std::string, std::string>, PolicyRules> policies;

    [[nodiscard]] StockPolicy policy_of(std::string_view sku, std::string_view location) const;
    // Locations that this source alone feeds: only these can be compared with its snapshot.
    [[nodiscard]] std::vector<std::string> fed_only_by(std::string_view source) const;
};

struct StockRules {
    std::map<std::string, SourceRules, std::less<>> sources;
    std::map<std::string, ShopRules, std::less<>> shops;

    // "on_hand" or "available"; empty: the mapping does not name the location.
    [[nodiscard]] std::string_view quantity_of(std::string_view shop, std::string_view location) const;
};

}  // namespace reconciliation
