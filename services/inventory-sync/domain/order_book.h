// What an order takes from stock, and where: its open units at the locations they will leave from, and the units that left.
//
// An order's snapshots and its fulfillments come by different ways and in any order. Open units are those of the newest snapshot
// less what left in fulfillments that this snapshot does not know yet. They count where their fulfillment orders are; until
// these were read, at the shop's first location, marked provisional. An order that is gone has none; what left stays left. Pure;
// any thread.
#pragma once

#include <syncline/core/clock.h>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "domain/stock.h"

namespace inventory_sync {

struct OrderKey {
    std::string shop;
    std::int64_t order = 0;
    friend auto operator<=>(const OrderKey&, const OrderKey&) = default;
};

struct SnapshotVersion {
    std::int64_t updated_ns = 0;
    std::int64_t observed_ns = 0;
    bool fetched = false;
    friend auto operator<=>(const SnapshotVersion&, const SnapshotVersion&) = default;
};

struct OpenLine {
    std::int64_t line = 0;
    std::string sku;
    std::int64_t open = 0;     // What can still be shipped.
    std::int64_t ordered = 0;  // As ordered: what was sold.
    friend bool operator==(const OpenLine&, const OpenLine&) = default;
};

struct LeftLine {
    std::int64_t line = 0;
    std::string sku;
    std::int64_t quantity = 0;
    friend bool operator==(const LeftLine&, const LeftLine&) = default;
};

struct Fulfillment {
    std::int64_t id = 0;
    std::int64_t location = 0;  // 0: Shopify states none.
    bool cancelled = false;
    core::SystemTime at{};
    std::vector<LeftLine> lines;
    SnapshotVersion version;  // Of the fulfillment's own event; zero if only the order told of it.
    bool in_order = false;    // The order's snapshot counts it already.
    friend bool operator==(const Fulfillment&, const Fulfillment&) = default;
};

struct OrderSnapshot {
    OrderKey key;
    SnapshotVersion version;
    core::SystemTime placed{};
    std::vector<OpenLine> lines;  // Open is 0 when cancelled.
    std::vector<Fulfillment> fulfillments;
};

// Units of a line at the location of a fulfillment order.
struct PlacedLine {
    std::int64_t line = 0;
    std::int64_t location = 0;
    std::int64_t quantity = 0;
    friend bool operator==(const PlacedLine&, const PlacedLine&) = default;
};

// Whether the order is gone. The webhook proves nothing but an id, so it counts once Shopify does not know the order any more.
enum class Deletion : std::uint8_t { none, told, confirmed };

struct OrderState {
    OrderKey key;
    std::optional<SnapshotVersion> version;  // Unknown while only a fulfillment told of the order.
    core::SystemTime placed{};
    std::vector<OpenLine> lines;
    std::map<std::int64_t, Fulfillment> fulfillments;
    std::vector<PlacedLine> places;
    bool located = false;  // places were read since the last notice.
    Deletion deletion = Deletion::none;
    friend bool operator==(const OrderState&, const OrderState&) = default;
};

// False: superseded, nothing changed.
bool apply(OrderState& state, const OrderSnapshot& snapshot);
bool apply(OrderState& state, const Fulfillment& fulfillment);

// Somebody says that the order was deleted: it is to be located again, unless that is confirmed. False: known already.
bool tell_deleted(OrderState& state, bool confirmed);
// Where its open units are, as just read; nullopt: Shopify does not know the order.
void locate(OrderState& state, const std::optional<std::vector<PlacedLine>>& places);

struct Reservation {
    std::string sku;
    std::int64_t location = 0;
    std::int64_t quantity = 0;
    bool provisional = false;
    friend bool operator==(const Reservation&, const Reservation&) = default;
};
// At most one for each SKU and location, sorted. Without a location of the shop nothing can be placed.
[[nodiscard]] std::vector<Reservation> reservations(const OrderState& state, std::int64_t priority_location);

// Units that left in one fulfillment that stands.
struct Shipment {
    std::int64_t fulfillment = 0;
    std::string sku;
    std::int64_t location = 0;
    std::int64_t quantity = 0;
    core::SystemTime at{};
    friend bool operator==(const Shipment&, const Shipment&) = default;
};
// At most one for each fulfillment and SKU, sorted. A fulfillment without location left from the first.
[[nodiscard]] std::vector<Shipment> shipments(const OrderState& state, std::int64_t priority_location);

// By how much a state of an order takes more than another from each (SKU, location).
struct Taken {
    std::int64_t reserved = 0;
    std::int64_t shipped = 0;
    friend bool operator==(const Taken&, const Taken&) = default;
};
[[nodiscard]] std::map<std::pair<std::string, std::int64_t>, Taken> difference(const OrderState& before, const OrderState& after,
                                                                               std::int64_t priority_location);

// Units that `after` is the first to tell of and that are neither open nor left: ordered and cancelled unheard, by SKU.
[[nodiscard]] std::map<std::string, std::int64_t> came_and_went(const OrderState& before, const OrderState& after);

// Units sold for the first time between two states, by SKU.
[[nodiscard]] std::map<std::string, std::int64_t> newly_sold(const OrderState& before, const OrderState& after);

}  // namespace inventory_sync
