// Which place of a source feeds which location of a shop, and what of it is shown: mappings/<name>.yaml as values.
//
// Made whole by adapters/mapping_file; immutable once made, any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "domain/stock.h"
#include "domain/stock_file.h"

namespace inventory_sync {

// An Odoo whose stock.quant is read.
struct OdooRule {
    std::string url;
    std::string database;
    std::string login;  // Odoo 16 to 18.
    std::string api_key_file;
    std::vector<std::int64_t> companies;                         // allowed_company_ids; empty: the user's own.
    std::map<std::string, std::int64_t, std::less<>> locations;  // Place to stock.location id; empty: each warehouse by its code.
    std::chrono::milliseconds every{60'000};
    std::chrono::milliseconds overlap{600'000};
    std::chrono::milliseconds whole_every{std::chrono::hours{24}};
    int shrink_refused_below = 70;  // As of files.
    friend bool operator==(const OdooRule&, const OdooRule&) = default;
};

struct SourceRule {
    Basis basis = Basis::physical;
    // A report contains a shipment, or an order, if it was observed at least this long after it. Above zero where the source's
    // clock may be ahead or it learns late; below zero where it counts goods out before Shopify hears of the shipment.
    std::chrono::milliseconds shipment_lag{0};
    std::chrono::milliseconds order_lag{0};
    std::map<std::string, Decimal, std::less<>> units;  // Pieces in one of the source's units.
    std::optional<FolderRule> files;                    // Snapshots that this service reads itself.
    std::optional<OdooRule> odoo;                       // What this service asks for itself.
};

// One of a shop's locations; several places may feed it. What is reserved or shipped there is taken from the first of them that
// keeps the item.
struct LocationRule {
    std::int64_t location = 0;
    std::vector<Place> from;
};

// What is shown of what can be sold. Members that are absent come from the next wider policy.
struct Policy {
    std::optional<std::int64_t> buffer;      // Kept back.
    std::optional<std::int64_t> minimum;     // Shown at least (goods made to order).
    std::optional<std::int64_t> hide_below;  // Less than this is shown as none.
};

struct ShownBy {
    std::int64_t buffer = 0;
    std::int64_t minimum = 0;
    std::int64_t hide_below = 0;
};

struct ShopRules {
    std::vector<LocationRule> locations;  // By priority: reservations without a known place count at the first.
    Policy all;
    std::map<std::int64_t, Policy> by_location;
    std::map<std::string, Policy, std::less<>> by_sku;
    std::map<std::pair<std::string, std::int64_t>, Policy> by_sku_and_location;

    [[nodiscard]] const LocationRule* find(std::int64_t location) const;
    // 0: none.
    [[nodiscard]] std::int64_t priority_location() const { return locations.empty() ? 0 : locations.front().location; }
    [[nodiscard]] ShownBy shown_by(const std::string& sku, std::int64_t location) const;
};

struct Rules {
    std::map<std::string, SourceRule, std::less<>> sources;
    std::map<std::string, ShopRules, std::less<>> shops;
    std::set<Place> ignored;  // Known and not sold from: no hold.

    [[nodiscard]] bool is_mapped(const Place& place) const;
    [[nodiscard]] const ShopRules* shop(std::string_view alias) const;
    [[nodiscard]] const SourceRule* source(std::string_view alias) const;
};

// Whole pieces in a quantity of a source's unit, rounded down. Kind mapping_missing, waits for "unit:<source>/<unit>", if the
// mapping does not know the unit.
[[nodiscard]] core::Result<std::int64_t> pieces_of(const Decimal& quantity, const std::string& unit, const std::string& source,
                                                   const SourceRule& rule);

// What is shown when `sellable` could be sold: buffer, then hide_below, then minimum; never negative.
[[nodiscard]] std::int64_t shown(std::int64_t sellable, const ShownBy& policy);
// Why shown() is not `sellable` itself: "buffer", "hidden", "minimum" or "never_negative"; empty where it is.
[[nodiscard]] std::string_view policy_at_work(std::int64_t sellable, const ShownBy& policy);

}  // namespace inventory_sync
