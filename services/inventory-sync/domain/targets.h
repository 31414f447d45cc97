// What Shopify should show of one SKU: a value for every (shop, item, location) that the SKU's stock feeds.
//
// A physical level is written as on_hand and Shopify subtracts what it has committed for that location itself; a net level is
// written as available. What is reserved elsewhere (another shop, another location of the same places) is unknown to Shopify
// here and subtracted by us. A shipment is in a level only if the level was observed after it; until then it is subtracted.
// Pure; any thread.
#pragma once

#include <syncline/core/clock.h>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "domain/rules.h"

namespace inventory_sync {

enum class QuantityName : std::uint8_t { available, on_hand };

[[nodiscard]] constexpr QuantityName written_as(Basis basis) {
    return basis == Basis::physical ? QuantityName::on_hand : QuantityName::available;
}

struct KnownLevel {
    Place place;
    Basis basis = Basis::physical;  // As the report says.
    std::int64_t pieces = 0;
    core::SystemTime known_until{};
};

// Open units of one order.
struct Reserved {
    std::string shop;
    std::int64_t location = 0;
    std::int64_t quantity = 0;
    core::SystemTime placed{};
    bool provisional = false;  // Counts at the shop's first location that keeps the item, not at `location`.
};

// Units that left.
struct Shipped {
    std::string shop;
    std::int64_t location = 0;
    std::int64_t quantity = 0;
    core::SystemTime at{};
    std::optional<core::SystemTime> placed;  // Unknown as long as the order is.
};

// An item of a shop that has the SKU.
struct Item {
    std::string shop;
    std::int64_t item = 0;
    double sold_per_day = 0;
};

// Units that fell in Shopify without a known cause.
struct Pending {
    std::string shop;
    std::int64_t item = 0;
    std::int64_t location = 0;
    std::int64_t quantity = 0;
};

struct SkuState {
    std::string sku;
    std::vector<KnownLevel> levels;
    std::vector<Reserved> reserved;
    std::vector<Shipped> shipped;
    std::vector<Item> items;
    std::vector<Pending> pending;
};

struct Target {
    std::string shop;
    std::int64_t item = 0;
    std::int64_t location = 0;
    Basis basis = Basis::physical;
    std::int64_t quantity = 0;  // Of written_as(basis); never negative.
    std::int64_t sellable = 0;  // Before policies; below zero: sold more than there is.
    double urgency = 0;         // Days until sold out; smaller goes first.
    friend bool operator==(const Target&, const Target&) = default;
};

struct Targets {
    std::vector<Target> pairs;
    std::vector<Place> unmapped;             // Of this SKU: neither mapped nor ignored.
    std::vector<std::string> shops_without;  // Shops that these places feed and that have no such item.
    std::vector<std::string> duplicate_in;   // Shops with several items of this SKU: none of them is written.
    std::vector<std::string> basis_differs;  // Sources whose reports have another basis than the mapping states: not counted.
};

[[nodiscard]] Targets targets_of(const SkuState& state, const Rules& rules);

// Days until sold out, at least as if one were sold in thirty days.
[[nodiscard]] double urgency(std::int64_t sellable, double sold_per_day);

}  // namespace inventory_sync
